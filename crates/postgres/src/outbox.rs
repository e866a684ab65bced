//! Events that have happened and are not sent yet. They are written in the transaction of the change they are about, and
//! taken out by the relay (in `ecommerce_rabbit`) once the broker has them.

use ecommerce_contract::Envelope;
use sqlx::PgConnection;
use uuid::Uuid;

/// An event as it will be sent.
#[derive(Debug)]
pub struct Message {
    /// The event's id.
    pub id: Uuid,
    /// Under which the exchange sorts it.
    pub routing_key: String,
    /// The envelope as JSON.
    pub body: String,
}

/// Up to `limit` messages that no other relay holds, oldest first; held until the transaction ends.
///
/// Never by `id > last`: transactions commit in another order than they made their ids.
pub async fn claim(transaction: &mut PgConnection, limit: i64) -> Result<Vec<Message>, sqlx::Error> {
    sqlx::query_as!(
        Message,
        "select id, routing_key, body from outbox order by id limit $1 for update skip locked",
        limit
    )
    .fetch_all(transaction)
    .await
}

/// Events as columns, for a statement that writes them beside what they are about.
#[derive(Debug, Default)]
pub struct Columns {
    /// The events' ids.
    pub ids: Vec<Uuid>,
    /// Their routing keys.
    pub routing_keys: Vec<String>,
    /// The envelopes as JSON.
    pub bodies: Vec<String>,
}

impl Columns {
    /// The columns of these events.
    ///
    /// # Errors
    /// When an envelope cannot be written as JSON.
    pub fn of(events: &[Envelope]) -> Result<Self, sqlx::Error> {
        let mut columns = Self::default();
        for envelope in events {
            columns.ids.push(envelope.id.into());
            columns.routing_keys.push(envelope.event.routing_key().to_owned());
            columns.bodies.push(serde_json::to_string(envelope).map_err(|error| sqlx::Error::Encode(error.into()))?);
        }
        Ok(columns)
    }
}

/// Writes events, all in one statement.
pub async fn append(transaction: &mut PgConnection, events: &[Envelope]) -> Result<(), sqlx::Error> {
    if events.is_empty() {
        return Ok(());
    }
    let Columns { ids, routing_keys, bodies } = Columns::of(events)?;
    sqlx::query!(
        "insert into outbox (id, routing_key, body) select * from unnest($1::uuid[], $2::text[], $3::text[])",
        &ids,
        &routing_keys,
        &bodies
    )
    .execute(transaction)
    .await?;
    Ok(())
}

/// Takes out what the broker has.
///
/// Without waiting for the disk: a removal that a crash forgets is a message sent twice, which every receiver's
/// state absorbs.
pub async fn remove(transaction: &mut PgConnection, ids: &[Uuid]) -> Result<(), sqlx::Error> {
    sqlx::query!("set local synchronous_commit = off").execute(&mut *transaction).await?;
    sqlx::query!("delete from outbox where id = any($1)", ids).execute(transaction).await?;
    Ok(())
}

//! Events that have happened and are not sent yet. They are written in the transaction of the change they are about, and
//! taken out by the relay (in `ecommerce_courier`) once the broker has them.

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

impl Message {
    /// The message that carries this envelope.
    ///
    /// # Errors
    /// When the envelope cannot be written as JSON.
    pub fn of(envelope: &Envelope) -> Result<Self, sqlx::Error> {
        let body = serde_json::to_string(envelope).map_err(|error| sqlx::Error::Encode(error.into()))?;
        Ok(Self { id: envelope.id.into(), routing_key: envelope.event.routing_key().to_owned(), body })
    }
}

/// Up to `limit` messages that were written a moment ago or earlier and that nobody else claims, by their ids, from behind
/// `after` and without those that are passed over; held until the transaction ends. What is younger, whoever wrote it has in hand.
pub async fn claim(
    transaction: &mut PgConnection,
    after: Uuid,
    passed_over: &[Uuid],
    limit: i64,
) -> Result<Vec<Message>, sqlx::Error> {
    sqlx::query_as!(
        Message,
        "select id, routing_key, body from outbox
         where id > $1 and id <> all($2) and created_at < now() - interval '3 seconds'
         order by id limit $3
         for update skip locked",
        after,
        passed_over,
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
    pub fn of<'e>(events: impl IntoIterator<Item = &'e Envelope>) -> Result<Self, sqlx::Error> {
        let mut columns = Self::default();
        for envelope in events {
            let Message { id, routing_key, body } = Message::of(envelope)?;
            columns.ids.push(id);
            columns.routing_keys.push(routing_key);
            columns.bodies.push(body);
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

/// Takes out what the broker has. Its caller's commits need not wait for the disk: a removal that a crash forgets is a message
/// sent twice, and the second one does nothing. Nor is anybody waited for who is sending one of them just now.
pub async fn remove(connection: &mut PgConnection, ids: &[Uuid]) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "delete from outbox where id = any(array(select id from outbox where id = any($1) for update skip locked))",
        ids
    )
    .execute(connection)
    .await?;
    Ok(())
}

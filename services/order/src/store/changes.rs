//! Orders that have changed, written down with everything that follows from it, in one statement.

use ecommerce_contract::Envelope;
use ecommerce_postgres::OnConstraint as _;
use ecommerce_postgres::outbox::Columns;
use ecommerce_types::UserId;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::domain::{Order, Step};

/// What changes of orders leave behind.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    /// Orders as they are now, each once.
    pub(crate) orders: Vec<Order>,
    /// Each change by itself, of those orders and no others.
    pub(crate) steps: Vec<Step>,
    /// What is to be told of it.
    pub(crate) events: Vec<Envelope>,
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WriteError {
    /// Somebody else has changed one of the orders since it was read: read it again.
    #[error("an order has changed meanwhile")]
    Overtaken,
    /// The database did not do its part.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Writes changes down: all, or none where one of the orders has changed since it was read. Of two who write the same step of an
/// order's history, the key lets one. The orders' rows come first, all of them, and then the history: whoever has locked the rows
/// before, as the clock does, is waited for there, and nobody holds a step that the other waits for.
pub(crate) async fn write(connection: &mut PgConnection, changes: &Changes) -> Result<(), WriteError> {
    let Changes { orders, steps, events } = changes;
    if steps.is_empty() {
        return Ok(());
    }
    // In one sequence, so that two who write the same orders seldom wait for each other crosswise; the server ends that after a second.
    let mut orders: Vec<&Order> = orders.iter().collect();
    orders.sort_unstable_by_key(|order| order.id);
    let ids: Vec<Uuid> = orders.iter().map(|order| order.id.0).collect();
    let statuses: Vec<String> = orders.iter().map(|order| order.status.as_str().to_owned()).collect();
    let versions: Vec<i32> = orders.iter().map(|order| order.version).collect();
    let payments: Vec<Option<Uuid>> = orders.iter().map(|order| order.payment_id.map(Uuid::from)).collect();
    let refunded: Vec<i64> = orders.iter().map(|order| order.amount_refunded).collect();
    let reasons: Vec<Option<String>> = orders.iter().map(|order| order.reason.clone()).collect();
    let updated: Vec<OffsetDateTime> = orders.iter().map(|order| order.updated_at).collect();
    let paid: Vec<Uuid> = orders
        .iter()
        .filter(|order| order.status.is_open() && !order.status.is_unpaid())
        .map(|order| order.id.0)
        .collect();
    let ended: Vec<Uuid> = orders.iter().filter(|order| !order.status.is_open()).map(|order| order.id.0).collect();
    let told = Columns::of(events)?;
    let history = History::of(steps);
    sqlx::query!(
        "with changed as (
           update orders set status = new.status, version = new.version, payment_id = new.payment_id,
             amount_refunded = new.amount_refunded, reason = new.reason, updated_at = new.updated_at
           from unnest($1::uuid[], $2::text[], $3::integer[], $4::uuid[], $5::bigint[], $6::text[], $7::timestamptz[])
             as new (id, status, version, payment_id, amount_refunded, reason, updated_at)
           where orders.id = new.id
           returning orders.id),
         paid as (update open_orders set pay_by = null where order_id = any($8) and pay_by is not null),
         ended as (delete from open_orders where order_id = any($9)),
         told as (insert into outbox (id, routing_key, body) select * from unnest($10::uuid[], $11::text[], $12::text[]))
         insert into order_history (order_id, version, at, status, amount_refunded, reason, by)
         select * from unnest($13::uuid[], $14::integer[], $15::timestamptz[], $16::text[], $17::bigint[], $18::text[], $19::uuid[])
         where (select count(*) from changed) > 0",
        &ids,
        &statuses,
        &versions,
        &payments as &[Option<Uuid>],
        &refunded,
        &reasons as &[Option<String>],
        &updated,
        &paid,
        &ended,
        &told.ids,
        &told.routing_keys,
        &told.bodies,
        &history.orders,
        &history.versions,
        &history.at,
        &history.statuses,
        &history.refunded,
        &history.reasons as &[Option<String>],
        &history.by as &[Option<Uuid>]
    )
    .execute(connection)
    .await
    .map(drop)
    .on_constraint("order_history_tells_a_step_once", || WriteError::Overtaken)
}

/// Steps as columns.
#[derive(Debug, Default)]
struct History {
    orders: Vec<Uuid>,
    versions: Vec<i32>,
    at: Vec<OffsetDateTime>,
    statuses: Vec<String>,
    refunded: Vec<i64>,
    reasons: Vec<Option<String>>,
    by: Vec<Option<Uuid>>,
}

impl History {
    fn of(steps: &[Step]) -> Self {
        let mut history = Self::default();
        for step in steps {
            history.orders.push(step.order_id.0);
            history.versions.push(step.version);
            history.at.push(step.at);
            history.statuses.push(step.status.as_str().to_owned());
            history.refunded.push(step.amount_refunded);
            history.reasons.push(step.reason.clone());
            history.by.push(step.by.map(UserId::into));
        }
        history
    }
}

//! Orders as product knows them, and the stocks that they are about: what a batch of events reads, and what it writes.

use std::collections::BTreeMap;

use ecommerce_contract::Envelope;
use ecommerce_postgres::housekeeping::BATCH;
use ecommerce_postgres::outbox::Columns;
use ecommerce_postgres::{OnConstraint as _, Pool};
use ecommerce_types::{OrderId, ProductId};
use sqlx::PgConnection;
use sqlx::types::Json;
use time::OffsetDateTime;
use uuid::Uuid;

use super::decode;
use crate::domain::reservation::{CLOCKS_DIFFER, Changes, KEPT, Lines};
use crate::domain::{Reservation, State, Stock, StockOfProduct};

/// What is known, and locked until the transaction ends.
#[derive(Debug)]
pub(crate) struct Known {
    /// Of the orders that were asked for, those that have been heard of.
    pub(crate) orders: BTreeMap<OrderId, Reservation>,
    /// The products that were asked for or are held by one of the orders, those that exist.
    pub(crate) stocks: BTreeMap<ProductId, StockOfProduct>,
    /// The largest id of the orders that have been let go.
    pub(crate) let_go: OrderId,
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WriteError {
    /// Another batch has heard of one of the new orders at the same time: read again.
    #[error("an order was heard of meanwhile")]
    Overtaken,
    /// The database did not do its part.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Reads and locks these orders, these products, and the products that the orders hold; orders first, each kind in the sequence of
/// its ids, so that two batches wait for each other and do not deadlock.
pub(crate) async fn lock(
    transaction: &mut PgConnection,
    orders: &[Uuid],
    products: &[Uuid],
) -> Result<Known, sqlx::Error> {
    let rows = sqlx::query!(
        // The products as an array, so that the plan is a look-up for each of them, however many products there are.
        r#"with held as materialized (
             select order_id, state, lines from reservations where order_id = any($1) order by order_id for update),
           wanted as (
             select unnest($2::uuid[]) as product_id
             union
             select line.key::uuid from held, jsonb_each(lines) as line where state in ('reserved', 'sold')),
           stocks as materialized (
             select product_id, on_hand, reserved, archived_at is null as for_sale
             from stock join products on products.id = product_id
             where product_id = any(array(select product_id from wanted))
             order by product_id
             for update of stock)
           select order_id as "id!", state, lines as "lines: Json<Lines>", null::bigint as on_hand, null::bigint as reserved,
             null::boolean as for_sale
           from held
           union all
           select product_id, null, null, on_hand, reserved, for_sale from stocks
           union all
           select up_to, null, null, null, null, null from reservations_let_go"#,
        orders,
        products
    )
    .fetch_all(transaction)
    .await?;
    let mut known = Known { orders: BTreeMap::new(), stocks: BTreeMap::new(), let_go: OrderId(Uuid::nil()) };
    for row in rows {
        match (row.state, row.lines, row.on_hand, row.reserved, row.for_sale) {
            (Some(state), Some(Json(lines)), ..) => {
                let state: State = state.parse().map_err(decode)?;
                let lines = if state.has_lines() { lines } else { Lines::new() };
                known.orders.insert(OrderId(row.id), Reservation { state, lines });
            }
            (_, _, Some(on_hand), Some(reserved), Some(for_sale)) => {
                let stock = Stock { on_hand, reserved };
                known.stocks.insert(ProductId(row.id), StockOfProduct { stock, for_sale });
            }
            // The one row of `reservations_let_go` has an id and nothing beside it.
            _ => known.let_go = OrderId(row.id),
        }
    }
    Ok(known)
}

/// Writes down what a batch has changed and what it publishes. Stocks move by differences and not to values, so that the schema's
/// guard sees what a missing lock would have done.
pub(crate) async fn write(
    transaction: &mut PgConnection,
    changes: &Changes,
    answers: &[Envelope],
) -> Result<(), WriteError> {
    let Changes { moved, new, changed } = changes;
    if moved.is_empty() && new.is_empty() && changed.is_empty() {
        return Ok(());
    }
    let products: Vec<Uuid> = moved.keys().map(|id| id.0).collect();
    let on_hand: Vec<i64> = moved.values().map(|by| by.on_hand).collect();
    let reserved: Vec<i64> = moved.values().map(|by| by.reserved).collect();
    let new_orders: Vec<Uuid> = new.keys().map(|id| id.0).collect();
    let new_states: Vec<String> = new.values().map(|order| order.reservation.state.as_str().to_owned()).collect();
    let new_lines: Vec<Json<&Lines>> = new.values().map(|order| Json(&order.reservation.lines)).collect();
    let deadlines: Vec<OffsetDateTime> = new.values().map(|order| order.pay_by).collect();
    let changed_orders: Vec<Uuid> = changed.keys().map(|id| id.0).collect();
    let changed_states: Vec<String> = changed.values().map(|state| state.as_str().to_owned()).collect();
    let told = Columns::of(answers)?;
    sqlx::query!(
        "with moved as (
           update stock set on_hand = stock.on_hand + by.on_hand, reserved = stock.reserved + by.reserved
           from unnest($1::uuid[], $2::bigint[], $3::bigint[]) as by (product_id, on_hand, reserved)
           where stock.product_id = by.product_id),
         heard as (
           insert into reservations (order_id, state, lines, pay_by)
           select * from unnest($4::uuid[], $5::text[], $6::jsonb[], $7::timestamptz[])),
         changed as (
           update reservations set state = changed.state, updated_at = now()
           from unnest($8::uuid[], $9::text[]) as changed (order_id, state)
           where reservations.order_id = changed.order_id)
         insert into outbox (id, routing_key, body) select * from unnest($10::uuid[], $11::text[], $12::text[])",
        &products,
        &on_hand,
        &reserved,
        &new_orders,
        &new_states,
        &new_lines as &[Json<&Lines>],
        &deadlines,
        &changed_orders,
        &changed_states,
        &told.ids,
        &told.routing_keys,
        &told.bodies
    )
    .execute(transaction)
    .await
    .map(drop)
    .on_constraint("reservations_pkey", || WriteError::Overtaken)
}

/// The most that are counted: whether it is thousands or more, a person has to look.
const MOST_COUNTED: i64 = 10_000;

/// How many reservations, up to [`MOST_COUNTED`], still hold their pieces some time after the order's payment deadline.
pub(crate) async fn past_deadline(pool: &Pool, now: OffsetDateTime) -> Result<i64, sqlx::Error> {
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!" from
             (select from reservations where state = 'reserved' and pay_by < $1 limit $2) as past_deadline"#,
        now - CLOCKS_DIFFER,
        MOST_COUNTED
    );
    count.fetch_one(pool).await
}

/// Lets up to [`BATCH`] orders go that have ended and whose payment deadline is long over; answers how many there were.
pub(crate) async fn let_go(pool: Pool, now: OffsetDateTime) -> Result<u64, sqlx::Error> {
    let gone = sqlx::query_scalar!(
        r#"with gone as (
             delete from reservations where ctid = any(array(
               select ctid from reservations
               where state in ('rejected', 'closed', 'fulfilled') and pay_by < $1
               order by pay_by limit $2 for update skip locked))
             returning order_id),
           noted as (
             update reservations_let_go set up_to = largest.order_id
             from (select order_id from gone order by order_id desc limit 1) as largest
             where up_to < largest.order_id)
           select count(*) as "count!" from gone"#,
        now - KEPT,
        BATCH.cast_signed()
    );
    Ok(gone.fetch_one(&pool).await?.cast_unsigned())
}

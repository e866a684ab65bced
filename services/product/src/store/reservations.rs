//! Orders as product knows them.

use std::collections::BTreeMap;

use ecommerce_types::{OrderId, ProductId};
use sqlx::PgConnection;
use uuid::Uuid;

use super::decode;
use crate::domain::reservation::Lines;
use crate::domain::{Reservation, State};

/// Locks these orders until the transaction ends, also those that nobody has heard of, and gives what is known of each.
///
/// One statement: it makes the missing rows and locks the others, in the order of their ids, so that two batches about the
/// same orders wait for each other and do not deadlock.
pub(crate) async fn lock(
    transaction: &mut PgConnection,
    ids: &[Uuid],
) -> Result<BTreeMap<OrderId, Reservation>, sqlx::Error> {
    let rows = sqlx::query!(
        "insert into reservations (order_id)
         select distinct id from unnest($1::uuid[]) as heard (id) order by id
         on conflict (order_id) do update set updated_at = now()
         returning order_id, state",
        ids
    )
    .fetch_all(&mut *transaction)
    .await?;
    let mut orders = BTreeMap::new();
    let mut with_lines = Vec::new();
    for row in rows {
        let state: State = row.state.parse().map_err(decode)?;
        if state.has_lines() {
            with_lines.push(row.order_id);
        }
        orders.insert(OrderId(row.order_id), Reservation { state, lines: Lines::new() });
    }
    if !with_lines.is_empty() {
        let rows = sqlx::query!(
            "select order_id, product_id, quantity from reservation_lines where order_id = any($1)",
            &with_lines
        )
        .fetch_all(transaction)
        .await?;
        for row in rows {
            let order = orders.entry(OrderId(row.order_id)).or_default();
            order.lines.insert(ProductId(row.product_id), row.quantity);
        }
    }
    Ok(orders)
}

/// Writes down where orders stand.
pub(crate) async fn set_states(
    transaction: &mut PgConnection,
    states: &BTreeMap<OrderId, State>,
) -> Result<(), sqlx::Error> {
    if states.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = states.keys().map(|id| id.0).collect();
    let names: Vec<String> = states.values().map(|state| state.as_str().to_owned()).collect();
    sqlx::query!(
        "update reservations set state = changed.state
         from unnest($1::uuid[], $2::text[]) as changed (order_id, state)
         where reservations.order_id = changed.order_id",
        &ids,
        &names
    )
    .execute(transaction)
    .await?;
    Ok(())
}

/// Writes down what is set aside for orders.
pub(crate) async fn insert_lines(
    transaction: &mut PgConnection,
    orders: &BTreeMap<OrderId, Lines>,
) -> Result<(), sqlx::Error> {
    let (mut order_ids, mut product_ids, mut quantities) = (Vec::new(), Vec::new(), Vec::new());
    for (order_id, lines) in orders {
        for (product_id, quantity) in lines {
            order_ids.push(order_id.0);
            product_ids.push(product_id.0);
            quantities.push(*quantity);
        }
    }
    if order_ids.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "insert into reservation_lines (order_id, product_id, quantity)
         select * from unnest($1::uuid[], $2::uuid[], $3::bigint[])",
        &order_ids,
        &product_ids,
        &quantities
    )
    .execute(transaction)
    .await?;
    Ok(())
}

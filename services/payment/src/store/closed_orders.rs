//! The table `closed_orders`, and the lock under which an order's request and its close, which come in any order and may
//! come at once, see each other.

use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

/// Lets no other transaction take a request or a close of these orders until this one has ended. Taken before anything of
/// theirs is read; there may be no row yet that could be locked.
pub(crate) async fn exclude_others(transaction: &mut PgConnection, orders: &[Uuid]) -> Result<(), sqlx::Error> {
    sqlx::query!(
        // Sorted by the locks and not by the orders: two orders may share a lock.
        r#"select pg_advisory_xact_lock(number) from (
             select distinct hashtextextended(id::text, 0) as number from unnest($1::uuid[]) as closed (id) order by number) as locks"#,
        orders
    )
    .fetch_all(transaction)
    .await?;
    Ok(())
}

/// Remembers orders that were closed before their payment was requested.
pub(crate) async fn insert(
    transaction: &mut PgConnection,
    orders: &[Uuid],
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    if orders.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "insert into closed_orders (order_id, closed_at)
         select distinct id, $2::timestamptz from unnest($1::uuid[]) as closed (id) order by id
         on conflict do nothing",
        orders,
        now
    )
    .execute(transaction)
    .await?;
    Ok(())
}

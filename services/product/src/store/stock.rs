//! How many pieces there are.

use std::collections::BTreeMap;

use ecommerce_types::{ProductId, UserId};
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::domain::reservation::Move;
use crate::domain::{Stock, StockOfProduct};

/// The stock of a product, archived or not.
pub(crate) async fn find(connection: &mut PgConnection, product_id: ProductId) -> Result<Option<Stock>, sqlx::Error> {
    sqlx::query_as!(Stock, "select on_hand, reserved from stock where product_id = $1", product_id.0)
        .fetch_optional(connection)
        .await
}

/// The same, locked until the transaction ends.
pub(crate) async fn lock(transaction: &mut PgConnection, product_id: ProductId) -> Result<Option<Stock>, sqlx::Error> {
    sqlx::query_as!(Stock, "select on_hand, reserved from stock where product_id = $1 for update", product_id.0)
        .fetch_optional(transaction)
        .await
}

/// The stocks of these products, those that exist, locked until the transaction ends; in the order of their ids, so that
/// two batches wait for each other and do not deadlock.
pub(crate) async fn lock_all(
    transaction: &mut PgConnection,
    product_ids: &[Uuid],
) -> Result<BTreeMap<ProductId, StockOfProduct>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select product_id, on_hand, reserved, archived_at is null as "for_sale!"
           from stock join products on products.id = product_id
           where product_id = any($1)
           order by product_id
           for update of stock"#,
        product_ids
    )
    .fetch_all(transaction)
    .await?;
    let stock_of_product =
        |on_hand, reserved, for_sale| StockOfProduct { stock: Stock { on_hand, reserved }, for_sale };
    Ok(rows
        .into_iter()
        .map(|row| (ProductId(row.product_id), stock_of_product(row.on_hand, row.reserved, row.for_sale)))
        .collect())
}

/// Gives a new product its row.
pub(crate) async fn insert(transaction: &mut PgConnection, product_id: ProductId) -> Result<(), sqlx::Error> {
    sqlx::query!("insert into stock (product_id) values ($1)", product_id.0).execute(transaction).await?;
    Ok(())
}

/// Moves many stocks in one statement. By differences and not to values, so that the schema's guard sees what a missing lock
/// would have done.
pub(crate) async fn shift(
    transaction: &mut PgConnection,
    moved: &BTreeMap<ProductId, Move>,
) -> Result<(), sqlx::Error> {
    if moved.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = moved.keys().map(|id| id.0).collect();
    let on_hand: Vec<i64> = moved.values().map(|by| by.on_hand).collect();
    let reserved: Vec<i64> = moved.values().map(|by| by.reserved).collect();
    sqlx::query!(
        "update stock set on_hand = stock.on_hand + by.on_hand, reserved = stock.reserved + by.reserved
         from unnest($1::uuid[], $2::bigint[], $3::bigint[]) as by (product_id, on_hand, reserved)
         where stock.product_id = by.product_id",
        &ids,
        &on_hand,
        &reserved
    )
    .execute(transaction)
    .await?;
    Ok(())
}

/// Something that staff did to a stock.
#[derive(Debug)]
pub(crate) struct Adjustment<'a> {
    pub(crate) id: Uuid,
    pub(crate) product_id: ProductId,
    /// Pieces that came (positive) or went (negative).
    pub(crate) by: i64,
    pub(crate) reason: &'a str,
    pub(crate) user_id: UserId,
    pub(crate) at: OffsetDateTime,
}

/// Has the effect of an adjustment, and keeps it.
pub(crate) async fn adjust(transaction: &mut PgConnection, adjustment: &Adjustment<'_>) -> Result<(), sqlx::Error> {
    let by = Move { on_hand: adjustment.by, reserved: 0 };
    shift(&mut *transaction, &BTreeMap::from([(adjustment.product_id, by)])).await?;
    sqlx::query!(
        "insert into stock_adjustments (id, product_id, by, reason, user_id, created_at) values ($1, $2, $3, $4, $5, $6)",
        adjustment.id,
        adjustment.product_id.0,
        adjustment.by,
        adjustment.reason,
        adjustment.user_id.0,
        adjustment.at
    )
    .execute(transaction)
    .await?;
    Ok(())
}

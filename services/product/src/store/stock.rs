//! How many pieces there are.

use ecommerce_types::{ProductId, UserId};
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::domain::Stock;

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

/// Gives a new product its row.
pub(crate) async fn insert(transaction: &mut PgConnection, product_id: ProductId) -> Result<(), sqlx::Error> {
    sqlx::query!("insert into stock (product_id) values ($1)", product_id.0).execute(transaction).await?;
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
    sqlx::query!(
        "with moved as (update stock set on_hand = on_hand + $3 where product_id = $2)
         insert into stock_adjustments (id, product_id, by, reason, user_id, created_at) values ($1, $2, $3, $4, $5, $6)",
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

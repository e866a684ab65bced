//! What became of an order, step by step.

use ecommerce_types::OrderId;
use sqlx::PgConnection;

use crate::domain::{Status, Step};

/// The steps of an order, the first one first; none where there is no such order.
pub(crate) async fn history(connection: &mut PgConnection, id: OrderId) -> Result<Vec<Step>, sqlx::Error> {
    let rows = sqlx::query!(
        "select version, at, status, amount_refunded, reason, by from order_history where order_id = $1 order by version",
        id.0
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Step {
                order_id: id,
                version: row.version,
                at: row.at,
                status: row.status.parse::<Status>().map_err(|error| sqlx::Error::Decode(error.into()))?,
                amount_refunded: row.amount_refunded,
                reason: row.reason,
                by: row.by.map(Into::into),
            })
        })
        .collect()
}

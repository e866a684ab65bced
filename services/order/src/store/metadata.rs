//! What is written on an order, apart from what becomes of it.

use ecommerce_types::OrderId;
use sqlx::PgConnection;
use sqlx::types::Json;

use crate::domain::Metadata;

/// Replaces what is written on an order, if there is one.
pub(crate) async fn write_metadata(
    connection: &mut PgConnection,
    id: OrderId,
    metadata: &Metadata,
) -> Result<(), sqlx::Error> {
    sqlx::query!("update orders set metadata = $2 where id = $1", id.0, Json(metadata) as _)
        .execute(connection)
        .await?;
    Ok(())
}

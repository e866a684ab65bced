//! `/api/v1/products/{id}/stock`: what is in the warehouse, for staff. An archived product still has its stock.

mod adjustments;
mod read;
mod set;

use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::domain::Stock;
use crate::state::State;

pub(super) fn router() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(read::handler, set::handler)).routes(routes!(adjustments::handler))
}

/// The pieces of one product.
#[derive(Debug, Serialize, ToSchema)]
struct StockLevel {
    /// Pieces in the warehouse, reserved ones included.
    #[schema(example = 5)]
    on_hand: i64,
    /// Pieces set aside for orders that are not paid yet.
    #[schema(example = 2)]
    reserved: i64,
    /// Pieces that can be had.
    #[schema(example = 3)]
    available: i64,
}

impl From<Stock> for StockLevel {
    fn from(stock: Stock) -> Self {
        Self { on_hand: stock.on_hand, reserved: stock.reserved, available: stock.available() }
    }
}

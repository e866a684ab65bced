//! `GET /api/v1/orders/{id}/history`

use axum::extract::State as Shared;
use ecommerce_http::extract::{Json, Path};
use ecommerce_http::{Customer, Problem};
use ecommerce_types::{OrderId, UserId};
use serde::Serialize;
use sqlx::PgConnection;
use time::OffsetDateTime;

use super::change::may_see;
use crate::domain::{self, Status};
use crate::error::Error;
use crate::state::State;
use crate::store;

/// What became of an order.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct History {
    /// Its changes, the placing first.
    items: Vec<Step>,
}

/// One change of an order.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Step {
    /// Which change it was; the placing is the first.
    #[schema(minimum = 1, example = 1)]
    version: i32,
    #[serde(with = "time::serde::rfc3339")]
    at: OffsetDateTime,
    /// Where the order stood afterwards.
    status: Status,
    /// Minor units that had gone back by then.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64, example = 0)]
    amount_refunded: i64,
    /// Why it ended without a sale, as a stable word.
    reason: Option<String>,
    /// Whoever did it; null when it came of itself, as a payment or the end of the time to pay.
    by: Option<UserId>,
}

impl From<domain::Step> for Step {
    fn from(step: domain::Step) -> Self {
        let domain::Step { order_id: _, version, at, status, amount_refunded, reason, by } = step;
        Self { version, at, status, amount_refunded, reason, by }
    }
}

/// Read an order's history
///
/// Who changed it, when and why. Of one of your own; for staff, of anybody's.
#[utoipa::path(
    get,
    path = "/{id}/history",
    tag = "orders",
    operation_id = "read_order_history",
    params(("id" = OrderId, Path, description = "The order")),
    security(("access_token" = [])),
    responses(
        (status = 200, description = "Its changes", body = History),
        (status = 404, description = "`order_not_found`: you have no such order", body = Problem),
        (status = 503, description = "`database_unavailable`: try again in a moment", body = Problem),
    )
)]
pub(super) async fn handler(
    Shared(state): Shared<State>,
    Customer(caller): Customer,
    Path(id): Path<OrderId>,
) -> Result<Json<History>, Error> {
    let read = async |connection: &mut PgConnection| {
        let order = store::find(connection, id).await?.filter(|order| may_see(&caller, order));
        order.ok_or(Error::NotFound)?;
        Ok::<_, Error>(store::history(connection, id).await?)
    };
    let steps = state.pool.run(read).await?;
    Ok(Json(History { items: steps.into_iter().map(Step::from).collect() }))
}

//! `PATCH /api/v1/orders/{id}`

use axum::extract::State as Shared;
use ecommerce_http::extract::{Json, Path};
use ecommerce_http::{Problem, Staff};
use ecommerce_types::OrderId;
use serde::Deserialize;
use sqlx::PgConnection;

use super::view;
use crate::domain::Metadata;
use crate::error::Error;
use crate::state::State;
use crate::store;

/// What is to be written on it.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = OrderUpdate)]
pub(super) struct Request {
    /// All of it: what is not named is gone.
    metadata: Metadata,
}

/// Write on an order
///
/// Replaces its metadata. For staff. It is no step of its history.
#[utoipa::path(
    patch,
    path = "/{id}",
    tag = "orders",
    operation_id = "update_order",
    params(("id" = OrderId, Path, description = "The order")),
    request_body = Request,
    security(("access_token" = [])),
    responses(
        (status = 200, description = "The order", body = view::Order),
        (status = 403, description = "`role_required`: this is for staff", body = Problem),
        (status = 404, description = "`order_not_found`: there is no such order", body = Problem),
        (status = 503, description = "`database_unavailable`: try again in a moment", body = Problem),
    )
)]
pub(super) async fn handler(
    Shared(state): Shared<State>,
    _staff: Staff,
    Path(id): Path<OrderId>,
    Json(request): Json<Request>,
) -> Result<Json<view::Order>, Error> {
    let Request { metadata } = request;
    let update = async |connection: &mut PgConnection| {
        store::write_metadata(connection, id, &metadata).await?;
        store::find(connection, id).await?.ok_or(Error::NotFound)
    };
    Ok(Json(state.pool.run(update).await?.into()))
}

//! `POST /api/v1/products/{id}/stock/adjustments`.

use axum::extract::State as Shared;
use axum::http::{Method, StatusCode};
use ecommerce_http::extract::{IdempotencyKey, Json, Path};
use ecommerce_http::{Problem, Staff};
use ecommerce_idempotency::{self as idempotency, Scope, StoredAnswer, once};
use ecommerce_types::ProductId;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use utoipa::ToSchema;
use uuid::Uuid;

use super::StockLevel;
use crate::Error;
use crate::domain::{Pieces, Reason};
use crate::state::State;
use crate::store::stock::{self, Adjustment};

/// Pieces that came or went.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewStockAdjustment)]
pub(super) struct NewAdjustment {
    /// Pieces that came (positive) or went (negative).
    by: Pieces,
    /// Why.
    reason: Reason,
}

/// An adjustment that is made.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StockAdjustment)]
struct Adjusted {
    /// Its id.
    id: Uuid,
    /// Pieces that came (positive) or went (negative).
    by: Pieces,
    /// Why.
    reason: Reason,
    /// The stock after it.
    stock: StockLevel,
}

/// Adjust the stock
///
/// Adds pieces, or takes some out. Sent again with the same key, it is done once. For staff.
#[utoipa::path(
    post,
    path = "/api/v1/products/{id}/stock/adjustments",
    tag = "product",
    operation_id = "adjust_stock",
    params(
        ("id" = ProductId, Path, description = "The product"),
        ("Idempotency-Key" = String, Header, description = "Names this adjustment; sent again, it is made once"),
    ),
    request_body = NewAdjustment,
    security(("access_token" = [])),
    responses(
        (status = 201, description = "The adjustment is made", body = Adjusted),
        (status = 403, description = "`role_required`: this is for staff", body = Problem),
        (status = 404, description = "`product_not_found`: there is none with this id", body = Problem),
        (status = 409, description = "`stock_below_reserved`: more pieces are reserved than would be left", body = Problem),
        (status = 422, description = "`stock_too_large`: more pieces than a shop can have", body = Problem),
        (status = 503, description = "`database_unavailable`: try again in a moment", body = Problem),
    )
)]
pub(super) async fn handler(
    Staff(caller): Staff,
    Shared(state): Shared<State>,
    Path(id): Path<ProductId>,
    key: IdempotencyKey,
    Json(body): Json<NewAdjustment>,
) -> Result<StoredAnswer, Error> {
    let path = format!("/api/v1/products/{id}/stock/adjustments");
    let scope = Scope::new(&caller, &Method::POST, &path, &key, &body).map_err(idempotency::Error::from)?;

    let adjustment = Adjustment {
        id: state.clock.new_id(),
        product_id: id,
        by: body.by.into(),
        reason: body.reason.as_str(),
        user_id: caller.user_id,
        at: state.clock.now(),
    };
    let turn =
        once(&state.pool, &scope, async |transaction: &mut PgConnection| adjust(transaction, &adjustment, &body).await)
            .await?;
    state.catalogue.changed([id]).await;
    Ok(turn.answer())
}

async fn adjust(
    transaction: &mut PgConnection,
    adjustment: &Adjustment<'_>,
    body: &NewAdjustment,
) -> Result<StoredAnswer, Error> {
    let before = stock::lock(transaction, adjustment.product_id).await?.ok_or(Error::ProductNotFound)?;
    let after = before.adjusted(body.by)?;
    stock::adjust(transaction, adjustment).await?;
    let adjusted = Adjusted { id: adjustment.id, by: body.by, reason: body.reason.clone(), stock: after.into() };
    Ok(StoredAnswer::json(StatusCode::CREATED, &adjusted).map_err(idempotency::Error::from)?)
}

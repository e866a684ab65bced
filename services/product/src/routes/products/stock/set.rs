//! `PUT /api/v1/products/{id}/stock`.

use axum::extract::State as Shared;
use axum::http::{HeaderMap, header};
use axum::response::IntoResponse;
use ecommerce_http::extract::{Json, Path};
use ecommerce_http::{Problem, Staff};
use ecommerce_types::ProductId;
use serde::Deserialize;
use sqlx::PgConnection;
use utoipa::ToSchema;

use super::StockLevel;
use crate::Error;
use crate::domain::OnHand;
use crate::routes::products::etag::Tag;
use crate::state::State;
use crate::store::stock::{self, Adjustment};

/// What a count of the warehouse has found.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = StockCount)]
pub(super) struct Count {
    /// Pieces that are there, those set aside for orders included.
    on_hand: OnHand,
}

/// Count the stock
///
/// Sets it to what was counted. For staff.
#[utoipa::path(
    put,
    path = "/api/v1/products/{id}/stock",
    tag = "product",
    operation_id = "set_stock",
    params(
        ("id" = ProductId, Path, description = "The product"),
        ("If-Match" = Option<String>, Header, description = "The ETag of the stock that the count stands on; pieces set aside in between do not count, sold ones do"),
    ),
    request_body = Count,
    security(("access_token" = [])),
    responses(
        (status = 200, description = "The stock", body = StockLevel, headers(("ETag" = String, description = "Names this state of the stock"))),
        (status = 403, description = "`role_required`: this is for staff", body = Problem),
        (status = 404, description = "`product_not_found`: there is none with this id", body = Problem),
        (status = 409, description = "`stock_below_reserved`: more pieces than that are reserved", body = Problem),
        (status = 412, description = "`version_mismatch`: pieces have come or gone since", body = Problem),
        (status = 503, description = "`database_unavailable`: try again in a moment", body = Problem),
    )
)]
pub(super) async fn handler(
    Staff(caller): Staff,
    Shared(state): Shared<State>,
    Path(id): Path<ProductId>,
    headers: HeaderMap,
    Json(count): Json<Count>,
) -> Result<impl IntoResponse, Error> {
    let set = async |transaction: &mut PgConnection| {
        let before = stock::lock(transaction, id).await?.ok_or(Error::ProductNotFound)?;
        Tag::from(before).require_match(&headers)?;
        let after = before.counted(count.on_hand)?;
        if after != before {
            let adjustment = Adjustment {
                id: state.clock.new_id(),
                product_id: id,
                by: after.on_hand - before.on_hand,
                reason: "counted",
                user_id: caller.user_id,
                at: state.clock.now(),
            };
            stock::adjust(transaction, &adjustment).await?;
        }
        Ok::<_, Error>(after)
    };
    let after = state.pool.transaction(set).await?;
    state.catalogue.changed([id]).await;
    Ok(([(header::ETAG, Tag::from(after).header())], Json(StockLevel::from(after))))
}

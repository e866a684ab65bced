//! `GET /api/v1/products`: what is for sale, newest first.

use axum::extract::State as Shared;
use ecommerce_http::Problem;
use ecommerce_http::extract::{Json, Query};
use ecommerce_types::{Cursor, Limit, Page, ProductId};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::Error;
use crate::domain::{Category, Product};
use crate::state::State;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Parameters {
    /// How many a page holds.
    #[param(inline)]
    limit: Option<Limit>,
    /// The `next_cursor` of the page before.
    #[param(inline)]
    cursor: Option<Cursor>,
    /// Only those in this category.
    #[param(inline)]
    category: Option<Category>,
}

/// List products
///
/// What is for sale, newest first; up to two seconds old.
#[utoipa::path(
    get,
    path = "/api/v1/products",
    tag = "product",
    operation_id = "list_products",
    params(Parameters),
    responses(
        (status = 200, description = "A page of products", body = Page<Product>),
        (status = 400, description = "`invalid_cursor`: the cursor is not one of this list's", body = Problem),
        (status = 503, description = "`database_unavailable`: try again in a moment", body = Problem),
    )
)]
pub(super) async fn handler(
    Shared(state): Shared<State>,
    Query(parameters): Query<Parameters>,
) -> Result<Json<Page<Product>>, Error> {
    let after = parameters.cursor.map(|cursor| cursor.key::<ProductId>()).transpose()?;
    let limit = parameters.limit.unwrap_or_default();
    Ok(Json(state.catalogue.page(parameters.category.as_ref(), after, limit).await?))
}

//! `POST /api/v1/products`.

use axum::extract::State as Shared;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use ecommerce_http::extract::Json;
use ecommerce_http::{Problem, Staff};
use ecommerce_types::{Money, ProductId, Sku};
use serde::Deserialize;
use sqlx::PgConnection;
use utoipa::ToSchema;

use super::etag::Tag;
use crate::Error;
use crate::domain::{Attributes, Category, Description, Price, Product, ProductName};
use crate::state::State;
use crate::store::products::Entry;
use crate::store::{products, stock};

/// A product as staff describe it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewProduct {
    /// The shop's own name for it; of no other product that is for sale.
    sku: Sku,
    /// What it is called.
    name: ProductName,
    /// What there is to say about it.
    #[serde(default)]
    description: Description,
    /// Where it is found.
    #[serde(default)]
    category: Option<Category>,
    /// Its properties.
    #[serde(default)]
    attributes: Attributes,
    /// What one piece costs: 1 to 1,000,000,000,000 minor units.
    #[schema(value_type = Money)]
    price: Price,
}

impl From<NewProduct> for Entry {
    fn from(body: NewProduct) -> Self {
        let NewProduct { sku, name, description, category, attributes, price } = body;
        Self { sku, name, description, category, attributes, price }
    }
}

/// Create a product
///
/// Puts it up for sale. Its stock begins at nothing.
#[utoipa::path(
    post,
    path = "/api/v1/products",
    tag = "product",
    operation_id = "create_product",
    request_body = NewProduct,
    security(("access_token" = [])),
    responses(
        (status = 201, description = "The product", body = Product, headers(("Location" = String, description = "Where it is"), ("ETag" = String, description = "Names this state of the product"))),
        (status = 403, description = "`role_required`: this is for staff", body = Problem),
        (status = 409, description = "`sku_taken`: another product that is for sale has the sku", body = Problem),
        (status = 503, description = "`database_unavailable`: try again in a moment", body = Problem),
    )
)]
pub(super) async fn handler(
    _staff: Staff,
    Shared(state): Shared<State>,
    Json(body): Json<NewProduct>,
) -> Result<impl IntoResponse, Error> {
    let (id, entry) = (ProductId::new(&state.clock), Entry::from(body));
    let insert = async |transaction: &mut PgConnection| {
        products::insert(transaction, id, &entry).await?;
        stock::insert(transaction, id).await?;
        products::find(transaction, id).await?.ok_or(Error::ProductNotFound)
    };
    let product = state.pool.transaction(insert).await?;
    let headers =
        [(header::ETAG, Tag::from(&product).to_string()), (header::LOCATION, format!("/api/v1/products/{id}"))];
    Ok((StatusCode::CREATED, headers, Json(product)))
}

//! `PATCH /api/v1/products/{id}`.

use axum::extract::State as Shared;
use axum::http::{HeaderMap, header};
use axum::response::IntoResponse;
use ecommerce_http::extract::{Json, Path};
use ecommerce_http::{Problem, Staff};
use ecommerce_types::{Money, ProductId, Sku};
use serde::{Deserialize, Deserializer};
use sqlx::PgConnection;
use utoipa::ToSchema;

use super::etag::Tag;
use crate::Error;
use crate::domain::{Attributes, Category, Description, Price, Product, ProductName};
use crate::state::State;
use crate::store::products::{self, Entry};

/// What is to change; what is absent stays.
#[expect(clippy::option_option, reason = "absent, null and a category are three things to say of it")]
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ProductChanges)]
pub(super) struct Changes {
    /// The shop's own name for it; of no other product that is for sale.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Sku>, nullable = false)]
    sku: Option<Sku>,
    /// What it is called.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<ProductName>, nullable = false)]
    name: Option<ProductName>,
    /// What there is to say about it.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Description>, nullable = false)]
    description: Option<Description>,
    /// Where it is found; null takes it out of its category.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Category>)]
    category: Option<Option<Category>>,
    /// Its properties, all of them.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Attributes>, nullable = false)]
    attributes: Option<Attributes>,
    /// What one piece costs from now on, 1 to 1,000,000,000,000 minor units; orders that are placed keep their price.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Money>, nullable = false)]
    price: Option<Price>,
}

/// A field that is there has its value, also when that is null.
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

impl Changes {
    fn of(self, product: Product) -> Entry {
        Entry {
            sku: self.sku.unwrap_or(product.sku),
            name: self.name.unwrap_or(product.name),
            description: self.description.unwrap_or(product.description),
            category: self.category.unwrap_or(product.category),
            attributes: self.attributes.unwrap_or(product.attributes),
            price: self.price.unwrap_or(product.price),
        }
    }
}

/// Update a product
///
/// Changes what is said of it; what is absent stays. Orders that are placed keep their price.
#[utoipa::path(
    patch,
    path = "/api/v1/products/{id}",
    tag = "product",
    operation_id = "update_product",
    params(
        ("id" = ProductId, Path, description = "The product"),
        ("If-Match" = Option<String>, Header, description = "The ETag of what the change stands on; sales in between do not count"),
    ),
    request_body = Changes,
    security(("access_token" = [])),
    responses(
        (status = 200, description = "The product as it is now", body = Product, headers(("ETag" = String, description = "Names this state of the product"))),
        (status = 403, description = "`role_required`: this is for staff", body = Problem),
        (status = 404, description = "`product_not_found`: there is none with this id, or it is archived", body = Problem),
        (status = 409, description = "`sku_taken`: another product that is for sale has the sku", body = Problem),
        (status = 412, description = "`version_mismatch`: somebody else has changed it since", body = Problem),
        (status = 503, description = "`database_unavailable`: try again in a moment", body = Problem),
    )
)]
pub(super) async fn handler(
    _staff: Staff,
    Shared(state): Shared<State>,
    Path(id): Path<ProductId>,
    headers: HeaderMap,
    Json(changes): Json<Changes>,
) -> Result<impl IntoResponse, Error> {
    let update = async |transaction: &mut PgConnection| {
        let product = products::lock(transaction, id).await?.ok_or(Error::ProductNotFound)?;
        Tag::from(&product).require_match(&headers)?;
        products::update(transaction, id, &changes.of(product)).await?;
        products::find(transaction, id).await?.ok_or(Error::ProductNotFound)
    };
    let product = state.pool.transaction(update).await?;
    state.catalogue.changed([id]).await;
    Ok(([(header::ETAG, Tag::from(&product).header())], Json(product)))
}

//! `PUT /api/v1/products`: a product by its sku, so that a catalogue can be loaded again and again.

use axum::extract::State as Shared;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use ecommerce_http::extract::Json;
use ecommerce_http::{Problem, Staff};
use ecommerce_types::{Clock, ProductId};
use sqlx::PgConnection;

use super::create::NewProduct;
use super::etag::Tag;
use crate::Error;
use crate::domain::Product;
use crate::state::State;
use crate::store::products::{self, Entry};
use crate::store::stock;

/// What has become of it.
enum Put {
    Made(Product),
    Changed(Product),
    /// It was described so already, and is no other version.
    AsItWas(Product),
}

/// Make a product or change it
///
/// Puts a product up for sale under its sku, or changes the one that is for sale under it to what is said; what is absent is then empty. What
/// says nothing new changes nothing, so a catalogue can be loaded again and again. Stock is not touched; that of a new one begins at nothing.
#[utoipa::path(
    put,
    path = "/api/v1/products",
    tag = "product",
    operation_id = "put_product",
    params(("If-Match" = Option<String>, Header, description = "The ETag of what the change stands on: then nothing is made; sales in between do not count")),
    request_body = NewProduct,
    security(("access_token" = [])),
    responses(
        (status = 200, description = "The product as it is now", body = Product, headers(("ETag" = String, description = "Names this state of the product"))),
        (status = 201, description = "The product, which is new", body = Product, headers(("Location" = String, description = "Where it is"), ("ETag" = String, description = "Names this state of the product"))),
        (status = 403, description = "`role_required`: this is for staff", body = Problem),
        (status = 409, description = "`sku_taken`: somebody else enters and archives it in the same moment; try again", body = Problem),
        (status = 412, description = "`version_mismatch`: somebody else has changed it since, or there is none", body = Problem),
        (status = 503, description = "`database_unavailable`: try again in a moment", body = Problem),
    )
)]
pub(super) async fn handler(
    _staff: Staff,
    Shared(state): Shared<State>,
    headers: HeaderMap,
    Json(body): Json<NewProduct>,
) -> Result<Response, Error> {
    let entry = Entry::from(body);
    let put = async |transaction: &mut PgConnection| put(transaction, &state.clock, &headers, &entry).await;
    let put = match state.pool.transaction(put).await {
        // Somebody has made it in the same moment.
        Err(Error::SkuTaken) => state.pool.transaction(put).await,
        put => put,
    }?;
    let (status, product) = match put {
        Put::Made(product) => (StatusCode::CREATED, product),
        Put::Changed(product) => {
            state.catalogue.changed([product.id]).await;
            (StatusCode::OK, product)
        }
        Put::AsItWas(product) => (StatusCode::OK, product),
    };
    let tag = [(header::ETAG, Tag::from(&product).header())];
    if status == StatusCode::CREATED {
        let location = [(header::LOCATION, format!("/api/v1/products/{}", product.id))];
        return Ok((status, tag, location, Json(product)).into_response());
    }
    Ok((status, tag, Json(product)).into_response())
}

async fn put(transaction: &mut PgConnection, clock: &Clock, headers: &HeaderMap, entry: &Entry) -> Result<Put, Error> {
    let Some(product) = products::lock_sku(transaction, &entry.sku).await? else {
        if headers.contains_key(header::IF_MATCH) {
            return Err(Error::VersionMismatch);
        }
        let id = ProductId::new(clock);
        products::insert(transaction, id, entry).await?;
        stock::insert(transaction, id).await?;
        return Ok(Put::Made(products::find(transaction, id).await?.ok_or(Error::ProductNotFound)?));
    };
    Tag::from(&product).require_match(headers)?;
    if entry.describes(&product) {
        return Ok(Put::AsItWas(product));
    }
    products::update(transaction, product.id, entry).await?;
    Ok(Put::Changed(products::find(transaction, product.id).await?.ok_or(Error::ProductNotFound)?))
}

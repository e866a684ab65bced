//! Entity tags of products (RFC 9110, sections 8.8.3 and 13.1): `"<version>-<available>"`.
//!
//! A reader's copy is old once anything in it is, the stock too. A writer's change stands on what staff wrote, so
//! `If-Match` looks at the version alone: a sale in between takes nothing away from a new description.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::Error;
use crate::domain::Product;

/// The tag of a product as it is now.
pub(super) fn of(product: &Product) -> HeaderValue {
    let tag = format!("\"{}-{}\"", product.version, product.stock.available);
    HeaderValue::try_from(tag).unwrap_or(HeaderValue::from_static("\"\""))
}

/// Whether the client has this product as it is already.
pub(super) fn is_known(headers: &HeaderMap, product: &Product) -> bool {
    let present = of(product);
    tags(headers, &header::IF_NONE_MATCH)
        .any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag).as_bytes() == present.as_bytes())
}

/// Refuses a change that stands on another version. Without the header, any version will do.
pub(super) fn require_match(headers: &HeaderMap, product: &Product) -> Result<(), Error> {
    let matches = |tag: &str| {
        let version = tag.strip_prefix('"').and_then(|tag| tag.split_once('-')).map(|(version, _)| version);
        tag == "*" || version == Some(product.version.to_string().as_str())
    };
    if !headers.contains_key(header::IF_MATCH) || tags(headers, &header::IF_MATCH).any(matches) {
        Ok(())
    } else {
        Err(Error::VersionMismatch)
    }
}

fn tags<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    // No tag of ours has a comma in it.
    values.flat_map(|value| value.split(',')).map(str::trim)
}

//! Entity tags (RFC 9110, sections 8.8.3 and 13.1): `"<basis>-<rest>"`.
//!
//! A reader's copy is old once anything in it is, so `If-None-Match` looks at the whole tag. A writer's change stands on a part
//! of what was read, its basis, and `If-Match` looks at that alone:
//!
//! - A product is `"<version>-<available>"`. A description stands on what staff wrote; a sale in between takes nothing away
//!   from it.
//! - A stock is `"<on hand>-<reserved>"`. A count stands on the pieces that are there; one that is set aside in between is still
//!   there and was counted with the rest, one that is sold is not. That the figure alone is compared, and no number of its
//!   changes, is enough: pieces that went and came back leave a count as true as it was.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::Error;
use crate::domain::{Product, Stock};

/// The tag of something as it is now.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tag {
    basis: i64,
    rest: i64,
}

impl From<&Product> for Tag {
    fn from(product: &Product) -> Self {
        Self { basis: product.version, rest: product.stock.available }
    }
}

impl From<Stock> for Tag {
    fn from(stock: Stock) -> Self {
        Self { basis: stock.on_hand, rest: stock.reserved }
    }
}

impl Tag {
    /// The value of the header `ETag`.
    pub(super) fn header(self) -> HeaderValue {
        HeaderValue::try_from(self.to_string()).unwrap_or(HeaderValue::from_static("\"\""))
    }

    /// Whether the client has this already as it is.
    pub(super) fn is_known(self, headers: &HeaderMap) -> bool {
        let present = self.to_string();
        tags(headers, &header::IF_NONE_MATCH).any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == present)
    }

    /// Refuses a change that stands on another basis. Without the header, any will do.
    pub(super) fn require_match(self, headers: &HeaderMap) -> Result<(), Error> {
        let matches = |tag: &str| {
            let opaque = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
            let basis = opaque.and_then(|tag| tag.split_once('-')).map(|(basis, _)| basis);
            tag == "*" || basis == Some(self.basis.to_string().as_str())
        };
        if !headers.contains_key(header::IF_MATCH) || tags(headers, &header::IF_MATCH).any(matches) {
            Ok(())
        } else {
            Err(Error::VersionMismatch)
        }
    }
}

impl std::fmt::Display for Tag {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "\"{}-{}\"", self.basis, self.rest)
    }
}

fn tags<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    // No tag of ours has a comma in it.
    values.flat_map(|value| value.split(',')).map(str::trim)
}

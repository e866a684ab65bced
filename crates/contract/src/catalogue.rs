//! What order asks of product before it takes an order: `GET /internal/products?ids=`.

use ecommerce_types::{Money, ProductId, Sku};
use serde::{Deserialize, Serialize};

/// The path of the endpoint.
pub const PATH: &str = "/internal/products";

/// One product that may be ordered; the answer is a list of these, without those that are unknown or archived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Orderable {
    /// The product.
    pub id: ProductId,
    /// The shop's own name for it.
    pub sku: Sku,
    /// What customers call it.
    pub name: String,
    /// What one piece costs now.
    pub price: Money,
}

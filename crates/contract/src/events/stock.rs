//! What product publishes, for order.

use ecommerce_types::OrderId;
use serde::{Deserialize, Serialize};

use super::OrderLine;

/// All lines of the order are set aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockReserved {
    /// The order.
    pub order_id: OrderId,
}

/// None of the order's lines is set aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockRejected {
    /// The order.
    pub order_id: OrderId,
    /// The lines of which there is not enough.
    pub lines: Vec<OrderLine>,
}

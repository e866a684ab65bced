//! The events. No order of delivery is promised, and each may come more than once.

mod order;
mod payment;
mod stock;

pub use order::{ClosedAs, OrderClosed, OrderFulfilled, OrderLine, OrderPaid, OrderPlaced, PaymentRequested};
pub use payment::{PaymentCaptured, PaymentFailed, PaymentRefunded};
pub use stock::{StockRejected, StockReserved};

use ecommerce_types::OrderId;
use serde::{Deserialize, Serialize};

use crate::Service;

/// The table of events: what each says, its name on the wire, which is its routing key, and who reads it. A variant has the name
/// of its payload. An event without a name, a payload or a reader does not compile.
macro_rules! events {
    ($($(#[$says:meta])* $Payload:ident = $name:literal => $($Reader:ident),+;)+) => {
        /// Everything that one service publishes for another.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(tag = "type", content = "payload")]
        pub enum Event {
            $($(#[$says])* #[serde(rename = $name)] $Payload($Payload),)+
        }

        impl Event {
            /// The names of all events.
            pub const NAMES: &[&str] = &[$($name),+];

            /// The event's name, which is its routing key.
            #[must_use]
            pub const fn routing_key(&self) -> &'static str {
                match self {
                    $(Self::$Payload(_) => $name,)+
                }
            }

            /// The order it is about.
            #[must_use]
            pub const fn order_id(&self) -> OrderId {
                match self {
                    $(Self::$Payload(event) => event.order_id,)+
                }
            }
        }

        /// Event and reader. The queue of a reader has the reader's name.
        pub const BINDINGS: &[(&str, Service)] = &[$($(($name, Service::$Reader)),+),+];
    };
}

events! {
    /// An order was placed and waits for its stock.
    OrderPlaced = "order.placed" => Product;
    /// An order has its stock and waits for its money.
    PaymentRequested = "order.payment_requested" => Payment;
    /// An order is paid; its reservation becomes a sale.
    OrderPaid = "order.paid" => Product;
    /// An order has ended without a sale; stock and money go back.
    OrderClosed = "order.closed" => Product, Payment;
    /// A paid order has been sent; its sale is final.
    OrderFulfilled = "order.fulfilled" => Product;
    /// All lines of an order are set aside.
    StockReserved = "stock.reserved" => Order;
    /// Not all lines of an order could be set aside, so none is.
    StockRejected = "stock.rejected" => Order;
    /// The money of an order is here.
    PaymentCaptured = "payment.captured" => Order;
    /// The money of an order will not come.
    PaymentFailed = "payment.failed" => Order;
    /// Some or all of an order's money went back.
    PaymentRefunded = "payment.refunded" => Order;
}

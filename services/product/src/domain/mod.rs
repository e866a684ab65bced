//! What the shop means by a product, its stock and a reservation.
//!
//! Rules and values alone: nothing here waits, and nothing knows of SQL, HTTP or a broker. To add a rule: a function here,
//! its test beside it, and then whoever locks the rows it decides on.

pub mod product;
pub mod reservation;
pub mod stock;

pub use product::{Attributes, Available, Category, Description, Price, Product, ProductName};
pub use reservation::{Reservation, ReservationBatch, State, StockOfProduct};
pub use stock::{OnHand, Pieces, Reason, Stock};

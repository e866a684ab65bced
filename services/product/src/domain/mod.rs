//! What the shop means by a product, its stock and a reservation.
//!
//! Rules and values alone: nothing here waits, and nothing knows of SQL, HTTP or a broker. To add a rule: a function here,
//! its test beside it, and then whoever locks the rows it decides on.

pub(crate) mod product;
pub(crate) mod reservation;
pub(crate) mod search;
pub(crate) mod stock;

pub(crate) use product::{Attributes, Available, Category, Description, Price, Product, ProductName};
pub(crate) use reservation::{Moment, Reservation, ReservationBatch, State, StockOfProduct};
pub(crate) use stock::{OnHand, Pieces, Reason, Stock};

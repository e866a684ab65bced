//! What an order is and what becomes of it. Pure: no SQL, no clock, no network.

mod draft;
mod order;
mod transition;

pub use draft::{Draft, Item, MAX_LINES, Unplaceable};
pub use order::{Line, Order, Status};
pub use transition::{Change, NotAllowed};

//! What an order is and what becomes of it. Pure: no SQL, no clock, no network.

mod draft;
mod filter;
mod metadata;
mod order;
mod overdue;
mod transition;

pub(crate) use draft::{Draft, Item, Unplaceable};
pub(crate) use filter::Filter;
pub(crate) use metadata::Metadata;
pub(crate) use order::{Line, Order, Status, Step};
pub(crate) use overdue::Overdue;
pub(crate) use transition::{Change, NotAllowed};

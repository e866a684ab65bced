//! All SQL of this service.

mod changes;
mod list;
mod orders;
mod place;

pub(crate) use changes::{Changes, WriteError, write};
pub(crate) use list::list;
pub(crate) use orders::{Found, find, find_all, find_readable, lock_due, placed_between};
pub(crate) use place::{Placement, place};

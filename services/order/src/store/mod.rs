//! All SQL of this service.

mod changes;
mod list;
mod orders;
mod place;

pub(crate) use changes::{Changes, WriteError, write};
pub(crate) use list::list;
pub(crate) use orders::{find, find_all, lock_due, placed_between};
pub(crate) use place::{Placement, place};

//! All SQL of this service.

mod changes;
mod orders;
mod place;

pub(crate) use changes::{Changes, WriteError, write};
pub(crate) use orders::{find, find_all, list, lock_due, placed_between};
pub(crate) use place::{PlaceError, place};

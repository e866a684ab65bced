//! All SQL of this service.

mod changes;
mod history;
mod list;
mod metadata;
mod orders;
mod place;

pub(crate) use changes::{Changes, WriteError, write};
pub(crate) use history::history;
pub(crate) use list::list;
pub(crate) use metadata::write_metadata;
pub(crate) use orders::{Found, find, find_all, find_readable, lock_due, placed_between};
pub(crate) use place::{Placement, place};

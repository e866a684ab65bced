//! All SQL of this service.

mod orders;

pub(crate) use orders::{find, insert, list, lock, lock_due, update};

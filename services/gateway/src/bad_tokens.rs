//! How many forged tokens an address has sent of late: each costs a signature to find out. Those of a key that is no more, as
//! everybody has after the key was made anew, cost none and are not counted.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use ecommerce_http::client_of;
use moka::sync::Cache;

/// For so long they are counted together.
pub(crate) const WINDOW: Duration = Duration::from_secs(10);
/// So many may be in vain: a shop full of people behind one address does not come near it.
pub(crate) const ALLOWED: u32 = 100;
/// Addresses that are counted at once; beyond them those that are seldom seen are forgotten.
const ADDRESSES: u64 = 10_000;

pub(crate) struct BadTokens(Cache<IpAddr, Arc<AtomicU32>>);

impl BadTokens {
    pub(crate) fn new() -> Self {
        Self(Cache::builder().max_capacity(ADDRESSES).time_to_live(WINDOW).build())
    }

    /// Whether no more signatures are looked at for this address for now.
    pub(crate) fn are_too_many(&self, address: IpAddr) -> bool {
        self.0.get(&client_of(address)).is_some_and(|count| count.load(Ordering::Relaxed) >= ALLOWED)
    }

    pub(crate) fn count(&self, address: IpAddr) {
        self.0.get_with(client_of(address), Arc::default).fetch_add(1, Ordering::Relaxed);
    }
}

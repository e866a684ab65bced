//! The connections that are open, and which of them goes when there is no room for another.
//!
//! Each connection notes what it is doing and since when, in two atomics; once a second all are looked over for those that
//! have been too slow. So a bound costs no timer for each connection, and no look at the newest one's reason to be here.

use std::collections::HashMap;
use std::future::ready;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ecommerce_runtime::{Shutdown, every};
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::Limits;
use crate::client_of;
use crate::metrics::{CONNECTIONS, CONNECTIONS_CLOSED};

/// How often connections are looked over.
const LOOK: Duration = Duration::from_secs(1);

/// All connections of a server. Clones are the same.
#[derive(Debug, Clone)]
pub struct Connections {
    limits: Limits,
    began: Instant,
    open: Arc<Mutex<Open>>,
    ended: Arc<Notify>,
}

#[derive(Debug, Default)]
struct Open {
    next: u64,
    entries: HashMap<u64, Arc<Entry>>,
    of_address: HashMap<IpAddr, usize>,
}

/// What a connection is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Phase {
    /// It was taken in, and nobody has looked yet whether something was asked.
    New,
    /// Nothing is asked.
    Idle,
    /// A head is on its way.
    Head,
    /// A request is being answered.
    Answering,
    /// It is over, but the client still sends.
    Lingering,
}

/// One open connection.
#[derive(Debug)]
pub(super) struct Entry {
    address: IpAddr,
    began: Instant,
    phase: AtomicU8,
    /// Since when it is in its phase, in milliseconds of the server's time.
    since: AtomicU64,
    /// Since when the client takes nothing of what is ready for it, in milliseconds and one more; 0 while it does.
    stalled: AtomicU64,
    /// Whether it has been answered something: who has not is the first to go.
    served: AtomicBool,
    looked_at: Notify,
    close: Notify,
}

/// Counts a connection until it is dropped.
#[derive(Debug)]
pub(super) struct Admitted {
    id: u64,
    pub(super) entry: Arc<Entry>,
    connections: Connections,
}

impl Connections {
    /// None yet.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { limits, began: Instant::now(), open: Arc::default(), ended: Arc::default() }
    }

    /// What bounds them.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// How many are open.
    #[must_use]
    pub fn count(&self) -> usize {
        self.open.lock().entries.len()
    }

    /// Whether somebody has to go for another one of this peer.
    pub(super) fn are_full_for(&self, peer: IpAddr) -> bool {
        self.open.lock().is_full_for(client_of(peer), &self.limits).is_some()
    }

    /// Takes a new connection in, whoever else has to go for it.
    pub(super) fn admit(&self, peer: IpAddr) -> Admitted {
        let address = client_of(peer);
        let mut open = self.open.lock();
        match open.is_full_for(address, &self.limits) {
            Some(Full::Address) => self.close_worst(&mut open, "address_full", |entry| entry.address == address),
            Some(Full::Server) => self.close_worst(&mut open, "full", |_| true),
            None => {}
        }
        let entry = Arc::new(Entry {
            address,
            began: self.began,
            phase: AtomicU8::new(Phase::New as u8),
            since: AtomicU64::new(milliseconds(self.began)),
            stalled: AtomicU64::new(0),
            served: AtomicBool::new(false),
            looked_at: Notify::new(),
            close: Notify::new(),
        });
        let id = open.next;
        open.next += 1;
        open.entries.insert(id, Arc::clone(&entry));
        *open.of_address.entry(address).or_default() += 1;
        CONNECTIONS.add([], 1);
        Admitted { id, entry, connections: self.clone() }
    }

    /// Closes those that are too slow, until the process stops.
    pub async fn close_slow(self, shutdown: Shutdown) {
        every(LOOK, shutdown, || {
            self.look_over();
            ready(())
        })
        .await;
    }

    /// Resolves when none is open.
    pub async fn all_ended(&self) {
        loop {
            let ended = self.ended.notified();
            if self.count() == 0 {
                return;
            }
            ended.await;
        }
    }

    fn look_over(&self) {
        let now = milliseconds(self.began);
        let mut open = self.open.lock();
        let slow: Vec<_> = open
            .entries
            .iter()
            .filter_map(|(id, entry)| entry.is_too_slow(now, &self.limits).map(|reason| (*id, reason)))
            .collect();
        for (id, reason) in slow {
            open.close(id, reason);
        }
    }

    /// What is over goes first, then who has never asked anything or takes no answer, then who asks nothing now; of these
    /// the one that has been so for longest.
    fn close_worst(&self, open: &mut Open, reason: &'static str, among: impl Fn(&Entry) -> bool) {
        let now = milliseconds(self.began);
        let worst = open.entries.iter().filter(|(_, entry)| among(entry)).max_by_key(|(_, entry)| entry.badness(now));
        if let Some(id) = worst.map(|(id, _)| *id) {
            open.close(id, reason);
        }
    }
}

/// What has no room for another connection.
enum Full {
    Address,
    Server,
}

impl Open {
    fn is_full_for(&self, address: IpAddr, limits: &Limits) -> Option<Full> {
        let of_address = self.of_address.get(&address).copied().unwrap_or_default();
        if of_address >= limits.connections_of_an_address {
            Some(Full::Address)
        } else {
            (self.entries.len() >= limits.connections).then_some(Full::Server)
        }
    }

    fn close(&mut self, id: u64, reason: &'static str) {
        if let Some(entry) = self.remove(id) {
            CONNECTIONS_CLOSED.increment([reason]);
            entry.close.notify_one();
        }
    }

    fn remove(&mut self, id: u64) -> Option<Arc<Entry>> {
        let entry = self.entries.remove(&id)?;
        if let Some(count) = self.of_address.get_mut(&entry.address) {
            *count -= 1;
            if *count == 0 {
                self.of_address.remove(&entry.address);
            }
        }
        CONNECTIONS.add([], -1);
        Some(entry)
    }
}

impl Entry {
    /// Resolves when the connection has to go.
    pub(super) async fn closed(&self) {
        self.close.notified().await;
    }

    /// It was looked at, and bytes came or did not.
    pub(super) fn read(&self, came: bool) {
        let phase = self.phase.load(Ordering::Relaxed);
        if came && phase <= Phase::Idle as u8 {
            self.enter(Phase::Head);
        } else if phase == Phase::New as u8 {
            self.enter(Phase::Idle);
        }
        if phase == Phase::New as u8 {
            self.looked_at.notify_one();
        }
    }

    /// Resolves when it is new no more.
    pub(super) async fn looked_at(&self) {
        self.looked_at.notified().await;
    }

    /// Whether a head is on its way.
    pub(super) fn is_reading_a_head(&self) -> bool {
        self.phase.load(Ordering::Relaxed) == Phase::Head as u8
    }

    /// A request is there.
    pub(super) fn answering(&self) {
        self.enter(Phase::Answering);
    }

    /// Its answer has been handed over.
    pub(super) fn answered(&self) {
        self.served.store(true, Ordering::Relaxed);
        self.enter(Phase::Idle);
    }

    /// The last answer has been sent.
    pub(super) fn lingering(&self) {
        if self.phase.load(Ordering::Relaxed) != Phase::Lingering as u8 {
            self.enter(Phase::Lingering);
        }
    }

    /// The client takes nothing.
    pub(super) fn stalls(&self) {
        if self.stalled.load(Ordering::Relaxed) == 0 {
            self.stalled.store(milliseconds(self.began) + 1, Ordering::Relaxed);
        }
    }

    /// The client has taken something.
    pub(super) fn takes(&self) {
        if self.stalled.load(Ordering::Relaxed) != 0 {
            self.stalled.store(0, Ordering::Relaxed);
        }
    }

    fn enter(&self, phase: Phase) {
        self.since.store(milliseconds(self.began), Ordering::Relaxed);
        self.phase.store(phase as u8, Ordering::Relaxed);
    }

    fn is_too_slow(&self, now: u64, limits: &Limits) -> Option<&'static str> {
        let (phase, since) = (self.phase.load(Ordering::Relaxed), self.since.load(Ordering::Relaxed));
        let longer_than = |limit: Duration, since: u64| Duration::from_millis(now.saturating_sub(since)) >= limit;
        let stalled = self.stalled.load(Ordering::Relaxed);
        if stalled != 0 && longer_than(limits.write_stall, stalled) {
            return Some("slow_reader");
        }
        let (limit, reason) = match phase {
            phase if phase <= Phase::Idle as u8 => (limits.idle_time, "idle"),
            phase if phase == Phase::Head as u8 => (limits.head_time, "slow_head"),
            phase if phase == Phase::Lingering as u8 => (limits.linger, "lingering"),
            // How long an answer may take is said where it is made.
            _ => return None,
        };
        longer_than(limit, since).then_some(reason)
    }

    /// The larger, the sooner it goes.
    fn badness(&self, now: u64) -> (u8, u64) {
        let (phase, since) = (self.phase.load(Ordering::Relaxed), self.since.load(Ordering::Relaxed));
        let (rank, since) = match self.stalled.load(Ordering::Relaxed) {
            _ if phase == Phase::Lingering as u8 => (3, since),
            0 if [Phase::New as u8, Phase::Answering as u8].contains(&phase) => (0, since),
            0 if self.served.load(Ordering::Relaxed) => (1, since),
            0 => (2, since),
            stalled => (2, stalled),
        };
        (rank, now.saturating_sub(since))
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        self.entry.looked_at.notify_one();
        self.connections.open.lock().remove(self.id);
        self.connections.ended.notify_waiters();
    }
}

fn milliseconds(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use futures::FutureExt as _;

    use super::*;
    use crate::server::limits::Settings;

    fn connections(most: u32) -> Connections {
        Connections::new(Limits::new(Settings { http_max_connections: Some(most) }, None, None).shared_by_clients())
    }

    fn address(last: u8) -> IpAddr {
        IpAddr::V4(Ipv4Addr::new(192, 0, 2, last))
    }

    fn is_closed(admitted: &Admitted) -> bool {
        admitted.entry.closed().now_or_never().is_some()
    }

    #[test]
    fn an_address_holds_half_and_its_longest_idle_one_goes_for_its_newest() {
        let connections = connections(6);
        let other = connections.admit(address(2));
        let mut own: Vec<Admitted> = (0..3).map(|_| connections.admit(address(1))).collect();
        own[0].entry.answering();
        own[1].entry.read(false);
        own.push(connections.admit(address(1)));
        let closed: Vec<bool> = own.iter().map(is_closed).collect();
        assert_eq!(closed, [false, true, false, false], "the one that is being answered stays");
        assert!(!is_closed(&other));
        assert_eq!(connections.count(), 4);
    }

    #[test]
    fn at_the_cap_who_has_bought_something_outlasts_who_has_never_asked() {
        let connections = connections(4);
        let buyer = connections.admit(address(1));
        buyer.entry.read(true);
        buyer.entry.answering();
        buyer.entry.answered();
        let silent: Vec<Admitted> = (2..5).map(|last| connections.admit(address(last))).collect();
        for one in &silent {
            one.entry.read(false);
        }
        let newest = connections.admit(address(9));
        assert_eq!(silent.iter().filter(|admitted| is_closed(admitted)).count(), 1);
        assert!(!is_closed(&buyer) && !is_closed(&newest));
    }

    /// A proxy opens one for each request: those that it is done with must not cost it the next.
    #[test]
    fn what_is_over_goes_before_what_has_not_been_looked_at() {
        let connections = connections(4);
        let over = connections.admit(address(1));
        over.entry.read(true);
        over.entry.answering();
        over.entry.answered();
        over.entry.lingering();
        let waiting: Vec<Admitted> = (2..6).map(|last| connections.admit(address(last))).collect();
        assert!(is_closed(&over));
        assert!(!waiting.iter().any(is_closed));
    }

    #[test]
    fn one_that_has_left_makes_room() {
        let connections = connections(4);
        let admitted: Vec<Admitted> = (1..5).map(|last| connections.admit(address(last))).collect();
        drop(admitted);
        assert_eq!(connections.count(), 0);
        assert!(connections.all_ended().now_or_never().is_some());
        assert!(connections.open.lock().of_address.is_empty());
    }

    #[test]
    fn each_phase_has_its_time() {
        let connections = connections(4);
        let limits = connections.limits;
        let admitted = connections.admit(address(1));
        let after = |limit: Duration| u64::try_from(limit.as_millis()).unwrap() + milliseconds(connections.began);
        assert_eq!(admitted.entry.is_too_slow(after(Duration::ZERO), &limits), None);
        assert_eq!(admitted.entry.is_too_slow(after(limits.idle_time), &limits), Some("idle"));
        admitted.entry.read(true);
        assert_eq!(admitted.entry.is_too_slow(after(limits.head_time), &limits), Some("slow_head"));
        admitted.entry.answering();
        assert_eq!(admitted.entry.is_too_slow(after(Duration::from_hours(1)), &limits), None);
        admitted.entry.stalls();
        assert_eq!(admitted.entry.is_too_slow(after(limits.write_stall) + 1, &limits), Some("slow_reader"));
        admitted.entry.takes();
        admitted.entry.lingering();
        assert_eq!(admitted.entry.is_too_slow(after(limits.linger), &limits), Some("lingering"));
    }
}

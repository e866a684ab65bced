//! How often somebody may try: asked before a password is hashed, since a hash costs tens of milliseconds and a look here none.
//!
//! Each address, each account, and each address at each account has a bucket of attempts that fills again by itself. What
//! succeeds is given back. An account that many guess at is not closed: each address still has an attempt there, and seldom
//! another, so that its owner, from an address that has not guessed, gets in. (OWASP's Authentication Cheat Sheet: throttle by account, without
//! letting anyone lock somebody else out.)

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use ecommerce_http::client_of;
use ecommerce_types::{Clock, Email};
use parking_lot::Mutex;

/// Buckets that are kept; beyond them, those that have filled again go, and then any.
const MOST: usize = 100_000;

/// Attempts of one kind.
#[derive(Debug, Clone, Copy)]
struct Rate {
    /// At once.
    burst: f64,
    /// Seconds until there is one more.
    seconds: f64,
}

/// Logins from one address, at whatever account. Behind one address there may be many people, who succeed.
const OF_ADDRESS: Rate = Rate { burst: 30.0, seconds: 2.0 };
/// Logins from one address at one account.
const OF_ADDRESS_AT_ACCOUNT: Rate = Rate { burst: 10.0, seconds: 30.0 };
/// Logins at one account, from wherever (NIST SP 800-63B-4, section 3.2.2: no more than 100).
const AT_ACCOUNT: Rate = Rate { burst: 100.0, seconds: 36.0 };
/// Logins from one address at an account that many guess at.
const AT_HOT_ACCOUNT: Rate = Rate { burst: 1.0, seconds: 900.0 };
/// New accounts and forgotten passwords from one address.
const MADE_BY_ADDRESS: Rate = Rate { burst: 100.0, seconds: 2.0 };
/// Links that are sent to one address of e-mail.
const SENT_TO_ACCOUNT: Rate = Rate { burst: 3.0, seconds: 600.0 };

/// What there was too much of; try again after so long.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct TooMany {
    pub(crate) after: Duration,
}

/// Who tries, for the queue of hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Trier {
    /// One client; those whose address is not known are one.
    pub(crate) client: Option<IpAddr>,
    /// It has tried in vain of late: others go first.
    pub(crate) is_suspect: bool,
}

impl Trier {
    /// Somebody who has not tried in vain.
    pub(crate) fn trusted(client: Option<IpAddr>) -> Self {
        Self { client: client.map(client_of), is_suspect: false }
    }
}

/// The buckets of a process. Clones are the same.
#[derive(Debug, Clone)]
pub(crate) struct Throttle {
    buckets: Arc<Mutex<HashMap<u64, Bucket>>>,
    /// Keyed anew in each process, so that nobody finds two names for one bucket.
    names: RandomState,
    clock: Clock,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    /// Attempts that were taken, at `at`; they run off with time.
    taken: f32,
    /// Of the kind of bucket.
    seconds: f32,
    at: Duration,
}

/// A login that was let through; it counts once the password was wrong, and not where it was right or nobody has looked at it.
#[derive(Debug)]
#[must_use]
pub(crate) struct Attempt<'a> {
    throttle: &'a Throttle,
    taken: Vec<(u64, Rate)>,
    pub(crate) trier: Trier,
}

impl Throttle {
    pub(crate) fn new(clock: Clock) -> Self {
        Self { buckets: Arc::default(), names: RandomState::new(), clock }
    }

    /// Lets a login through, or says after how long to try again.
    pub(crate) fn attempt(&self, client: Option<IpAddr>, account: &Email) -> Result<Attempt<'_>, TooMany> {
        let client = client.map(client_of);
        let mut taken = vec![
            (self.names.hash_one(("address", client)), OF_ADDRESS),
            (self.names.hash_one(("pair", client, account)), OF_ADDRESS_AT_ACCOUNT),
        ];
        let at_account = (self.names.hash_one(("account", account)), AT_ACCOUNT);
        let now = self.clock.monotonic();
        let mut buckets = self.buckets.lock();
        // An account that many guess at is not closed: each address has an attempt there, and seldom another.
        let is_hot = level(&buckets, at_account.0, at_account.1, now) + 1.0 > AT_ACCOUNT.burst;
        if is_hot {
            taken.push((self.names.hash_one(("hot", client, account)), AT_HOT_ACCOUNT));
        }
        let levels: Vec<f64> = taken.iter().map(|(name, rate)| level(&buckets, *name, *rate, now)).collect();
        let waits = taken.iter().zip(&levels).map(|((_, rate), level)| (level + 1.0 - rate.burst) * rate.seconds);
        let until = waits.fold(0.0, f64::max);
        if until > 0.0 {
            return Err(TooMany { after: Duration::from_secs_f64(until) });
        }
        let address = levels.first().copied().unwrap_or_default();
        if !is_hot {
            // Else what its owner gives back would be somebody's guess.
            taken.push(at_account);
        }
        for (name, rate) in taken.iter().copied() {
            change(&mut buckets, name, rate, now, 1.0);
        }
        Ok(Attempt { throttle: self, taken, trier: Trier { client, is_suspect: address >= 1.0 } })
    }

    /// Counts a new account or a forgotten password of this address.
    pub(crate) fn making(&self, client: Option<IpAddr>) -> Result<Trier, TooMany> {
        let client = client.map(client_of);
        let before = self.take(self.names.hash_one(("making", client)), MADE_BY_ADDRESS)?;
        Ok(Trier { client, is_suspect: before >= MADE_BY_ADDRESS.burst / 2.0 })
    }

    /// Counts a link that is to be sent to this address.
    pub(crate) fn sending(&self, account: &Email) -> Result<(), TooMany> {
        self.take(self.names.hash_one(("sending", account)), SENT_TO_ACCOUNT).map(|_| ())
    }

    fn take(&self, name: u64, rate: Rate) -> Result<f64, TooMany> {
        let now = self.clock.monotonic();
        let mut buckets = self.buckets.lock();
        let before = level(&buckets, name, rate, now);
        let until = (before + 1.0 - rate.burst) * rate.seconds;
        if until > 0.0 {
            return Err(TooMany { after: Duration::from_secs_f64(until) });
        }
        change(&mut buckets, name, rate, now, 1.0);
        Ok(before)
    }
}

impl Attempt<'_> {
    /// The password was wrong.
    pub(crate) fn count(mut self) {
        self.taken.clear();
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        let now = self.throttle.clock.monotonic();
        let mut buckets = self.throttle.buckets.lock();
        for (name, rate) in self.taken.drain(..) {
            change(&mut buckets, name, rate, now, -1.0);
        }
    }
}

/// Attempts that count now.
fn level(buckets: &HashMap<u64, Bucket>, name: u64, rate: Rate, now: Duration) -> f64 {
    buckets.get(&name).map_or(0.0, |bucket| bucket.level(now)).min(rate.burst)
}

fn change(buckets: &mut HashMap<u64, Bucket>, name: u64, rate: Rate, now: Duration, by: f64) {
    let level = (level(buckets, name, rate, now) + by).clamp(0.0, rate.burst);
    if level <= 0.0 {
        buckets.remove(&name);
        return;
    }
    if buckets.len() >= MOST && !buckets.contains_key(&name) {
        make_room(buckets, now);
    }
    #[expect(clippy::cast_possible_truncation, reason = "counts below a thousand, of which seven digits are enough")]
    buckets.insert(name, Bucket { taken: level as f32, seconds: rate.seconds as f32, at: now });
}

/// Takes out what has run off, and where that is not a tenth, any others up to a tenth: who has so many addresses that these
/// fill the map gains no attempt by it that a new address would not give.
fn make_room(buckets: &mut HashMap<u64, Bucket>, now: Duration) {
    buckets.retain(|_, bucket| bucket.level(now) > 0.0);
    let mut surplus = buckets.len().saturating_sub(MOST - MOST / 10);
    buckets.retain(|_, _| {
        let goes = surplus > 0;
        surplus = surplus.saturating_sub(1);
        !goes
    });
}

impl Bucket {
    fn level(&self, now: Duration) -> f64 {
        let passed = now.saturating_sub(self.at).as_secs_f64();
        (f64::from(self.taken) - passed / f64::from(self.seconds)).max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use time::OffsetDateTime;

    use super::*;

    fn throttle() -> (Throttle, Clock) {
        let clock = Clock::manual(OffsetDateTime::UNIX_EPOCH);
        (Throttle::new(clock.clone()), clock)
    }

    #[expect(clippy::unnecessary_wraps, reason = "as it is asked with")]
    fn address(number: u32) -> Option<IpAddr> {
        Some(IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 + number)))
    }

    fn account(name: &str) -> Email {
        format!("{name}@example.com").parse().unwrap()
    }

    fn let_through(throttle: &Throttle, client: Option<IpAddr>, email: &Email, tries: usize) -> usize {
        (0..tries).filter(|_| throttle.attempt(client, email).map(Attempt::count).is_ok()).count()
    }

    #[test]
    fn an_address_guesses_ten_times_at_an_account_and_thirty_times_at_all() {
        let (throttle, clock) = throttle();
        assert_eq!(let_through(&throttle, address(1), &account("ada"), 200), 10);
        assert_eq!(let_through(&throttle, address(1), &account("bob"), 200), 10);
        assert_eq!(let_through(&throttle, address(1), &account("eve"), 200), 10);
        let refused = throttle.attempt(address(1), &account("dan")).unwrap_err();
        assert_eq!(refused, TooMany { after: Duration::from_secs(2) });
        clock.advance(time::Duration::seconds(2));
        throttle.attempt(address(1), &account("dan")).unwrap().count();
        let refused = throttle.attempt(address(1), &account("ada")).unwrap_err();
        assert_eq!(refused, TooMany { after: Duration::from_secs(28) });
    }

    #[test]
    fn whoever_succeeds_is_not_counted() {
        let (throttle, _) = throttle();
        for _ in 0..1_000 {
            drop(throttle.attempt(address(1), &account("ada")).unwrap());
        }
        assert!(throttle.buckets.lock().is_empty());
    }

    #[test]
    fn an_account_that_many_guess_at_takes_one_attempt_of_each_address_and_its_owners() {
        let (throttle, clock) = throttle();
        let guessed: usize = (0..50).map(|number| let_through(&throttle, address(number), &account("ada"), 50)).sum();
        assert_eq!(guessed, 10 * 10 + 40);
        let attempt = throttle.attempt(address(1_000), &account("ada")).unwrap();
        assert!(!attempt.trier.is_suspect);
        drop(attempt);
        assert!(throttle.attempt(address(1_000), &account("ada")).is_ok());
        // A crowd's guesses of half an hour: two of each address, and what the account gives back.
        let mut guessed = 0;
        for _ in 0..30 {
            clock.advance(time::Duration::minutes(1));
            guessed +=
                (0..50).map(|number| let_through(&throttle, address(number), &account("ada"), 50)).sum::<usize>();
        }
        assert!((90..=2 * 50 + 50).contains(&guessed), "{guessed}");
        // An hour's guesses are those that an hour gives back.
        clock.advance(time::Duration::hours(1));
        let guessed: usize = (0..10).map(|number| let_through(&throttle, address(number), &account("ada"), 50)).sum();
        assert_eq!(guessed, 100);
    }

    #[test]
    fn an_owner_who_comes_in_beside_a_crowd_gives_it_no_guess() {
        let (throttle, _) = throttle();
        let guessed: usize = (0..50).map(|number| let_through(&throttle, address(number), &account("ada"), 50)).sum();
        for number in 1_000..1_100 {
            drop(throttle.attempt(address(number), &account("ada")).unwrap());
            assert_eq!((0..50).map(|one| let_through(&throttle, address(one), &account("ada"), 1)).sum::<usize>(), 0);
        }
        assert_eq!(guessed, 10 * 10 + 40);
    }

    #[test]
    fn hosts_of_one_network_of_ipv6_are_one_client() {
        let (throttle, _) = throttle();
        let host = |number: u128| Some(IpAddr::V6(Ipv6Addr::from_bits((0x2001_0db8_u128 << 96) + number)));
        let through: usize = (0..100).map(|number| let_through(&throttle, host(number), &account("ada"), 1)).sum();
        assert_eq!(through, 10);
        assert_eq!(let_through(&throttle, None, &account("ada"), 100), 10, "those without an address are one");
    }

    #[test]
    fn who_has_tried_in_vain_is_suspect() {
        let (throttle, _) = throttle();
        let first = throttle.attempt(address(1), &account("ada")).unwrap();
        assert!(!first.trier.is_suspect);
        first.count();
        assert!(throttle.attempt(address(1), &account("bob")).unwrap().trier.is_suspect);
        assert!(!throttle.making(address(1)).unwrap().is_suspect);
    }

    #[test]
    fn many_addresses_leave_no_more_than_a_hundred_thousand_buckets() {
        let (throttle, _) = throttle();
        for number in 0..250_000 {
            let _ = throttle.making(address(number));
        }
        assert!(throttle.buckets.lock().len() <= MOST, "{}", throttle.buckets.lock().len());
    }
}

//! Clients that are made anew now and then.

use std::time::Duration;

use ecommerce_types::Clock;
use parking_lot::Mutex;

/// How old a client and its connections may become, before chance takes up to as much as a fifth away. A connection that is
/// never idle would stay with one replica for ever, and a new one would get no traffic; or with nobody, where it was made
/// before the cluster knew where to send it.
const AGE: Duration = Duration::from_mins(1);

/// A client with its pool of connections. What is in hand on an old one ends there.
#[derive(Debug)]
pub struct Renewed<C> {
    current: Mutex<Current<C>>,
    clock: Clock,
}

#[derive(Debug)]
struct Current<C> {
    client: C,
    until: Duration,
}

impl<C: Clone> Renewed<C> {
    /// Begins with this client.
    pub fn new(client: C, clock: Clock) -> Self {
        let until = end(&clock);
        Self { current: Mutex::new(Current { client, until }), clock }
    }

    /// The client as it is now; `make` makes the next one.
    pub fn get(&self, make: impl FnOnce() -> Option<C>) -> C {
        let mut current = self.current.lock();
        if self.clock.monotonic() >= current.until {
            if let Some(client) = make() {
                current.client = client;
            }
            current.until = end(&self.clock);
        }
        current.client.clone()
    }

    /// Has the next one made as soon as it is asked for: this one's connections lead nowhere.
    pub fn expire(&self) {
        self.current.lock().until = Duration::ZERO;
    }
}

/// Not for all replicas at once: the random part of an id is as good as any other chance.
fn end(clock: &Clock) -> Duration {
    let chance = u32::from(clock.new_id().as_bytes()[15]);
    clock.monotonic() + AGE * (5 * 255 - chance) / (5 * 255)
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;

    use super::*;

    #[test]
    fn a_client_is_made_anew_within_a_minute_or_when_it_is_of_no_use() {
        let clock = Clock::manual(OffsetDateTime::UNIX_EPOCH + time::Duration::days(20_000));
        let renewed = Renewed::new(0, clock.clone());
        clock.advance(time::Duration::seconds(47));
        assert_eq!(renewed.get(|| Some(1)), 0);
        clock.advance(time::Duration::seconds(13));
        assert_eq!(renewed.get(|| Some(1)), 1);
        assert_eq!(renewed.get(|| Some(2)), 1);
        renewed.expire();
        assert_eq!(renewed.get(|| None), 1);
        renewed.expire();
        assert_eq!(renewed.get(|| Some(2)), 2);
    }
}

//! Time and ids, handed to whoever needs them so that a test can hold them still.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Instant;

use time::{Duration, OffsetDateTime};
use uuid::Uuid;

/// Tells the time (UTC, whole microseconds as PostgreSQL keeps them) and makes time-ordered ids.
#[derive(Debug, Clone)]
pub struct Clock(Source);

#[derive(Debug, Clone)]
enum Source {
    System,
    Manual(Arc<Manual>),
}

/// A clock that a test moves.
#[derive(Debug)]
struct Manual {
    /// Microseconds since the Unix epoch.
    wall: AtomicI64,
    /// Microseconds that have passed.
    passed: AtomicU64,
}

/// Monotonic time is counted from here.
static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands at `start` until [`Clock::advance`] moves it; its clones move with it.
    #[must_use]
    pub fn manual(start: OffsetDateTime) -> Self {
        let microseconds = i64::try_from(start.unix_timestamp_nanos() / 1_000).unwrap_or(i64::MAX);
        let manual = Manual { wall: AtomicI64::new(microseconds), passed: AtomicU64::new(0) };
        Self(Source::Manual(Arc::new(manual)))
    }

    /// Moves a manual clock; the machine's own is not moved. A negative duration sets it back, as an administrator or a
    /// time server may: no time passes by that.
    pub fn advance(&self, by: Duration) {
        if let Source::Manual(manual) = &self.0 {
            let by = i64::try_from(by.whole_microseconds()).unwrap_or(i64::MAX);
            manual.wall.fetch_add(by, Ordering::SeqCst);
            manual.passed.fetch_add(u64::try_from(by).unwrap_or_default(), Ordering::SeqCst);
        }
    }

    /// How much time has passed, counted from some moment of the process: what ages are measured with. It goes on whatever
    /// becomes of the date.
    #[must_use]
    pub fn monotonic(&self) -> std::time::Duration {
        match &self.0 {
            Source::System => BEGAN.elapsed(),
            Source::Manual(manual) => std::time::Duration::from_micros(manual.passed.load(Ordering::SeqCst)),
        }
    }

    /// The present moment.
    #[must_use]
    pub fn now(&self) -> OffsetDateTime {
        match &self.0 {
            Source::System => {
                #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
                let now = OffsetDateTime::now_utc();
                now.replace_nanosecond(now.nanosecond() / 1_000 * 1_000).unwrap_or(now)
            }
            Source::Manual(manual) => {
                let nanoseconds = i128::from(manual.wall.load(Ordering::SeqCst)) * 1_000;
                OffsetDateTime::from_unix_timestamp_nanos(nanoseconds).unwrap_or(OffsetDateTime::UNIX_EPOCH)
            }
        }
    }

    /// A new `UUIDv7` of the present moment (RFC 9562, section 5.7).
    #[must_use]
    pub fn new_id(&self) -> Uuid {
        new_id_at(self.now())
    }
}

/// A new `UUIDv7` of a moment that was read before: of what keeps both, the id tells the same millisecond.
#[must_use]
pub fn new_id_at(at: OffsetDateTime) -> Uuid {
    id_at(at, &rand::random::<[u8; 10]>())
}

/// An id that is not larger than any `UUIDv7` of this moment or a later one.
#[must_use]
pub fn first_id_at(at: OffsetDateTime) -> Uuid {
    id_at(at, &[0; 10])
}

fn id_at(at: OffsetDateTime, rest: &[u8; 10]) -> Uuid {
    let milliseconds = u64::try_from(at.unix_timestamp_nanos() / 1_000_000).unwrap_or_default();
    uuid::Builder::from_unix_timestamp_millis(milliseconds, rest).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_moves_only_when_told_and_its_clones_with_it() {
        let clock = Clock::manual(OffsetDateTime::UNIX_EPOCH);
        let clone = clock.clone();
        assert_eq!(clone.now(), OffsetDateTime::UNIX_EPOCH);
        clock.advance(Duration::minutes(15));
        assert_eq!(clone.now(), OffsetDateTime::UNIX_EPOCH + Duration::minutes(15));
    }

    #[test]
    fn the_first_id_of_a_moment_lies_between_those_before_and_those_of_it() {
        let clock = Clock::manual(OffsetDateTime::UNIX_EPOCH + Duration::days(20_000));
        let before = clock.new_id();
        clock.advance(Duration::milliseconds(1));
        let first = first_id_at(clock.now());
        assert!(before < first && first < clock.new_id());
    }

    #[test]
    fn ids_sort_by_the_time_they_were_made() {
        let clock = Clock::manual(OffsetDateTime::UNIX_EPOCH + Duration::days(20_000));
        let first = clock.new_id();
        clock.advance(Duration::milliseconds(1));
        assert!(first < clock.new_id());
        assert_eq!(first.get_version_num(), 7);
    }
}

//! Time and ids, handed to whoever needs them so that a test can hold them still.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use time::{Duration, OffsetDateTime};
use uuid::Uuid;

/// Tells the time (UTC, whole microseconds as PostgreSQL keeps them) and makes time-ordered ids.
#[derive(Debug, Clone)]
pub struct Clock(Source);

#[derive(Debug, Clone)]
enum Source {
    System,
    /// Microseconds since the Unix epoch.
    Manual(Arc<AtomicI64>),
}

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
        Self(Source::Manual(Arc::new(AtomicI64::new(microseconds))))
    }

    /// Moves a manual clock; the machine's own is not moved.
    pub fn advance(&self, by: Duration) {
        if let Source::Manual(microseconds) = &self.0 {
            let by = i64::try_from(by.whole_microseconds()).unwrap_or(i64::MAX);
            microseconds.fetch_add(by, Ordering::SeqCst);
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
            Source::Manual(microseconds) => {
                let nanoseconds = i128::from(microseconds.load(Ordering::SeqCst)) * 1_000;
                OffsetDateTime::from_unix_timestamp_nanos(nanoseconds).unwrap_or(OffsetDateTime::UNIX_EPOCH)
            }
        }
    }

    /// A new `UUIDv7` of the present moment (RFC 9562, section 5.7).
    #[must_use]
    pub fn new_id(&self) -> Uuid {
        let milliseconds = u64::try_from(self.now().unix_timestamp_nanos() / 1_000_000).unwrap_or_default();
        uuid::Builder::from_unix_timestamp_millis(milliseconds, &rand::random::<[u8; 10]>()).into_uuid()
    }
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
    fn ids_sort_by_the_time_they_were_made() {
        let clock = Clock::manual(OffsetDateTime::UNIX_EPOCH + Duration::days(20_000));
        let first = clock.new_id();
        clock.advance(Duration::milliseconds(1));
        assert!(first < clock.new_id());
        assert_eq!(first.get_version_num(), 7);
    }
}

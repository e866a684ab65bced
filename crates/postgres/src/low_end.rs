//! Where a look through an index begins that is taken again and again.
//!
//! What is deleted at the low end of an index is not gone while a snapshot is held (a dump), and would be walked over each time. So a look begins
//! where the one before has left nothing, and one a minute begins at the very beginning.

use std::time::{Duration, Instant};

use time::OffsetDateTime;

/// How often a look begins at the very beginning all the same: another may have held a row, or have written one late.
pub const WHOLE: Duration = Duration::from_mins(1);
/// What is being committed is hardly ever older than this, and then a whole look finds it.
pub const RECENT: time::Duration = time::Duration::seconds(20);

/// The low end of an index by time.
#[derive(Debug, Default)]
pub struct LowEnd {
    /// Below it, a look has left nothing.
    clean: Option<OffsetDateTime>,
    whole_since: Option<Instant>,
}

impl LowEnd {
    /// Behind which the next look begins.
    pub fn begin(&mut self) -> OffsetDateTime {
        if self.whole_since.is_none_or(|since| since.elapsed() >= WHOLE) {
            self.whole_since = Some(Instant::now());
            self.clean = None;
        }
        self.clean.unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }

    /// A look that [began](Self::begin) there has left nothing up to then.
    pub fn left_nothing(&mut self, up_to: OffsetDateTime) {
        self.clean = self.clean.max(Some(up_to - RECENT));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_begins_where_the_one_before_has_left_nothing_and_once_a_minute_at_the_beginning() {
        let (mut low, now) = (LowEnd::default(), OffsetDateTime::UNIX_EPOCH + time::Duration::days(20_000));
        assert_eq!(low.begin(), OffsetDateTime::UNIX_EPOCH);
        assert_eq!(low.begin(), OffsetDateTime::UNIX_EPOCH, "that one has left something");
        low.left_nothing(now);
        low.left_nothing(now - time::Duration::HOUR);
        assert_eq!(low.begin(), now - RECENT);
        low.whole_since = Instant::now().checked_sub(WHOLE);
        assert_eq!(low.begin(), OffsetDateTime::UNIX_EPOCH);
    }
}

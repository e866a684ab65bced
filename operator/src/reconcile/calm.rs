//! When trouble is over: after a few good looks apart, for a pod that ends again and again runs for some seconds each time.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use parking_lot::Mutex;

use crate::names::Names;

/// Good looks before trouble is over.
const LOOKS: u8 = 3;
/// What is at least between two of them.
pub const APART: Duration = Duration::from_secs(10);

/// The good looks since each stack's last trouble. Whoever forgets them counts anew.
#[derive(Debug, Default)]
pub struct Calm(Mutex<BTreeMap<(String, String), Looks>>);

#[derive(Debug, Clone)]
struct Looks {
    good: u8,
    last: Time,
}

impl Calm {
    /// Takes in a look; whether it has been calm for long enough.
    pub fn see(&self, names: &Names, is_good: bool, now: &Time) -> bool {
        let mut all = self.0.lock();
        let key = (names.namespace.clone(), names.stack.clone());
        if !is_good {
            all.insert(key, Looks { good: 0, last: now.clone() });
            return false;
        }
        let looks = all.entry(key).or_insert_with(|| Looks { good: 1, last: now.clone() });
        if looks.good < LOOKS && now.0 >= looks.last.0 + APART {
            looks.good += 1;
            looks.last = now.clone();
        }
        looks.good >= LOOKS
    }

    /// Forgets a stack that is gone.
    pub fn forget(&self, names: &Names) {
        self.0.lock().remove(&(names.namespace.clone(), names.stack.clone()));
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::jiff::Timestamp;

    use super::*;

    #[test]
    fn trouble_is_over_after_three_good_looks_ten_seconds_apart() {
        let (calm, names) = (Calm::default(), Names::new("default", "shop"));
        let see = |second: i64, is_good| calm.see(&names, is_good, &Time(Timestamp::from_second(second).unwrap()));
        for (second, is_good, is_over) in [
            (0, false, false),
            (5, true, false),
            (10, true, false),
            (15, true, false),
            (20, true, false),
            (25, false, false),
            (35, true, false),
            (45, true, false),
            (50, true, false),
            (55, true, true),
            (56, true, true),
        ] {
            assert_eq!(see(second, is_good), is_over, "at second {second}");
        }
    }
}

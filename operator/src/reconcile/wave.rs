//! Which stack has its turn: stores restart in one stack at a time, whatever asks for it, and so do services roll that no person has
//! asked for. An operator that makes a pod otherwise than the one before it would else restart the database of every shop at once, and
//! a fault of it would be in all of them.

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use parking_lot::Mutex;

use crate::names::Names;

/// After this time a stack whose pods have not come back keeps nobody waiting.
const LONGEST: Duration = Duration::from_mins(5);

/// The place that a stack has while its pods restart. Whoever forgets it lets two restart at once.
#[derive(Debug, Default)]
pub struct Wave(Mutex<Option<Place>>);

#[derive(Debug)]
struct Place {
    of: Names,
    since: Time,
}

impl Wave {
    /// Takes the place where it is free; whether the stack has it.
    pub fn enter(&self, names: &Names, now: &Time) -> bool {
        let mut place = self.0.lock();
        match &*place {
            Some(taken) if taken.of == *names => true,
            Some(taken) if now.0 < taken.since.0 + LONGEST => false,
            Some(_) | None => {
                *place = Some(Place { of: names.clone(), since: now.clone() });
                true
            }
        }
    }

    /// Gives the place back, where the stack has it.
    pub fn leave(&self, names: &Names) {
        self.0.lock().take_if(|taken| taken.of == *names);
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::jiff::Timestamp;

    use super::*;

    #[test]
    fn one_has_the_place_until_it_leaves_or_takes_too_long() {
        let (wave, [one, other]) = (Wave::default(), ["one", "other"].map(|stack| Names::new("default", stack)));
        let enter = |names: &Names, second| wave.enter(names, &Time(Timestamp::from_second(second).unwrap()));
        assert!(enter(&one, 0) && enter(&one, 1));
        assert!(!enter(&other, 2));
        wave.leave(&other);
        assert!(!enter(&other, 3), "it had none to give back");
        wave.leave(&one);
        assert!(enter(&other, 4));
        assert!(!enter(&one, 303));
        assert!(enter(&one, 304));
    }
}

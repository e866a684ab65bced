//! Messages that were handed out again and again without coming to an end: one of them may be what ends the process.
//!
//! The broker counts for each message how often it has handed it out, also for those that were only in hand beside the culprit. So whatever
//! it has handed out ten times before is handled last, and each by itself: of what ends the process, nothing else has to be
//! tried again with it. Which of them comes first turns with each time, so that on neither side of the culprit anything waits for good.

use std::time::{Duration, Instant};

/// Whatever was handed out so often before is a suspect: some processes end in a rollout, and an outage costs a message a delivery to each
/// replica.
const OFTEN: u64 = 10;
/// What the broker hands out ahead comes within this, and is no suspect of before.
const LAST: Duration = Duration::from_secs(1);

/// Suspects that wait for the others.
#[derive(Debug)]
pub(crate) struct Suspects<M> {
    /// With how often each was handed out before, as they came.
    messages: Vec<(u64, M)>,
    due: Option<Instant>,
}

impl<M> Default for Suspects<M> {
    fn default() -> Self {
        Self { messages: Vec::new(), due: None }
    }
}

/// Whether a message that was handed out so often before is one.
pub(crate) fn is_suspect(handed_out: u64) -> bool {
    handed_out >= OFTEN
}

impl<M> Suspects<M> {
    pub(crate) fn add(&mut self, handed_out: u64, message: M, now: Instant) {
        self.messages.push((handed_out, message));
        self.due.get_or_insert(now + LAST);
    }

    /// When they are to be handled, if there are any.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.due
    }

    pub(crate) fn len(&self) -> usize {
        self.messages.len()
    }

    /// All of them, in the sequence in which they are to be handled; none is left.
    pub(crate) fn take_all(&mut self) -> Vec<M> {
        self.due = None;
        in_turn(std::mem::take(&mut self.messages))
    }
}

/// Those that were handed out least often first; of those that were as often, every other time the last first.
fn in_turn<M>(messages: Vec<(u64, M)>) -> Vec<M> {
    let mut placed: Vec<_> = messages.into_iter().zip(0_i64..).collect();
    placed.sort_by_key(|((handed_out, _), place)| (*handed_out, if handed_out % 2 == 0 { *place } else { -place }));
    placed.into_iter().map(|((_, message), _)| message).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_that_were_handed_out_least_often_come_first_and_either_end_every_other_time() {
        for (handed_out, sequence) in [
            (&[4, 4, 4][..], "abc"),
            (&[5, 5, 5], "cba"),
            (&[7, 3, 4, 3, 4], "dbcea"),
            (&[6, 5, 6, 5], "dbac"),
            (&[], ""),
        ] {
            let messages = handed_out.iter().copied().zip('a'..).collect();
            assert_eq!(in_turn(messages).into_iter().collect::<String>(), sequence, "{handed_out:?}");
        }
    }

    #[test]
    fn what_rollouts_and_outages_have_handed_back_is_none() {
        assert_eq!([0, 3, 9, 10, 400].map(is_suspect), [false, false, false, true, true]);
    }

    /// The process ends at the culprit each time, and everything that was in hand is handed out once more.
    #[test]
    fn wherever_the_culprit_stands_all_others_are_handled_within_two_turns() {
        for culprit in 0..400 {
            let mut in_hand: Vec<u32> = (0..400).collect();
            for handed_out in OFTEN..OFTEN + 2 {
                let sequence = in_turn(in_hand.iter().map(|message| (handed_out, *message)).collect());
                let handled: Vec<u32> = sequence.into_iter().take_while(|message| *message != culprit).collect();
                in_hand.retain(|message| !handled.contains(message));
            }
            assert_eq!(in_hand, [culprit]);
        }
    }
}

//! What could not be handled for now: what of it is tried next, and when.
//!
//! Whether the database is away or one message can never be handled, no error says for certain. What else works does: while nothing
//! works, everything takes turns, as fast as its owner has it; what fails although others work is at fault itself, and waits for
//! longer each time. Whatever fails a second time is halved, and each half again, until what is at fault is alone. What was handed out
//! suspiciously often comes last, and is alone from the beginning (`suspects.rs`).

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use ecommerce_runtime::Backoff;

use crate::suspects::Suspects;

/// Between two tries of what fails although others work, before what chance adds.
const SHORTEST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// Messages that are tried together.
#[derive(Debug)]
pub(crate) struct Part<M> {
    pub(crate) messages: Vec<M>,
    /// As it is, or as a piece of what has.
    has_failed: bool,
    /// How often anything had worked when it last failed.
    had_worked: Option<u64>,
    /// The pauses of one that is at fault itself.
    pauses: Option<Backoff>,
    due: Option<Instant>,
}

impl<M> Part<M> {
    /// Messages that have just come.
    pub(crate) fn new(messages: Vec<M>) -> Self {
        Self { messages, has_failed: false, had_worked: None, pauses: None, due: None }
    }

    /// Each message by itself, the last one first.
    pub(crate) fn apart(self) -> impl Iterator<Item = Self> {
        self.messages.into_iter().rev().map(|message| Self::new(vec![message]))
    }

    fn half(&self, messages: Vec<M>) -> Self {
        Self { has_failed: true, had_worked: self.had_worked, ..Self::new(messages) }
    }

    fn is_due(&self, now: Instant) -> bool {
        self.due.is_none_or(|due| due <= now)
    }
}

/// All that waits.
#[derive(Debug)]
pub(crate) struct Waiting<M> {
    /// What has waited longest comes first.
    parts: VecDeque<Part<M>>,
    /// What has not been tried.
    suspects: Suspects<M>,
    /// How often anything has worked.
    worked: u64,
    nothing_works: bool,
}

impl<M> Default for Waiting<M> {
    fn default() -> Self {
        Self { parts: VecDeque::new(), suspects: Suspects::default(), worked: 0, nothing_works: false }
    }
}

impl<M> Waiting<M> {
    /// Something was handled.
    pub(crate) fn has_worked(&mut self) {
        self.worked += 1;
        self.nothing_works = false;
    }

    /// Keeps what has failed. Answers for how long, when that is a message by itself and has failed although others work.
    pub(crate) fn keep(&mut self, mut part: Part<M>, now: Instant) -> Option<Duration> {
        let others_work = part.had_worked.is_some_and(|had_worked| had_worked < self.worked);
        part.had_worked = Some(self.worked);
        if part.messages.len() > 1 && part.has_failed {
            let second = part.messages.split_off(part.messages.len() / 2);
            let first = std::mem::take(&mut part.messages);
            self.parts.extend([part.half(first), part.half(second)]);
            self.nothing_works = true;
            return None;
        }
        part.has_failed = true;
        let pause = (part.messages.len() == 1 && others_work)
            .then(|| part.pauses.get_or_insert_with(|| Backoff::new(SHORTEST_PAUSE, LONGEST_PAUSE)).next_wait());
        self.nothing_works |= pause.is_none();
        part.due = pause.map(|pause| now + pause);
        self.parts.push_back(part);
        pause
    }

    /// Keeps a message that was handed out so often before for after the others.
    pub(crate) fn put_last(&mut self, handed_out: u64, message: M, now: Instant) {
        self.suspects.add(handed_out, message, now);
    }

    /// Whether nothing has worked since something last failed that may be no fault of its own.
    pub(crate) fn nothing_works(&self) -> bool {
        self.nothing_works
    }

    /// What is to be tried now, if anything is.
    pub(crate) fn take_due(&mut self, now: Instant) -> Option<Part<M>> {
        if self.suspects.due().is_some_and(|due| due <= now) {
            self.parts.extend(self.suspects.take_all().into_iter().map(|message| Part::new(vec![message])));
        }
        let due = self.parts.iter().position(|part| part.is_due(now))?;
        self.parts.remove(due)
    }

    /// When something is to be tried, if anything waits.
    pub(crate) fn next_due(&self, now: Instant) -> Option<Instant> {
        self.parts.iter().map(|part| part.due.unwrap_or(now)).chain(self.suspects.due()).min()
    }

    /// Whether something is to be tried now, or in a moment although it has never failed.
    pub(crate) fn is_any_due(&self, now: Instant) -> bool {
        self.suspects.due().is_some() || self.parts.iter().any(|part| part.is_due(now))
    }

    /// How many messages there are.
    pub(crate) fn len(&self) -> usize {
        self.parts.iter().map(|part| part.messages.len()).sum::<usize>() + self.suspects.len()
    }

    /// All of them, and none is left.
    pub(crate) fn take_all(&mut self) -> impl Iterator<Item = M> {
        let suspects = self.suspects.take_all();
        std::mem::take(&mut self.parts).into_iter().flat_map(|part| part.messages).chain(suspects)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tries whatever is due, until nothing is or as often as told; answers what was handled and how many tries that took.
    fn try_all(waiting: &mut Waiting<u32>, now: Instant, most: u32, fails: impl Fn(u32) -> bool) -> (Vec<u32>, u32) {
        let (mut handled, mut tries) = (Vec::new(), 0);
        while tries < most
            && let Some(part) = waiting.take_due(now)
        {
            tries += 1;
            if part.messages.iter().any(|message| fails(*message)) {
                waiting.keep(part, now);
            } else {
                waiting.has_worked();
                handled.extend(part.messages);
            }
        }
        handled.sort_unstable();
        (handled, tries)
    }

    #[test]
    fn what_is_at_fault_is_found_within_a_batch_by_halves_and_the_others_are_handled() {
        for culprit in 0..100 {
            let (mut waiting, now) = (Waiting::default(), Instant::now());
            waiting.keep(Part::new((0..100).collect()), now);
            let (handled, tries) = try_all(&mut waiting, now, u32::MAX, |message| message == culprit);
            assert_eq!(handled, (0..100).filter(|message| *message != culprit).collect::<Vec<_>>());
            assert!(tries <= 17, "{tries} tries for {culprit}");
            assert_eq!((waiting.len(), waiting.take_due(now).is_none()), (1, true));
        }
    }

    #[test]
    fn all_that_are_at_fault_are_found_and_no_other_waits() {
        let (mut waiting, now) = (Waiting::default(), Instant::now());
        waiting.keep(Part::new((0..100).collect()), now);
        let (handled, _) = try_all(&mut waiting, now, u32::MAX, |message| message % 3 == 0);
        assert_eq!((handled.len(), waiting.len()), (66, 34));
    }

    #[test]
    fn what_fails_although_others_work_waits_for_longer_each_time() {
        let (mut waiting, mut now) = (Waiting::default(), Instant::now());
        waiting.keep(Part::new(vec![1]), now);
        for longest in [400, 800, 1_600, 3_200].map(Duration::from_millis) {
            waiting.has_worked();
            let part = waiting.take_due(now).unwrap();
            let pause = waiting.keep(part, now).unwrap();
            assert!((longest / 2..=longest).contains(&pause), "{pause:?} where {longest:?} is the longest");
            assert_eq!(waiting.next_due(now), Some(now + pause));
            assert!(waiting.take_due(now).is_none());
            now += pause;
        }
    }

    #[test]
    fn while_nothing_works_everything_takes_turns_and_what_comes_back_finds_all_of_it_due() {
        let (mut waiting, now) = (Waiting::default(), Instant::now());
        waiting.keep(Part::new((0..10).collect()), now);
        waiting.keep(Part::new((10..20).collect()), now);
        assert_eq!(try_all(&mut waiting, now, 500, |_| true), (Vec::new(), 500));
        assert!(waiting.nothing_works());
        let (handled, _) = try_all(&mut waiting, now, 500, |_| false);
        assert_eq!((handled, waiting.len()), ((0..20).collect(), 0));
        assert!(!waiting.nothing_works());
    }
}

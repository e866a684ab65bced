//! Which deliveries of a channel are in hand, and by which frames some of them are acknowledged.

use std::collections::BTreeSet;

use lapin::types::DeliveryTag;

/// The tags of deliveries that were taken from a channel and are neither acknowledged nor rejected.
///
/// A frame that acknowledges `multiple` acknowledges every tag up to its own, whatever the client thinks of them. So it is sent only
/// where nothing in hand lies below it but what is to be acknowledged.
#[derive(Debug, Default)]
pub(crate) struct Unsettled(BTreeSet<DeliveryTag>);

/// One frame: the tag, and whether all below it are meant too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Acknowledgement {
    pub(crate) tag: DeliveryTag,
    pub(crate) multiple: bool,
}

impl Unsettled {
    pub(crate) fn take(&mut self, tag: DeliveryTag) {
        self.0.insert(tag);
    }

    pub(crate) fn reject(&mut self, tag: DeliveryTag) {
        self.0.remove(&tag);
    }

    /// The frames that acknowledge these deliveries and no others: one for those below whatever else is in hand, and one for each of
    /// the rest.
    pub(crate) fn acknowledge(&mut self, tags: impl Iterator<Item = DeliveryTag>) -> Vec<Acknowledgement> {
        let tags: BTreeSet<DeliveryTag> = tags.collect();
        self.0.retain(|tag| !tags.contains(tag));
        let oldest = self.0.first().copied().unwrap_or(DeliveryTag::MAX);
        let below = tags.range(..oldest).next_back().map(|last| Acknowledgement { tag: *last, multiple: true });
        let rest = tags.range(oldest..).map(|tag| Acknowledgement { tag: *tag, multiple: false });
        below.into_iter().chain(rest).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(tags: impl IntoIterator<Item = DeliveryTag>) -> Unsettled {
        Unsettled(tags.into_iter().collect())
    }

    fn frames(unsettled: &mut Unsettled, tags: impl IntoIterator<Item = DeliveryTag>) -> Vec<(DeliveryTag, bool)> {
        let frames = unsettled.acknowledge(tags.into_iter());
        frames.into_iter().map(|frame| (frame.tag, frame.multiple)).collect()
    }

    #[test]
    fn a_batch_with_nothing_below_it_is_one_frame() {
        let mut unsettled = taken(1..=200);
        assert_eq!(frames(&mut unsettled, 1..=100), [(100, true)]);
        assert_eq!(frames(&mut unsettled, 101..=200), [(200, true)]);
    }

    #[test]
    fn what_was_rejected_among_them_is_no_longer_in_hand() {
        let mut unsettled = taken(1..=4);
        unsettled.reject(2);
        assert_eq!(frames(&mut unsettled, [1, 3, 4]), [(4, true)]);
    }

    #[test]
    fn a_batch_that_was_not_committed_is_not_acknowledged_with_the_next() {
        let mut unsettled = taken(1..=4);
        assert_eq!(frames(&mut unsettled, [3, 4]), [(3, false), (4, false)]);
        assert_eq!(frames(&mut unsettled, [1, 2]), [(2, true)]);
    }

    #[test]
    fn what_is_set_aside_stays_and_those_below_it_go_together() {
        let mut unsettled = taken(1..=5);
        assert_eq!(frames(&mut unsettled, [1, 2, 4, 5]), [(2, true), (4, false), (5, false)]);
    }

    /// Of every six deliveries, each is the batch's, in hand for something else, or settled before.
    #[test]
    fn no_frame_means_what_is_not_of_the_batch_and_each_of_the_batch_is_meant() {
        for case in 0..3_u32.pow(6) {
            let part = |tag: DeliveryTag| case / 3_u32.pow(u32::try_from(tag).unwrap() - 1) % 3;
            let (batch, others): (Vec<_>, Vec<_>) =
                (1..=6).filter(|tag| part(*tag) < 2).partition(|tag| part(*tag) == 0);
            let mut unsettled = taken(batch.iter().chain(&others).copied());
            let frames = unsettled.acknowledge(batch.iter().copied());
            let is_meant =
                |tag: &DeliveryTag| frames.iter().any(|frame| frame.tag == *tag || frame.multiple && *tag < frame.tag);
            assert!(batch.iter().all(is_meant), "case {case}");
            assert!(!others.iter().any(is_meant), "case {case}");
            assert_eq!(unsettled.0, others.into_iter().collect(), "case {case}");
        }
    }
}

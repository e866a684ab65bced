//! The way from a commit to the relay, in memory.

use ecommerce_contract::Envelope;
use tokio::sync::mpsc;

/// The most events that wait in memory, while the broker is away; of the others, the outbox knows.
const ROOM: usize = 2_000;

/// Takes events that are committed to the outbox, for the relay of the same process. Clones feed the same one.
#[derive(Debug, Clone)]
pub struct Outgoing(mpsc::Sender<Envelope>);

/// The other end.
pub(crate) type Departures = mpsc::Receiver<Envelope>;

impl Outgoing {
    /// To no relay: what is committed leaves the outbox with the sweep of another process.
    #[must_use]
    pub fn nowhere() -> Self {
        Self::new().0
    }

    pub(crate) fn new() -> (Self, Departures) {
        let (sender, departures) = mpsc::channel(ROOM);
        (Self(sender), departures)
    }

    /// Hands events over; call it after the commit. What finds no room, or nobody, is sent from the outbox a few seconds later.
    pub fn send(&self, events: impl IntoIterator<Item = Envelope>) {
        for envelope in events {
            if self.0.try_send(envelope).is_err() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use ecommerce_contract::Event;
    use ecommerce_contract::events::OrderPaid;
    use ecommerce_types::{Clock, OrderId};

    use super::*;

    #[test]
    fn what_finds_no_room_is_left_to_the_outbox() {
        let clock = Clock::system();
        let paid = || Envelope::new(&clock, None, Event::OrderPaid(OrderPaid { order_id: OrderId::new(&clock) }));
        let (outgoing, mut departures) = Outgoing::new();
        outgoing.send((0..=ROOM).map(|_| paid()));
        let kept = std::iter::from_fn(|| departures.try_recv().ok()).count();
        assert_eq!(kept, ROOM);
    }
}

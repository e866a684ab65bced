//! The way out: gives events that were committed to the broker.
//!
//! Whoever commits an event hands it over in memory ([`Outgoing`]), and it leaves at once. Its row in the outbox goes when the
//! broker has it, many rows in one statement. What stays there longer, whoever left it, a [`Sweep`] finds. Any number of replicas
//! relay side by side: what two of them send comes twice, and the second one does nothing.
//!
//! While the broker's memory or disk is full it takes no events, and they wait: in memory as many as it has room for, all in the outbox.

use std::convert::Infallible;
use std::time::Duration;

use ecommerce_contract::Envelope;
use ecommerce_postgres::Pool;
use ecommerce_postgres::outbox::{self, Message};
use ecommerce_runtime::Shutdown;
use ecommerce_types::Clock;
use sqlx::PgConnection;
use tokio::sync::Mutex;
use tokio::time::{Instant, MissedTickBehavior, interval, interval_at};
use uuid::Uuid;

use crate::Error;
use crate::connection::{Connections, Session, supervise};
use crate::outgoing::{Departures, Outgoing};
use crate::publish::{Published, Publisher};
use crate::sweep::Sweep;

/// The most events that are published before their confirms are waited for.
const BATCH: usize = 200;
/// How long rows of events that the broker has wait for each other, to go in one statement.
const FORGET: Duration = Duration::from_millis(500);
/// Rows beyond these are left to the sweep, which sends them once more, while the database is away.
const MOST_TO_FORGET: usize = 10_000;
/// How often a sweep begins.
const SWEEP: Duration = Duration::from_secs(1);
/// How often a relay without a broker looks at what waits.
const BETWEEN_SESSIONS: Duration = Duration::from_secs(5);

/// Relays one service's events.
#[derive(Debug)]
pub struct Relay {
    connections: Connections,
    pool: Pool,
    clock: Clock,
    hand: Mutex<Hand>,
}

/// What a relay holds, whichever session with the broker it is in.
#[derive(Debug)]
struct Hand {
    departures: Departures,
    /// Events that the broker has, and the outbox too.
    sent: Vec<Uuid>,
    sweep: Sweep,
}

impl Relay {
    /// A relay to this broker, with a pool of its own ([`Pool::for_relay`]) on the database of the outbox; and where events are
    /// handed over to it.
    #[must_use]
    pub fn new(connections: Connections, pool: Pool, clock: Clock) -> (Self, Outgoing) {
        let (outgoing, departures) = Outgoing::new();
        let hand = Mutex::new(Hand { departures, sent: Vec::new(), sweep: Sweep::default() });
        (Self { connections, pool, clock, hand }, outgoing)
    }

    /// Runs until it is told to stop, which should be the last thing that a process does (`Tasks::spawn_last`).
    pub async fn run(self, shutdown: Shutdown) {
        let sessions = supervise(&self.connections, "relay", &shutdown, |session| self.session(session, &shutdown));
        tokio::select! {
            () = sessions => {}
            never = self.look_between_sessions() => match never {},
        }
    }

    /// Says how old the oldest is that waits, also while there is no broker to wait for.
    async fn look_between_sessions(&self) -> Infallible {
        let mut look = interval_at(Instant::now() + BETWEEN_SESSIONS, BETWEEN_SESSIONS);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            look.tick().await;
            // A session has it from its beginning to its end.
            if let Ok(mut hand) = self.hand.try_lock() {
                hand.sweep.look(&self.pool, &self.clock).await;
            }
        }
    }

    async fn session(&self, session: Session, shutdown: &Shutdown) -> Result<(), Error> {
        let mut publisher = Publisher::on(session).await?;
        let mut hand = self.hand.lock().await;
        let Hand { departures, sent, sweep } = &mut *hand;
        sweep.miss_nothing();
        let (mut forget, mut look) = (interval(FORGET), interval(SWEEP));
        forget.set_missed_tick_behavior(MissedTickBehavior::Delay);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            publisher.stands()?;
            let is_open = !publisher.is_blocked();
            tokio::select! {
                Some(first) = departures.recv(), if is_open => {
                    if sent.is_empty() {
                        forget.reset();
                    }
                    send(&mut publisher, first, departures, sent, sweep).await?;
                }
                _ = forget.tick(), if !sent.is_empty() => self.forget(sent).await,
                _ = look.tick(), if !is_open || !sweep.is_under_way() => {
                    if publisher.is_blocked() {
                        sweep.look(&self.pool, &self.clock).await;
                    } else {
                        sweep.send_page(&self.pool, &mut publisher, &self.clock).await?;
                    }
                }
                () = std::future::ready(()), if is_open && sweep.is_under_way() => {
                    sweep.send_page(&self.pool, &mut publisher, &self.clock).await?;
                }
                () = shutdown.stopped() => {
                    // What was committed while requests and consumers ended is sent before the process goes.
                    while !publisher.is_blocked() && let Ok(first) = departures.try_recv() {
                        send(&mut publisher, first, departures, sent, sweep).await?;
                    }
                    if !sent.is_empty() {
                        self.forget(sent).await;
                    }
                    return Ok(());
                }
            }
        }
    }

    /// Takes the rows of events that the broker has out of the outbox.
    async fn forget(&self, sent: &mut Vec<Uuid>) {
        let remove = async |connection: &mut PgConnection| outbox::remove(connection, sent).await;
        match self.pool.run(remove).await {
            Ok(()) => sent.clear(),
            Err(error) => {
                tracing::warn!(%error, "unable to take sent events out of the outbox; it is tried again");
                sent.truncate(MOST_TO_FORGET);
            }
        }
    }
}

/// Sends an event and those that wait behind it. The sweep passes over what the broker closes the channel for.
async fn send(
    publisher: &mut Publisher,
    first: Envelope,
    departures: &mut Departures,
    sent: &mut Vec<Uuid>,
    sweep: &mut Sweep,
) -> Result<(), Error> {
    let mut messages = vec![Message::of(&first)?];
    while messages.len() < BATCH
        && let Ok(next) = departures.try_recv()
    {
        messages.push(Message::of(&next)?);
    }
    let Published { taken, unpublishable, .. } = publisher.publish(&messages).await?;
    sent.extend(taken);
    sweep.pass_over(unpublishable);
    Ok(())
}

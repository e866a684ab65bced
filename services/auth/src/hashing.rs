//! Where passwords are hashed: on a few threads of their own, so that many logins at once cost neither the memory nor the
//! threads of everything else.
//!
//! Who waits is served address by address in turn, those that have not tried in vain of late before those that have. So a crowd
//! delays itself and not whoever comes beside it. Each address has a few places; when they are taken, or all are, the next
//! one is refused at once.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{oneshot, watch};
use tokio::time::timeout;

use crate::Error;
use crate::domain::password::HashError;
use crate::domain::{Cost, Password, PasswordAttempt, PasswordHash};
use crate::metrics::PASSWORD_HASHES;
use crate::throttle::Trier;

/// How many of one address wait.
const WAITING_OF_ADDRESS: usize = 8;
/// How many wait in all, of those who have tried in vain of late and of the others each.
const WAITING: usize = 512;
/// Addresses that wait: a few tenths of a second.
const MANY: usize = 8;
/// How long anyone waits.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// The threads and the queue before them. Clones share both.
#[derive(Debug, Clone)]
pub(crate) struct Hashing {
    queue: Arc<Queue>,
    /// The hash that an attempt is compared with where there is no account, so that it takes as long as where there is.
    nobody: watch::Sender<PasswordHash>,
}

#[derive(Debug)]
struct Queue {
    threads: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    running: usize,
    trusted: Turns,
    suspect: Turns,
}

/// Those who wait, by address, in turn.
#[derive(Debug, Default)]
struct Turns {
    waiting: usize,
    next: VecDeque<Option<IpAddr>>,
    lines: HashMap<Option<IpAddr>, VecDeque<oneshot::Sender<Turn>>>,
}

/// A thread to hash on; given on when it is dropped.
#[derive(Debug)]
struct Turn(Option<Arc<Queue>>);

impl Hashing {
    /// At most so many hashes at once; each takes 19 MiB.
    pub(crate) fn new(threads: usize) -> Result<Self, HashError> {
        Ok(Self {
            queue: Arc::new(Queue { threads, state: Mutex::default() }),
            nobody: watch::Sender::new(PasswordHash::of_nobody(Cost::TODAY)?),
        })
    }

    /// Hashes a new password.
    pub(crate) async fn hash(&self, trier: Trier, password: Password) -> Result<PasswordHash, Error> {
        self.run(trier, move || Ok(password.hash()?)).await
    }

    /// Hashes a password anew that has just been proven.
    pub(crate) async fn hash_again(&self, trier: Trier, proven: PasswordAttempt) -> Result<PasswordHash, Error> {
        self.run(trier, move || Ok(proven.hash()?)).await
    }

    /// From now on an attempt without an account takes as long as one whose hash is of this cost.
    pub(crate) async fn imitate(&self, cost: Cost) -> Result<(), Error> {
        if self.nobody.borrow().cost()? != cost {
            self.nobody.send_replace(self.run(Trier::trusted(None), move || Ok(PasswordHash::of_nobody(cost)?)).await?);
        }
        Ok(())
    }

    /// Whether the attempt is the password of an account that may not be there; the time it takes does not tell.
    pub(crate) async fn fits(
        &self,
        trier: Trier,
        attempt: PasswordAttempt,
        account: Option<&PasswordHash>,
    ) -> Result<bool, Error> {
        let (hash, exists) = (account.cloned().unwrap_or_else(|| self.nobody.borrow().clone()), account.is_some());
        self.run(trier, move || Ok(attempt.fits(&hash)? && exists)).await
    }

    async fn run<T, F>(&self, trier: Trier, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce() -> Result<T, Error> + Send + 'static,
    {
        let turn = match Queue::enter(&self.queue, trier)? {
            Place::Turn(turn) => turn,
            Place::Waits(turn) => match timeout(LONGEST_WAIT, turn).await {
                Ok(Ok(turn)) => turn,
                Ok(Err(_)) | Err(_) => return Err(Error::Busy),
            },
        };
        PASSWORD_HASHES.increment([]);
        let hashed = tokio::task::spawn_blocking(move || {
            // Held to the end of the work, also when nobody waits for it any more.
            let _turn = turn;
            work()
        });
        // Only a runtime that ends, or a panic, gives no result.
        hashed.await.unwrap_or(Err(Error::Busy))
    }
}

enum Place {
    Turn(Turn),
    Waits(oneshot::Receiver<Turn>),
}

impl Queue {
    fn enter(queue: &Arc<Self>, trier: Trier) -> Result<Place, Error> {
        let mut state = queue.state.lock();
        let State { running, trusted, suspect } = &mut *state;
        if *running < queue.threads {
            *running += 1;
            return Ok(Place::Turn(Turn(Some(Arc::clone(queue)))));
        }
        let turns = if trier.is_suspect { suspect } else { trusted };
        if turns.is_full_for(trier.client) {
            turns.forget_those_who_left();
        }
        if turns.is_full_for(trier.client) {
            return Err(Error::Busy);
        }
        let (give, turn) = oneshot::channel();
        let line = turns.lines.entry(trier.client).or_default();
        if line.is_empty() {
            turns.next.push_back(trier.client);
        }
        line.push_back(give);
        turns.waiting += 1;
        Ok(Place::Waits(turn))
    }
}

impl Turns {
    fn is_full_for(&self, client: Option<IpAddr>) -> bool {
        self.waiting >= WAITING || self.lines.get(&client).is_some_and(|line| line.len() >= WAITING_OF_ADDRESS)
    }

    fn forget_those_who_left(&mut self) {
        for line in self.lines.values_mut() {
            line.retain(|waiting| !waiting.is_closed());
        }
        self.lines.retain(|_, line| !line.is_empty());
        self.next.retain(|client| self.lines.contains_key(client));
        self.waiting = self.lines.values().map(VecDeque::len).sum();
    }

    /// Gives the next turn: to who has waited longest; but where many wait, to who came last. Of a crowd that comes at once those
    /// who came first have often gone, and whoever comes beside it does not wait for all of it. (Adaptive LIFO: B. Maurer, Fail
    /// at Scale, ACM Queue 13, 8.)
    fn pop(&mut self) -> Option<oneshot::Sender<Turn>> {
        let newest_first = self.next.len() > MANY;
        let client = if newest_first { self.next.pop_back() } else { self.next.pop_front() }?;
        let line = self.lines.get_mut(&client)?;
        let waiting = line.pop_front();
        self.waiting -= 1;
        match (line.is_empty(), newest_first) {
            (true, _) => {
                self.lines.remove(&client);
            }
            (false, true) => self.next.push_front(client),
            (false, false) => self.next.push_back(client),
        }
        waiting
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let Some(queue) = self.0.take() else { return };
        let mut state = queue.state.lock();
        loop {
            let next = state.trusted.pop().or_else(|| state.suspect.pop());
            let Some(next) = next else {
                state.running -= 1;
                return;
            };
            match next.send(Turn(Some(Arc::clone(&queue)))) {
                Ok(()) => return,
                // It has gone away; its turn is not given on, since this one is.
                Err(mut unwanted) => drop(unwanted.0.take()),
            }
        }
    }
}

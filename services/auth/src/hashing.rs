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
use crate::domain::{Cost, Memory, Password, PasswordAttempt, PasswordHash};
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

struct Queue {
    threads: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    running: usize,
    trusted: Turns,
    suspect: Turns,
}

/// Those who wait, by address, in turn.
#[derive(Default)]
struct Turns {
    waiting: usize,
    next: VecDeque<Option<IpAddr>>,
    lines: HashMap<Option<IpAddr>, VecDeque<Box<dyn Job>>>,
}

/// What waits for a thread.
trait Job: Send {
    /// Whether nobody waits for the answer any more.
    fn is_abandoned(&self) -> bool;
    fn run(self: Box<Self>, memory: &mut Memory);
}

struct Asked<T, F> {
    work: F,
    answer: oneshot::Sender<Result<T, Error>>,
}

/// A thread that hashes until nobody waits, with one memory for all.
struct Thread {
    queue: Arc<Queue>,
    memory: Memory,
}

impl Hashing {
    /// At most so many hashes at once; each takes 19 MiB.
    pub(crate) fn new(threads: usize) -> Result<Self, HashError> {
        Ok(Self {
            queue: Arc::new(Queue { threads, state: Mutex::default() }),
            nobody: watch::Sender::new(PasswordHash::of_nobody(Cost::TODAY, &mut Memory::default())?),
        })
    }

    /// Hashes a new password.
    pub(crate) async fn hash(&self, trier: Trier, password: Password) -> Result<PasswordHash, Error> {
        self.run(trier, move |memory| Ok(password.hash(memory)?)).await
    }

    /// Hashes a password anew that has just been proven.
    pub(crate) async fn hash_again(&self, trier: Trier, proven: PasswordAttempt) -> Result<PasswordHash, Error> {
        self.run(trier, move |memory| Ok(proven.hash(memory)?)).await
    }

    /// From now on an attempt without an account takes as long as one whose hash is of this cost.
    pub(crate) async fn imitate(&self, cost: Cost) -> Result<(), Error> {
        if self.nobody.borrow().cost()? != cost {
            let work = move |memory: &mut Memory| Ok(PasswordHash::of_nobody(cost, memory)?);
            self.nobody.send_replace(self.run(Trier::trusted(None), work).await?);
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
        self.run(trier, move |memory| Ok(attempt.fits(&hash, memory)? && exists)).await
    }

    async fn run<T, F>(&self, trier: Trier, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut Memory) -> Result<T, Error> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        Queue::enter(&self.queue, trier, Box::new(Asked { work, answer }))?;
        // Only a runtime that ends, or a panic, gives no answer.
        timeout(LONGEST_WAIT, answered).await.unwrap_or(Ok(Err(Error::Busy))).unwrap_or(Err(Error::Busy))
    }
}

impl Queue {
    fn enter(queue: &Arc<Self>, trier: Trier, job: Box<dyn Job>) -> Result<(), Error> {
        let mut state = queue.state.lock();
        if state.running < queue.threads {
            state.running += 1;
            drop(state);
            Thread::start(Arc::clone(queue), job);
            return Ok(());
        }
        let turns = if trier.is_suspect { &mut state.suspect } else { &mut state.trusted };
        turns.push(trier.client, job)
    }
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Queue").field("threads", &self.threads).finish_non_exhaustive()
    }
}

impl State {
    fn pop(&mut self) -> Option<Box<dyn Job>> {
        self.trusted.pop().or_else(|| self.suspect.pop())
    }
}

impl Thread {
    fn start(queue: Arc<Queue>, first: Box<dyn Job>) {
        let mut thread = Self { queue, memory: Memory::default() };
        tokio::task::spawn_blocking(move || {
            let mut next = Some(first);
            while let Some(job) = next {
                if !job.is_abandoned() {
                    PASSWORD_HASHES.increment([]);
                    job.run(&mut thread.memory);
                }
                next = thread.queue.state.lock().pop();
            }
        });
    }
}

/// Also after a panic, and for who came since the last look.
impl Drop for Thread {
    fn drop(&mut self) {
        let mut state = self.queue.state.lock();
        let Some(job) = state.pop() else {
            state.running -= 1;
            return;
        };
        drop(state);
        Self::start(Arc::clone(&self.queue), job);
    }
}

impl<T, F> Job for Asked<T, F>
where
    T: Send,
    F: FnOnce(&mut Memory) -> Result<T, Error> + Send,
{
    fn is_abandoned(&self) -> bool {
        self.answer.is_closed()
    }

    fn run(self: Box<Self>, memory: &mut Memory) {
        let answer = (self.work)(memory);
        // Who asked may have gone.
        let _ = self.answer.send(answer);
    }
}

impl Turns {
    fn is_full_for(&self, client: Option<IpAddr>) -> bool {
        self.waiting >= WAITING || self.lines.get(&client).is_some_and(|line| line.len() >= WAITING_OF_ADDRESS)
    }

    fn push(&mut self, client: Option<IpAddr>, job: Box<dyn Job>) -> Result<(), Error> {
        if self.is_full_for(client) {
            self.forget_those_who_left();
        }
        if self.is_full_for(client) {
            return Err(Error::Busy);
        }
        let line = self.lines.entry(client).or_default();
        if line.is_empty() {
            self.next.push_back(client);
        }
        line.push_back(job);
        self.waiting += 1;
        Ok(())
    }

    fn forget_those_who_left(&mut self) {
        for line in self.lines.values_mut() {
            line.retain(|waiting| !waiting.is_abandoned());
        }
        self.lines.retain(|_, line| !line.is_empty());
        self.next.retain(|client| self.lines.contains_key(client));
        self.waiting = self.lines.values().map(VecDeque::len).sum();
    }

    /// Gives the next turn: to who has waited longest; but where many wait, to who came last. Of a crowd that comes at once those
    /// who came first have often gone, and whoever comes beside it does not wait for all of it. (Adaptive LIFO: B. Maurer, Fail
    /// at Scale, ACM Queue 13, 8.)
    fn pop(&mut self) -> Option<Box<dyn Job>> {
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

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use tokio::task::JoinHandle;

    use super::*;

    const CROWD: Trier = Trier { client: Some(IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1))), is_suspect: true };
    const NEIGHBOUR: Trier =
        Trier { client: Some(IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2))), is_suspect: true };
    const OWNER: Trier = Trier { client: Some(IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 3))), is_suspect: false };

    /// One thread, held until something is sent; what then runs says its name.
    struct Held {
        hashing: Hashing,
        release: mpsc::Sender<()>,
        ran: mpsc::Receiver<&'static str>,
        runs: mpsc::Sender<&'static str>,
    }

    impl Held {
        fn new() -> Self {
            let hashing = Hashing::new(1).unwrap();
            let (release, released) = mpsc::channel();
            let (runs, ran) = mpsc::channel();
            let held = Self { hashing, release, ran, runs };
            held.queue(OWNER, move || released.recv().unwrap());
            held
        }

        fn queue(&self, trier: Trier, work: impl FnOnce() + Send + 'static) -> JoinHandle<Result<(), Error>> {
            let (answer, answered) = oneshot::channel();
            let work = move |_: &mut Memory| {
                work();
                Ok(())
            };
            let entered = Queue::enter(&self.hashing.queue, trier, Box::new(Asked { work, answer }));
            tokio::spawn(async move {
                entered?;
                answered.await.unwrap_or(Err(Error::Busy))
            })
        }

        fn named(&self, trier: Trier, name: &'static str) -> JoinHandle<Result<(), Error>> {
            let runs = self.runs.clone();
            self.queue(trier, move || runs.send(name).unwrap())
        }
    }

    #[tokio::test]
    async fn an_address_has_eight_places_and_whoever_has_not_tried_in_vain_goes_first() {
        let held = Held::new();
        let crowd: Vec<_> = (0..WAITING_OF_ADDRESS).map(|_| held.named(CROWD, "crowd")).collect();
        assert!(matches!(held.named(CROWD, "too many").await.unwrap(), Err(Error::Busy)));
        let others = [held.named(NEIGHBOUR, "neighbour"), held.named(OWNER, "owner")];
        held.release.send(()).unwrap();
        for waiting in crowd.into_iter().chain(others) {
            waiting.await.unwrap().unwrap();
        }
        let order: Vec<_> = held.ran.try_iter().collect();
        assert_eq!(order[..3], ["owner", "crowd", "neighbour"], "{order:?}");
        assert_eq!(order.len(), WAITING_OF_ADDRESS + 2);
    }

    #[tokio::test]
    async fn a_full_queue_of_those_who_have_tried_in_vain_refuses_nobody_else() {
        let held = Held::new();
        let mut crowd = Vec::new();
        for number in 0..u32::try_from(WAITING).unwrap() {
            let client = Some(IpAddr::from(std::net::Ipv4Addr::from_bits(number)));
            crowd.push(held.named(Trier { client, is_suspect: true }, "crowd"));
        }
        assert!(matches!(held.named(NEIGHBOUR, "too many").await.unwrap(), Err(Error::Busy)));
        let owner = held.named(OWNER, "owner");
        held.release.send(()).unwrap();
        owner.await.unwrap().unwrap();
        for waiting in crowd {
            waiting.await.unwrap().unwrap();
        }
        assert_eq!(held.ran.recv().unwrap(), "owner");
    }

    #[tokio::test]
    async fn who_has_left_gives_their_place_to_another_and_is_not_hashed_for() {
        let held = Held::new();
        for _ in 0..WAITING_OF_ADDRESS {
            let runs = held.runs.clone();
            let work = move |_: &mut Memory| {
                runs.send("gone").unwrap();
                Ok(())
            };
            let (answer, _) = oneshot::channel();
            Queue::enter(&held.hashing.queue, CROWD, Box::new(Asked { work, answer })).unwrap();
        }
        let here = held.named(CROWD, "here");
        held.release.send(()).unwrap();
        here.await.unwrap().unwrap();
        assert_eq!(held.ran.try_iter().collect::<Vec<_>>(), ["here"]);
    }

    #[tokio::test]
    async fn a_panic_costs_one_answer_and_no_thread() {
        let held = Held::new();
        let panics = held.queue(CROWD, || panic!("on purpose"));
        let next = held.named(CROWD, "next");
        held.release.send(()).unwrap();
        assert!(matches!(panics.await.unwrap(), Err(Error::Busy)));
        next.await.unwrap().unwrap();
        assert!(held.hashing.fits(OWNER, "a guess".to_owned().into(), None).await.is_ok_and(|fits| !fits));
    }
}

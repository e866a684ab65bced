//! Does the work of many at once: whoever comes while a batch is on its way goes with the next one, together with all others that have
//! come by then. Of what is written that is a group commit; what is read is read after it was asked for. Who comes alone goes at once,
//! and nobody waits for long behind a batch that does not end: a server that has fallen silent costs what it was at, and no more.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use sqlx::Error;
use tokio::sync::oneshot;

use crate::is_transient;

/// The most that one batch takes.
const MOST: usize = 100;
/// How long a batch is waited for before what waits goes beside it, on another connection: longer than one that gets on takes, for a
/// connection may have to be opened for it.
const PATIENCE: Duration = Duration::from_secs(1);

/// What waits to be done together. Clones share it.
#[derive(Debug)]
pub struct Batching<W, A>(Arc<Shared<W, A>>);

#[derive(Debug)]
struct Shared<W, A> {
    most: usize,
    waiting: Mutex<VecDeque<Entry<W, A>>>,
    /// Whoever has it does what waits, for the others, too.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct Entry<W, A> {
    work: W,
    reply: oneshot::Sender<Result<A, Error>>,
}

impl<W, A> Clone for Batching<W, A> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<W: Clone, A> Default for Batching<W, A> {
    fn default() -> Self {
        Self::of(MOST)
    }
}

impl<W: Clone, A> Batching<W, A> {
    fn of(most: usize) -> Self {
        Self(Arc::new(Shared { most, waiting: Mutex::default(), turn: tokio::sync::Mutex::default() }))
    }

    /// Has some work done. `batch` does all that it is given, or none of it, and answers each. Where one of them is at fault, each is
    /// done by itself, so that its error is its own.
    ///
    /// # Errors
    /// When it is not done, or whoever had it in hand has gone away.
    pub async fn run<F>(&self, work: W, batch: impl Fn(Vec<W>) -> F) -> Result<A, Error>
    where
        F: Future<Output = Result<Vec<A>, Error>>,
    {
        let (reply, mut answer) = oneshot::channel();
        self.0.waiting.lock().push_back(Entry { work, reply });
        let turn = tokio::select! {
            biased;
            answer = &mut answer => return answer.unwrap_or(Err(Error::WorkerCrashed)),
            turn = tokio::time::timeout(PATIENCE, self.0.turn.lock()) => turn.ok(),
        };
        loop {
            match answer.try_recv() {
                Ok(answer) => return answer,
                Err(oneshot::error::TryRecvError::Closed) => return Err(Error::WorkerCrashed),
                Err(oneshot::error::TryRecvError::Empty) => {}
            }
            let taken = self.take();
            if taken.is_empty() {
                // Another has it in hand, beside which others may go.
                drop(turn);
                return answer.await.unwrap_or(Err(Error::WorkerCrashed));
            }
            run_all(taken, &batch).await;
        }
    }

    fn take(&self) -> Vec<Entry<W, A>> {
        let mut waiting = self.0.waiting.lock();
        let most = waiting.len().min(self.0.most);
        waiting.drain(..most).collect()
    }
}

async fn run_all<W: Clone, A, F>(taken: Vec<Entry<W, A>>, batch: &impl Fn(Vec<W>) -> F)
where
    F: Future<Output = Result<Vec<A>, Error>>,
{
    let (work, replies): (Vec<W>, Vec<_>) = taken.into_iter().map(|entry| (entry.work, entry.reply)).unzip();
    let answers: Vec<Result<A, Error>> = match batch(work.clone()).await {
        Ok(answers) => answers.into_iter().map(Ok).collect(),
        Err(error) if work.len() == 1 => vec![Err(error)],
        // The database is away for all of them.
        Err(error) if is_transient(&error) => work.iter().map(|_| Err(Error::Protocol(error.to_string()))).collect(),
        Err(_) => {
            let (mut answers, mut away) = (Vec::new(), None::<String>);
            for work in work {
                let answer = match &away {
                    Some(why) => Err(Error::Protocol(why.clone())),
                    None => batch(vec![work]).await,
                };
                away = answer.as_ref().err().filter(|error| is_transient(error)).map(ToString::to_string);
                answers.push(answer.and_then(|answers| answers.into_iter().next().ok_or(Error::RowNotFound)));
            }
            answers
        }
    };
    for (reply, answer) in replies.into_iter().zip(answers) {
        let _ = reply.send(answer);
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use futures::FutureExt as _;
    use futures::future::join_all;
    use tokio::sync::Notify;

    use super::*;

    /// What was done together, time after time, and when the first time may end.
    #[derive(Default)]
    struct Batches {
        done: Mutex<Vec<Vec<u32>>>,
        go_on: Notify,
    }

    impl Batches {
        /// Answers each work with ten times itself; the first time when it may. Nothing takes a 13, and a 99 finds the database away, as
        /// a 98 does that has nothing before it.
        async fn run(&self, work: Vec<u32>) -> Result<Vec<u32>, Error> {
            let is_first = self.done.lock().is_empty();
            self.done.lock().push(work.clone());
            if is_first {
                self.go_on.notified().await;
            }
            match work {
                work if work.contains(&99) || work[0] == 98 => Err(Error::Io(ErrorKind::ConnectionReset.into())),
                work if work.contains(&13) => Err(Error::Encode("unlucky".into())),
                work => Ok(work.iter().map(|number| number * 10).collect()),
            }
        }
    }

    /// Does 0, and these while that is on its way.
    async fn during_another(batches: &Batches, work: impl IntoIterator<Item = u32>) -> Vec<Result<u32, Error>> {
        let batching = Batching::of(4);
        let first = batching.run(0, |work| batches.run(work));
        let others = work.into_iter().map(|work| batching.run(work, |work| batches.run(work)));
        let others = async {
            let mut others = Box::pin(join_all(others));
            assert!(others.as_mut().now_or_never().is_none());
            batches.go_on.notify_one();
            others.await
        };
        let (first, others) = tokio::join!(biased; first, others);
        assert_eq!(first.unwrap(), 0);
        others
    }

    #[tokio::test]
    async fn who_is_alone_goes_at_once_and_who_comes_meanwhile_goes_together() {
        let batches = Batches::default();
        let answers = during_another(&batches, 1..=6).await;
        assert_eq!(answers.into_iter().map(Result::unwrap).collect::<Vec<_>>(), [10, 20, 30, 40, 50, 60]);
        assert_eq!(*batches.done.lock(), [vec![0], vec![1, 2, 3, 4], vec![5, 6]]);
    }

    #[tokio::test]
    async fn one_at_fault_has_its_own_error_and_the_others_are_done() {
        let batches = Batches::default();
        let answers = during_another(&batches, [1, 13, 3]).await;
        assert!(matches!(answers[..], [Ok(10), Err(Error::Encode(_)), Ok(30)]), "{answers:?}");
    }

    #[tokio::test]
    async fn with_the_database_away_nobody_behind_one_at_fault_is_tried() {
        let batches = Batches::default();
        let answers = during_another(&batches, [13, 98, 3, 4]).await;
        assert!(matches!(answers[0], Err(Error::Encode(_))), "{answers:?}");
        assert!(answers[1..].iter().all(|answer| is_transient(answer.as_ref().unwrap_err())), "{answers:?}");
        assert_eq!(*batches.done.lock(), [vec![0], vec![13, 98, 3, 4], vec![13], vec![98]]);
    }

    #[tokio::test]
    async fn with_the_database_away_nobody_is_tried_once_more() {
        let batches = Batches::default();
        let answers = during_another(&batches, [1, 99]).await;
        assert!(answers.iter().all(|answer| is_transient(answer.as_ref().unwrap_err())), "{answers:?}");
        assert_eq!(batches.done.lock().len(), 2);
    }

    #[tokio::test]
    async fn a_batch_that_does_not_end_holds_up_nobody_who_comes_later() {
        let batches = Batches::default();
        let batching = Batching::of(4);
        let mut hangs = Box::pin(batching.run(0, |work| batches.run(work)));
        assert!(hangs.as_mut().now_or_never().is_none());
        let later = join_all((1..=2).map(|work| batching.run(work, |work| batches.run(work)))).await;
        assert!(matches!(later[..], [Ok(10), Ok(20)]), "{later:?}");
        batches.go_on.notify_one();
        assert_eq!(hangs.await.unwrap(), 0);
    }

    #[tokio::test]
    async fn whoever_goes_away_leaves_the_others_to_do_what_waits() {
        let batches = Batches::default();
        let batching = Batching::of(4);
        let mut gone = Box::pin(batching.run(0, |work| batches.run(work)));
        assert!(gone.as_mut().now_or_never().is_none(), "it is at it");
        let mut waits = Box::pin(batching.run(1, |work| batches.run(work)));
        assert!(waits.as_mut().now_or_never().is_none());
        let mut never_began = Box::pin(batching.run(2, |work| batches.run(work)));
        assert!(never_began.as_mut().now_or_never().is_none());
        drop((gone, never_began));
        assert_eq!(waits.await.unwrap(), 10);
        assert_eq!(*batches.done.lock(), [vec![0], vec![1, 2]], "what was handed in is done, whoever waits for it");
    }
}

//! Where passwords are hashed: on a few threads of their own, so that many logins at once cost neither the memory nor the
//! threads of everything else. When the queue is full the next one is refused at once.

use std::sync::Arc;

use tokio::sync::{Semaphore, watch};

use crate::Error;
use crate::domain::password::HashError;
use crate::domain::{Cost, Password, PasswordAttempt, PasswordHash};

/// How many wait for each that is hashed: a few tenths of a second.
const WAITING: usize = 8;

/// The threads and the queue before them. Clones share both.
#[derive(Debug, Clone)]
pub(crate) struct Hashing {
    /// Hashed now, and waiting.
    places: Arc<Semaphore>,
    /// Hashed now.
    threads: Arc<Semaphore>,
    /// The hash that an attempt is compared with where there is no account, so that it takes as long as where there is.
    nobody: watch::Sender<PasswordHash>,
}

impl Hashing {
    /// At most so many hashes at once; each takes 19 MiB.
    pub(crate) fn new(threads: usize) -> Result<Self, HashError> {
        Ok(Self {
            places: Arc::new(Semaphore::new(threads * (1 + WAITING))),
            threads: Arc::new(Semaphore::new(threads)),
            nobody: watch::Sender::new(PasswordHash::of_nobody(Cost::TODAY)?),
        })
    }

    /// Hashes a new password.
    pub(crate) async fn hash(&self, password: Password) -> Result<PasswordHash, Error> {
        self.run(move || Ok(password.hash()?)).await
    }

    /// Hashes a password anew that has just been proven.
    pub(crate) async fn hash_again(&self, proven: PasswordAttempt) -> Result<PasswordHash, Error> {
        self.run(move || Ok(proven.hash()?)).await
    }

    /// From now on an attempt without an account takes as long as one whose hash is of this cost.
    pub(crate) async fn imitate(&self, cost: Cost) -> Result<(), Error> {
        if self.nobody.borrow().cost()? != cost {
            self.nobody.send_replace(self.run(move || Ok(PasswordHash::of_nobody(cost)?)).await?);
        }
        Ok(())
    }

    /// Whether the attempt is the password of an account that may not be there; the time it takes does not tell.
    pub(crate) async fn fits(&self, attempt: PasswordAttempt, account: Option<&PasswordHash>) -> Result<bool, Error> {
        let (hash, exists) = (account.cloned().unwrap_or_else(|| self.nobody.borrow().clone()), account.is_some());
        self.run(move || Ok(attempt.fits(&hash)? && exists)).await
    }

    async fn run<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce() -> Result<T, Error> + Send + 'static,
    {
        let _place = self.places.try_acquire().map_err(|_| Error::Busy)?;
        let thread = Arc::clone(&self.threads).acquire_owned().await.map_err(|_| Error::Busy)?;
        let hashed = tokio::task::spawn_blocking(move || {
            // Held to the end of the work, also when nobody waits for it any more.
            let _thread = thread;
            work()
        });
        // Only a runtime that ends, or a panic, gives no result.
        hashed.await.unwrap_or(Err(Error::Busy))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt() -> PasswordAttempt {
        "correct horse".to_owned().into()
    }

    #[tokio::test]
    async fn a_full_queue_refuses_the_next_and_serves_those_within() {
        let hashing = Hashing::new(1).unwrap();
        let mut attempts = tokio::task::JoinSet::new();
        for _ in 0..2 * (1 + WAITING) {
            let hashing = hashing.clone();
            attempts.spawn(async move { hashing.fits(attempt(), None).await });
        }
        let answers = attempts.join_all().await;
        let served = answers.iter().filter(|answer| matches!(answer, Ok(false))).count();
        let refused = answers.iter().filter(|answer| matches!(answer, Err(Error::Busy))).count();
        assert_eq!((served, refused), (1 + WAITING, 1 + WAITING));
        assert!(hashing.fits(attempt(), None).await.is_ok());
    }

    #[tokio::test]
    async fn nobody_has_a_password() {
        let hashing = Hashing::new(1).unwrap();
        let hash = hashing.hash("correct horse".to_owned().try_into().unwrap()).await.unwrap();
        assert!(hashing.fits(attempt(), Some(&hash)).await.unwrap());
        assert!(!hashing.fits(attempt(), None).await.unwrap());
    }
}

//! What the tests against a cluster need: the cluster, and people who use its shop.
//!
//! `make up` brings the cluster; `local/test cluster` runs these tests against it. The tests know nothing but what a user
//! knows: the resource, the admin's Secret, and the gateway's address.
#![expect(clippy::expect_used, reason = "a test says what went wrong by panicking")]

pub mod cluster;
pub mod person;

pub use person::{Answer, Person};

use std::future::Future;
use std::time::{Duration, Instant};

/// Looks again and again for a while, whether something that must never happen has.
///
/// # Panics
/// With `what`, as soon as `holds` does not.
pub async fn throughout<F: Future<Output = bool>>(what: &str, duration: Duration, mut holds: impl FnMut() -> F) {
    let began = Instant::now();
    while began.elapsed() < duration {
        assert!(holds().await, "no longer after {:?}: {what}", began.elapsed());
        pause(Duration::from_millis(100)).await;
    }
}

/// Asks again and again until there is an answer.
///
/// # Panics
/// With `what`, when there is none within `deadline`.
pub async fn eventually<T, F: Future<Output = Option<T>>>(
    what: &str,
    deadline: Duration,
    mut ask: impl FnMut() -> F,
) -> T {
    let began = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(began.elapsed() < deadline, "did not happen within {deadline:?}: {what}");
        pause(Duration::from_millis(5)).await;
    }
}

async fn pause(duration: Duration) {
    #[expect(clippy::disallowed_methods, reason = "the one pause between two looks at a condition with a deadline")]
    tokio::time::sleep(duration).await;
}

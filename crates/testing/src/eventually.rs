//! Waiting for what will be true in a moment, and watching what must stay true.

use std::future::Future;
use std::time::Duration;

use tokio::time::Instant;

/// How long a test waits before it says that something does not happen.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// Asks again and again until there is an answer, for [`DEADLINE`].
///
/// # Panics
/// With `what`, when there is none in time.
pub async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, ask: impl FnMut() -> F) -> T {
    within(DEADLINE, what, ask).await
}

/// Asks again and again until there is an answer.
///
/// # Panics
/// With `what`, when there is none within `deadline`.
pub async fn within<T, F: Future<Output = Option<T>>>(deadline: Duration, what: &str, mut ask: impl FnMut() -> F) -> T {
    let until = Instant::now() + deadline;
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(Instant::now() < until, "did not happen within {deadline:?}: {what}");
        pause().await;
    }
}

/// Looks again and again for a while whether what must always hold does.
///
/// # Panics
/// With `what`, as soon as it does not.
pub async fn throughout<F: Future<Output = bool>>(duration: Duration, what: &str, mut holds: impl FnMut() -> F) {
    let began = Instant::now();
    while began.elapsed() < duration {
        assert!(holds().await, "no longer after {:?}: {what}", began.elapsed());
        pause().await;
    }
}

async fn pause() {
    #[expect(clippy::disallowed_methods, reason = "the one pause between two looks at a condition with a deadline")]
    tokio::time::sleep(Duration::from_millis(10)).await;
}

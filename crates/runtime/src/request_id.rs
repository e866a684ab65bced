//! The id that follows one request through every service and every event it causes.

use std::future::Future;

tokio::task_local! {
    static CURRENT: String;
}

/// Runs `work` under this id.
pub async fn scope<F: Future>(request_id: String, work: F) -> F::Output {
    CURRENT.scope(request_id, work).await
}

/// The id of the request this task works for; `None` where no request caused the work.
#[must_use]
pub fn current() -> Option<String> {
    CURRENT.try_with(Clone::clone).ok()
}

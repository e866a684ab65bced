//! A look at one stack takes no other with it: not by a panic, and not by never ending.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::FutureExt as _;

use super::Error;

/// What a look answers; or that it panicked, or did not end.
pub(super) async fn within<T>(limit: Duration, look: impl Future<Output = T>) -> Result<T, Error> {
    match tokio::time::timeout(limit, AssertUnwindSafe(look).catch_unwind()).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(panic)) => Err(Error::Panicked(words_of(panic.as_ref()))),
        Err(_) => Err(Error::TooLong(limit)),
    }
}

fn words_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "it panicked".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_look_that_panics_or_never_ends_is_an_error_of_its_stack_and_of_no_other() {
        let limit = Duration::from_millis(50);
        let panics = async { panic!("a fault of ours") };
        assert_eq!(
            within::<()>(limit, panics).await.unwrap_err().to_string(),
            "the operator fails at this stack: a fault of ours; please report it"
        );
        assert!(matches!(within(limit, std::future::pending::<()>()).await, Err(Error::TooLong(_))));
        assert_eq!(within(limit, async { 7 }).await.unwrap(), 7);
    }
}

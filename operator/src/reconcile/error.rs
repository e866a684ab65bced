//! Why a reconcile did not reach its end, in the words that a person reads.

use std::time::Duration;

use super::refusal::Refusal;

/// Why a reconcile did not reach its end. It is tried again.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The API server refused or did not answer.
    #[error("unable to {action}: {}", words(source))]
    Api {
        /// What was tried, as it goes on after "unable to".
        action: String,
        /// What the API server says.
        source: Box<kube::Error>,
    },
    /// Something was refused; the rest is as it should be.
    #[error("{0}")]
    Refused(Refusal),
    /// A stack without namespace or uid: not one that the API server gave.
    #[error("the stack has no namespace or no uid")]
    NotStored,
    /// Somebody or another operator has written what this one cannot read.
    #[error("this operator does not read the stack ({0}): mend that field, or run the operator that knows it")]
    Invalid(String),
    /// Something did not answer.
    #[error("a look at the stack took longer than {} seconds and was cut off", .0.as_secs())]
    TooLong(Duration),
    /// A fault of the operator's own.
    #[error("the operator fails at this stack: {0}; please report it")]
    Panicked(String),
}

impl Error {
    /// For `map_err`: what was tried.
    pub fn api(action: impl Into<String>) -> impl FnOnce(kube::Error) -> Self {
        let action = action.into();
        move |source| Self::Api { action, source: Box::new(source) }
    }
}

/// The API server's own words; kube would print the whole answer as Rust does.
fn words(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) if !status.message.is_empty() => status.message.clone(),
        kube::Error::Api(status) => format!("the API server answers {} {}", status.code, status.reason),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use kube::core::Status;

    use super::*;

    #[test]
    fn what_the_api_server_says_stands_in_a_message_in_its_own_words() {
        let status = Status::failure("the quota is used up", "Forbidden").with_code(403).boxed();
        let error = Error::api("apply the Service shop-order")(kube::Error::Api(status));
        assert_eq!(error.to_string(), "unable to apply the Service shop-order: the quota is used up");
    }
}

//! What the API server did not take. One object that is refused stops nothing but itself: the rest goes on, and the conditions are
//! made from all of them.

use kube::core::Status;

use super::Error;
use crate::crd::condition::Reason;

/// An object that is not as it should be, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Somebody else's object has the name.
    #[error(
        "the {0} is there and is not this stack's: remove it, or give the stack another name; it is left as it is until then"
    )]
    NameTaken(String),
    /// A volume does not grow.
    #[error(
        "the volume {claim} does not grow to {size}: {said}; name a size that its storage class gives, or take the size back"
    )]
    Volume {
        /// The claim.
        claim: String,
        /// What was asked for.
        size: String,
        /// The API server's own words.
        said: String,
    },
    /// The API server says why.
    #[error("the API server refuses to {action}: {said}")]
    Said {
        /// What was tried, as it goes on after "refuses to".
        action: String,
        /// Its own words: a quota, an admission rule, a field.
        said: String,
    },
}

impl Refusal {
    /// One word for the condition.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        match self {
            Self::NameTaken(_) => Reason::NameTaken,
            Self::Volume { .. } => Reason::VolumeRefused,
            Self::Said { .. } => Reason::Refused,
        }
    }
}

/// What the API server says of anything.
pub(super) fn said(action: String, said: String) -> Refusal {
    Refusal::Said { action, said }
}

/// Tells an answer that another try may change from one that somebody has to mend.
///
/// # Errors
/// When the API server did not answer, is busy, or does not know us.
pub fn answered<T>(
    result: Result<T, kube::Error>,
    action: impl FnOnce() -> String,
    refusal: impl FnOnce(String, String) -> Refusal,
) -> Result<Result<T, Refusal>, Error> {
    match result {
        Ok(value) => Ok(Ok(value)),
        Err(kube::Error::Api(status)) if is_final(&status) => Ok(Err(refusal(action(), status.message))),
        Err(error) => Err(Error::api(action())(error)),
    }
}

fn is_final(status: &Status) -> bool {
    (400..500).contains(&status.code) && ![401, 408, 429].contains(&status.code)
}

//! Writes that a client may send again: the key, the effect and the stored answer commit together.
//!
//! [`Scope`] is the key with what it names, [`StoredAnswer`] what is stored under it, and [`find`], [`begin`] and [`store`] are the
//! statements, for whoever commits in a way of its own. [`once`] is the common way: one transaction around an effect.

mod answer;
mod error;
mod once;
mod scope;
mod store;

pub use answer::StoredAnswer;
pub use error::Error;
pub use once::{Turn, once};
pub use scope::{Scope, fingerprint};
pub use store::{ONE_ANSWER_A_KEY, begin, find, forget_old, store};

//! The words of a shop: what a handler receives instead of a bare string or number.
//!
//! Here live values that are valid once they exist, and the clock that makes times and ids. Nothing here knows of HTTP,
//! SQL or a broker. To add a word: a file named for it, a parsing constructor, `serde` through that constructor, and a
//! test for what it refuses.

pub mod clock;
pub mod currency;
pub mod email;
pub mod id;
pub mod money;
pub mod one_line;
pub mod page;
pub mod quantity;
pub mod role;
pub mod sku;

pub use clock::{Clock, first_id_at, new_id_at};
pub use currency::Currency;
pub use email::Email;
pub use id::{EventId, OrderId, PaymentId, ProductId, SessionId, UserId};
pub use money::Money;
pub use one_line::{is_printable, one_line};
pub use page::{Cursor, Limit, Page};
pub use quantity::Quantity;
pub use role::{Role, Roles};
pub use sku::Sku;

/// Why a text or a number is not the value it was meant to be; reads as a sentence to the person who sent it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(pub &'static str);

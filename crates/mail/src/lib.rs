//! Mail by SMTP, as far as a shop sends any: one text to one person.
//!
//! Here live how a server is reached and what may be tried again. What is written to whom, and when, is not known here, and
//! neither an address nor a text is ever in an error. A server that is to be spoken to in TLS is never spoken to without: what
//! is sent opens accounts.

mod mail;
mod mailer;
mod settings;

pub use mail::Mail;
pub use mailer::{Error, Mailer};
pub use settings::{Settings, Tls};

//! What may be wrong with a Secret, in the words that a person reads.

use super::address::Malformed;

/// What is wrong with a Secret; a sentence that goes on after its name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// There is none of that name.
    #[error("is not there")]
    Missing,
    /// It does not say everything, or under another name.
    #[error("has no {0}: add it, or name the key that it stands under in external.keys")]
    NoKey(String),
    /// What stands there is no text.
    #[error("has a {0} that is not UTF-8 text")]
    NoText(String),
    /// A file that an editor has written ends with a line break.
    #[error("has a line break or a blank in its {0}: create it with --from-literal, which adds none")]
    Blank(String),
    /// An address is none, or leads to something else.
    #[error("has a {key} that {fault}")]
    Malformed {
        /// Under which key.
        key: String,
        /// Why.
        fault: Malformed,
    },
    /// No server listens there.
    #[error("has a {0} that is no number from 1 to 65535")]
    Port(String),
    /// No server has such a name.
    #[error("has a {0} that is no host's name")]
    Host(String),
    /// Two keys say two things.
    #[error("says one {of} in {one} and another in {other}: let both say the same, or take one of them out")]
    Contradiction {
        /// Of what.
        of: &'static str,
        /// A key.
        one: String,
        /// And the other.
        other: String,
    },
    /// Who names whom to believe wants to be sure, and would not be.
    #[error(
        "has certificates in {certificates} and a {uri} that uses none: let it say {encrypted}, or take the certificates out"
    )]
    AuthoritiesWithoutTls {
        /// The key of the certificates.
        certificates: String,
        /// The key of the address.
        uri: String,
        /// What it should say.
        encrypted: &'static str,
    },
    /// Nothing could be checked with it.
    #[error("has a {key} that {invalid}")]
    NoAuthority {
        /// Under which key.
        key: String,
        /// Why.
        invalid: ecommerce_tls::Invalid,
    },
    /// What stands in the other Secret that is named is not right.
    #[error("goes with the Secret {secret} (external.certificatesRef), which {fault}")]
    OfCertificates {
        /// The other Secret.
        secret: String,
        /// What is wrong with it.
        fault: Box<Fault>,
    },
    /// Two servers that are encrypted or not have to be so together.
    #[error("has addresses with TLS and without it, of which {0} is one: let all say the same")]
    Mixed(String),
    /// Migrations act as the owner of their tables, by name.
    #[error("has a {0} whose login migrations can not act as: letters, digits and underscores alone")]
    Owner(String),
    /// A service has nowhere to keep its tables.
    #[error("has a {0} that names no database")]
    NoDatabase(String),
}

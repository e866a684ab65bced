//! Why a Job did not provision, in the words that a person reads in the stack's status.

use std::path::PathBuf;

use crate::names::Backend;

/// Why the databases are not provisioned, or a store of others is not as the services need it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `PROVISIONING_PLAN` is not a plan.
    #[error("failed to parse PROVISIONING_PLAN")]
    Plan(#[from] serde_json::Error),
    /// A password can not be read, or the result can not be written.
    #[error("failed to open {path}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The server does not answer.
    #[error("unable to connect to PostgreSQL at {host}")]
    Connect {
        /// The server.
        host: String,
        /// What the driver says.
        source: sqlx::Error,
    },
    /// The server refuses a statement.
    #[error("failed to provision the database {database}")]
    Statement {
        /// The database.
        database: String,
        /// What the server says.
        source: sqlx::Error,
    },
    /// The Secret was changed between the making of this Job and its start; another one is made for what it says now.
    #[error("the Secret of {} has changed meanwhile", .0.as_str())]
    Changed(Backend),
    /// A store of others is not as its Secret says, or does not let in.
    #[error("the Secret {secret}, which spec.{store}.external.secretRef names: {fault}", store = store.as_str())]
    Theirs {
        /// The store.
        store: Backend,
        /// The person's Secret.
        secret: String,
        /// What went wrong.
        fault: Box<Fault>,
    },
}

/// What is wrong at a store of others. It names keys and shows nothing that stands under them: whoever may write a stack may not read every
/// Secret, and could name any as a host or a login.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// Nobody answers.
    #[error("the server of its {key} does not answer ({why})")]
    Unreachable {
        /// The keys that say so.
        key: String,
        /// What the system says.
        why: String,
    },
    /// Somebody answers who can not show who they are.
    #[error("the server of its {key} is not believed: {why}")]
    NotBelieved {
        /// The keys that say so.
        key: String,
        /// What is wrong with its certificate.
        why: String,
    },
    /// The password is another.
    #[error("the login of its {key} is not let in ({why})")]
    NotLetIn {
        /// The keys that say so.
        key: String,
        /// What the server says.
        why: String,
    },
    /// The login is let in and may not do what it has to.
    #[error("the login of its {key} may not {what} ({why})")]
    NoRights {
        /// The keys that say so.
        key: String,
        /// What it would have to do.
        what: String,
        /// What the server says.
        why: String,
    },
    /// A replica, or a server that is being moved.
    #[error("the server of its {key} takes no writes ({why}): name the one that leads")]
    ReadOnly {
        /// The keys that say so.
        key: String,
        /// What the server says.
        why: String,
    },
    /// Each would take the other's events for its own.
    #[error("its {one} and {other} lead to one database: make one for each service")]
    OneDatabase {
        /// The keys that say so of one service.
        one: String,
        /// And of another.
        other: String,
    },
    /// What is migrated is not what serves.
    #[error("its {one} and {other} lead to two databases, and are of one service")]
    TwoDatabases {
        /// The keys that say where it serves.
        one: String,
        /// And where it migrates.
        other: String,
    },
    /// Something of the name is there that the stack has not made.
    #[error(
        "the {what} {name} is there and is not this stack's, so nothing was changed: remove it, give the stack another name, or, where it is this shop's, say so with {claim}"
    )]
    NotOurs {
        /// What it is.
        what: &'static str,
        /// Its name.
        name: String,
        /// What would make it the stack's.
        claim: String,
    },
    /// Something else.
    #[error("the server of its {key} answers otherwise than expected ({why})")]
    Unexpected {
        /// The keys that say so.
        key: String,
        /// What.
        why: String,
    },
}

impl Fault {
    /// For `map_err`: what store, of which Secret.
    pub(super) fn of(store: Backend, secret: &str) -> impl FnOnce(Self) -> Error {
        move |fault| Error::Theirs { store, secret: secret.to_owned(), fault: Box::new(fault) }
    }
}

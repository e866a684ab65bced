//! The conditions of a stack's status, by name, and the reasons that they give.

/// The stack is as its spec asks, and nothing is to be mended.
pub const READY: &str = "Ready";
/// The stack serves, in whatever form.
pub const AVAILABLE: &str = "Available";
/// PostgreSQL, RabbitMQ and Redis answer.
pub const BACKENDS_READY: &str = "BackendsReady";
/// Every database is as the services need it.
pub const MIGRATED: &str = "Migrated";
/// Every service's pods serve.
pub const SERVICES_READY: &str = "ServicesReady";
/// Something needs a person.
pub const DEGRADED: &str = "Degraded";

/// The table of reasons. One that is not here does not compile, and one that is here has a heading in `docs/runbook.md` or fails
/// the test below.
macro_rules! reasons {
    ($($(#[$says:meta])* $Reason:ident,)+) => {
        /// Why a condition is as it is, and what an Event is told with: one word.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Reason {
            $($(#[$says])* $Reason,)+
        }

        impl Reason {
            /// Every one that any condition or Event gives.
            pub const ALL: &[Self] = &[$(Self::$Reason),+];

            /// The word.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$Reason => stringify!($Reason),)+
                }
            }
        }
    };
}

impl Reason {
    /// Whether it only says how far a stack is.
    #[must_use]
    pub const fn needs_nobody(self) -> bool {
        matches!(
            self,
            Self::AsExpected
                | Self::Available
                | Self::BackendsReady
                | Self::Migrated
                | Self::Migrating
                | Self::Provisioning
                | Self::Ready
                | Self::ServicesReady
                | Self::WaitingForBackends
                | Self::WaitingForServices
        )
    }
}

reasons! {
    /// Nothing needs a person.
    AsExpected,
    /// Every part has a pod that serves.
    Available,
    /// Every store answers.
    BackendsReady,
    /// A Secret holds what nothing could work with.
    CredentialsInvalid,
    /// A Secret in use has lost something.
    CredentialsLost,
    /// Kubernetes still takes away what a stack of this name has left.
    FormerStackGoing,
    /// The stack does not read.
    Invalid,
    /// The ledger does not read.
    LedgerUnreadable,
    /// A store would do no work with so little memory.
    LimitTooLow,
    /// Auth would not start with what mail is sent by.
    MailSecretInvalid,
    /// What mail is sent by is not there.
    MailSecretMissing,
    /// Every database is as its service needs it.
    Migrated,
    /// Migrations run.
    Migrating,
    /// A migration did not do its work.
    MigrationFailed,
    /// A migration has left something to do.
    MigrationNotice,
    /// Somebody else's object has the name.
    NameTaken,
    /// A PostgreSQL of others is not known to have the shop's data.
    OtherDatabases,
    /// The data is of another major version.
    OtherMajorVersion,
    /// `spec.paused` is true.
    Paused,
    /// A pod does not run.
    PodsInTrouble,
    /// No pod can be made.
    PodsRefused,
    /// The databases are being made.
    Provisioning,
    /// The databases could not be made.
    ProvisioningFailed,
    /// What images are pulled with is not there.
    PullSecretMissing,
    /// The stack is as asked for.
    Ready,
    /// The operator did not reach the end of its look.
    ReconcileFailed,
    /// The API server does not take an object.
    Refused,
    /// A container asks for more than it may take.
    RequestAboveLimit,
    /// The pods of a service are not ready in time.
    ServiceNotReady,
    /// Every service is ready.
    ServicesReady,
    /// What says how to reach a store of others is not right.
    StoreSecretInvalid,
    /// What says how to reach a store of others is not there.
    StoreSecretMissing,
    /// The certificate of a shop's host is not there.
    TlsSecretMissing,
    /// A part has no pod that serves.
    Unavailable,
    /// A version did not come up, and the one of before is back.
    UpgradeFailed,
    /// The claim of a store that runs is being deleted.
    VolumeGoing,
    /// A volume is larger than what is asked for.
    VolumeNotShrunk,
    /// A volume does not grow.
    VolumeRefused,
    /// Stores start.
    WaitingForBackends,
    /// Services start or roll.
    WaitingForServices,
}

/// Where a person reads what a reason means and what to do.
#[must_use]
pub fn page(reason: Reason) -> String {
    format!("docs/runbook.md#{}", reason.as_str().to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_runbook_has_a_heading_for_every_reason_and_none_for_what_is_no_reason() {
        let runbook = include_str!("../../../docs/runbook.md");
        let lines = || runbook.lines().filter_map(|line| line.strip_prefix("## "));
        // What needs nobody stands together, and no message leads there.
        let headings: Vec<&str> = lines().flat_map(|heading| heading.split(", ")).collect();
        let anchors: Vec<String> =
            lines().map(|heading| format!("docs/runbook.md#{}", heading.to_lowercase())).collect();
        let reasons: Vec<&str> = Reason::ALL.iter().map(|reason| reason.as_str()).collect();
        for reason in Reason::ALL {
            let pages = headings.iter().filter(|heading| **heading == reason.as_str()).count();
            assert_eq!(pages, 1, "{reason:?} in {headings:?}");
            assert!(reason.needs_nobody() || anchors.contains(&page(*reason)), "{reason:?} in {anchors:?}");
        }
        let is_one_word = |heading: &&&str| !heading.contains(' ');
        for heading in headings.iter().filter(is_one_word) {
            assert!(reasons.contains(heading), "{heading} is no reason");
        }
    }
}

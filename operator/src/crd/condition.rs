//! The conditions of a stack's status, by name.

/// The stack is as its spec asks, and serves.
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

/// Why something needs a person; `docs/runbook.md` has a heading for each.
pub const REASONS: [&str; 21] = [
    "CredentialsInvalid",
    "CredentialsLost",
    "Invalid",
    "LedgerUnreadable",
    "LimitTooLow",
    "MailSecretInvalid",
    "MailSecretMissing",
    "MigrationFailed",
    "MigrationNotice",
    "NameTaken",
    "OtherMajorVersion",
    "PodsInTrouble",
    "PodsRefused",
    "ProvisioningFailed",
    "PullSecretMissing",
    "ReconcileFailed",
    "Refused",
    "RequestAboveLimit",
    "ServiceNotReady",
    "UpgradeFailed",
    "VolumeRefused",
];

/// Where a person reads what a reason means and what to do.
#[must_use]
pub fn page(reason: &str) -> String {
    debug_assert!(REASONS.contains(&reason), "{reason} is none of the reasons");
    format!("docs/runbook.md, {reason}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_a_heading_in_the_runbook() {
        let runbook = include_str!("../../../docs/runbook.md");
        let headings: Vec<&str> = runbook
            .lines()
            .filter_map(|line| line.strip_prefix("## "))
            .flat_map(|heading| heading.split(", "))
            .collect();
        for reason in REASONS {
            assert!(headings.contains(&reason), "{reason} is not in {headings:?}");
        }
    }
}

//! What a spec asks for and can not have. The rules of the resource itself are CEL and the API server keeps them; here is
//! what only a look at the cluster tells. To add a problem: a variant whose sentence says what to do, and what it holds.

use ecommerce_contract::Service;

use super::apply::is_ours;
use super::dereference::Observed;
use super::ledger::is_known;
use crate::crd::EcommerceStackSpec;
use crate::credentials::wanted;
use crate::ledger::Ledger;
use crate::names::{Backend, Names};
use crate::objects::Held;
use crate::smtp;

/// Something that a person has to mend. What needs it stays as it is until then, and the rest goes on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpecProblem {
    /// `images.pullSecrets` names a Secret that is not there.
    #[error(
        "the Secret {0}, which spec.images.pullSecrets names, is not there: create it in the stack's namespace, or take the name out"
    )]
    PullSecretMissing(String),
    /// `mail.secretRef` names a Secret that is not there, or that names no host.
    #[error(
        "the Secret {0}, which spec.mail.secretRef names, is not there or has no host: create it in the stack's namespace with the keys host, port, username, password and tls, or take spec.mail out"
    )]
    MailSecretMissing(String),
    /// Auth could not start with what a Secret of mail says.
    #[error("the Secret {secret}, which spec.mail.secretRef names, {fault}; auth would not start with it")]
    MailSecretInvalid {
        /// Its name.
        secret: String,
        /// What is wrong, and what would be right.
        fault: String,
    },
    /// A Secret that stores and pods know is gone, or a part of it.
    #[error(
        "the Secret {secret} has lost {}, which is in use and is not made anew by itself: put it back from a backup, or create it with values of your own, which are then set everywhere",
        keys.join(", ")
    )]
    CredentialsLost {
        /// Its name.
        secret: String,
        /// What is not there.
        keys: Vec<String>,
    },
    /// Somebody else's Secret has the name of one of the stack's.
    #[error(
        "the Secret {0} is there and is not this stack's: remove it, or give the stack another name; it is left as it is until then"
    )]
    NameTaken(String),
    /// Somebody has written something else into the ledger.
    #[error(
        "the ConfigMap {ledger} does not read ({fault}): delete it, and it is made anew from what runs; nothing is changed until then"
    )]
    LedgerUnreadable {
        /// Its name.
        ledger: String,
        /// What is wrong.
        fault: String,
    },
}

impl SpecProblem {
    /// One word for the condition.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::PullSecretMissing(_) => "PullSecretMissing",
            Self::MailSecretMissing(_) => "MailSecretMissing",
            Self::MailSecretInvalid { .. } => "MailSecretInvalid",
            Self::CredentialsLost { .. } => "CredentialsLost",
            Self::NameTaken(_) => "NameTaken",
            Self::LedgerUnreadable { .. } => "LedgerUnreadable",
        }
    }
}

/// What these problems hold.
#[must_use]
pub fn held_by(problems: &[SpecProblem], names: &Names) -> Held {
    let mut held = Held::default();
    for problem in problems {
        match problem {
            SpecProblem::LedgerUnreadable { .. } => held.everything = true,
            // No new pod would get its image.
            SpecProblem::PullSecretMissing(_) => {
                held.stores.extend(Backend::ALL);
                held.services.extend(Service::ALL);
            }
            SpecProblem::MailSecretMissing(_) | SpecProblem::MailSecretInvalid { .. } => {
                held.services.insert(Service::Auth);
            }
            SpecProblem::CredentialsLost { secret, .. } | SpecProblem::NameTaken(secret) => {
                held.secrets.insert(secret.clone());
                if let SpecProblem::NameTaken(_) = problem {
                    held.foreign.insert(secret.clone());
                }
                held.stores.extend(Backend::ALL.into_iter().filter(|backend| names.backend(*backend) == *secret));
                held.services.extend(Service::ALL);
            }
        }
    }
    held
}

/// Everything that is wrong with a spec and with what it stands on.
#[must_use]
pub fn problems(spec: &EcommerceStackSpec, names: &Names, ledger: &Ledger, observed: &Observed) -> Vec<SpecProblem> {
    let pull_secrets = spec
        .pull_secrets()
        .iter()
        .filter(|name| observed.missing_pull_secrets.contains(name))
        .map(|name| SpecProblem::PullSecretMissing(name.clone()));
    let mail = spec.mail.iter().map(|mail| mail.secret_ref.name.clone()).filter_map(|secret| {
        Some(match smtp::fault(&observed.credentials, &secret)? {
            smtp::Fault::NoHost => SpecProblem::MailSecretMissing(secret),
            smtp::Fault::Value(fault) => SpecProblem::MailSecretInvalid { secret, fault },
        })
    });
    let secrets = wanted(names).into_iter().filter_map(|wanted| {
        let secret = wanted.name;
        let keys: Vec<String> = ledger.lost(&observed.credentials, &secret).map(str::to_owned).collect();
        if !keys.is_empty() && is_known(names, &secret, observed) {
            return Some(SpecProblem::CredentialsLost { secret, keys });
        }
        let there = observed.metadata.get(&format!("Secret {secret}"))?;
        let is_taken = !is_ours(there, names) && !ledger.credentials.contains_key(&secret);
        is_taken.then_some(SpecProblem::NameTaken(secret))
    });
    secrets.chain(pull_secrets).chain(mail).collect()
}

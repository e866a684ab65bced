//! What a spec asks for and can not have. The rules of the resource itself are CEL and the API server keeps them; here is
//! what only a look at the cluster tells. To add a problem: a variant whose sentence says what to do.

use super::dereference::Observed;
use crate::crd::EcommerceStackSpec;
use crate::smtp;

/// Something that a person has to mend. Nothing is changed until then.
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
        fault: &'static str,
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
        }
    }
}

/// Everything that is wrong with a spec.
#[must_use]
pub fn problems(spec: &EcommerceStackSpec, observed: &Observed) -> Vec<SpecProblem> {
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
    pull_secrets.chain(mail).collect()
}

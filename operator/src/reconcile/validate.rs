//! What a spec asks for and can not have. The rules of the resource itself are CEL and the API server keeps them; here is
//! what only a look at the cluster tells. To add a problem: a variant whose sentence says what to do, and what it holds.

use ecommerce_contract::Service;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use super::apply::is_ours;
use super::dereference::Observed;
use super::ledger::is_known;
use crate::amount::thousandths;
use crate::crd::condition::Reason;
use crate::crd::{Amount, Amounts, EcommerceStackSpec, Keeper, Resources};
use crate::credential_fault::faults;
use crate::credentials::{Wanted, wanted};
use crate::external::{self, Fault};
use crate::ledger::Ledger;
use crate::names::{Backend, Names, STACK_LABEL};
use crate::objects::Held;
use crate::resolve::major_version;
use crate::rollout::RETRY_ANNOTATION;
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
    /// `external.secretRef` of a store names a Secret that is not there.
    #[error(
        "the Secret {secret}, which spec.{store}.external.secretRef names, is not there: create it in the stack's namespace, or see why whoever is to write it does not; {meanwhile}",
        store = store.as_str()
    )]
    StoreSecretMissing {
        /// The store.
        store: Backend,
        /// Its name.
        secret: String,
        /// What goes on.
        meanwhile: &'static str,
    },
    /// What a Secret says of a store of others is not right.
    #[error(
        "the Secret {secret}, which spec.{store}.external.secretRef names, {fault}; {meanwhile}",
        store = store.as_str()
    )]
    StoreSecretInvalid {
        /// The store.
        store: Backend,
        /// Its name.
        secret: String,
        /// What is wrong, under which key, and what would be right.
        fault: Fault,
        /// What goes on.
        meanwhile: &'static str,
    },
    /// `gateway.ingress.tlsSecret` names a Secret that is not there.
    #[error(
        "the Secret {0}, which spec.gateway.ingress.tlsSecret names, is not there: create it in the stack's namespace, as kubectl create secret tls does; who visits the shop until then is shown a certificate of the ingress controller's own"
    )]
    TlsSecretMissing(String),
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
        "the Secret {secret} has lost {}: in use, and not made anew by themselves. Put them back from a backup, or give them values of your own, which are then set everywhere",
        keys.join(", ")
    )]
    CredentialsLost {
        /// Its name.
        secret: String,
        /// What is not there.
        keys: Vec<String>,
    },
    /// A person has put something into a Secret that nothing could work with.
    #[error(
        "the Secret {secret} holds something under {key} that {fault}; nothing is provisioned and no pod changes until it is another"
    )]
    CredentialsInvalid {
        /// Its name.
        secret: String,
        /// Under which key.
        key: String,
        /// What is wrong, and what would be right.
        fault: &'static str,
    },
    /// Somebody else's Secret has the name of one of the stack's.
    #[error(
        "the Secret {0} is there and is not this stack's: remove it, or give the stack another name; it is left as it is until then"
    )]
    NameTaken(String),
    /// Somebody else's volume has the name of one of the stack's.
    #[error(
        "the PersistentVolumeClaim {claim} is there and is not this stack's: remove it, or, where its data is this shop's, label it {STACK_LABEL}={stack}; it is left as it is until then"
    )]
    ClaimTaken {
        /// Whose volume it would be.
        store: Backend,
        /// The claim.
        claim: String,
        /// The stack.
        stack: String,
    },
    /// Somebody has deleted the claim of a store that runs.
    #[error(
        "the PersistentVolumeClaim {claim} is being deleted: its data goes with the next end of {store}'s pod, and nothing takes that back. Make a backup now, while it runs, then begin anew from it; the store stays as it is until then",
        store = store.as_str()
    )]
    VolumeGoing {
        /// Whose volume it is.
        store: Backend,
        /// The claim.
        claim: String,
    },
    /// The data was made by another major version.
    #[error(
        "the databases are of PostgreSQL {has} and spec.postgres.embedded.image names {image}: name one of {has}, or bring the data over with pg_dump and pg_restore; the server runs on as it is"
    )]
    OtherMajorVersion {
        /// The version of the data.
        has: String,
        /// What was asked for.
        image: String,
    },
    /// What a store was last asked to be did not start, and it is again what it was.
    #[error(
        "{store} did not come up{} ({message}), so it runs as it did before; mend spec.{store}.embedded, or annotate the stack with {RETRY_ANNOTATION}=<anything new>",
        image.as_ref().map(|image| format!(" with {image}")).unwrap_or_default(),
        store = store.as_str()
    )]
    StoreTakenBack {
        /// The store.
        store: Backend,
        /// The image that was asked for, if any.
        image: Option<String>,
        /// What kept its pod from starting.
        message: String,
    },
    /// A container asks for more than it may take.
    #[error(
        "{field}.requests.{of} ({request}) is more than {field}.limits.{of} ({limit}): no pod is made so; lower the one or raise the other"
    )]
    RequestAboveLimit {
        /// What asks.
        part: Part,
        /// The field of the spec.
        field: String,
        /// Memory, or time of processors.
        of: &'static str,
        /// What it asks for.
        request: String,
        /// What it may take.
        limit: String,
    },
    /// A store would not do its work with so little memory.
    #[error(
        "{field}.limits.memory ({limit}) is less than {least}, which {store} needs to do any work: raise it; the store stays as it is until then",
        store = store.as_str()
    )]
    LimitTooLow {
        /// The store.
        store: Backend,
        /// The field of the spec.
        field: String,
        /// What it may take.
        limit: String,
        /// What it needs.
        least: &'static str,
    },
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

/// A part of a stack that has a container of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// A store.
    Store(Backend),
    /// A service.
    Service(Service),
}

impl SpecProblem {
    /// Whether it keeps a store from being what its spec asks for.
    #[must_use]
    pub fn refuses(&self, of: Backend) -> bool {
        match self {
            Self::OtherMajorVersion { .. } => of == Backend::Postgres,
            Self::RequestAboveLimit { part: Part::Store(store), .. } | Self::LimitTooLow { store, .. } => *store == of,
            _ => false,
        }
    }

    /// One word for the condition.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        match self {
            Self::PullSecretMissing(_) => Reason::PullSecretMissing,
            Self::TlsSecretMissing(_) => Reason::TlsSecretMissing,
            Self::MailSecretMissing(_) => Reason::MailSecretMissing,
            Self::MailSecretInvalid { .. } => Reason::MailSecretInvalid,
            Self::StoreSecretMissing { .. } => Reason::StoreSecretMissing,
            Self::StoreSecretInvalid { .. } => Reason::StoreSecretInvalid,
            Self::CredentialsLost { .. } => Reason::CredentialsLost,
            Self::CredentialsInvalid { .. } => Reason::CredentialsInvalid,
            Self::NameTaken(_) | Self::ClaimTaken { .. } => Reason::NameTaken,
            Self::VolumeGoing { .. } => Reason::VolumeGoing,
            Self::OtherMajorVersion { .. } => Reason::OtherMajorVersion,
            Self::StoreTakenBack { .. } => Reason::UpgradeFailed,
            Self::RequestAboveLimit { .. } => Reason::RequestAboveLimit,
            Self::LimitTooLow { .. } => Reason::LimitTooLow,
            Self::LedgerUnreadable { .. } => Reason::LedgerUnreadable,
        }
    }
}

/// What these problems hold.
#[must_use]
pub fn held_by(problems: &[SpecProblem], names: &Names, observed: &Observed) -> Held {
    let mut held = Held::default();
    for problem in problems {
        match problem {
            SpecProblem::LedgerUnreadable { .. } => held.everything = true,
            SpecProblem::VolumeGoing { store, .. } | SpecProblem::ClaimTaken { store, .. } => {
                held.stores.insert(*store);
            }
            // A store is made as it was before that was asked for, and reached as it was.
            SpecProblem::TlsSecretMissing(_)
            | SpecProblem::StoreSecretMissing { .. }
            | SpecProblem::StoreSecretInvalid { .. }
            | SpecProblem::OtherMajorVersion { .. }
            | SpecProblem::StoreTakenBack { .. }
            | SpecProblem::RequestAboveLimit { part: Part::Store(_), .. }
            | SpecProblem::LimitTooLow { .. } => {}
            SpecProblem::RequestAboveLimit { part: Part::Service(service), .. } => {
                held.services.insert(*service);
            }
            // No new pod would get its image. Where there is no pod, there is nothing to lose by trying.
            SpecProblem::PullSecretMissing(_) => {
                let is_there = |store: &Backend| observed.stateful_sets.contains_key(&names.backend(*store));
                let was_there = |store: &Backend| observed.claims.contains_key(store);
                held.stores.extend(Backend::ALL.into_iter().filter(|store| is_there(store) || !was_there(store)));
                held.services.extend(Service::ALL);
                held.jobs = true;
            }
            SpecProblem::MailSecretMissing(_) | SpecProblem::MailSecretInvalid { .. } => {
                held.services.insert(Service::Auth);
            }
            SpecProblem::CredentialsLost { secret, .. }
            | SpecProblem::CredentialsInvalid { secret, .. }
            | SpecProblem::NameTaken(secret) => {
                hold_secret(&mut held, names, observed, secret);
                if let SpecProblem::NameTaken(_) = problem {
                    held.foreign.insert(secret.clone());
                }
            }
        }
    }
    held
}

/// Holds a Secret, and whatever is made from it. A store that somebody took away comes back all the same, with the configuration that
/// is there.
pub fn hold_secret(held: &mut Held, names: &Names, observed: &Observed, secret: &str) {
    held.secrets.insert(secret.to_owned());
    if let Some(store) = Backend::ALL.into_iter().find(|backend| names.backend(*backend) == secret) {
        let was_taken_away = !observed.stateful_sets.contains_key(secret) && observed.claims.contains_key(&store);
        let holds = if was_taken_away { &mut held.configurations } else { &mut held.stores };
        holds.insert(store);
    }
    held.services.extend(Service::ALL);
    held.jobs |= secret == names.backend(Backend::Postgres);
}

/// Everything that is wrong with a spec and with what it stands on.
#[must_use]
pub fn problems(spec: &EcommerceStackSpec, names: &Names, ledger: &Ledger, observed: &Observed) -> Vec<SpecProblem> {
    let pull_secrets = spec
        .pull_secrets()
        .iter()
        .filter(|name| observed.missing_secrets.contains(*name))
        .map(|name| SpecProblem::PullSecretMissing(name.clone()));
    let of_tls = spec.ingress().and_then(|ingress| ingress.tls_secret.clone());
    let tls = of_tls.filter(|name| observed.missing_secrets.contains(name)).map(SpecProblem::TlsSecretMissing);
    let mail = spec.mail.iter().map(|mail| mail.secret_ref.name.clone()).filter_map(|secret| {
        Some(match smtp::fault(&observed.credentials, &secret)? {
            smtp::Fault::NoHost => SpecProblem::MailSecretMissing(secret),
            smtp::Fault::Value(fault) => SpecProblem::MailSecretInvalid { secret, fault },
        })
    });
    let secrets = wanted(names, spec).into_iter().flat_map(|wanted| of_secret(&wanted, names, ledger, observed));
    let is_embedded = |store: &&Backend| spec.keeper(**store) == Keeper::Operator;
    let claims = observed.foreign_claims.iter().filter(is_embedded).map(|store| SpecProblem::ClaimTaken {
        store: *store,
        claim: names.claim(*store),
        stack: names.stack.clone(),
    });
    let going = observed.going_claims.keys().filter(is_embedded);
    let going = going.map(|store| SpecProblem::VolumeGoing { store: *store, claim: names.claim(*store) });
    let others = other_major_version(spec, ledger).into_iter().chain(requests_above_limits(spec)).chain(claims);
    let others = others.chain(limits_too_low(spec));
    let stores = stores_of_others(spec, names, observed);
    going.chain(secrets).chain(stores).chain(pull_secrets).chain(mail).chain(tls).chain(others).collect()
}

fn stores_of_others(spec: &EcommerceStackSpec, names: &Names, observed: &Observed) -> Vec<SpecProblem> {
    let looked = external::look(spec, names, &observed.credentials).into_iter();
    let faults = looked.filter_map(|(store, (theirs, fault))| {
        let secret = spec.external(store)?.secret_ref.name.clone();
        let meanwhile = match theirs.present {
            Some(_) => "the services go on with what it said before",
            None => "the stack begins when it is",
        };
        Some(match fault? {
            Fault::Missing => SpecProblem::StoreSecretMissing { store, secret, meanwhile },
            fault => SpecProblem::StoreSecretInvalid { store, secret, fault, meanwhile },
        })
    });
    faults.collect()
}

fn other_major_version(spec: &EcommerceStackSpec, ledger: &Ledger) -> Option<SpecProblem> {
    let image = spec.store(Backend::Postgres)?.embedded.as_ref()?.image.as_ref()?;
    let has = &ledger.postgres.as_ref()?.seen.as_ref()?.major;
    let differs = major_version(image).is_some_and(|major| major != has);
    differs.then(|| SpecProblem::OtherMajorVersion { has: has.clone(), image: image.clone() })
}

/// The API server refuses such a Deployment, and takes such a `StatefulSet` and never makes its pod.
fn requests_above_limits(spec: &EcommerceStackSpec) -> Vec<SpecProblem> {
    let services = Service::ALL.into_iter().filter_map(|service| {
        let resources = spec.service(service)?.resources.as_ref()?;
        Some((Part::Service(service), format!("spec.services.{service}.resources"), resources))
    });
    let stores = Backend::ALL.into_iter().filter_map(|store| {
        let resources = spec.store(store)?.embedded.as_ref()?.resources.as_ref()?;
        Some((Part::Store(store), format!("spec.{}.embedded.resources", store.as_str()), resources))
    });
    let each = services.chain(stores);
    let above = each.flat_map(|(part, field, resources)| {
        let memory = request_above_limit(resources, |amounts| amounts.memory.as_ref());
        let cpu = request_above_limit(resources, |amounts| amounts.cpu.as_ref());
        [("memory", memory), ("cpu", cpu)].map(|(of, above)| {
            let (request, limit) = above?;
            Some(SpecProblem::RequestAboveLimit { part, field: field.clone(), of, request, limit })
        })
    });
    above.flatten().collect()
}

/// What each store was seen working with. RabbitMQ takes no messages above six tenths of its limit, and has some 100 MiB of its own: below
/// this it takes none from its start on, and says so in its log alone.
const fn least_memory(store: Backend) -> &'static str {
    match store {
        Backend::Postgres => "128Mi",
        Backend::Rabbitmq => "256Mi",
        Backend::Redis => "32Mi",
    }
}

fn limits_too_low(spec: &EcommerceStackSpec) -> impl Iterator<Item = SpecProblem> {
    Backend::ALL.into_iter().filter_map(|store| {
        let limits = spec.store(store)?.embedded.as_ref()?.resources.as_ref()?.limits.as_ref()?;
        let (limit, least) = (Quantity::from(limits.memory.as_ref()?).0, least_memory(store));
        let field = format!("spec.{}.embedded.resources", store.as_str());
        (thousandths(&limit)? < thousandths(least)?).then_some(SpecProblem::LimitTooLow { store, field, limit, least })
    })
}

/// What is asked for and what may be taken, where it is the wrong way round.
fn request_above_limit(resources: &Resources, of: impl Fn(&Amounts) -> Option<&Amount>) -> Option<(String, String)> {
    let amount = |amounts: &Option<Amounts>| Some(Quantity::from(of(amounts.as_ref()?)?).0);
    let (request, limit) = (amount(&resources.requests)?, amount(&resources.limits)?);
    (thousandths(&request)? > thousandths(&limit)?).then_some((request, limit))
}

fn of_secret(wanted: &Wanted, names: &Names, ledger: &Ledger, observed: &Observed) -> Vec<SpecProblem> {
    let secret = &wanted.name;
    let there = observed.metadata.get(&format!("Secret {secret}"));
    if there.is_some_and(|there| !is_ours(there, names)) && !ledger.credentials.contains_key(secret) {
        return vec![SpecProblem::NameTaken(secret.clone())];
    }
    let mut problems = Vec::new();
    let keys: Vec<String> = ledger.lost(&observed.credentials, secret).map(str::to_owned).collect();
    if !keys.is_empty() && is_known(names, secret, observed) {
        problems.push(SpecProblem::CredentialsLost { secret: secret.clone(), keys });
    }
    let faults = faults(&observed.credentials, wanted).into_iter();
    problems.extend(faults.map(|(key, fault)| SpecProblem::CredentialsInvalid { secret: secret.clone(), key, fault }));
    problems
}

//! The Job that makes databases and roles, and tries every login at a store of others before anything is told of it. It runs in the stack's
//! namespace, so the operator itself never needs a way into a stack's server.

use std::collections::BTreeSet;

use k8s_openapi::api::batch::v1::{Job, JobSpec};
use k8s_openapi::api::core::v1::{Container, PodSpec, PodTemplateSpec, SecretVolumeSource, Volume, VolumeMount};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::container::{self, Figures, mount, value};
use super::metadata::{labels, metadata};
use super::{Inputs, addresses};
use crate::crd::Keeper;
use crate::names::{Backend, short_hash};
use crate::provision;
use crate::provision::plan::{External, Plan};

const FIGURES: Figures = Figures { cpu: "20m", memory: "24Mi", memory_limit: "128Mi" };
/// The container that provisions.
pub const PROVISION: &str = "provision";
/// What its pods are for, as a label says it.
pub(super) const COMPONENT: &str = "provisioning";
const CREDENTIALS: &str = "/etc/ecommerce/credentials";
/// A directory for each store of others.
const STORES: &str = "/etc/ecommerce/stores";
/// Another one provisions every stack again; raise it when the Job makes something it did not make before.
const REVISION: &str = "1";

/// What the databases are provisioned from: the server, the names and the passwords; and what is said of the stores of others. `None`
/// while there is no server, or nobody has said yet where one is.
#[must_use]
pub fn provisioning_key(inputs: &Inputs<'_>) -> Option<String> {
    let (names, resolved) = (inputs.names, inputs.resolved);
    let is_unsaid = |store| resolved.store(store).theirs.as_ref().is_some_and(|theirs| theirs.next.is_none());
    // What stands for a password is in the plan, which more people may read than Secrets.
    let has_no_salt = resolved.any_external() && addresses::salt(names, inputs.credentials).is_empty();
    if has_no_salt || Backend::ALL.into_iter().any(is_unsaid) {
        return None;
    }
    let postgres = resolved.store(Backend::Postgres);
    // Where it is to be is in the plan of one that somebody else runs.
    let server = if postgres.theirs.is_some() { "" } else { postgres.server_id.as_deref()? };
    let plan = plan(inputs);
    let shared = Backend::ALL.into_iter().filter(|store| inputs.spec.keeper(*store) == Keeper::Shared);
    let secrets: BTreeSet<String> = shared.map(|store| names.backend(store)).chain([postgres.secret.clone()]).collect();
    let passwords = secrets.iter().flat_map(|secret| inputs.credentials.values(secret));
    Some(short_hash([REVISION, server, &plan].into_iter().chain(passwords)))
}

fn plan(inputs: &Inputs<'_>) -> String {
    let external = Backend::ALL.into_iter().filter_map(|store| {
        let next = inputs.resolved.store(store).next()?;
        Some(External {
            store,
            keeper: inputs.spec.keeper(store),
            secret: next.secret.clone(),
            fingerprint: next.fingerprint(addresses::salt(inputs.names, inputs.credentials)),
        })
    });
    let plan = Plan::new(inputs.names, inputs.resolved.store(Backend::Postgres)).with(inputs.names, external.collect());
    serde_json::to_string(&plan).unwrap_or_default()
}

/// The files of the Job: passwords that it sets, and what it tries.
fn files(inputs: &Inputs<'_>) -> (Vec<Volume>, Vec<VolumeMount>) {
    let mut secrets = Vec::new();
    if inputs.spec.keeper(Backend::Postgres) != Keeper::Others {
        let secret = inputs.resolved.store(Backend::Postgres).secret.clone();
        secrets.push(("credentials".to_owned(), secret, CREDENTIALS.to_owned()));
    }
    for store in Backend::ALL.into_iter().filter(|store| inputs.resolved.store(*store).theirs.is_some()) {
        let name = store.as_str();
        secrets.push((format!("{name}-addresses"), inputs.names.addresses(store), format!("{STORES}/{name}")));
        if store == Backend::Rabbitmq && inputs.spec.keeper(store) == Keeper::Shared {
            let directory = format!("{STORES}/{}", provision::USERS);
            secrets.push((format!("{name}-users"), inputs.names.backend(store), directory));
        }
    }
    let each = secrets.into_iter().map(|(name, secret, path)| {
        let source = SecretVolumeSource {
            secret_name: Some(secret),
            default_mode: Some(0o440),
            ..SecretVolumeSource::default()
        };
        let mounted = mount(&name, &path, true);
        (Volume { name, secret: Some(source), ..Volume::default() }, mounted)
    });
    each.unzip()
}

/// The Job, unless the databases are as it would make them.
pub(super) fn job(inputs: &Inputs<'_>) -> Option<Job> {
    let key = provisioning_key(inputs)?;
    if inputs.provisioned_from == Some(&key) {
        return None;
    }
    let names = inputs.names;
    let name = names.provisioning_job(&key);
    if inputs.not_yet.contains(&name) || inputs.held.jobs {
        return None;
    }
    let labels = labels(names, "postgres", COMPONENT);
    let (volumes, mounts) = files(inputs);
    let mut environment =
        vec![value("PROVISIONING_PLAN", plan(inputs)), value("PROVISIONING_CREDENTIALS", CREDENTIALS)];
    environment.extend(inputs.resolved.any_external().then(|| value("PROVISIONING_STORES", STORES)));
    let provision = Container {
        name: PROVISION.to_owned(),
        image: Some(inputs.settings.operator_image.clone()),
        image_pull_policy: Some(container::pull_policy(inputs)),
        args: Some(vec!["provision".to_owned()]),
        env: Some(environment),
        resources: Some(container::resources(FIGURES, None)),
        security_context: Some(container::security_context()),
        termination_message_policy: Some("FallbackToLogsOnError".to_owned()),
        volume_mounts: Some(mounts),
        ..Container::default()
    };
    Some(Job {
        metadata: metadata(names, name, labels.clone(), Some(inputs.owned())),
        spec: Some(JobSpec {
            active_deadline_seconds: Some(900),
            backoff_limit: Some(3),
            template: PodTemplateSpec {
                metadata: Some(ObjectMeta { labels: Some(labels), ..ObjectMeta::default() }),
                spec: Some(PodSpec {
                    automount_service_account_token: Some(false),
                    containers: vec![provision],
                    enable_service_links: Some(false),
                    image_pull_secrets: container::pull_secrets(inputs),
                    restart_policy: Some("Never".to_owned()),
                    security_context: Some(container::pod_security_context(container::SERVICE_USER)),
                    volumes: Some(volumes),
                    ..PodSpec::default()
                }),
            },
            ttl_seconds_after_finished: Some(super::migration::KEEP_SECONDS),
            ..JobSpec::default()
        }),
        status: None,
    })
}

//! The Job that makes databases and roles. It runs in the stack's namespace, so the operator itself never needs a way into
//! a stack's server.

use k8s_openapi::api::batch::v1::{Job, JobSpec};
use k8s_openapi::api::core::v1::{Container, PodSpec, PodTemplateSpec, SecretVolumeSource, Volume};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::Inputs;
use super::container::{self, Figures, mount, value};
use super::metadata::{labels, metadata};
use crate::names::{Backend, short_hash};
use crate::provision::plan::Plan;

const FIGURES: Figures = Figures { cpu: "20m", memory: "24Mi", memory_limit: "128Mi" };
/// The container that provisions.
pub const PROVISION: &str = "provision";
/// What its pods are for, as a label says it.
pub(super) const COMPONENT: &str = "provisioning";
const CREDENTIALS: &str = "/etc/ecommerce/credentials";
/// Another one provisions every stack again; raise it when the Job makes something it did not make before.
const REVISION: &str = "1";

/// What the databases are provisioned from: the server, the names and the passwords. `None` while there is no server.
#[must_use]
pub fn provisioning_key(inputs: &Inputs<'_>) -> Option<String> {
    let postgres = inputs.resolved.store(Backend::Postgres);
    let server = postgres.server_id.as_deref()?;
    let plan = plan(inputs);
    Some(short_hash([REVISION, server, &plan].into_iter().chain(inputs.credentials.values(&postgres.secret))))
}

fn plan(inputs: &Inputs<'_>) -> String {
    let plan = Plan::new(inputs.names, inputs.resolved.store(Backend::Postgres));
    serde_json::to_string(&plan).unwrap_or_default()
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
    let provision = Container {
        name: PROVISION.to_owned(),
        image: Some(inputs.settings.operator_image.clone()),
        image_pull_policy: Some(container::pull_policy(inputs)),
        args: Some(vec!["provision".to_owned()]),
        env: Some(vec![value("PROVISIONING_PLAN", plan(inputs)), value("PROVISIONING_CREDENTIALS", CREDENTIALS)]),
        resources: Some(container::resources(FIGURES, None)),
        security_context: Some(container::security_context()),
        termination_message_policy: Some("FallbackToLogsOnError".to_owned()),
        volume_mounts: Some(vec![mount("credentials", CREDENTIALS, true)]),
        ..Container::default()
    };
    let credentials = SecretVolumeSource {
        secret_name: Some(inputs.resolved.store(Backend::Postgres).secret.clone()),
        default_mode: Some(0o440),
        ..SecretVolumeSource::default()
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
                    volumes: Some(vec![Volume {
                        name: "credentials".to_owned(),
                        secret: Some(credentials),
                        ..Volume::default()
                    }]),
                    ..PodSpec::default()
                }),
            },
            ttl_seconds_after_finished: Some(super::migration::KEEP_SECONDS),
            ..JobSpec::default()
        }),
        status: None,
    })
}

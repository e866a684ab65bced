//! The Job that brings a service's database to what its image needs: the service's own binary, told `migrate`.

use ecommerce_contract::Service;
use k8s_openapi::api::batch::v1::{Job, JobSpec};
use k8s_openapi::api::core::v1::{Container, PodSpec, PodTemplateSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::container::{self, Figures};
use super::metadata::{labels, metadata};
use super::{Inputs, addresses, environment, migration_is_held, migration_key, provisioning_key};
use crate::names::Backend;

const FIGURES: Figures = Figures { cpu: "20m", memory: "24Mi", memory_limit: "128Mi" };
/// The container that migrates.
pub const MIGRATE: &str = "migrate";
/// What its pods are for, as a label says it.
pub(super) const COMPONENT: &str = "migration";
/// The result is in the ledger long before; until then an ended Job is there for its log.
pub(super) const KEEP_SECONDS: i32 = 3600;

/// The Job, unless the database is as the image needs it and a person has nothing to do for it, or is not there yet.
pub(super) fn job(inputs: &Inputs<'_>, service: Service) -> Option<Job> {
    let names = inputs.names;
    let provisioned = inputs.provisioned_from? == provisioning_key(inputs)?;
    let server_id = inputs.resolved.store(Backend::Postgres).server_id.as_deref()?;
    let database = (server_id, inputs.databases.get(&service)?.as_str());
    if !provisioned || inputs.settled.contains(&service) || migration_is_held(names, inputs.held, service) {
        return None;
    }
    let image = inputs.resolved.image(service);
    let name = names.migration_job(service, &migration_key(names, inputs.credentials, service, image, database));
    if inputs.not_yet.contains(&name) || inputs.held.jobs {
        return None;
    }
    let labels = labels(names, service.as_str(), COMPONENT);
    let (volumes, mounts): (Vec<_>, Vec<_>) = addresses::volume(inputs, Backend::Postgres).into_iter().unzip();
    let migrate = Container {
        name: MIGRATE.to_owned(),
        image: Some(image.to_owned()),
        image_pull_policy: Some(container::pull_policy(inputs)),
        args: Some(vec!["migrate".to_owned()]),
        env: Some(environment::of_migration(inputs, service)),
        resources: Some(container::resources(FIGURES, None)),
        security_context: Some(container::security_context()),
        // The end of a failed one's log comes with its pod's status, as does a notice.
        termination_message_policy: Some("FallbackToLogsOnError".to_owned()),
        volume_mounts: (!mounts.is_empty()).then_some(mounts),
        ..Container::default()
    };
    Some(Job {
        metadata: metadata(names, name, labels.clone(), Some(inputs.owned())),
        spec: Some(JobSpec {
            active_deadline_seconds: Some(3600),
            backoff_limit: Some(2),
            template: PodTemplateSpec {
                metadata: Some(ObjectMeta { labels: Some(labels), ..ObjectMeta::default() }),
                spec: Some(PodSpec {
                    automount_service_account_token: Some(false),
                    containers: vec![migrate],
                    enable_service_links: Some(false),
                    image_pull_secrets: container::pull_secrets(inputs),
                    restart_policy: Some("Never".to_owned()),
                    security_context: Some(container::pod_security_context(container::SERVICE_USER)),
                    volumes: (!volumes.is_empty()).then_some(volumes),
                    ..PodSpec::default()
                }),
            },
            ttl_seconds_after_finished: Some(KEEP_SECONDS),
            ..JobSpec::default()
        }),
        status: None,
    })
}

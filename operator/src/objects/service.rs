//! A service's Deployment and the Service in front of it.

use std::collections::BTreeMap;

use ecommerce_contract::Service;
use k8s_openapi::api::apps::v1::{Deployment, DeploymentSpec, DeploymentStrategy, RollingUpdateDeployment};
use k8s_openapi::api::core::v1::{
    Container, ContainerPort, EnvVar, PodSpec, PodTemplateSpec, SecretVolumeSource, Service as KubernetesService,
    ServicePort, ServiceSpec, Volume, VolumeMount,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::backend::CHECKSUM;
use super::container::{self, Figures, OPERATIONS_PORT, Times, mount};
use super::environment::{self, API_KEY_HASHES, EDGE_KEYS, SIGNING_KEYS, is_callee, is_caller};
use super::metadata::{label_selector, labels, metadata, selector};
use super::revision::{COMPONENT, REVISION, Revision, Shown};
use super::{Inputs, Manifest, STEADY_SECONDS, addresses, log};
use crate::crd::{self, GatewayServiceType};
use crate::names::long_hash;

const FIGURES: Figures = Figures { cpu: "20m", memory: "24Mi", memory_limit: "128Mi" };
/// The name of that port.
pub(super) const HTTP: &str = "http";
pub(super) const HTTP_PORT: i32 = 8080;
/// Longer than the service's own wait and drain together.
const GRACE_SECONDS: i64 = 30;

/// The Service in front of a service; the gateway's is as the spec says.
pub(super) fn kubernetes_service(inputs: &Inputs<'_>, service: Service) -> Manifest {
    let names = inputs.names;
    let said = match service {
        Service::Gateway => inputs.spec.gateway.as_ref().and_then(|gateway| gateway.service.clone()),
        _ => None,
    }
    .unwrap_or_default();
    let type_: GatewayServiceType = said.type_.unwrap_or_default();
    Manifest::new(&KubernetesService {
        metadata: metadata(
            names,
            names.service(service),
            labels(names, service.as_str(), COMPONENT),
            Some(inputs.owned()),
        ),
        spec: Some(ServiceSpec {
            // Else the node that a client came to stands for the client: one address for all of them.
            external_traffic_policy: (type_ != GatewayServiceType::ClusterIp).then(|| "Local".to_owned()),
            type_: Some(type_.as_str().to_owned()),
            selector: Some(selector(names, service.as_str(), COMPONENT)),
            ports: Some(vec![ServicePort {
                name: Some(HTTP.to_owned()),
                port: HTTP_PORT,
                node_port: said.node_port,
                protocol: Some("TCP".to_owned()),
                target_port: Some(IntOrString::Int(HTTP_PORT)),
                ..ServicePort::default()
            }]),
            ..ServiceSpec::default()
        }),
        status: None,
    })
}

/// What the pods of a service are.
pub(super) fn template(inputs: &Inputs<'_>, service: Service) -> PodTemplateSpec {
    let names = inputs.names;
    let said = inputs.spec.service(service);
    let environment = environment::of_service(inputs, service);
    let (volumes, mounts) = files(inputs, service);
    PodTemplateSpec {
        metadata: Some(ObjectMeta {
            labels: Some(labels(names, service.as_str(), COMPONENT)),
            ..ObjectMeta::default()
        }),
        spec: Some(PodSpec {
            automount_service_account_token: Some(false),
            containers: vec![container(inputs, service, said, environment, mounts)],
            enable_service_links: Some(false),
            image_pull_secrets: container::pull_secrets(inputs),
            security_context: Some(container::pod_security_context(container::SERVICE_USER)),
            termination_grace_period_seconds: Some(GRACE_SECONDS),
            volumes: Some(volumes),
            ..PodSpec::default()
        }),
    }
}

/// Pods that are not ready after this time are at fault, where their stores have been ready for as long.
pub const PROGRESS_DEADLINE_SECONDS: i32 = 180;

/// A service at a revision; how many pods there are is no part of it, nor which passwords they have read.
pub(super) fn deployment(inputs: &Inputs<'_>, service: Service, shown: &Shown) -> Manifest {
    let names = inputs.names;
    let Shown { revision, configuration, replicas } = shown;
    let mut template = revision.template.clone();
    let annotations = template.metadata.get_or_insert_default().annotations.get_or_insert_default();
    annotations.insert(CHECKSUM.to_owned(), configuration.clone());
    let mut metadata =
        metadata(names, names.service(service), labels(names, service.as_str(), COMPONENT), Some(inputs.owned()));
    metadata.annotations = Some([(REVISION.to_owned(), revision.hash.clone())].into());
    Manifest::new(&Deployment {
        metadata,
        spec: Some(DeploymentSpec {
            min_ready_seconds: Some(STEADY_SECONDS),
            // Who pauses a rollout and forgets it would keep every later password from the pods.
            paused: Some(false),
            progress_deadline_seconds: Some(PROGRESS_DEADLINE_SECONDS),
            replicas: *replicas,
            revision_history_limit: Some(2),
            selector: label_selector(names, service.as_str(), COMPONENT),
            strategy: Some(DeploymentStrategy {
                type_: Some("RollingUpdate".to_owned()),
                rolling_update: Some(RollingUpdateDeployment {
                    max_surge: Some(IntOrString::Int(1)),
                    max_unavailable: Some(IntOrString::Int(0)),
                }),
            }),
            template,
        }),
        status: None,
    })
}

fn container(
    inputs: &Inputs<'_>,
    service: Service,
    said: Option<&crd::ServiceSpec>,
    environment: Vec<EnvVar>,
    mounts: Vec<VolumeMount>,
) -> Container {
    let port = |name: &str, container_port: i32| ContainerPort {
        name: Some(name.to_owned()),
        container_port,
        ..ContainerPort::default()
    };
    Container {
        name: service.to_string(),
        image: Some(inputs.resolved.image(service).to_owned()),
        image_pull_policy: Some(container::pull_policy(inputs)),
        args: Some(vec!["serve".to_owned()]),
        env: Some(environment),
        ports: Some(vec![port(HTTP, HTTP_PORT), port("operations", OPERATIONS_PORT)]),
        startup_probe: Some(container::http_probe("/livez", Times { period: 1, timeout: 2, failures: 120 })),
        readiness_probe: Some(container::http_probe("/readyz", Times { period: 3, timeout: 3, failures: 2 })),
        liveness_probe: Some(container::http_probe("/livez", Times { period: 10, timeout: 5, failures: 6 })),
        resources: Some(container::resources(FIGURES, said.and_then(|said| said.resources.as_ref()))),
        security_context: Some(container::security_context()),
        volume_mounts: Some(mounts),
        ..Container::default()
    }
}

/// The files of a service. All of them are followed when they change, but those that servers are believed by.
fn files(inputs: &Inputs<'_>, service: Service) -> (Vec<Volume>, Vec<VolumeMount>) {
    let mut secrets = Vec::new();
    if is_callee(service) {
        secrets.push(("api-keys", inputs.names.api_key_hashes(service), API_KEY_HASHES));
    }
    if is_caller(service) {
        secrets.push(("edge-keys", inputs.names.edge_keys(service), EDGE_KEYS));
    }
    if service == Service::Auth {
        secrets.push(("signing-keys", inputs.names.signing_key(), SIGNING_KEYS));
    }
    secrets
        .into_iter()
        .map(|(name, secret, path)| {
            let source = SecretVolumeSource {
                secret_name: Some(secret),
                default_mode: Some(0o440),
                ..SecretVolumeSource::default()
            };
            let volume = Volume { name: name.to_owned(), secret: Some(source), ..Volume::default() };
            (volume, mount(name, path, true))
        })
        .chain(addresses::stores_of(service).into_iter().filter_map(|store| addresses::volume(inputs, store)))
        .chain([log::volume(inputs)])
        .unzip()
}

/// Stands for the secrets that the process of a revision reads at its start: another one is a reason to roll.
#[must_use]
pub fn configuration(inputs: &Inputs<'_>, revision: &Revision) -> String {
    let container = revision.template.spec.as_ref().and_then(|spec| spec.containers.first());
    let read: BTreeMap<&str, &str> = container
        .and_then(|container| container.env.as_ref())
        .into_iter()
        .flatten()
        .filter_map(|variable| {
            let key = variable.value_from.as_ref()?.secret_key_ref.as_ref()?;
            Some((variable.name.as_str(), inputs.credentials.get(&key.name, &key.key)))
        })
        .collect();
    long_hash(read.into_iter().flat_map(|(name, value)| [name, value]))
}

//! What the three backing stores have in common: one pod, one volume, one Service.

use k8s_openapi::api::apps::v1::{
    RollingUpdateStatefulSetStrategy, StatefulSet, StatefulSetPersistentVolumeClaimRetentionPolicy, StatefulSetSpec,
    StatefulSetUpdateStrategy,
};
use k8s_openapi::api::core::v1::{
    Container, PersistentVolumeClaim, PersistentVolumeClaimSpec, PodSpec, PodTemplateSpec,
    Service as KubernetesService, ServicePort, ServiceSpec, Volume, VolumeResourceRequirements,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::metadata::{label_selector, labels, metadata, not_pruned, selector};
use super::{Inputs, Manifest, STEADY_SECONDS, container};
use crate::amount::thousandths;
use crate::crd::EmbeddedStore;
use crate::names::{Backend, long_hash};

/// What these are for, as a label says it.
pub(super) const COMPONENT: &str = "store";
/// The volume that stays.
pub(super) const DATA: &str = "data";
/// The annotation that changes when what a pod is configured with changes.
pub const CHECKSUM: &str = "ecommercestack.dev/configuration";

/// What differs between the stores.
pub(super) struct Parts {
    pub(super) backend: Backend,
    pub(super) grace_seconds: i64,
    pub(super) init_containers: Vec<Container>,
    pub(super) container: Container,
    pub(super) volumes: Vec<Volume>,
    /// What the pod reads at its start; other texts are another pod.
    pub(super) configuration: Vec<String>,
}

impl Parts {
    pub(super) fn checksum(&self) -> String {
        long_hash(self.configuration.iter().map(String::as_str))
    }
}

/// What the spec says of a store.
pub(super) fn embedded<'a>(inputs: &Inputs<'a>, backend: Backend) -> Option<&'a EmbeddedStore> {
    inputs.spec.store(backend).and_then(|store| store.embedded.as_ref())
}

/// The store's one pod and its volume.
pub(super) fn stateful_set(inputs: &Inputs<'_>, parts: Parts) -> Manifest {
    let names = inputs.names;
    let name = names.backend(parts.backend);
    let kind = parts.backend.as_str();
    let configuration = parts.checksum();
    let template = PodTemplateSpec {
        metadata: Some(ObjectMeta {
            labels: Some(labels(names, kind, COMPONENT)),
            annotations: Some([(CHECKSUM.to_owned(), configuration)].into()),
            ..ObjectMeta::default()
        }),
        spec: Some(PodSpec {
            automount_service_account_token: Some(false),
            containers: vec![parts.container],
            enable_service_links: Some(false),
            image_pull_secrets: container::pull_secrets(inputs),
            init_containers: (!parts.init_containers.is_empty()).then_some(parts.init_containers),
            security_context: Some(container::pod_security_context(container::STORE_USER)),
            termination_grace_period_seconds: Some(parts.grace_seconds),
            volumes: Some(parts.volumes),
            ..PodSpec::default()
        }),
    };
    Manifest::new(&StatefulSet {
        metadata: metadata(names, name.clone(), labels(names, kind, COMPONENT), Some(inputs.owned())),
        spec: Some(StatefulSetSpec {
            persistent_volume_claim_retention_policy: Some(StatefulSetPersistentVolumeClaimRetentionPolicy {
                // Deleting a set is a usual move of whoever is on call; what goes with the stack is owned by the stack itself.
                when_deleted: Some("Retain".to_owned()),
                when_scaled: Some("Retain".to_owned()),
            }),
            min_ready_seconds: Some(STEADY_SECONDS),
            // There is one pod, and nothing to wait for in front of it.
            pod_management_policy: Some("Parallel".to_owned()),
            replicas: Some(1),
            revision_history_limit: Some(2),
            selector: label_selector(names, kind, COMPONENT),
            service_name: Some(name),
            template,
            // Else what somebody has set there for a moment keeps every later template from the pod.
            update_strategy: Some(StatefulSetUpdateStrategy {
                type_: Some("RollingUpdate".to_owned()),
                rolling_update: Some(RollingUpdateStatefulSetStrategy {
                    partition: Some(0),
                    ..RollingUpdateStatefulSetStrategy::default()
                }),
            }),
            volume_claim_templates: Some(vec![claim(inputs, parts.backend)]),
            ..StatefulSetSpec::default()
        }),
        status: None,
    })
}

/// The size of a store's volume: what is asked for, and never less than what is taken already.
pub(super) fn storage_size(inputs: &Inputs<'_>, backend: Backend) -> String {
    let default = match backend {
        Backend::Postgres => "5Gi",
        Backend::Rabbitmq => "2Gi",
        Backend::Redis => "1Gi",
    };
    let asked = embedded(inputs, backend).and_then(|store| store.storage.as_ref()).and_then(|said| said.size.clone());
    let asked = asked.unwrap_or_else(|| default.to_owned());
    match inputs.volumes.get(&backend) {
        Some(volume) if thousandths(&volume.taken) >= thousandths(&asked) => volume.taken.clone(),
        _ => asked,
    }
}

fn claim(inputs: &Inputs<'_>, backend: Backend) -> PersistentVolumeClaim {
    let storage = embedded(inputs, backend).and_then(|store| store.storage.as_ref());
    PersistentVolumeClaim {
        metadata: ObjectMeta {
            name: Some(DATA.to_owned()),
            labels: Some(selector(inputs.names, backend.as_str(), COMPONENT)),
            annotations: Some(not_pruned()),
            ..ObjectMeta::default()
        },
        spec: Some(PersistentVolumeClaimSpec {
            access_modes: Some(vec!["ReadWriteOnce".to_owned()]),
            resources: Some(VolumeResourceRequirements {
                requests: Some([("storage".to_owned(), Quantity(storage_size(inputs, backend)))].into()),
                limits: None,
            }),
            storage_class_name: storage.and_then(|storage| storage.class_name.clone()),
            ..PersistentVolumeClaimSpec::default()
        }),
        status: None,
    }
}

/// The Service in front of a store.
pub(super) fn kubernetes_service(inputs: &Inputs<'_>, backend: Backend) -> Manifest {
    let names = inputs.names;
    let kind = backend.as_str();
    let port = i32::from(backend.port());
    Manifest::new(&KubernetesService {
        metadata: metadata(names, names.backend(backend), labels(names, kind, COMPONENT), Some(inputs.owned())),
        spec: Some(ServiceSpec {
            selector: Some(selector(names, kind, COMPONENT)),
            ports: Some(vec![ServicePort {
                name: Some(kind.to_owned()),
                port,
                protocol: Some("TCP".to_owned()),
                target_port: Some(IntOrString::Int(port)),
                ..ServicePort::default()
            }]),
            ..ServiceSpec::default()
        }),
        status: None,
    })
}

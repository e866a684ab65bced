//! What a drained node may take: one pod of a service at a time, where there is more than one.

use ecommerce_contract::Service;
use k8s_openapi::api::policy::v1::{PodDisruptionBudget, PodDisruptionBudgetSpec};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::metadata::{label_selector, labels, metadata};
use super::revision::COMPONENT;
use super::{Inputs, Manifest};

/// The budgets of all services that have a second pod: for one alone it would hold up every drain of its node.
pub(super) fn budgets(inputs: &Inputs<'_>) -> impl Iterator<Item = Manifest> {
    let several = Service::ALL.into_iter().filter(|service| inputs.spec.replicas(*service) >= 2);
    several.map(|service| {
        let (names, name) = (inputs.names, service.as_str());
        Manifest::new(&PodDisruptionBudget {
            metadata: metadata(names, names.service(service), labels(names, name, COMPONENT), Some(inputs.owned())),
            spec: Some(PodDisruptionBudgetSpec {
                max_unavailable: Some(IntOrString::Int(1)),
                selector: Some(label_selector(names, name, COMPONENT)),
                // One that does not serve protects nobody.
                unhealthy_pod_eviction_policy: Some("AlwaysAllow".to_owned()),
                ..PodDisruptionBudgetSpec::default()
            }),
            status: None,
        })
    })
}

//! Who reaches whom inside a stack: the edges between services ([`EDGES`]), the services that have a store, and the Jobs that
//! prepare a database. The gateway takes whoever comes, and metrics are read from anywhere. What leaves a pod is not restricted,
//! so the way to a store of others is open; who reaches that one is for whoever runs it to say.

use ecommerce_contract::Service;
use ecommerce_contract::edges::EDGES;
use k8s_openapi::api::networking::v1::{
    NetworkPolicy, NetworkPolicyIngressRule, NetworkPolicyPeer, NetworkPolicyPort, NetworkPolicySpec,
};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::container::OPERATIONS_PORT;
use super::metadata::{label_selector, labels, metadata};
use super::service::HTTP_PORT;
use super::{Inputs, Manifest, backend, migration, provisioning, revision};
use crate::credentials::WITH_REDIS;
use crate::names::Backend;

/// A part of a stack, as labels tell it: what it is and what it is for.
type Part = (&'static str, &'static str);

/// A policy for each part, unless the spec wants none.
pub(super) fn policies(inputs: &Inputs<'_>) -> Vec<Manifest> {
    if inputs.spec.network_policies == Some(false) {
        return Vec::new();
    }
    let services = Service::ALL.into_iter().map(|service| {
        let from = callers(service);
        // An empty list of peers would be everybody.
        let reaches = from.as_ref().is_none_or(|parts| !parts.is_empty());
        let requests = reaches.then(|| rule(inputs, from.as_deref(), HTTP_PORT));
        let rules = requests.into_iter().chain([rule(inputs, None, OPERATIONS_PORT)]).collect();
        policy(inputs, inputs.names.service(service), of(service), rules)
    });
    let stores = inputs.spec.embedded().map(|store| {
        let rules = vec![rule(inputs, Some(&clients(store)), store.port().into())];
        policy(inputs, inputs.names.backend(store), (store.as_str(), backend::COMPONENT), rules)
    });
    services.chain(stores).collect()
}

/// The services that call this one; `None` is anybody.
fn callers(service: Service) -> Option<Vec<Part>> {
    let is_called_by_clients = service == Service::Gateway;
    let edges = EDGES.iter().filter(|edge| edge.callee == service);
    (!is_called_by_clients).then(|| edges.map(|edge| of(edge.caller)).collect())
}

fn clients(store: Backend) -> Vec<Part> {
    match store {
        Backend::Postgres => {
            let migrations = Service::WITH_DATABASE.map(|service| (service.as_str(), migration::COMPONENT));
            let jobs = migrations.into_iter().chain([(store.as_str(), provisioning::COMPONENT)]);
            Service::WITH_DATABASE.map(of).into_iter().chain(jobs).collect()
        }
        Backend::Rabbitmq => Service::WITH_BROKER.map(of).to_vec(),
        Backend::Redis => WITH_REDIS.map(of).to_vec(),
    }
}

const fn of(service: Service) -> Part {
    (service.as_str(), revision::COMPONENT)
}

fn rule(inputs: &Inputs<'_>, from: Option<&[Part]>, port: i32) -> NetworkPolicyIngressRule {
    let peer = |(name, component): &Part| NetworkPolicyPeer {
        pod_selector: Some(label_selector(inputs.names, name, component)),
        ..NetworkPolicyPeer::default()
    };
    NetworkPolicyIngressRule {
        from: from.map(|parts| parts.iter().map(peer).collect()),
        ports: Some(vec![NetworkPolicyPort {
            port: Some(IntOrString::Int(port)),
            protocol: Some("TCP".to_owned()),
            end_port: None,
        }]),
    }
}

fn policy(inputs: &Inputs<'_>, name: String, part: Part, rules: Vec<NetworkPolicyIngressRule>) -> Manifest {
    let names = inputs.names;
    Manifest::new(&NetworkPolicy {
        metadata: metadata(names, name, labels(names, part.0, part.1), Some(inputs.owned())),
        spec: Some(NetworkPolicySpec {
            pod_selector: Some(label_selector(names, part.0, part.1)),
            policy_types: Some(vec!["Ingress".to_owned()]),
            ingress: Some(rules),
            egress: None,
        }),
    })
}

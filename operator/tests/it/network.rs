//! Who reaches whom, as the policies say it.

use std::collections::BTreeSet;

use ecommerce_contract::Service;
use ecommerce_contract::edges::EDGES;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::networking::v1::{NetworkPolicy, NetworkPolicyIngressRule, NetworkPolicyPeer};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use operator::credentials::WITH_REDIS;
use operator::objects::Desired;
use serde_json::json;

use crate::fixtures::{Databases, built, spec};
use crate::objects::find;

/// The parts of a stack that may connect to this one, as its policy says it.
fn who_reaches(desired: &Desired, policy: &str, port: i32) -> Option<BTreeSet<(String, String)>> {
    let policy: NetworkPolicy = find(desired, "NetworkPolicy", policy).unwrap();
    let rules = policy.spec.unwrap().ingress.unwrap();
    let of_port =
        |rule: &&NetworkPolicyIngressRule| rule.ports.as_ref().unwrap()[0].port == Some(IntOrString::Int(port));
    let from = rules.iter().find(of_port).unwrap().from.clone()?;
    let label_of = |peer: NetworkPolicyPeer| {
        let mut labels = peer.pod_selector.unwrap().match_labels.unwrap();
        assert_eq!(labels["ecommercestack.dev/stack"], "shop");
        let mut of = |key: &str| labels.remove(&format!("app.kubernetes.io/{key}")).unwrap();
        (of("component"), of("name"))
    };
    Some(from.into_iter().map(label_of).collect())
}

#[test]
fn each_part_is_reached_by_those_that_have_an_edge_to_it_and_by_nobody_else() {
    let desired = built(&spec(json!({})), Databases::Migrated);
    assert_eq!(who_reaches(&desired, "shop-gateway", 8080), None, "strangers come to the gateway");
    for callee in Service::ALL.into_iter().filter(|service| *service != Service::Gateway) {
        let edges = EDGES.iter().filter(|edge| edge.callee == callee);
        let callers = edges.map(|edge| ("service".to_owned(), edge.caller.to_string())).collect();
        assert_eq!(who_reaches(&desired, &format!("shop-{callee}"), 8080), Some(callers), "{callee}");
    }
    let services = |services: &[Service]| services.iter().map(|one| ("service".to_owned(), one.to_string())).collect();
    assert_eq!(who_reaches(&desired, "shop-rabbitmq", 5672), Some(services(&Service::WITH_BROKER)));
    assert_eq!(who_reaches(&desired, "shop-redis", 6379), Some(services(&WITH_REDIS)));
    let mut of_postgres: BTreeSet<_> = services(&Service::WITH_DATABASE);
    of_postgres.extend(Service::WITH_DATABASE.map(|service| ("migration".to_owned(), service.to_string())));
    of_postgres.insert(("provisioning".to_owned(), "postgres".to_owned()));
    assert_eq!(who_reaches(&desired, "shop-postgres", 5432), Some(of_postgres));
}

#[test]
fn whoever_can_reach_a_part_is_labelled_as_its_policy_says() {
    let labels = |job: &Job| job.spec.clone().unwrap().template.metadata.unwrap().labels.unwrap();
    let mut jobs = built(&spec(json!({})), Databases::Provisioned).jobs;
    jobs.extend(built(&spec(json!({})), Databases::Absent).jobs);
    let known = who_reaches(&built(&spec(json!({})), Databases::Migrated), "shop-postgres", 5432).unwrap();
    assert_eq!(jobs.len(), 5);
    for job in &jobs {
        let labels = labels(job);
        let of = |key: &str| labels[&format!("app.kubernetes.io/{key}")].clone();
        assert!(known.contains(&(of("component"), of("name"))), "{labels:?}");
    }
}

//! The way in by a host's name.

use ecommerce_contract::Service;
use k8s_openapi::api::networking::v1::{
    HTTPIngressPath, HTTPIngressRuleValue, Ingress, IngressBackend, IngressRule, IngressServiceBackend, IngressSpec,
    IngressTLS, ServiceBackendPort,
};

use super::metadata::{labels, metadata};
use super::revision::COMPONENT;
use super::service::HTTP;
use super::{Inputs, Manifest};

/// The Ingress, where the spec names a host.
pub(super) fn ingress(inputs: &Inputs<'_>) -> Option<Manifest> {
    let said = inputs.spec.ingress()?;
    let names = inputs.names;
    let name = names.service(Service::Gateway);
    let gateway = IngressBackend {
        service: Some(IngressServiceBackend {
            name: name.clone(),
            port: Some(ServiceBackendPort { name: Some(HTTP.to_owned()), number: None }),
        }),
        resource: None,
    };
    let everything = HTTPIngressPath { path: Some("/".to_owned()), path_type: "Prefix".to_owned(), backend: gateway };
    let tls = said
        .tls_secret
        .as_ref()
        .map(|secret| vec![IngressTLS { hosts: Some(vec![said.host.clone()]), secret_name: Some(secret.clone()) }]);
    Some(Manifest::new(&Ingress {
        metadata: metadata(names, name, labels(names, Service::Gateway.as_str(), COMPONENT), Some(inputs.owned())),
        spec: Some(IngressSpec {
            ingress_class_name: said.class_name.clone(),
            rules: Some(vec![IngressRule {
                host: Some(said.host.clone()),
                http: Some(HTTPIngressRuleValue { paths: vec![everything] }),
            }]),
            tls,
            ..IngressSpec::default()
        }),
        status: None,
    }))
}

//! What a person may say of the services and of the way in.

use ecommerce_contract::Service;
use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use super::{IS_IMAGE, Resources};

/// Where the images of the services come from.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Images {
    /// What stands before `/<service>:<version>`. Absent: the operator's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 200))]
    #[x_kube(validation = Rule::new("self.matches('^[a-z0-9]([a-z0-9._:/-]*[a-z0-9])?$') && !self.contains('://')")
        .message("images.registry must be a host with an optional path, like registry.example.com/shop: no scheme, no slash at the end"))]
    pub registry: Option<String>,

    /// When a node pulls an image. Absent: `IfNotPresent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pull_policy: Option<PullPolicy>,

    /// Names of Secrets (`kubernetes.io/dockerconfigjson`) in the stack's namespace.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10), inner(length(min = 1, max = 253)))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub pull_secrets: Vec<String>,
}

/// When a node pulls an image. Absent: `IfNotPresent`.
#[derive(schemars::JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum PullPolicy {
    /// When it does not have it.
    #[default]
    IfNotPresent,
    /// At each start.
    Always,
    /// Not at all; someone loads it.
    Never,
}

impl PullPolicy {
    /// As Kubernetes writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::IfNotPresent => "IfNotPresent",
            Self::Always => "Always",
            Self::Never => "Never",
        }
    }
}

/// The five services.
#[derive(schemars::JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Services {
    /// Users, logins and sessions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<ServiceSpec>,
    /// The way in: checks tokens and forwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway: Option<ServiceSpec>,
    /// The catalogue and its stock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<ServiceSpec>,
    /// Orders and their clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<ServiceSpec>,
    /// Payments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<ServiceSpec>,
}

impl Services {
    /// What is said of one.
    #[must_use]
    pub fn get(&self, service: Service) -> Option<&ServiceSpec> {
        match service {
            Service::Auth => self.auth.as_ref(),
            Service::Gateway => self.gateway.as_ref(),
            Service::Product => self.product.as_ref(),
            Service::Order => self.order.as_ref(),
            Service::Payment => self.payment.as_ref(),
        }
    }
}

/// What may be said of one service.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceSpec {
    /// Pods of the service. Absent: 1, and as many as somebody scales it to: an autoscaler's are left alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = Rule::new("self >= 1 && self <= 10").message("replicas must be between 1 and 10"))]
    pub replicas: Option<i32>,

    /// Processor and memory of each pod.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<Resources>,

    /// An image in place of `<registry>/<service>:<version>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 300))]
    #[x_kube(validation = Rule::new(IS_IMAGE)
        .message("image must name a digest or a tag that is never used twice; latest is neither"))]
    pub image: Option<String>,
}

/// The way in.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Gateway {
    /// The Kubernetes Service in front of the gateway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<GatewayService>,

    /// The way in by a host's name. Absent: none. Say `trustedProxies: 1` with it: the ingress names the clients.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ingress: Option<GatewayIngress>,

    /// Proxies between clients and the gateway that add to `x-forwarded-for` whom they were called by, such as an ingress: a
    /// client's address is found so many hops from the right. Absent: 0, clients connect by themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = Rule::new("self >= 0 && self <= 10").message("trustedProxies must be between 0 and 10"))]
    pub trusted_proxies: Option<i32>,
}

/// The Kubernetes Service in front of the gateway.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!has(self.nodePort) || (has(self.type) && self.type == 'NodePort')")
    .message("nodePort is allowed only where type is NodePort"))]
pub struct GatewayService {
    /// How it is reached. Absent: `ClusterIP`.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub type_: Option<GatewayServiceType>,

    /// The port on each node that runs a pod of the gateway. Absent: Kubernetes picks one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = Rule::new("self >= 30000 && self <= 32767").message("nodePort must be between 30000 and 32767"))]
    pub node_port: Option<i32>,
}

/// An Ingress in front of the gateway.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GatewayIngress {
    /// The name that the shop is reached by, like `shop.example.com`.
    #[schemars(length(max = 253))]
    #[x_kube(validation = Rule::new("self.matches('^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?([.][a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$')")
        .message("gateway.ingress.host must be a host's name like shop.example.com: no scheme, no port, no path"))]
    pub host: String,

    /// The class of the ingress controller that serves it. Absent: the cluster's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub class_name: Option<String>,

    /// The Secret (`kubernetes.io/tls`) in the stack's namespace with the certificate of the host. Absent: without TLS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub tls_secret: Option<String>,
}

/// How the gateway is reached. Absent: `ClusterIP`.
#[derive(schemars::JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum GatewayServiceType {
    /// From inside the cluster.
    #[default]
    #[serde(rename = "ClusterIP")]
    ClusterIp,
    /// On a port of each node that runs a pod of the gateway: others would hide the clients' addresses.
    NodePort,
    /// Through the cloud's balancer.
    LoadBalancer,
}

impl GatewayServiceType {
    /// As Kubernetes writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClusterIp => "ClusterIP",
            Self::NodePort => "NodePort",
            Self::LoadBalancer => "LoadBalancer",
        }
    }
}

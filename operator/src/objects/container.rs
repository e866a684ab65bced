//! What every container of a stack has in common: the `restricted` Pod Security Standard with a read-only root.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{
    Capabilities, EmptyDirVolumeSource, EnvVar, EnvVarSource, ExecAction, HTTPGetAction, LocalObjectReference, Probe,
    ResourceRequirements, SeccompProfile, SecretKeySelector, SecurityContext, TCPSocketAction, Volume, VolumeMount,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::Inputs;
use super::sizes::Memory;
use crate::amount::thousandths;
use crate::crd::{Amounts, Resources};

/// The user of the services' images and of the operator's.
pub(super) const SERVICE_USER: i64 = 65532;
/// The user of the stores' images.
pub(super) const STORE_USER: i64 = 999;
/// What is written here comes with the pod's status, as its container's last words.
pub(super) const TERMINATION_MESSAGE: &str = "/dev/termination-log";
/// Health and metrics.
pub(super) const OPERATIONS_PORT: i32 = 9090;

pub(super) fn security_context() -> SecurityContext {
    SecurityContext {
        allow_privilege_escalation: Some(false),
        capabilities: Some(Capabilities { drop: Some(vec!["ALL".to_owned()]), add: None }),
        read_only_root_filesystem: Some(true),
        ..SecurityContext::default()
    }
}

pub(super) fn pod_security_context(user: i64) -> k8s_openapi::api::core::v1::PodSecurityContext {
    k8s_openapi::api::core::v1::PodSecurityContext {
        run_as_non_root: Some(true),
        run_as_user: Some(user),
        run_as_group: Some(user),
        fs_group: Some(user),
        // Once: a database whose directory the group may write does not start.
        fs_group_change_policy: Some("OnRootMismatch".to_owned()),
        seccomp_profile: Some(SeccompProfile { type_: "RuntimeDefault".to_owned(), localhost_profile: None }),
        ..Default::default()
    }
}

const EPHEMERAL_STORAGE: &str = "ephemeral-storage";

/// The operator's own figures, and what the spec says over them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Figures {
    pub(super) cpu: &'static str,
    pub(super) memory: &'static str,
    pub(super) memory_limit: &'static str,
}

/// No limit of processor time: it would slow a start down and save nothing that a request does not.
pub(super) fn resources(figures: Figures, said: Option<&Resources>) -> ResourceRequirements {
    let quantity = |text: &str| Quantity(text.to_owned());
    let mut requests =
        BTreeMap::from([("cpu".to_owned(), quantity(figures.cpu)), ("memory".to_owned(), quantity(figures.memory))]);
    let mut limits = BTreeMap::from([("memory".to_owned(), quantity(figures.memory_limit))]);
    // For logs and scratch: data is on volumes.
    requests.insert(EPHEMERAL_STORAGE.to_owned(), quantity("64Mi"));
    limits.insert(EPHEMERAL_STORAGE.to_owned(), quantity("1Gi"));
    if let Some(said) = said {
        if let Some(amounts) = &said.requests {
            amounts.over(&mut requests);
        }
        if let Some(amounts) = &said.limits {
            amounts.over(&mut limits);
        }
        let amounts_of = [
            ("memory", (|amounts: &Amounts| amounts.memory.is_some()) as fn(&Amounts) -> bool),
            ("cpu", |amounts: &Amounts| amounts.cpu.is_some()),
        ];
        for (name, is_said) in amounts_of {
            // Who asks for more than our own limit, or limits less than we would ask for, means both.
            let is_in = |amounts: &Option<Amounts>| amounts.as_ref().is_some_and(is_said);
            if !exceeds(name, &requests, &limits) {
            } else if !is_in(&said.limits) {
                limits.extend(requests.get(name).map(|amount| (name.to_owned(), amount.clone())));
            } else if !is_in(&said.requests) {
                requests.extend(limits.get(name).map(|amount| (name.to_owned(), amount.clone())));
            }
        }
    }
    ResourceRequirements { requests: Some(requests), limits: Some(limits), claims: None }
}

/// The most memory that a container gets.
pub(super) fn memory(figures: Figures, said: Option<&Resources>) -> Memory {
    let limits = resources(figures, said).limits.unwrap_or_default();
    let limit = limits.get("memory").and_then(|amount| thousandths(&amount.0)).unwrap_or_default();
    Memory(u64::try_from(limit / 1_000).unwrap_or_default())
}

/// Whether there is a limit, and less of it than is asked for.
fn exceeds(name: &str, requests: &BTreeMap<String, Quantity>, limits: &BTreeMap<String, Quantity>) -> bool {
    let amount = |amounts: &BTreeMap<String, Quantity>| amounts.get(name).and_then(|amount| thousandths(&amount.0));
    amount(limits).is_some_and(|limit| amount(requests) > Some(limit))
}

pub(super) fn value(name: &str, value: impl Into<String>) -> EnvVar {
    EnvVar { name: name.to_owned(), value: Some(value.into()), value_from: None }
}

/// What a person wrote, as it is: `$(…)` in it would show them what the container is told from Secrets.
pub(super) fn verbatim(name: &str, text: &str) -> EnvVar {
    value(name, text.replace('$', "$$"))
}

pub(super) fn from_secret(name: &str, secret: &str, key: &str) -> EnvVar {
    let key = SecretKeySelector { name: secret.to_owned(), key: key.to_owned(), optional: None };
    EnvVar {
        name: name.to_owned(),
        value: None,
        value_from: Some(EnvVarSource { secret_key_ref: Some(key), ..EnvVarSource::default() }),
    }
}

pub(super) fn mount(volume: &str, path: &str, read_only: bool) -> VolumeMount {
    VolumeMount {
        name: volume.to_owned(),
        mount_path: path.to_owned(),
        read_only: read_only.then_some(true),
        ..VolumeMount::default()
    }
}

/// A file system that the process may write and that goes with the pod.
pub(super) fn scratch(name: &str) -> Volume {
    let source =
        EmptyDirVolumeSource { size_limit: Some(Quantity("64Mi".to_owned())), ..EmptyDirVolumeSource::default() };
    Volume { name: name.to_owned(), empty_dir: Some(source), ..Volume::default() }
}

/// The times of a probe, in seconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    pub(super) period: i32,
    pub(super) timeout: i32,
    pub(super) failures: i32,
}

fn probe(times: Times) -> Probe {
    Probe {
        period_seconds: Some(times.period),
        timeout_seconds: Some(times.timeout),
        failure_threshold: Some(times.failures),
        ..Probe::default()
    }
}

pub(super) fn http_probe(path: &str, times: Times) -> Probe {
    let action = HTTPGetAction {
        path: Some(path.to_owned()),
        port: IntOrString::Int(OPERATIONS_PORT),
        ..HTTPGetAction::default()
    };
    Probe { http_get: Some(action), ..probe(times) }
}

pub(super) fn tcp_probe(port: u16, times: Times) -> Probe {
    Probe { tcp_socket: Some(TCPSocketAction { port: IntOrString::Int(port.into()), host: None }), ..probe(times) }
}

pub(super) fn shell_probe(script: &str, times: Times) -> Probe {
    Probe { exec: Some(ExecAction { command: Some(shell(script)) }), ..probe(times) }
}

pub(super) fn shell(script: &str) -> Vec<String> {
    ["sh", "-c", script].map(str::to_owned).to_vec()
}

pub(super) fn pull_secrets(inputs: &Inputs<'_>) -> Option<Vec<LocalObjectReference>> {
    let secrets = inputs.spec.pull_secrets();
    (!secrets.is_empty()).then(|| secrets.iter().map(|name| LocalObjectReference { name: name.clone() }).collect())
}

pub(super) fn pull_policy(inputs: &Inputs<'_>) -> String {
    let policy = inputs.spec.images.as_ref().and_then(|images| images.pull_policy).unwrap_or_default();
    policy.as_str().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: Figures = Figures { cpu: "20m", memory: "24Mi", memory_limit: "128Mi" };

    #[test]
    fn what_is_asked_for_is_never_more_than_the_limit() {
        for (said, request, limit) in [
            ("{}", "24Mi", "128Mi"),
            (r#"{"requests": {"memory": "256Mi"}}"#, "256Mi", "256Mi"),
            (r#"{"limits": {"memory": "16Mi"}}"#, "16Mi", "16Mi"),
            (r#"{"limits": {"memory": 8589934592}}"#, "24Mi", "8589934592"),
            (r#"{"requests": {"memory": "64Mi"}, "limits": {"memory": "96Mi"}}"#, "64Mi", "96Mi"),
        ] {
            let resources = resources(OURS, Some(&serde_json::from_str(said).unwrap()));
            let memory = |amounts: Option<BTreeMap<String, Quantity>>| amounts.unwrap()["memory"].0.clone();
            assert_eq!(
                (memory(resources.requests).as_str(), memory(resources.limits).as_str()),
                (request, limit),
                "{said}"
            );
        }
    }

    #[test]
    fn a_limit_of_processors_is_the_most_that_is_asked_for() {
        for (said, request, limit) in [
            ("{}", "20m", None),
            (r#"{"limits": {"cpu": "5m"}}"#, "5m", Some("5m")),
            (r#"{"limits": {"cpu": 1}}"#, "20m", Some("1")),
            (r#"{"requests": {"cpu": "2"}}"#, "2", None),
        ] {
            let resources = resources(OURS, Some(&serde_json::from_str(said).unwrap()));
            let cpu = |amounts: &Option<BTreeMap<String, Quantity>>| Some(amounts.as_ref()?.get("cpu")?.0.clone());
            assert_eq!(cpu(&resources.requests).as_deref(), Some(request), "{said}");
            assert_eq!(cpu(&resources.limits).as_deref(), limit, "{said}");
        }
    }
}

//! The cluster that `make up` has brought up.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Pod, Secret};
use kube::api::{DeleteParams, ListParams, LogParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config, ResourceExt as _};
use operator::crd::EcommerceStack;

use crate::within;

/// The stack of `charts/examples/shop.yaml`.
pub const STACK: &str = "shop";

/// A client of the cluster. `E2E_KUBECONFIG` names another than the project's own.
///
/// # Panics
/// When there is no cluster.
pub async fn client() -> Client {
    let path = kubeconfig();
    let kubeconfig = Kubeconfig::read_from(&path)
        .unwrap_or_else(|error| panic!("no cluster to test, `make up` starts one: {}: {error}", path.display()));
    let config =
        Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.expect("a usable kubeconfig");
    Client::try_from(config).expect("a client of the cluster")
}

fn kubeconfig() -> PathBuf {
    let default = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../.local/kubeconfig");
    std::env::var_os("E2E_KUBECONFIG").map_or(default, PathBuf::from)
}

/// Waits until the stack says of its present generation that it is ready.
///
/// # Panics
/// When it does not.
pub async fn ready_stack() -> EcommerceStack {
    let stacks: Api<EcommerceStack> = Api::default_namespaced(client().await);
    within(Duration::from_mins(3), "the stack is ready", || async {
        let stack = stacks.get(STACK).await.expect("the stack that `make up` applies");
        let status = stack.status.as_ref()?;
        let ready = status.conditions.iter().find(|condition| condition.type_ == "Ready")?;
        let of_this_generation = ready.observed_generation == stack.metadata.generation;
        (ready.status == "True" && of_this_generation).then_some(stack)
    })
    .await
}

/// A value of the admin's Secret: `email` or `password`.
///
/// # Panics
/// When it is not there.
pub async fn admin(key: &str) -> String {
    let secrets: Api<Secret> = Api::default_namespaced(client().await);
    let secret = secrets.get(&format!("{STACK}-admin")).await.expect("the admin's Secret");
    let value = secret.data.unwrap_or_default().remove(key).expect("the key in the admin's Secret");
    String::from_utf8(value.0).expect("text")
}

/// Replaces a service's pods by new ones, as a new version does; done when the old ones are gone.
///
/// # Panics
/// When that takes more than a few minutes.
pub async fn roll(service: &str) {
    let client = client().await;
    let (deployments, pods) =
        (Api::<Deployment>::default_namespaced(client.clone()), Api::<Pod>::default_namespaced(client));
    let name = format!("{STACK}-{service}");
    let before: BTreeSet<String> = pods_of(&pods, service).await.iter().map(Pod::name_any).collect();
    deployments.restart(&name).await.expect("restart the deployment");
    within(Duration::from_mins(3), &format!("{service} is replaced"), || async {
        let now = pods_of(&pods, service).await;
        (!now.is_empty() && now.iter().all(|pod| is_ready(pod) && !before.contains(&pod.name_any()))).then_some(())
    })
    .await;
}

fn is_ready(pod: &Pod) -> bool {
    let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_ref());
    conditions.into_iter().flatten().any(|condition| condition.type_ == "Ready" && condition.status == "True")
}

async fn pods_of(pods: &Api<Pod>, part: &str) -> Vec<Pod> {
    let labels = format!("app.kubernetes.io/instance={STACK},app.kubernetes.io/name={part},!job-name");
    pods.list(&ListParams::default().labels(&labels)).await.expect("the pods").items
}

/// Kills a part of the stack at once, as a node that is lost does; answers how many pods it had.
///
/// # Panics
/// When the cluster refuses.
pub async fn kill(part: &str) -> usize {
    let pods: Api<Pod> = Api::default_namespaced(client().await);
    let found = pods_of(&pods, part).await;
    for pod in &found {
        let at_once = DeleteParams::default().grace_period(0);
        pods.delete(&pod.name_any(), &at_once).await.expect("delete the pod");
    }
    found.len()
}

/// What a part of the stack has logged since its pods were started.
///
/// # Panics
/// When the cluster refuses.
pub async fn log(part: &str) -> String {
    let pods: Api<Pod> = Api::default_namespaced(client().await);
    let mut log = String::new();
    for pod in pods_of(&pods, part).await {
        log += &pods.logs(&pod.name_any(), &LogParams::default()).await.expect("the pod's log");
    }
    log
}

/// Runs a script inside a container of the stack's.
///
/// # Panics
/// When it fails.
pub fn run_in(namespace: &str, pod: &str, container: &str, script: &str) {
    let mut kubectl = Command::new("kubectl");
    kubectl.arg("--kubeconfig").arg(kubeconfig()).args(["--namespace", namespace, "exec", pod]);
    let output = kubectl.args(["--container", container, "--", "sh", "-c", script]).output().expect("kubectl");
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
}

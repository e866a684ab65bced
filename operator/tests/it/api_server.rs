//! A real API server without a cluster: no controller runs, so a test says itself what the controllers would have done.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Api, Patch, PatchParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::runtime::conditions::is_crd_established;
use kube::runtime::wait::await_condition;
use kube::{Client, Config, CustomResourceExt as _};
use operator::crd::EcommerceStack;

static NAMESPACES: AtomicU32 = AtomicU32::new(0);

/// A client, and a namespace that is this test's own.
pub(crate) async fn namespace() -> (Client, String) {
    let client = client().await;
    install(&client).await;
    let number = NAMESPACES.fetch_add(1, Ordering::Relaxed);
    let name = format!("test-{}-{number}", std::process::id());
    let namespaces: Api<Namespace> = Api::all(client.clone());
    let namespace = serde_json::from_value(serde_json::json!({"metadata": {"name": name}})).unwrap();
    match namespaces.create(&PostParams::default(), &namespace).await {
        Err(kube::Error::Api(status)) if status.code == 409 => {}
        result => {
            result.unwrap();
        }
    }
    (client, name)
}

async fn client() -> Client {
    let path = std::env::var_os("TEST_KUBECONFIG").map_or_else(default_kubeconfig, PathBuf::from);
    assert!(path.exists(), "{} is not there: run 'local/apiserver start'", path.display());
    let kubeconfig = Kubeconfig::read_from(&path).unwrap();
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
    let client = Client::try_from(config).unwrap();
    let answer = client.apiserver_version().await;
    assert!(answer.is_ok(), "the API server of {} does not answer: run 'local/apiserver start'", path.display());
    client
}

fn default_kubeconfig() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../.local/apiserver/kubeconfig")
}

async fn install(client: &Client) {
    let crds: Api<CustomResourceDefinition> = Api::all(client.clone());
    let crd = EcommerceStack::crd();
    let parameters = PatchParams::apply("operator-tests").force();
    let name = EcommerceStack::crd_name();
    crds.patch(name, &parameters, &Patch::Apply(&crd)).await.unwrap();
    let established = await_condition(crds, name, is_crd_established());
    tokio::time::timeout(std::time::Duration::from_secs(30), established).await.unwrap().unwrap();
}

//! A shop in a namespace of its own, for what the shop that everybody uses would not survive.

use std::fmt::Debug;
use std::time::Duration;

use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams};
use kube::{Client, Resource};
use operator::crd::EcommerceStack;
use serde::de::DeserializeOwned;
use serde_json::{Value, from_value, json};

use crate::{cluster, within};

/// How long anything may take: a machine may have other work.
const SOON: Duration = Duration::from_mins(4);

/// A namespace with a stack of the same name.
#[derive(Clone)]
pub struct Tenant {
    client: Client,
    /// Its name.
    pub name: &'static str,
}

impl Tenant {
    /// Makes the namespace; what an earlier run has left in it goes first.
    ///
    /// # Panics
    /// When the cluster refuses.
    pub async fn new(name: &'static str) -> Self {
        let tenant = Self { client: cluster::client().await, name };
        tenant.leave().await;
        let namespaces: Api<Namespace> = Api::all(tenant.client.clone());
        within(SOON, "the namespace of before is gone", || async {
            namespaces.get_opt(name).await.expect("an answer").is_none().then_some(())
        })
        .await;
        let namespace = from_value(json!({"metadata": {"name": name}})).expect("a namespace");
        namespaces.create(&PostParams::default(), &namespace).await.expect("make the namespace");
        tenant
    }

    /// Removes the namespace and all that is in it.
    ///
    /// # Panics
    /// When the cluster refuses.
    pub async fn leave(&self) {
        let namespaces: Api<Namespace> = Api::all(self.client.clone());
        if namespaces.get_opt(self.name).await.expect("an answer").is_some() {
            namespaces.delete(self.name, &DeleteParams::default()).await.expect("remove the namespace");
        }
    }

    /// The objects of a kind.
    #[must_use]
    pub fn api<K>(&self) -> Api<K>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + Debug + DeserializeOwned,
    {
        Api::namespaced(self.client.clone(), self.name)
    }

    /// Makes the stack, or puts this spec in the place of the one it has.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn apply(&self, spec: &Value) {
        let stacks = self.api::<EcommerceStack>();
        let mut stack: EcommerceStack = from_value(json!({
            "apiVersion": "ecommercestack.dev/v1alpha1", "kind": "EcommerceStack",
            "metadata": {"name": self.name}, "spec": spec,
        }))
        .expect("a stack");
        let parameters = PostParams::default();
        if let Some(there) = stacks.get_opt(self.name).await.expect("an answer") {
            stack.metadata = there.metadata;
            stacks.replace(self.name, &parameters, &stack).await.expect("replace the stack");
        } else {
            stacks.create(&parameters, &stack).await.expect("make the stack");
        }
    }

    /// Waits until a condition of the stack's present generation has this status, with these words in its reason and message.
    ///
    /// # Panics
    /// When it does not.
    pub async fn says(&self, kind: &str, status: &str, words: &str) {
        let stacks = self.api::<EcommerceStack>();
        within(SOON, &format!("{} says {kind} {status} {words}", self.name), || async {
            let stack = stacks.get_opt(self.name).await.expect("an answer")?;
            let condition = stack.status?.conditions.into_iter().find(|condition| condition.type_ == kind)?;
            let said = format!("{}: {}", condition.reason, condition.message);
            let of_now = condition.observed_generation == stack.metadata.generation;
            (of_now && condition.status == status && said.contains(words)).then_some(())
        })
        .await;
    }

    /// Makes the operator look at once, for what no watch tells it.
    ///
    /// # Panics
    /// When the stack is not there.
    pub async fn look(&self) {
        let patch = json!({"metadata": {"annotations": {"example.com/looked-at": crate::person::unique()}}});
        let stacks = self.api::<EcommerceStack>();
        stacks.patch(self.name, &PatchParams::default(), &Patch::Merge(&patch)).await.expect("annotate the stack");
    }
}

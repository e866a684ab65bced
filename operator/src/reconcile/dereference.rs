//! Reads what is there: everything with the stack's label, and by name what may not be listed.

use std::collections::BTreeMap;
use std::fmt::Debug;

use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod, Secret, Service};
use kube::api::{Api, ListParams};
use kube::{Client, Resource, ResourceExt as _};
use serde::de::DeserializeOwned;

use super::Error;
use crate::crd::EcommerceStack;
use crate::credentials::{ADMIN_EMAIL, Credentials, wanted};
use crate::names::{Backend, Names, STACK_LABEL};

/// What is there of a stack.
#[derive(Debug, Clone, Default)]
pub struct Observed {
    /// The stores, by name.
    pub stateful_sets: BTreeMap<String, StatefulSet>,
    /// The services, by name.
    pub deployments: BTreeMap<String, Deployment>,
    /// What stands in front of both, by name.
    pub services: BTreeMap<String, Service>,
    /// Provisioning and migrations, by name.
    pub jobs: BTreeMap<String, Job>,
    /// All pods.
    pub pods: Vec<Pod>,
    /// The claims of the stores.
    pub claims: BTreeMap<Backend, PersistentVolumeClaim>,
    /// The sizes that the claims ask for.
    pub volumes: BTreeMap<Backend, String>,
    /// The secrets that were made.
    pub credentials: Credentials,
    /// The Secrets that the spec names and that are not there.
    pub missing_pull_secrets: Vec<String>,
}

impl Observed {
    /// The uid of PostgreSQL's claim.
    #[must_use]
    pub fn postgres_claim(&self) -> Option<&str> {
        self.claims.get(&Backend::Postgres).and_then(|claim| claim.metadata.uid.as_deref())
    }
}

/// Reads everything.
pub async fn read(stack: &EcommerceStack, names: &Names, client: &Client) -> Result<Observed, Error> {
    let (stateful_sets, deployments, services, jobs, pods) = futures::try_join!(
        list::<StatefulSet>(names, client, "StatefulSets"),
        list::<Deployment>(names, client, "Deployments"),
        list::<Service>(names, client, "Services"),
        list::<Job>(names, client, "Jobs"),
        list::<Pod>(names, client, "Pods"),
    )?;
    let mut observed = Observed {
        stateful_sets: by_name(stateful_sets),
        deployments: by_name(deployments),
        services: by_name(services),
        jobs: by_name(jobs),
        pods,
        ..Observed::default()
    };
    read_claims(names, client, &mut observed).await?;
    read_credentials(stack, names, client, &mut observed).await?;
    let secrets: Api<Secret> = Api::namespaced(client.clone(), &names.namespace);
    for name in stack.spec.pull_secrets() {
        let there = secrets.get_metadata_opt(name).await.map_err(Error::api(format!("read the Secret {name}")))?;
        if there.is_none() {
            observed.missing_pull_secrets.push(name.clone());
        }
    }
    Ok(observed)
}

async fn list<K>(names: &Names, client: &Client, kinds: &str) -> Result<Vec<K>, Error>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + DeserializeOwned + Debug,
{
    let api: Api<K> = Api::namespaced(client.clone(), &names.namespace);
    let of_stack = ListParams::default().labels(&format!("{STACK_LABEL}={}", names.stack));
    let found = api.list(&of_stack).await.map_err(Error::api(format!("list the stack's {kinds}")))?;
    Ok(found.items)
}

fn by_name<K: Resource<DynamicType = ()>>(objects: Vec<K>) -> BTreeMap<String, K> {
    objects.into_iter().map(|object| (object.name_any(), object)).collect()
}

async fn read_claims(names: &Names, client: &Client, observed: &mut Observed) -> Result<(), Error> {
    let claims: Api<PersistentVolumeClaim> = Api::namespaced(client.clone(), &names.namespace);
    for backend in Backend::ALL {
        let name = names.claim(backend);
        let found = claims.get_opt(&name).await.map_err(Error::api(format!("read the claim {name}")))?;
        // One that is going is not what the next pod gets.
        let Some(claim) = found.filter(|claim| claim.metadata.deletion_timestamp.is_none()) else { continue };
        let requests = claim.spec.as_ref().and_then(|spec| spec.resources.as_ref()?.requests.as_ref());
        if let Some(size) = requests.and_then(|requests| requests.get("storage")) {
            observed.volumes.insert(backend, size.0.clone());
        }
        observed.claims.insert(backend, claim);
    }
    Ok(())
}

async fn read_credentials(
    stack: &EcommerceStack,
    names: &Names,
    client: &Client,
    observed: &mut Observed,
) -> Result<(), Error> {
    let secrets: Api<Secret> = Api::namespaced(client.clone(), &names.namespace);
    let ours = wanted(names).into_iter().map(|wanted| wanted.name);
    let of_mail = stack.spec.mail.iter().map(|mail| mail.secret_ref.name.clone());
    for name in ours.chain(of_mail) {
        let action = Error::api(format!("read the Secret {name}"));
        let Some(secret) = secrets.get_opt(&name).await.map_err(action)? else { continue };
        for (key, value) in secret.data.unwrap_or_default() {
            observed.credentials.insert(&name, &key, String::from_utf8_lossy(&value.0).into_owned());
        }
    }
    // The address is the spec's to say and only kept beside the password.
    let email = stack.spec.admin.as_ref().and_then(|admin| admin.email.clone());
    observed.credentials.insert(&names.admin(), ADMIN_EMAIL, email.unwrap_or_else(|| names.default_admin_email()));
    Ok(())
}

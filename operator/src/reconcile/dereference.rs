//! Reads what is there: everything with the stack's label, and by name what may not be listed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use ecommerce_contract::edges::EDGES;
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::apps::v1::{ControllerRevision, Deployment, StatefulSet};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{ConfigMap, Event, PersistentVolumeClaim, Pod, Secret, Service};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::api::{Api, ApiResource, DynamicObject, ListParams};
use kube::{Client, Resource, ResourceExt as _};
use serde::de::DeserializeOwned;

use super::Error;
use super::apply::is_ours;
use super::jobs::{has_ended, pods_of_job};
use super::volume::Volume;
use crate::crd::EcommerceStack;
use crate::credentials::{ADMIN_EMAIL, Credentials, wanted};
use crate::kinds;
use crate::ledger::{ENTRY, Ledger, SeenServer};
use crate::names::{Backend, Names, STACK_LABEL};
use crate::objects::{CHECKSUM, CONNECTIONS, INITIALISE, Manifest, revision};
use crate::resolve::Embedded;

/// Kubernetes keeps one of each reason and text, with how often it was said: one object has more of them than anybody reads.
const MOST_WARNINGS: u32 = 100;

/// What is there of a stack.
#[derive(Debug, Clone, Default)]
pub struct Observed {
    /// The stores, by name.
    pub stateful_sets: BTreeMap<String, StatefulSet>,
    /// The services, by name.
    pub deployments: BTreeMap<String, Deployment>,
    /// What stands in front of both, by name.
    pub services: BTreeMap<String, Service>,
    /// What the services show and have shown, by name.
    pub revisions: BTreeMap<String, ControllerRevision>,
    /// Provisioning and migrations, by name.
    pub jobs: BTreeMap<String, Job>,
    /// All pods.
    pub pods: Vec<Pod>,
    /// What Kubernetes complained of lately, where a part does not run.
    pub warnings: Vec<Event>,
    /// The claims of the stores.
    pub claims: BTreeMap<Backend, PersistentVolumeClaim>,
    /// Those that are being deleted, and go when the pod does that is still there.
    pub going_claims: BTreeMap<Backend, PersistentVolumeClaim>,
    /// The stores whose claim is there and somebody else's.
    pub foreign_claims: BTreeSet<Backend>,
    /// How large the volumes of the claims are.
    pub volumes: BTreeMap<Backend, Volume>,
    /// The secrets that were made.
    pub credentials: Credentials,
    /// The Secrets that the spec names for others to read, and that are not there.
    pub missing_secrets: BTreeSet<String>,
    /// The text of the ledger.
    pub ledger: Option<String>,
    /// The Secrets that the ledger knows, whoever has put them there.
    pub known_secrets: BTreeSet<String>,
    /// Of what was read, by kind and name.
    pub metadata: BTreeMap<String, ObjectMeta>,
    /// What is there of the kinds that a spec may switch off: kind and name.
    pub optional: Vec<(ApiResource, String)>,
}

impl Observed {
    /// The pods of a service.
    pub fn pods_of(&self, service: ecommerce_contract::Service) -> impl Iterator<Item = &Pod> {
        let has = |pod: &&Pod, key: &str, value: &str| pod.labels().get(key).is_some_and(|label| label == value);
        self.pods.iter().filter(move |pod| {
            has(pod, "app.kubernetes.io/component", revision::COMPONENT)
                && has(pod, "app.kubernetes.io/name", service.as_str())
        })
    }

    /// The Jobs that have no pod yet, or never get one.
    pub fn jobs_without_a_pod(&self) -> impl Iterator<Item = &str> {
        let has_none =
            |(name, job): &(&String, &Job)| !has_ended(job) && pods_of_job(&self.pods, name).next().is_none();
        self.jobs.iter().filter(has_none).map(|(name, _)| name.as_str())
    }

    /// Whether this is what a person may have put back, without our label: a Secret that the ledger knows, or the ledger.
    #[must_use]
    pub fn is_known(&self, names: &Names, manifest: &Manifest) -> bool {
        match manifest.resource.kind.as_str() {
            "Secret" => self.known_secrets.contains(manifest.name()),
            "ConfigMap" => manifest.name() == names.ledger() && self.ledger.is_some(),
            _ => false,
        }
    }

    /// What a stack of this name has left that was deleted: Kubernetes is about to take it away, whoever says that it is theirs now.
    #[must_use]
    pub fn of_former_stacks(&self, stack: &EcommerceStack) -> Vec<String> {
        let is_former = |owner: &OwnerReference| {
            let of_name = owner.kind == EcommerceStack::kind(&()) && Some(&owner.name) == stack.metadata.name.as_ref();
            of_name && Some(&owner.uid) != stack.metadata.uid.as_ref()
        };
        let is_theirs = |metadata: &ObjectMeta| metadata.owner_references.iter().flatten().any(is_former);
        let named = self.metadata.iter().map(|(title, metadata)| (title.clone(), metadata));
        let jobs = self.jobs.iter().map(|(name, job)| (format!("Job {name}"), &job.metadata));
        let claims = self.claims.values().chain(self.going_claims.values());
        let claims = claims.map(|claim| (format!("claim {}", claim.name_any()), &claim.metadata));
        named.chain(jobs).chain(claims).filter(|(_, metadata)| is_theirs(metadata)).map(|(title, _)| title).collect()
    }

    /// The uid of a store's claim, which is its pod's also while it is being deleted.
    #[must_use]
    pub fn claim(&self, backend: Backend) -> Option<&str> {
        self.claims.get(&backend).or_else(|| self.going_claims.get(&backend))?.metadata.uid.as_deref()
    }

    /// A store that the operator runs: its volume is what makes it the server that it is, and of a database what is on it.
    #[must_use]
    pub fn store(&self, names: &Names, ledger: &Ledger, backend: Backend) -> Embedded {
        let known = ledger.postgres.as_ref().filter(|_| backend == Backend::Postgres).map(|server| server.id.as_str());
        let claim = self.claim(backend);
        let set = self.stateful_sets.get(&names.backend(backend));
        Embedded {
            server_id: claim.map(|claim| known.unwrap_or(claim).to_owned()),
            is_ready: set.is_some_and(is_ready),
            is_steady: set.is_some_and(is_steady),
        }
    }

    /// Whether a service is there that keeps something in a database.
    #[must_use]
    pub fn has_data_services(&self, names: &Names) -> bool {
        let mut services = ecommerce_contract::Service::WITH_DATABASE.into_iter();
        services.any(|service| self.deployments.contains_key(&names.service(service)))
    }

    /// The connections that PostgreSQL was last given; none where there is no server.
    #[must_use]
    pub fn connections(&self, names: &Names) -> u32 {
        let set = self.stateful_sets.get(&names.backend(Backend::Postgres));
        let said = set.and_then(|set| set.annotations().get(CONNECTIONS)?.parse().ok());
        said.unwrap_or_default()
    }

    /// The pod of a store.
    #[must_use]
    pub fn store_pod(&self, names: &Names, backend: Backend) -> Option<&Pod> {
        let name = names.store_pod(backend);
        self.pods.iter().find(|pod| pod.name_any() == name)
    }

    /// What the PostgreSQL that runs said of itself at its start.
    #[must_use]
    pub fn seen_postgres(&self, names: &Names) -> Option<SeenServer> {
        let pod = self.store_pod(names, Backend::Postgres)?;
        let containers = pod.status.as_ref()?.init_container_statuses.as_ref()?;
        let first = containers.iter().find(|container| container.name == INITIALISE)?;
        let ended = first.state.as_ref()?.terminated.as_ref().filter(|ended| ended.exit_code == 0)?;
        SeenServer::parse(ended.message.as_deref()?)
    }

    /// Whether a store's pod serves with this configuration.
    #[must_use]
    pub fn runs_with(&self, names: &Names, backend: Backend, configuration: &str) -> bool {
        self.stateful_sets.get(&names.backend(backend)).is_some_and(|set| {
            let template = set.spec.as_ref().and_then(|spec| spec.template.metadata.as_ref());
            let annotations = template.and_then(|metadata| metadata.annotations.as_ref());
            let runs = annotations.and_then(|annotations| annotations.get(CHECKSUM));
            runs.is_some_and(|runs| runs == configuration) && is_ready(set)
        })
    }
}

/// Whether the one pod that is there is of the newest template and serves.
pub(super) fn is_ready(set: &StatefulSet) -> bool {
    let Some(status) = &set.status else { return false };
    let seen = status.observed_generation >= set.metadata.generation;
    let updated = status.update_revision == status.current_revision || status.updated_replicas == Some(1);
    seen && updated && status.ready_replicas.unwrap_or_default() >= 1
}

fn is_steady(set: &StatefulSet) -> bool {
    let available = set.status.as_ref().and_then(|status| status.available_replicas);
    is_ready(set) && available.unwrap_or_default() >= 1
}

/// Reads everything.
pub async fn read(stack: &EcommerceStack, names: &Names, client: &Client) -> Result<Observed, Error> {
    let (stateful_sets, deployments, services, revisions, jobs, pods) = futures::try_join!(
        list::<StatefulSet>(names, client, "StatefulSets"),
        list::<Deployment>(names, client, "Deployments"),
        list::<Service>(names, client, "Services"),
        list::<ControllerRevision>(names, client, "ControllerRevisions"),
        list::<Job>(names, client, "Jobs"),
        list::<Pod>(names, client, "Pods"),
    )?;
    let mut observed = Observed { jobs: by_name(jobs), pods, ..Observed::default() };
    observed.stateful_sets = observed.named(stateful_sets);
    observed.deployments = observed.named(deployments);
    observed.services = observed.named(services);
    observed.revisions = observed.named(revisions.into_iter().filter(is_of_service).collect());
    read_optional(names, client, &mut observed).await?;
    read_warnings(names, client, &mut observed).await;
    read_ledger(names, client, &mut observed).await?;
    read_claims(names, client, &mut observed).await?;
    read_credentials(stack, names, client, &mut observed).await?;
    let secrets: Api<Secret> = Api::namespaced(client.clone(), &names.namespace);
    let of_tls = stack.spec.ingress().and_then(|ingress| ingress.tls_secret.as_ref());
    for name in stack.spec.pull_secrets().iter().chain(of_tls) {
        let there = secrets.get_metadata_opt(name).await.map_err(Error::api(format!("read the Secret {name}")))?;
        if there.is_none() {
            observed.missing_secrets.insert(name.clone());
        }
    }
    Ok(observed)
}

fn of_stack(names: &Names) -> ListParams {
    ListParams::default().labels(&format!("{STACK_LABEL}={}", names.stack))
}

async fn list<K>(names: &Names, client: &Client, kinds: &str) -> Result<Vec<K>, Error>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + DeserializeOwned + Debug,
{
    let api: Api<K> = Api::namespaced(client.clone(), &names.namespace);
    let found = api.list(&of_stack(names)).await.map_err(Error::api(format!("list the stack's {kinds}")))?;
    Ok(found.items)
}

async fn read_optional(names: &Names, client: &Client, observed: &mut Observed) -> Result<(), Error> {
    let of_stack = of_stack(names);
    let lists = kinds::optional().map(|kind| {
        let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), &names.namespace, &kind.resource);
        let action = Error::api(format!("list the stack's {}", kind.resource.plural));
        let of_stack = &of_stack;
        async move { Ok((kind, api.list_metadata(of_stack).await.map_err(action)?)) }
    });
    for (kind, found) in futures::future::try_join_all(lists).await? {
        for object in found.items {
            let name = object.name_any();
            observed.metadata.insert(format!("{} {name}", kind.resource.kind), object.metadata);
            observed.optional.push((kind.resource.clone(), name));
        }
    }
    Ok(())
}

/// Kubernetes keeps those of a `StatefulSet`, with the labels of its pods.
fn is_of_service(revision: &ControllerRevision) -> bool {
    revision.labels().get("app.kubernetes.io/component").is_some_and(|component| component == revision::COMPONENT)
}

fn by_name<K: Resource<DynamicType = ()>>(objects: Vec<K>) -> BTreeMap<String, K> {
    objects.into_iter().map(|object| (object.name_any(), object)).collect()
}

impl Observed {
    fn named<K: Resource<DynamicType = ()> + Clone>(&mut self, objects: Vec<K>) -> BTreeMap<String, K> {
        for object in &objects {
            self.saw(object);
        }
        by_name(objects)
    }

    fn saw<K: Resource<DynamicType = ()>>(&mut self, object: &K) {
        let title = format!("{} {}", K::kind(&()), object.name_any());
        self.metadata.insert(title, object.meta().clone());
    }
}

/// What a pod can not tell, for it is not there or has not begun.
async fn read_warnings(names: &Names, client: &Client, observed: &mut Observed) {
    // By identity: what was said of one that is gone is not said of its successor.
    let uid = |metadata: &ObjectMeta| metadata.uid.clone().unwrap_or_default();
    let sets =
        observed.stateful_sets.values().filter(|set| !is_ready(set)).map(|set| ("StatefulSet", uid(&set.metadata)));
    let is_pending = |pod: &&Pod| pod.status.as_ref().is_some_and(|status| status.phase.as_deref() == Some("Pending"));
    let pods = observed.pods.iter().filter(is_pending).map(|pod| ("Pod", uid(&pod.metadata)));
    let jobs = observed.jobs_without_a_pod().filter_map(|job| Some(("Job", uid(&observed.jobs.get(job)?.metadata))));
    let events: Api<Event> = Api::namespaced(client.clone(), &names.namespace);
    let asked = sets.chain(pods).chain(jobs).map(|(kind, uid)| {
        let of_one = format!("type=Warning,involvedObject.kind={kind},involvedObject.uid={uid}");
        let (events, warnings) = (&events, ListParams::default().fields(&of_one).limit(MOST_WARNINGS));
        async move { events.list(&warnings).await }
    });
    for answer in futures::future::join_all(asked).await {
        match answer {
            Ok(found) => observed.warnings.extend(found.items),
            // They explain; the shop does not hang on them.
            Err(error) => {
                tracing::warn!(stack.name = names.stack, %error, "unable to read what Kubernetes complains of");
            }
        }
    }
}

async fn read_ledger(names: &Names, client: &Client, observed: &mut Observed) -> Result<(), Error> {
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), &names.namespace);
    let name = names.ledger();
    let found = maps.get_opt(&name).await.map_err(Error::api(format!("read the ConfigMap {name}")))?;
    if let Some(map) = found {
        observed.saw(&map);
        observed.ledger = map.data.and_then(|mut data| data.remove(ENTRY));
    }
    Ok(())
}

async fn read_claims(names: &Names, client: &Client, observed: &mut Observed) -> Result<(), Error> {
    let claims: Api<PersistentVolumeClaim> = Api::namespaced(client.clone(), &names.namespace);
    let each = Backend::ALL.map(|backend| {
        let (claims, name) = (&claims, names.claim(backend));
        async move {
            let found = claims.get_opt(&name).await.map_err(Error::api(format!("read the claim {name}")))?;
            Ok((backend, found))
        }
    });
    for (backend, found) in futures::future::try_join_all(each).await? {
        let Some(claim) = found else { continue };
        if claim.metadata.deletion_timestamp.is_some() {
            // One that is going is not what the next pod gets.
            let pod = observed.store_pod(names, backend);
            if is_ours(&claim.metadata, names) && pod.is_some_and(|pod| pod.metadata.deletion_timestamp.is_none()) {
                observed.going_claims.insert(backend, claim);
            }
            continue;
        }
        if !is_ours(&claim.metadata, names) {
            observed.foreign_claims.insert(backend);
            continue;
        }
        if let Some(volume) = Volume::of(&claim) {
            observed.volumes.insert(backend, volume);
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
    let made_from_them =
        EDGES.iter().flat_map(|edge| [names.edge_keys(edge.caller), names.api_key_hashes(edge.callee)]);
    let made_from_them: BTreeSet<String> = made_from_them.collect();
    let ours = wanted(names, &stack.spec).into_iter().map(|wanted| wanted.name).chain(made_from_them);
    let of_mail = stack.spec.mail.iter().map(|mail| mail.secret_ref.name.clone());
    let external = Backend::ALL.into_iter().filter_map(|store| Some((store, stack.spec.external(store)?)));
    let addresses: BTreeSet<String> = external.clone().map(|(store, _)| names.addresses(store)).collect();
    let of_stores = external.flat_map(|(_, external)| [Some(&external.secret_ref), external.certificates_ref.as_ref()]);
    let of_stores = of_stores.flatten().map(|secret| secret.name.clone());
    let theirs: BTreeSet<String> = of_mail.chain(of_stores).collect();
    let each = ours.chain(addresses.clone()).chain(theirs).map(|name| {
        let secrets = &secrets;
        async move {
            let found = secrets.get_opt(&name).await.map_err(Error::api(format!("read the Secret {name}")))?;
            Ok((name, found))
        }
    });
    for (name, found) in futures::future::try_join_all(each).await? {
        let Some(secret) = found else { continue };
        observed.saw(&secret);
        // What somebody else has put there was never tried.
        if addresses.contains(&name) && !is_ours(&secret.metadata, names) {
            continue;
        }
        observed.credentials.saw(&name);
        for (key, value) in secret.data.unwrap_or_default() {
            observed.credentials.read(&name, &key, &value.0);
        }
    }
    // The address is the spec's to say and only kept beside the password.
    let email = stack.spec.admin.as_ref().and_then(|admin| admin.email.clone());
    observed.credentials.insert(&names.admin(), ADMIN_EMAIL, email.unwrap_or_else(|| names.default_admin_email()));
    Ok(())
}

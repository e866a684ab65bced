//! The whole shop: stores, databases, replicas of every service, and the wires between them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use ecommerce_contract::Service;
use ecommerce_testing::Link;
use ecommerce_testing::link::Listener;
use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::PodSpec;
use kube::ResourceExt as _;
use operator::names::Backend;
use operator::objects::Desired;
use serde_json::Value;

use crate::Failure;
use crate::balancer::Balancer;
use crate::pod::{Sources, Told};
use crate::service::{self, Places, Process};
use crate::stack::Stack;
use crate::store::{self, Store};

/// What the shop is made from.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Where the services and the operator are, compiled.
    #[arg(long, default_value = "target/release")]
    pub binaries: PathBuf,
    /// Where the shop keeps its files; what is there goes.
    #[arg(long, default_value = ".local/shop")]
    pub folder: PathBuf,
    /// How many processes of each service.
    #[arg(long, default_value_t = 1)]
    pub replicas: usize,
    /// Where the gateway listens; somewhere free, when absent.
    #[arg(long)]
    pub address: Option<SocketAddr>,
    /// The image of PostgreSQL, as docker names it.
    #[arg(long, env = "SHOP_POSTGRES_IMAGE")]
    pub postgres_image: String,
    /// The image of RabbitMQ.
    #[arg(long, env = "SHOP_RABBITMQ_IMAGE")]
    pub rabbitmq_image: String,
    /// The image of Redis.
    #[arg(long, env = "SHOP_REDIS_IMAGE")]
    pub redis_image: String,
}

impl Options {
    fn image(&self, backend: Backend) -> &str {
        match backend {
            Backend::Postgres => &self.postgres_image,
            Backend::Rabbitmq => &self.rabbitmq_image,
            Backend::Redis => &self.redis_image,
        }
    }
}

/// Who talks to whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Edge {
    /// A service to a store.
    Store(Service, Backend),
    /// A service to another.
    Service(Service, Service),
}

/// A shop that runs. Its processes end with it; its stores are to be [removed](Self::remove).
#[derive(Debug)]
pub struct Shop {
    /// Where the gateway is.
    pub address: SocketAddr,
    /// Its secrets.
    pub stack: Stack,
    /// Its stores.
    pub stores: BTreeMap<Backend, Store>,
    /// The replicas of each service.
    pub services: BTreeMap<Service, Vec<Process>>,
    /// The wires.
    pub edges: BTreeMap<Edge, Link>,
    balancers: BTreeMap<Service, Balancer>,
    launches: BTreeMap<Service, Launch>,
}

/// How a service is started.
#[derive(Debug)]
struct Launch {
    binary: PathBuf,
    built: SystemTime,
    told: Told,
    places: Places,
    folder: PathBuf,
}

/// Who hears what goes over an edge, connection by connection.
pub type HeardBy<'a> = &'a (dyn Fn(Edge) -> Box<dyn Fn() -> Listener + Send + Sync> + Sync);

impl Shop {
    /// Starts everything anew.
    pub async fn start(options: &Options, heard_by: HeardBy<'_>) -> Result<Self, Failure> {
        let stack = Stack::new();
        let _ = std::fs::remove_dir_all(&options.folder);
        std::fs::create_dir_all(&options.folder)?;
        let folder = options.folder.canonicalize()?;
        let stores = Box::pin(start_stores(options, &stack, &folder)).await?;
        let databases = provision(options, &stack, &stores, &folder).await?;
        migrate(options, &stack, &databases, &stores, &folder).await?;

        let mut balancers = BTreeMap::new();
        for service in Service::ALL {
            let fixed = options.address.filter(|_| service == Service::Gateway);
            let balancer = match fixed {
                Some(address) => Balancer::start_at(address).await?,
                None => Balancer::start().await?,
            };
            balancers.insert(service, balancer);
        }
        let mut shop = Self {
            address: balancers[&Service::Gateway].address,
            stack,
            stores,
            services: BTreeMap::new(),
            edges: BTreeMap::new(),
            balancers,
            launches: BTreeMap::new(),
        };
        let objects = shop.stack.objects(&databases, true);
        for service in Service::ALL {
            shop.start_service(options, service, &objects, &folder, heard_by).await?;
        }
        Ok(shop)
    }

    async fn start_service(
        &mut self,
        options: &Options,
        service: Service,
        objects: &Desired,
        folder: &std::path::Path,
        heard_by: HeardBy<'_>,
    ) -> Result<(), Failure> {
        let deployment: Deployment = find(objects, "Deployment", &self.stack.names.service(service))?;
        let pod = deployment.spec.and_then(|spec| spec.template.spec).ok_or("a Deployment without pods")?;
        let told = Sources::of(&self.stack, objects)?.tell(&pod, &pod.containers[0])?;
        let mut places = Places::new();
        for backend in Backend::ALL {
            let edge = Edge::Store(service, backend);
            let there = format!("{}:{}", self.stack.names.backend(backend), backend.port());
            places.push((there, self.wire(edge, self.stores[&backend].address, heard_by).await?));
        }
        for callee in Service::ALL {
            let edge = Edge::Service(service, callee);
            let there = format!("{}:8080", self.stack.names.service(callee));
            places.push((there, self.wire(edge, self.balancers[&callee].address, heard_by).await?));
        }
        let binary = options.binaries.join(service.as_str());
        let built = std::fs::metadata(&binary)?.modified()?;
        let launch = Launch { binary, built, told, places, folder: folder.to_owned() };
        self.launches.insert(service, launch);
        self.launch(service, options.replicas).await
    }

    async fn launch(&mut self, service: Service, count: usize) -> Result<(), Failure> {
        let Launch { binary, told, places, folder, .. } = &self.launches[&service];
        let mut replicas = Vec::new();
        for number in 0..count {
            let folder = folder.join(format!("{service}-{number}"));
            replicas.push(Process::start(binary, told, places, &folder).await?);
        }
        self.balancers[&service].set(replicas.iter().map(|replica| replica.http).collect());
        self.services.insert(service, replicas);
        Ok(())
    }

    /// Starts those services again whose programs have been compiled anew.
    pub async fn launch_changed(&mut self) -> Result<(), Failure> {
        for service in Service::ALL {
            let Some(launch) = self.launches.get_mut(&service) else { continue };
            let built = std::fs::metadata(&launch.binary)?.modified()?;
            if built == launch.built {
                continue;
            }
            launch.built = built;
            self.stop(service).await;
            self.start_again(service).await?;
        }
        Ok(())
    }

    async fn wire(&mut self, edge: Edge, to: SocketAddr, heard_by: HeardBy<'_>) -> Result<String, Failure> {
        let link = Link::heard(&format!("tcp://{to}"), heard_by(edge)).await;
        let here = format!("{}:{}", link.url.host_str().unwrap_or_default(), link.url.port().unwrap_or_default());
        self.edges.insert(edge, link);
        Ok(here)
    }

    /// Tells the balancers who is ready, once.
    pub async fn balance(&self) {
        for (service, replicas) in &self.services {
            let mut ready = Vec::new();
            for replica in replicas {
                if replica.is_ready().await {
                    ready.push(replica.http);
                }
            }
            self.balancers[service].set(ready);
        }
    }

    /// The address of a service's database, for its superuser.
    #[must_use]
    pub fn database_url(&self, service: Service) -> String {
        let address = self.stores[&Backend::Postgres].address;
        let database = self.stack.names.database(service);
        format!("postgres://postgres:{}@{address}/{database}", self.stack.superuser())
    }

    /// The broker's address, for a service.
    #[must_use]
    pub fn broker_url(&self, service: Service) -> String {
        let Stack { names, credentials, .. } = &self.stack;
        let password = credentials.get(&names.backend(Backend::Rabbitmq), service.as_str());
        let (user, address) = (names.user(service), self.stores[&Backend::Rabbitmq].address);
        format!("amqp://{user}:{password}@{address}/{}", names.vhost())
    }

    /// Ends the replicas of a service at once.
    pub async fn stop(&mut self, service: Service) {
        for replica in self.services.get_mut(&service).into_iter().flatten() {
            replica.kill().await;
        }
    }

    /// Starts as many as were [stopped](Self::stop).
    pub async fn start_again(&mut self, service: Service) -> Result<(), Failure> {
        let count = self.services.remove(&service).map_or(0, |replicas| replicas.len());
        self.launch(service, count).await
    }

    /// Takes the stores away.
    pub async fn remove(self) {
        for store in self.stores.values() {
            store.remove().await;
        }
    }
}

async fn start_stores(
    options: &Options,
    stack: &Stack,
    folder: &std::path::Path,
) -> Result<BTreeMap<Backend, Store>, Failure> {
    store::remove_all().await;
    let objects = stack.objects(&BTreeMap::new(), false);
    let sources = Sources::of(stack, &objects)?;
    let start = async |backend: Backend| {
        let set: StatefulSet = find(&objects, "StatefulSet", &stack.names.backend(backend))?;
        let pod = set.spec.and_then(|spec| spec.template.spec).ok_or("a StatefulSet without pods")?;
        Store::start(backend, options.image(backend), &pod, &sources, folder).await
    };
    let (postgres, rabbitmq, redis) =
        tokio::join!(start(Backend::Postgres), start(Backend::Rabbitmq), start(Backend::Redis));
    Ok([postgres?, rabbitmq?, redis?].map(|store| (store.backend, store)).into())
}

/// Makes the databases; answers the id in each.
async fn provision(
    options: &Options,
    stack: &Stack,
    stores: &BTreeMap<Backend, Store>,
    folder: &std::path::Path,
) -> Result<BTreeMap<Service, String>, Failure> {
    let objects = stack.objects(&BTreeMap::new(), false);
    let folder = folder.join("provision");
    let result = folder.join("result");
    let job = objects.jobs.first().ok_or("no Job makes the databases")?;
    run_job(&options.binaries.join("operator"), job, stack, &objects, stores, &folder, &result).await?;
    let ids: BTreeMap<String, Value> = serde_json::from_str(&std::fs::read_to_string(result)?)?;
    let id = |service: Service| Some((service, ids.get(service.as_str())?.as_str()?.to_owned()));
    Ok(Service::WITH_DATABASE.into_iter().filter_map(id).collect())
}

async fn migrate(
    options: &Options,
    stack: &Stack,
    databases: &BTreeMap<Service, String>,
    stores: &BTreeMap<Backend, Store>,
    folder: &std::path::Path,
) -> Result<(), Failure> {
    let objects = stack.objects(databases, false);
    for service in Service::WITH_DATABASE {
        let name = stack.names.migration_job(service, "");
        let job = objects.jobs.iter().find(|job| job.name_any().starts_with(&name));
        let job = job.ok_or_else(|| format!("no Job migrates {service}"))?;
        let folder = folder.join(format!("migrate-{service}"));
        let notice = folder.join("notice");
        run_job(&options.binaries.join(service.as_str()), job, stack, &objects, stores, &folder, &notice).await?;
    }
    Ok(())
}

async fn run_job(
    binary: &std::path::Path,
    job: &Job,
    stack: &Stack,
    objects: &Desired,
    stores: &BTreeMap<Backend, Store>,
    folder: &std::path::Path,
    last_words: &std::path::Path,
) -> Result<(), Failure> {
    let pod: &PodSpec = job.spec.as_ref().and_then(|spec| spec.template.spec.as_ref()).ok_or("a Job without pods")?;
    let mut told = Sources::of(stack, objects)?.tell(pod, &pod.containers[0])?;
    told.environment.insert("PROVISIONING_RESULT".to_owned(), last_words.display().to_string());
    let places: Places = stores
        .values()
        .map(|store| (stack.names.backend(store.backend), store.address.ip().to_string()))
        .chain([("/dev/termination-log".to_owned(), last_words.display().to_string())])
        .collect();
    let run = service::run(binary, &told, &places, folder);
    tokio::time::timeout(Duration::from_mins(2), run).await.map_err(|_| "a Job does not end")?
}

fn find<K: serde::de::DeserializeOwned>(objects: &Desired, kind: &str, name: &str) -> Result<K, Failure> {
    let found = objects.applied.iter().find(|manifest| manifest.resource.kind == kind && manifest.name() == name);
    let found = found.ok_or_else(|| format!("the operator makes no {kind} {name}"))?;
    Ok(serde_json::from_value(serde_json::to_value(&found.object)?)?)
}

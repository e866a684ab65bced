//! PostgreSQL: made by `initdb`, run by `postgres`, configured by our own files whatever image it is. The container that comes first
//! sets the superuser's password and says which server this is.

use std::collections::BTreeMap;

use ecommerce_contract::Service;
use k8s_openapi::api::core::v1::{
    ConfigMap, ConfigMapVolumeSource, Container, ContainerPort, EmptyDirVolumeSource, KeyToPath, Lifecycle,
    LifecycleHandler, SecretVolumeSource, Volume,
};

use super::backend::{self, DATA, Parts};
use super::container::{self, Figures, Times, mount};
use super::metadata::{labels, metadata};
use super::{Inputs, Manifest, sizes};
use crate::credentials::SUPERUSER;
use crate::ledger::POSTGRES_SERVER;
use crate::names::Backend;

const FIGURES: Figures = Figures { cpu: "50m", memory: "128Mi", memory_limit: "512Mi" };
const INITIALISE_SCRIPT: &str =
    concat!(include_str!("files/only-one.sh"), include_str!("files/initialise-postgres.sh"));
const START_SCRIPT: &str = concat!(include_str!("files/only-one.sh"), include_str!("files/start-postgres.sh"));
const CONFIGURATION: &str = include_str!("files/postgresql.conf");
const HOST_BASED_AUTHENTICATION: &str = include_str!("files/pg_hba.conf");
/// The container that comes before the server.
pub const INITIALISE: &str = "initialise";
/// Debian's packages and the official image keep the programs here; an image that does not has them in `PATH`.
const PROGRAMS: &str = r#"PATH="$(printf %s: /usr/lib/postgresql/*/bin)$PATH""#;

pub(super) fn objects(inputs: &Inputs<'_>) -> [Manifest; 2] {
    [configuration(inputs), backend::stateful_set(inputs, parts(inputs))]
}

fn parameters(inputs: &Inputs<'_>) -> String {
    let said = backend::embedded(inputs, Backend::Postgres).and_then(|store| store.resources.as_ref());
    let memory = container::memory(FIGURES, said);
    format!(
        "{CONFIGURATION}shared_buffers = {}kB\neffective_cache_size = {}kB\nmax_connections = {}\n",
        memory.shared_buffers_kb(),
        memory.effective_cache_size_kb(),
        connections(inputs),
    )
}

/// The annotation of PostgreSQL's `StatefulSet` with the connections that it takes.
pub const CONNECTIONS: &str = "ecommercestack.dev/max-connections";

/// Enough for all pods that are asked for now or have been since the server was made.
pub(super) fn connections(inputs: &Inputs<'_>) -> u32 {
    let asked = sizes::max_connections(Service::WITH_DATABASE.map(|service| inputs.spec.replicas(service)));
    asked.max(inputs.connections)
}

fn configuration(inputs: &Inputs<'_>) -> Manifest {
    let files = [
        ("initialise.sh", INITIALISE_SCRIPT),
        ("pg_hba.conf", HOST_BASED_AUTHENTICATION),
        ("postgresql.conf", &parameters(inputs)),
        ("start.sh", START_SCRIPT),
    ];
    let data: BTreeMap<_, _> = files.map(|(name, text)| (name.to_owned(), text.to_owned())).into();
    Manifest::new(&ConfigMap {
        metadata: metadata(
            inputs.names,
            inputs.names.backend_config(Backend::Postgres),
            labels(inputs.names, "postgres", backend::COMPONENT),
            Some(inputs.owned()),
        ),
        data: Some(data),
        ..ConfigMap::default()
    })
}

pub(super) fn parts(inputs: &Inputs<'_>) -> Parts {
    let image = inputs.resolved.store_image(Backend::Postgres).to_owned();
    let said = backend::embedded(inputs, Backend::Postgres).and_then(|store| store.resources.as_ref());
    let data = mount(DATA, "/data", false);
    let configuration = mount("configuration", "/etc/ecommerce/postgres", true);
    let temporary = mount("tmp", "/tmp", false);
    let initialise = Container {
        name: INITIALISE.to_owned(),
        image: Some(image.clone()),
        image_pull_policy: Some(container::pull_policy(inputs)),
        command: Some(["sh", "/etc/ecommerce/postgres/initialise.sh"].map(str::to_owned).to_vec()),
        resources: Some(container::resources(FIGURES, said)),
        security_context: Some(container::security_context()),
        termination_message_policy: Some("FallbackToLogsOnError".to_owned()),
        volume_mounts: Some(vec![
            data.clone(),
            configuration.clone(),
            mount("superuser", "/credentials", true),
            mount("ledger", "/ledger", true),
            temporary.clone(),
        ]),
        ..Container::default()
    };
    let is_ready = format!("{PROGRAMS} exec pg_isready --quiet --host=127.0.0.1 --username=postgres");
    // A plain SIGTERM waits until every pool has let go; this ends their sessions and loses nothing.
    let stop = format!("{PROGRAMS} exec pg_ctl stop --pgdata=/data/postgres --mode=fast --wait");
    let postgres = Container {
        name: "postgres".to_owned(),
        image: Some(image),
        image_pull_policy: Some(container::pull_policy(inputs)),
        command: Some(["sh", "/etc/ecommerce/postgres/start.sh"].map(str::to_owned).to_vec()),
        ports: Some(vec![ContainerPort {
            name: Some("postgres".to_owned()),
            container_port: Backend::Postgres.port().into(),
            ..ContainerPort::default()
        }]),
        // Replaying the log after a crash may take minutes and is not to be cut short.
        startup_probe: Some(container::shell_probe(&is_ready, Times { period: 1, timeout: 5, failures: 900 })),
        readiness_probe: Some(container::shell_probe(&is_ready, Times { period: 10, timeout: 5, failures: 3 })),
        liveness_probe: Some(container::shell_probe(&is_ready, Times { period: 30, timeout: 10, failures: 6 })),
        lifecycle: Some(Lifecycle {
            pre_stop: Some(LifecycleHandler {
                exec: Some(k8s_openapi::api::core::v1::ExecAction { command: Some(container::shell(&stop)) }),
                ..LifecycleHandler::default()
            }),
            ..Lifecycle::default()
        }),
        resources: Some(container::resources(FIGURES, said)),
        security_context: Some(container::security_context()),
        volume_mounts: Some(vec![
            data,
            configuration,
            mount("run", "/run/postgresql", false),
            mount("shm", "/dev/shm", false),
            temporary,
        ]),
        ..Container::default()
    };
    let superuser = SecretVolumeSource {
        secret_name: Some(inputs.names.backend(Backend::Postgres)),
        items: Some(vec![KeyToPath { key: SUPERUSER.to_owned(), path: SUPERUSER.to_owned(), mode: None }]),
        default_mode: Some(0o440),
        ..SecretVolumeSource::default()
    };
    let files = ConfigMapVolumeSource {
        name: inputs.names.backend_config(Backend::Postgres),
        ..ConfigMapVolumeSource::default()
    };
    let known = ConfigMapVolumeSource {
        name: inputs.names.ledger(),
        items: Some(vec![KeyToPath { key: POSTGRES_SERVER.to_owned(), path: POSTGRES_SERVER.to_owned(), mode: None }]),
        optional: Some(true),
        ..ConfigMapVolumeSource::default()
    };
    // Parallel queries meet there; a container has 64 MB of it, whatever its limit.
    let shared = EmptyDirVolumeSource { medium: Some("Memory".to_owned()), ..EmptyDirVolumeSource::default() };
    Parts {
        backend: Backend::Postgres,
        grace_seconds: 120,
        init_containers: vec![initialise],
        container: postgres,
        volumes: vec![
            Volume { name: "configuration".to_owned(), config_map: Some(files), ..Volume::default() },
            Volume { name: "superuser".to_owned(), secret: Some(superuser), ..Volume::default() },
            Volume { name: "ledger".to_owned(), config_map: Some(known), ..Volume::default() },
            Volume { name: "shm".to_owned(), empty_dir: Some(shared), ..Volume::default() },
            container::scratch("run"),
            container::scratch("tmp"),
        ],
        // Other passwords are set by provisioning, which logs in with this one, so a new one of theirs is no reason to restart.
        // Nor is a script that the next start reads.
        configuration: vec![
            parameters(inputs),
            HOST_BASED_AUTHENTICATION.to_owned(),
            inputs.credentials.get(&inputs.names.backend(Backend::Postgres), SUPERUSER).to_owned(),
        ],
    }
}

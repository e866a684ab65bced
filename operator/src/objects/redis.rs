//! Redis 8: one user a service, each with the keys that are its own. What does not depend on the stack, such as memory and
//! durability, stands in `files/redis.conf`.

use std::fmt::Write as _;

use ecommerce_contract::Service;
use k8s_openapi::api::core::v1::{Container, ContainerPort, SecretVolumeSource, Volume};

use super::backend::{self, DATA, Parts};
use super::container::{self, Figures, Times, mount};
use super::{Inputs, Manifest, secrets};
use crate::credentials::{WITH_REDIS, sha256};
use crate::names::Backend;

const FIGURES: Figures = Figures { cpu: "20m", memory: "32Mi", memory_limit: "256Mi" };
const CONFIGURATION: &str = include_str!("files/redis.conf");
const START: &str = concat!(include_str!("files/only-one.sh"), include_str!("files/start-redis.sh"));
const DIRECTORY: &str = "/etc/ecommerce/redis";

pub(super) fn objects(inputs: &Inputs<'_>) -> [Manifest; 2] {
    let files = [("redis.conf", configuration(inputs)), ("start.sh", START.to_owned())];
    [
        secrets::file_secret(inputs, inputs.names.backend_config(Backend::Redis), files),
        backend::stateful_set(inputs, parts(inputs)),
    ]
}

fn configuration(inputs: &Inputs<'_>) -> String {
    let said = backend::embedded(inputs, Backend::Redis).and_then(|store| store.resources.as_ref());
    let mut text = CONFIGURATION.to_owned();
    // Writing to a String does not fail.
    let _ = writeln!(text, "maxmemory {}", container::memory(FIGURES, said).maxmemory_bytes());
    let secret = inputs.names.backend(Backend::Redis);
    for service in WITH_REDIS {
        let user = inputs.names.user(service);
        let hash = sha256(inputs.credentials.get(&secret, service.as_str()));
        let may = may(service, &inputs.names.redis_prefix());
        // `info`, because a client asks for the server's version.
        let _ = writeln!(text, "user {user} on #{hash} resetchannels -@all +@connection {may} -@dangerous +info");
    }
    text
}

/// The keys of a service and what it does with them.
fn may(service: Service, prefix: &str) -> String {
    match service {
        Service::Auth => format!("~{prefix}session:* +@read +@write +@transaction"),
        Service::Gateway => format!("%R~{prefix}session:* +@read"),
        Service::Product => format!("~{prefix}cache:* +@read +@write +@transaction"),
        Service::Order | Service::Payment => String::new(),
    }
}

pub(super) fn parts(inputs: &Inputs<'_>) -> Parts {
    let said = backend::embedded(inputs, Backend::Redis).and_then(|store| store.resources.as_ref());
    // While it loads its file it answers, but not with this.
    let answers = r#"[ "$(redis-cli ping)" = PONG ]"#;
    let redis = Container {
        name: "redis".to_owned(),
        image: Some(inputs.resolved.store_image(Backend::Redis).to_owned()),
        image_pull_policy: Some(container::pull_policy(inputs)),
        command: Some(vec!["sh".to_owned(), format!("{DIRECTORY}/start.sh")]),
        ports: Some(vec![ContainerPort {
            name: Some("redis".to_owned()),
            container_port: Backend::Redis.port().into(),
            ..ContainerPort::default()
        }]),
        startup_probe: Some(container::shell_probe(answers, Times { period: 1, timeout: 5, failures: 600 })),
        readiness_probe: Some(container::shell_probe(answers, Times { period: 10, timeout: 5, failures: 3 })),
        liveness_probe: Some(container::shell_probe(answers, Times { period: 30, timeout: 10, failures: 6 })),
        resources: Some(container::resources(FIGURES, said)),
        security_context: Some(container::security_context()),
        volume_mounts: Some(vec![
            mount(DATA, "/data", false),
            mount("configuration", DIRECTORY, true),
            mount("tmp", "/tmp", false),
        ]),
        ..Container::default()
    };
    let files = SecretVolumeSource {
        secret_name: Some(inputs.names.backend_config(Backend::Redis)),
        default_mode: Some(0o440),
        ..SecretVolumeSource::default()
    };
    Parts {
        backend: Backend::Redis,
        grace_seconds: 30,
        init_containers: Vec::new(),
        container: redis,
        volumes: vec![
            Volume { name: "configuration".to_owned(), secret: Some(files), ..Volume::default() },
            container::scratch("tmp"),
        ],
        configuration: vec![configuration(inputs)],
    }
}

//! RabbitMQ 4: vhost, users, permissions and policies come from a definitions file, so the broker is as we say at each start.

use ecommerce_contract::Service;
use k8s_openapi::api::core::v1::{Container, ContainerPort, SecretVolumeSource, Volume};
use serde_json::Value;

use super::backend::{self, DATA, Parts};
use super::container::{self, Figures, Times, mount, value};
use super::{Inputs, Manifest, secrets};
use crate::names::Backend;

const FIGURES: Figures = Figures { cpu: "50m", memory: "192Mi", memory_limit: "512Mi" };
const CONFIGURATION: &str = include_str!("files/rabbitmq.conf");
const START: &str = concat!(include_str!("files/only-one.sh"), include_str!("files/start-rabbitmq.sh"));
const DIRECTORY: &str = "/etc/ecommerce/rabbitmq";

pub(super) fn objects(inputs: &Inputs<'_>) -> [Manifest; 2] {
    let files = [
        ("definitions.json", definitions(inputs).to_string()),
        ("enabled_plugins", "[].\n".to_owned()),
        ("rabbitmq.conf", configuration(inputs)),
        ("start.sh", START.to_owned()),
    ];
    [
        secrets::file_secret(inputs, inputs.names.backend_config(Backend::Rabbitmq), files),
        backend::stateful_set(inputs, parts(inputs)),
    ]
}

fn configuration(inputs: &Inputs<'_>) -> String {
    let said = backend::embedded(inputs, Backend::Rabbitmq).and_then(|store| store.resources.as_ref());
    let watermark = container::memory(FIGURES, said).high_watermark_bytes();
    format!("{CONFIGURATION}vm_memory_high_watermark.absolute = {watermark}\n")
}

fn definitions(inputs: &Inputs<'_>) -> Value {
    let secret = inputs.names.backend(Backend::Rabbitmq);
    let password = |service: Service| inputs.credentials.get(&secret, service.as_str());
    crate::definitions::definitions(inputs.names, password, None)
}

pub(super) fn parts(inputs: &Inputs<'_>) -> Parts {
    let said = backend::embedded(inputs, Backend::Rabbitmq).and_then(|store| store.resources.as_ref());
    let port = Backend::Rabbitmq.port();
    let broker = Container {
        name: "rabbitmq".to_owned(),
        image: Some(inputs.resolved.store_image(Backend::Rabbitmq).to_owned()),
        image_pull_policy: Some(container::pull_policy(inputs)),
        command: Some(vec!["sh".to_owned(), format!("{DIRECTORY}/start.sh")]),
        env: Some(vec![
            value("IMAGE", inputs.resolved.store_image(Backend::Rabbitmq)),
            // The data's path is made from the node's name, so the name never changes; alone, it speaks to itself only.
            value("RABBITMQ_NODENAME", "rabbit@localhost"),
            value("RABBITMQ_MNESIA_BASE", "/var/lib/rabbitmq/mnesia"),
            value("RABBITMQ_CONFIG_FILE", format!("{DIRECTORY}/rabbitmq.conf")),
            value("RABBITMQ_CONFIG_FILES", format!("{DIRECTORY}/none")),
            value("RABBITMQ_ENABLED_PLUGINS_FILE", format!("{DIRECTORY}/enabled_plugins")),
            value("RABBITMQ_LOGS", "-"),
            value("HOME", "/var/lib/rabbitmq"),
            value("ERL_EPMD_ADDRESS", "127.0.0.1"),
            // One scheduler that sleeps when it has nothing to do: an idle broker costs the node nothing.
            value(
                "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS",
                "+S 1:1 +sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {127,0,0,1}",
            ),
        ]),
        ports: Some(vec![ContainerPort {
            name: Some("amqp".to_owned()),
            container_port: port.into(),
            ..ContainerPort::default()
        }]),
        // The listener opens when the definitions are in; asking more would start a second Erlang each time.
        startup_probe: Some(container::tcp_probe(port, Times { period: 1, timeout: 1, failures: 600 })),
        readiness_probe: Some(container::tcp_probe(port, Times { period: 10, timeout: 3, failures: 3 })),
        liveness_probe: Some(container::tcp_probe(port, Times { period: 30, timeout: 10, failures: 6 })),
        resources: Some(container::resources(FIGURES, said)),
        security_context: Some(container::security_context()),
        volume_mounts: Some(vec![
            mount(DATA, "/var/lib/rabbitmq", false),
            mount("configuration", DIRECTORY, true),
            mount("etc", "/etc/rabbitmq", false),
            mount("log", "/var/log/rabbitmq", false),
            mount("tmp", "/tmp", false),
        ]),
        ..Container::default()
    };
    let files = SecretVolumeSource {
        secret_name: Some(inputs.names.backend_config(Backend::Rabbitmq)),
        default_mode: Some(0o440),
        ..SecretVolumeSource::default()
    };
    Parts {
        backend: Backend::Rabbitmq,
        grace_seconds: 60,
        init_containers: Vec::new(),
        container: broker,
        volumes: vec![
            Volume { name: "configuration".to_owned(), secret: Some(files), ..Volume::default() },
            container::scratch("etc"),
            container::scratch("log"),
            container::scratch("tmp"),
        ],
        configuration: vec![configuration(inputs), definitions(inputs).to_string()],
    }
}

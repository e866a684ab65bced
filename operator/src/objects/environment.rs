//! What each service is told, and by which variable: the one table of the operator's side. The other side is the `clap`
//! structs of `crates/process` and of each service.

use ecommerce_contract::Service;
use ecommerce_contract::edges::EDGES;
use k8s_openapi::api::core::v1::EnvVar;

use super::addresses::{self, Login};
use super::container::{self, from_secret, value, verbatim};
use super::secrets::HASHES_FILE;
use super::{Inputs, log};
use crate::crd::Mail;
use crate::credentials::{ADMIN_EMAIL, ADMIN_PASSWORD, REFRESH_KEYS, WITH_REDIS, migrate_login_key, service_login_key};
use crate::external::Access;
use crate::names::Backend;
use crate::resolve::Location;
use crate::smtp;

/// Where the hashes of callers' keys are mounted.
pub(super) const API_KEY_HASHES: &str = "/etc/ecommerce/api-keys";
/// Where the keys that a caller sends are mounted, each under the name of who is called.
pub(super) const EDGE_KEYS: &str = "/etc/ecommerce/edge-keys";
/// Where the keys of tokens are mounted.
pub(super) const SIGNING_KEYS: &str = "/etc/ecommerce/signing-keys";

/// The environment of a service that serves.
pub(super) fn of_service(inputs: &Inputs<'_>, service: Service) -> Vec<EnvVar> {
    let mut environment = Vec::new();
    if Service::WITH_DATABASE.contains(&service) {
        environment.extend(database(inputs, service, Login::Serves));
    }
    if Service::WITH_BROKER.contains(&service) {
        environment.extend(broker(inputs, service));
    }
    if WITH_REDIS.contains(&service) {
        environment.extend(redis(inputs, service));
    }
    environment.extend(edges(inputs, service));
    environment.extend(own(inputs, service));
    environment.push(value("LOG_FILTER_FILE", log::file()));
    environment
}

/// The environment of a service that migrates.
pub(super) fn of_migration(inputs: &Inputs<'_>, service: Service) -> Vec<EnvVar> {
    let mut environment = database(inputs, service, Login::Migrates);
    environment.push(value("DATABASE_OWNER", owner(inputs, service)));
    environment.push(value("MIGRATION_NOTICE_FILE", container::TERMINATION_MESSAGE));
    if service == Service::Auth {
        let admin = inputs.names.admin();
        environment.push(from_secret("ADMIN_EMAIL", &admin, ADMIN_EMAIL));
        environment.push(from_secret("ADMIN_PASSWORD", &admin, ADMIN_PASSWORD));
        environment.push(token_audience(inputs));
    }
    environment
}

/// Whom a migration acts as: where somebody else has made the login, as itself.
fn owner(inputs: &Inputs<'_>, service: Service) -> String {
    match inputs.resolved.store(Backend::Postgres).told().map(|told| &told.access) {
        Some(Access::Others { migrate, .. }) => {
            migrate.get(service.as_str()).map(|address| address.login.clone()).unwrap_or_default()
        }
        Some(Access::Shared { .. }) | None => inputs.names.owner_role(service),
    }
}

/// The password stands beside the address and never in it: there, half of its characters would mean something else.
fn database(inputs: &Inputs<'_>, service: Service, login: Login) -> Vec<EnvVar> {
    let (role, key) = match login {
        Login::Serves => (inputs.names.service_login(service), service_login_key(service)),
        Login::Migrates => (inputs.names.migrate_login(service), migrate_login_key(service)),
    };
    addresses::environment(inputs, Backend::Postgres, service, login, &key).unwrap_or_else(|| {
        let Location { host, port, secret, .. } = inputs.resolved.store(Backend::Postgres);
        let database = inputs.names.database(service);
        vec![
            from_secret("DATABASE_PASSWORD", secret, &key),
            value("DATABASE_URL", format!("postgres://{role}@{host}:{port}/{database}")),
        ]
    })
}

fn broker(inputs: &Inputs<'_>, service: Service) -> Vec<EnvVar> {
    addresses::environment(inputs, Backend::Rabbitmq, service, Login::Serves, service.as_str()).unwrap_or_else(|| {
        let Location { host, port, secret, .. } = inputs.resolved.store(Backend::Rabbitmq);
        let (user, vhost) = (inputs.names.user(service), inputs.names.vhost());
        vec![
            from_secret("AMQP_PASSWORD", secret, service.as_str()),
            value("AMQP_URL", format!("amqp://{user}@{host}:{port}/{vhost}")),
        ]
    })
}

fn redis(inputs: &Inputs<'_>, service: Service) -> Vec<EnvVar> {
    let theirs = addresses::environment(inputs, Backend::Redis, service, Login::Serves, service.as_str());
    let mut environment = theirs.unwrap_or_else(|| {
        let Location { host, port, secret, .. } = inputs.resolved.store(Backend::Redis);
        let user = inputs.names.user(service);
        vec![
            from_secret("REDIS_PASSWORD", secret, service.as_str()),
            value("REDIS_URL", format!("redis://{user}@{host}:{port}/0")),
        ]
    });
    environment.push(value("REDIS_PREFIX", inputs.names.redis_prefix()));
    environment
}

/// Where the callees are and the keys to them; and for a callee, what it compares its callers' keys with.
fn edges(inputs: &Inputs<'_>, service: Service) -> Vec<EnvVar> {
    let names = inputs.names;
    let mut environment = Vec::new();
    for edge in EDGES.iter().filter(|edge| edge.caller == service) {
        let callee = edge.callee.as_str().to_uppercase();
        environment.push(value(&format!("{callee}_URL"), names.service_url(edge.callee)));
    }
    if is_caller(service) {
        environment.push(value("EDGE_KEYS_DIRECTORY", EDGE_KEYS));
    }
    if is_callee(service) {
        environment.push(value("API_KEY_HASHES_FILE", format!("{API_KEY_HASHES}/{HASHES_FILE}")));
    }
    environment
}

/// Whether this service calls another one.
pub(super) fn is_caller(service: Service) -> bool {
    EDGES.iter().any(|edge| edge.caller == service)
}

/// Whether another service calls this one.
pub(super) fn is_callee(service: Service) -> bool {
    EDGES.iter().any(|edge| edge.callee == service)
}

fn mail(inputs: &Inputs<'_>, mail: &Mail) -> Vec<EnvVar> {
    let secret = &mail.secret_ref.name;
    let said = smtp::said(inputs.credentials, secret).map(|(key, variable)| from_secret(variable, secret, key));
    let written = [verbatim("MAIL_FROM", &mail.from), verbatim("PASSWORD_RESET_URL", &mail.reset_url)];
    said.chain(written).collect()
}

fn token_audience(inputs: &Inputs<'_>) -> EnvVar {
    value("TOKEN_AUDIENCE", inputs.names.qualified())
}

fn own(inputs: &Inputs<'_>, service: Service) -> Vec<EnvVar> {
    let names = inputs.names;
    let tokens = || {
        let stack = format!("https://{}.{}", names.stack, names.namespace);
        [value("TOKEN_ISSUER", stack), token_audience(inputs)]
    };
    match service {
        Service::Auth => {
            let mut environment = tokens().to_vec();
            environment.push(value("SIGNING_KEYS_DIRECTORY", SIGNING_KEYS));
            environment.push(value("REFRESH_KEYS_FILE", format!("{SIGNING_KEYS}/{REFRESH_KEYS}")));
            let registration = inputs.spec.auth.as_ref().and_then(|auth| auth.registration).unwrap_or_default();
            environment.push(value("REGISTRATION", registration.as_str()));
            environment.extend(inputs.spec.mail.iter().flat_map(|of_mail| mail(inputs, of_mail)));
            environment
        }
        Service::Gateway => {
            let mut environment = tokens().to_vec();
            let trusted_proxies = inputs.spec.gateway.as_ref().and_then(|gateway| gateway.trusted_proxies);
            environment.push(value("TRUSTED_PROXIES", trusted_proxies.unwrap_or(0).to_string()));
            // A payment may take 30 seconds, and Kubernetes waits no longer for the whole end.
            environment.push(value("DRAIN_TIMEOUT_SECONDS", "25"));
            environment
        }
        Service::Payment => vec![value("PAYMENT_PROVIDER", "simulator")],
        Service::Product | Service::Order => Vec::new(),
    }
}

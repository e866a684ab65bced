//! What the operator says to a service and what that service is: two crates that have to agree.

use std::collections::{BTreeMap, BTreeSet};

use clap::{Args, Command};
use ecommerce_contract::Service;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Container, EnvVar};
use operator::credentials::SALT;
use operator::names::Names;
use operator::objects::Desired;
use serde_json::{from_value, json, to_value};

use crate::fixtures::{Databases, built, built_with, credentials, spec};
use crate::rules::allowed;

/// What a Secret holds under a key, where it is not just any text.
fn in_a_secret(variable: &EnvVar) -> &'static str {
    let from = variable.value_from.as_ref().unwrap();
    match from.secret_key_ref.as_ref().unwrap().key.as_str() {
        "port" => "587",
        "tls" => "implicit",
        _ => "from-a-secret@example.com",
    }
}

/// The variables of a container. Kubernetes reads `$$` as `$`, and is given no `$(…)` to put a secret into.
fn variables(container: &Container) -> BTreeMap<String, String> {
    let value = |variable: &EnvVar| {
        let Some(written) = &variable.value else { return in_a_secret(variable).to_owned() };
        assert!(!written.replace("$$", "").contains("$("), "{} of {}: {written}", variable.name, container.name);
        written.replace("$$", "$")
    };
    container.env.iter().flatten().map(|variable| (variable.name.clone(), value(variable))).collect()
}

fn deployments(desired: &Desired) -> impl Iterator<Item = Deployment> {
    let deployments = desired.applied.iter().filter(|manifest| manifest.resource.kind == "Deployment");
    deployments.map(|manifest| from_value(to_value(&manifest.object).unwrap()).unwrap())
}

/// The command line of a service's `serve`.
fn settings(service: Service) -> Command {
    let command = ecommerce_process::Settings::augment_args(Command::new("serve"));
    match service {
        Service::Auth => auth::Config::augment_args(command),
        Service::Gateway => gateway::Config::augment_args(command),
        Service::Product => product::Config::augment_args(command),
        Service::Order => order::Config::augment_args(command),
        Service::Payment => payment::Config::augment_args(command),
    }
}

/// Fails where a variable is not a setting, where a required setting has none, and where one does not parse.
fn assert_understood(command: Command, container: &Container) {
    let who = &container.name;
    let variables = variables(container);
    let known: BTreeMap<String, String> = command
        .get_arguments()
        .filter_map(|argument| Some((argument.get_env()?.to_str()?.to_owned(), argument.get_long()?.to_owned())))
        .collect();
    for name in variables.keys() {
        assert!(known.contains_key(name), "{who} does not know {name}");
    }
    let arguments = variables.iter().filter_map(|(name, value)| Some(format!("--{}={value}", known.get(name)?)));
    let read = command.no_binary_name(true).try_get_matches_from(arguments);
    read.unwrap_or_else(|error| panic!("{who}: {error}"));
}

/// Answers which variables there were.
fn assert_services_understand(desired: &Desired) -> BTreeSet<String> {
    let (mut seen, mut told) = (BTreeSet::new(), BTreeSet::new());
    for deployment in deployments(desired) {
        let container = &deployment.spec.unwrap().template.spec.unwrap().containers[0];
        let service = Service::ALL.into_iter().find(|service| service.as_str() == container.name).unwrap();
        assert_understood(settings(service), container);
        seen.insert(service);
        told.extend(variables(container).into_keys());
    }
    assert_eq!(seen, Service::ALL.into());
    told
}

fn assert_migrations_understand(desired: &Desired) {
    assert_eq!(desired.jobs.len(), Service::WITH_DATABASE.len());
    for job in &desired.jobs {
        let command = ecommerce_process::MigrationSettings::augment_args(Command::new("migrate"));
        let is_auths = job.metadata.name.as_ref().unwrap().starts_with("shop-auth-");
        let command = if is_auths { auth::first_admin::Settings::augment_args(command) } else { command };
        assert_understood(command, &job.spec.as_ref().unwrap().template.spec.as_ref().unwrap().containers[0]);
    }
}

/// Whatever the rules of the resource let through.
#[test]
fn each_service_understands_what_it_is_told() {
    for (_, said) in allowed() {
        assert_services_understand(&built(&spec(said), Databases::Migrated));
    }
}

#[test]
fn each_migration_understands_what_it_is_told() {
    assert_migrations_understand(&built(&spec(json!({})), Databases::Provisioned));
}

#[test]
fn services_and_migrations_understand_what_they_are_told_of_stores_of_others() {
    let names = Names::new("default", "shop");
    let mut credentials = credentials(&names);
    credentials.insert(&names.salt(), SALT, "salt".to_owned());
    let mut said = json!({});
    for (store, uri) in [
        ("postgres", "postgres://login:password@db/postgres?sslmode=verify-full"),
        ("rabbitmq", "amqps://login:password@mq/"),
        ("redis", "rediss://login:password@cache/0"),
    ] {
        credentials.insert(store, "uri", uri.to_owned());
        credentials.insert(store, "ca.crt", include_str!("../../src/external/authority.pem").to_owned());
        said[store] = json!({"external": {"secretRef": {"name": store}}});
    }
    let told = assert_services_understand(&built_with(&spec(said.clone()), Databases::Migrated, &credentials));
    for of_authority in ["DATABASE_CA_FILE", "AMQP_CA_FILE", "REDIS_CA_FILE"] {
        assert!(told.contains(of_authority), "{told:?}");
    }
    assert_migrations_understand(&built_with(&spec(said), Databases::Provisioned, &credentials));
}

#[test]
fn the_connections_of_the_database_are_counted_with_the_pools_that_services_have() {
    let command = ecommerce_postgres::Settings::augment_args(Command::new("pool"));
    let argument = command.get_arguments().find(|argument| argument.get_id() == "database_max_connections").unwrap();
    let of_requests: u32 = argument.get_default_values()[0].to_str().unwrap().parse().unwrap();
    let of_pod = of_requests + ecommerce_postgres::BACKGROUND + ecommerce_postgres::RELAY;
    assert_eq!(of_pod, operator::objects::sizes::CONNECTIONS_OF_POD);
    let said = json!({"services": {"order": {"replicas": 10}}});
    let desired = built(&spec(said), Databases::Migrated);
    let configuration =
        desired.applied.iter().map(|manifest| to_value(&manifest.object).unwrap()["data"]["postgresql.conf"].clone());
    let configuration = configuration.filter_map(|file| Some(file.as_str()?.to_owned())).collect::<String>();
    assert!(configuration.contains("max_connections = 200\n"), "{configuration}");
}

//! A broker is believed whose certificate is of its name, of this time and of the authority that is named, and no other.

use std::path::PathBuf;
use std::time::Duration;

use ecommerce_contract::Service;
use ecommerce_courier::{Connections, Settings};
use ecommerce_runtime::ErrorChain;
use ecommerce_testing::{Authority, Broker, TlsDoor, by_tls, eventually};
use secrecy::ExposeSecret as _;
use url::Url;

use crate::replica::{Replica, answers, arrived};
use crate::{stock_reserved, stores, unsent};

const DRAIN: Duration = Duration::from_secs(12);
/// More than one record of TLS, either way.
const EVENTS: usize = 300;

fn at(url: &Url, ca_file: Option<PathBuf>) -> Settings {
    Settings { amqp_url: url.as_str().into(), amqp_password: None, amqp_ca_file: ca_file }
}

fn in_clear(broker: &Broker) -> String {
    broker.settings(Service::Order).amqp_url.expose_secret().to_owned()
}

/// What is said against the broker there.
async fn refusal(url: &Url, ca_file: Option<PathBuf>) -> String {
    let connections = Connections::to(&at(url, ca_file)).unwrap();
    ErrorChain(&connections.reach().await.unwrap_err()).to_string()
}

#[tokio::test]
async fn behind_tls_events_come_and_go() {
    let (broker, database) = stores().await;
    let authority = Authority::create();
    let door = TlsDoor::to(&in_clear(&broker), &authority.certificate("localhost")).await;
    let connections = Connections::to(&at(&door.url, Some(authority.file()))).unwrap();
    connections.clone().reach().await.unwrap();
    for _ in 0..EVENTS {
        broker.publish(&stock_reserved()).await;
    }
    let replica = Replica::start(&connections, &database.settings, DRAIN);
    eventually("every effect", || async { (answers(&database).await.len() == EVENTS).then_some(()) }).await;
    eventually("the outbox is empty", || async { (unsent(&database).await == 0).then_some(()) }).await;
    assert_eq!(arrived(&broker).await, answers(&database).await);
    replica.stop().await;
}

/// The library that reads the address would speak in clear where it has no TLS of its own.
#[tokio::test]
async fn nothing_is_said_in_clear_to_a_broker_that_is_to_be_met_by_tls() {
    let broker = Broker::create().await;
    let authority = Authority::create();
    let refused = refusal(&by_tls(&in_clear(&broker)), Some(authority.file())).await;
    assert!(refused.contains("the broker speaks no TLS at this port"), "{refused}");
}

#[tokio::test]
async fn a_broker_that_cannot_be_believed_is_refused_and_the_error_says_why() {
    let broker = Broker::create().await;
    let authority = Authority::create();
    let ours = || Some(authority.file());
    let url = in_clear(&broker);
    let stranger = TlsDoor::to(&url, &Authority::create().certificate("localhost")).await;
    let of_another_name = TlsDoor::to(&url, &authority.certificate("elsewhere.example")).await;
    let expired = TlsDoor::to(&url, &authority.expired_certificate("localhost")).await;
    let good = TlsDoor::to(&url, &authority.certificate("localhost")).await;
    for (url, ca_file, why) in [
        (&stranger.url, ours(), "UnknownIssuer"),
        (&of_another_name.url, ours(), "not valid for name \"localhost\""),
        (&expired.url, ours(), "certificate expired"),
        // Whom browsers know has not signed it.
        (&good.url, None, "UnknownIssuer"),
    ] {
        let refused = refusal(url, ca_file).await;
        assert!(refused.contains(why), "{why}: {refused}");
    }
    Connections::to(&at(&good.url, ours())).unwrap().reach().await.unwrap();
}

#[test]
fn an_authority_without_tls_stops_the_start() {
    let authority = Authority::create();
    let url = Url::parse("amqp://order@localhost:5672/shop").unwrap();
    let refused = Connections::to(&at(&url, Some(authority.file()))).unwrap_err();
    assert_eq!(refused.to_string(), "AMQP_CA_FILE is set, but AMQP_URL speaks no TLS: it needs amqps://");
}

#[test]
fn a_file_that_is_no_authority_stops_the_start_and_is_named() {
    let url = Url::parse("amqps://order@localhost:5671/shop").unwrap();
    let refused = Connections::to(&at(&url, Some("/nowhere/ca.crt".into()))).unwrap_err();
    let said = ErrorChain(&refused).to_string();
    assert!(said.starts_with("AMQP_CA_FILE names no authority: failed to read /nowhere/ca.crt: "), "{said}");
}

//! Which service calls, and for whom.

use ecommerce_contract::Service;
use ecommerce_http::api_key::KnownKeys;
use ecommerce_http::edge_key::EdgeKey;
use ecommerce_testing::{Client, Keys};
use ecommerce_types::{Clock, Role};

use crate::site::Site;

#[tokio::test]
async fn a_key_opens_its_own_routes_and_a_refusal_is_marked_as_a_fault_between_services() {
    let site = Site::open().await;
    let with = |service| Client::without_key(site.address).with("x-api-key", site.keys.of(service));
    assert_eq!(with(Service::Gateway).get("/hello").await.status, 200);
    assert_eq!(with(Service::Order).get("/internal").await.status, 200);
    for (client, path, status, code) in [
        (with(Service::Gateway), "/internal", 403, "api_key_refused"),
        (with(Service::Order), "/hello", 403, "api_key_refused"),
        (Client::without_key(site.address).with("x-api-key", "w".repeat(43)), "/hello", 403, "api_key_refused"),
        (Client::without_key(site.address), "/hello", 401, "api_key_missing"),
    ] {
        let answer = client.get(path).await;
        assert_eq!((answer.status, answer.code()), (status, code), "{path}");
        assert_eq!(answer.header("x-edge-refused"), Some("1"), "{path}");
    }
    assert_eq!(with(Service::Gateway).get("/nowhere").await.header("x-edge-refused"), None);
}

#[tokio::test]
async fn an_empty_key_and_a_short_one_open_nothing_even_where_their_hashes_are_known() {
    for key in ["", "short", &"x".repeat(31)] {
        let keys = Keys::create();
        keys.know(Service::Gateway, key);
        let site = Site::open_with(keys).await;
        let answer = Client::without_key(site.address).with("x-api-key", key).get("/hello").await;
        assert_eq!((answer.status, answer.code()), (403, "api_key_refused"), "{key:?}");
    }
}

#[test]
fn a_caller_does_not_start_with_a_key_that_is_none() {
    for key in ["", "short", &"ü".repeat(40), &format!("{}\n{}", "x".repeat(20), "x".repeat(20))] {
        let keys = Keys::create();
        keys.send(Service::Order, Service::Product, key);
        let error = EdgeKey::read(&keys.sent_by(Service::Order), Service::Product).unwrap_err().to_string();
        assert!(error.ends_with("holds no key of at least 32 visible ASCII characters"), "{error}");
        assert!(key.is_empty() || !error.contains(key), "{error}");
    }
}

#[test]
fn a_callee_does_not_start_without_the_hashes() {
    let mut settings = Keys::create().known();
    settings.api_key_hashes_file.set_extension("absent");
    assert!(KnownKeys::read(&settings, Clock::system()).is_err());
}

#[tokio::test]
async fn the_owner_of_the_data_asks_for_the_role_once_more() {
    let site = Site::open().await;
    let person = |role| Client::person(site.address, &site.keys, role);
    for (role, path, status) in [
        (Role::Customer, "/customer", 200),
        (Role::Staff, "/customer", 200),
        (Role::Customer, "/staff", 403),
        (Role::Staff, "/staff", 200),
        (Role::Admin, "/staff", 200),
    ] {
        assert_eq!(person(role).get(path).await.status, status, "{role:?} {path}");
    }
    let without_a_role = person(Role::Customer).with("x-user-roles", "");
    assert_eq!(without_a_role.get("/customer").await.code(), "login_required");
    let nobody = Client::anonymous(site.address, &site.keys);
    assert_eq!(nobody.get("/customer").await.code(), "login_required");
}

#[tokio::test]
async fn a_person_is_believed_beside_the_gateways_key_alone() {
    let site = Site::open().await;
    let person = Client::person(site.address, &site.keys, Role::Admin);
    let beside_another = person.with("x-api-key", site.keys.of(Service::Order));
    assert_eq!(beside_another.get("/staff").await.code(), "api_key_refused");
}

//! Stories of secrets: what is in use is never made anew, and what is edited reaches the servers before the pods.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use operator::credentials::{Kind, generate, sha256};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use crate::fixtures::stack;
use crate::story::{APPS, CORE, JOBS, LEDGER, STACK, Story};

#[tokio::test]
async fn secrets_once_made_are_never_made_anew() {
    let story = Story::of(&json!({}));
    story.reconcile().await.unwrap();
    let path = format!("{CORE}/secrets/shop-postgres");
    let before = story.api.get(&path).unwrap();
    // Another operator process, which remembers nothing, and a stack that was deleted and made again.
    story.change_settings(|_| {});
    story.api.put(STACK, serde_json::to_value(stack("default", &json!({}))).unwrap());
    story.reconcile().await.unwrap();
    assert_eq!(story.api.get(&path).unwrap()["data"], before["data"]);
}

#[tokio::test]
async fn a_secret_that_lacks_a_key_gets_that_key_alone() {
    let story = Story::of(&json!({}));
    let path = format!("{CORE}/secrets/shop-redis");
    let ours = json!({"name": "shop-redis", "labels": {"ecommercestack.dev/stack": "shop"}});
    story.api.put(&path, json!({"metadata": ours, "data": {"auth": "a2VwdA=="}}));
    story.reconcile().await.unwrap();
    let data = story.api.get(&path).unwrap()["data"].clone();
    assert_eq!(data["auth"], "a2VwdA==");
    assert!(data["gateway"].is_string() && data["product"].is_string());
}

/// Auth reads the keys of its tokens again by itself.
#[tokio::test]
async fn keys_of_tokens_that_a_person_changes_roll_nothing() {
    let story = Story::migrated().await;
    let (secret, auth) = (format!("{CORE}/secrets/shop-signing-key"), format!("{APPS}/deployments/shop-auth"));
    let before = story.api.get(&auth).unwrap();
    let mut random = StdRng::seed_from_u64(1);
    let mut key = |kind| generate(kind, &mut random);
    let refresh = format!("{}\n{}\n", key(Kind::RefreshKeys), key(Kind::RefreshKeys));
    let keys = [("next.pem", key(Kind::SigningKey)), ("present.pem", key(Kind::SigningKey)), ("refresh-keys", refresh)];
    let keys =
        json!(keys.map(|(name, text)| (name, BASE64_STANDARD.encode(text))).into_iter().collect::<BTreeMap<_, _>>());
    story.api.change(&secret, |secret| secret["data"] = keys.clone());
    story.reconcile().await.unwrap();
    assert_eq!(story.api.get(&secret).unwrap()["data"], keys);
    assert_eq!(story.api.get(&auth).unwrap(), before);
}

fn text(secret: &Value, key: &str) -> String {
    String::from_utf8(BASE64_STANDARD.decode(secret["data"][key].as_str().unwrap()).unwrap()).unwrap()
}

/// Which of the two keys product takes from order, and which one order sends.
fn key_of_order(story: &Story, keys: [&str; 2]) -> (Vec<&'static str>, String) {
    let hashes = text(&story.api.get(&format!("{CORE}/secrets/shop-product-api-key-hashes")).unwrap(), "hashes.json");
    let hashes: Value = serde_json::from_str(&hashes).unwrap();
    let of = |key: &str| {
        let hashes = hashes["order"].as_object().unwrap();
        hashes.iter().find(|(_, hash)| **hash == sha256(key)).map(|(generation, _)| generation.clone())
    };
    let taken = ["old", "new"].into_iter().zip(keys).filter(|(_, key)| of(key).is_some()).map(|(name, _)| name);
    (taken.collect(), text(&story.api.get(&format!("{CORE}/secrets/shop-order-edge-keys")).unwrap(), "product"))
}

/// Files of pods change when their kubelets come to it, each at a time of its own.
#[tokio::test]
async fn another_key_of_an_edge_is_told_to_its_callee_before_its_caller_sends_it() {
    let story = Story::migrated().await;
    story.serve();
    story.reconcile().await.unwrap();
    let templates = || {
        let paths = story.api.below(&format!("{APPS}/deployments/")).into_iter();
        paths
            .map(|name| story.api.get(&format!("{APPS}/deployments/{name}")).unwrap()["spec"].clone())
            .collect::<Vec<_>>()
    };
    let before = templates();
    let secret = format!("{CORE}/secrets/shop-order-api-keys");
    let old = text(&story.api.get(&secret).unwrap(), "product");
    let new = "n".repeat(43);
    let keys = || key_of_order(&story, [&old, &new]);
    assert_eq!(keys(), (vec!["old"], old.clone()));
    story.api.change(&secret, |secret| secret["data"]["product"] = BASE64_STANDARD.encode(&new).into());
    for _ in 0..2 {
        story.reconcile().await.unwrap();
        assert_eq!(keys(), (vec!["old", "new"], old.clone()));
    }
    story.clock.advance(time::Duration::minutes(3));
    story.reconcile().await.unwrap();
    assert_eq!(keys(), (vec!["old", "new"], new.clone()));
    story.clock.advance(time::Duration::minutes(3));
    story.reconcile().await.unwrap();
    assert_eq!(keys(), (vec!["new"], new.clone()));
    assert_eq!(templates(), before, "nothing rolls");
    story.writes();
    story.clock.advance(time::Duration::minutes(3));
    story.reconcile().await.unwrap();
    assert_eq!(story.writes(), [""; 0]);
}

#[tokio::test]
async fn pods_send_what_they_sent_where_their_callers_secret_is_gone() {
    let story = Story::migrated().await;
    let (secret, file) =
        (format!("{CORE}/secrets/shop-order-api-keys"), format!("{CORE}/secrets/shop-order-edge-keys"));
    let before = story.api.get(&file).unwrap();
    story.api.remove(&secret);
    story.api.remove(LEDGER);
    story.reconcile().await.unwrap();
    assert_eq!(story.condition("Degraded").1, "CredentialsLost");
    assert_eq!(story.api.get(&file).unwrap()["data"], before["data"]);
    let key = text(&before, "product");
    assert_eq!(key_of_order(&story, [&key, ""]), (vec!["old"], key.clone()));
}

#[tokio::test]
async fn a_secret_in_use_is_never_made_anew_and_what_knows_it_stays() {
    let story = Story::migrated().await;
    let (secret, order) = (format!("{CORE}/secrets/shop-postgres"), format!("{APPS}/deployments/shop-order"));
    let (before, pods) = (story.api.get(&secret).unwrap(), story.api.get(&order).unwrap());
    story.api.remove(&secret);
    for _ in 0..2 {
        story.reconcile().await.unwrap();
        assert_eq!(story.api.get(&secret), None);
        assert_eq!(story.api.get(&order).unwrap()["spec"], pods["spec"]);
    }
    let (degraded, reason, message) = story.condition("Degraded");
    assert_eq!((degraded.as_str(), reason.as_str()), ("True", "CredentialsLost"));
    assert!(message.contains("shop-postgres has lost auth-login, auth-migrate"), "{message}");

    // Put back as it was, by whatever tool, nothing rolls.
    story.api.put(&secret, json!({"metadata": {"name": "shop-postgres"}, "data": before["data"]}));
    story.reconcile().await.unwrap();
    assert_eq!(story.condition("Degraded").0, "False");
    assert_eq!(story.api.get(&order).unwrap()["spec"], pods["spec"]);
}

#[tokio::test]
async fn each_secret_that_is_taken_away_stays_away_and_is_named() {
    let story = Story::migrated().await;
    for name in ["postgres", "rabbitmq", "redis", "signing-key", "admin", "gateway-api-keys", "order-api-keys"] {
        let path = format!("{CORE}/secrets/shop-{name}");
        let before = story.api.get(&path).unwrap();
        story.api.remove(&path);
        for _ in 0..2 {
            story.reconcile().await.unwrap();
            assert_eq!(story.api.get(&path), None, "{name}");
        }
        let (_, reason, message) = story.condition("Degraded");
        assert_eq!(reason, "CredentialsLost");
        assert!(message.contains(&format!("the Secret shop-{name} has lost")), "{message}");
        story.api.put(&path, json!({"metadata": {"name": format!("shop-{name}")}, "data": before["data"]}));
        story.reconcile().await.unwrap();
        assert_eq!(story.condition("Degraded").0, "False", "{name}");
    }
}

/// Whatever a person puts into a Secret: it reaches neither a server nor a pod that could not work with it.
#[tokio::test]
async fn a_secret_that_nothing_could_work_with_is_named_and_what_knows_it_stays() {
    let story = Story::migrated().await;
    story.serve();
    story.reconcile().await.unwrap();
    let pods = || {
        let paths = story.api.below(&format!("{APPS}/")).into_iter().map(|name| format!("{APPS}/{name}"));
        paths.map(|path| (story.api.get(&path).unwrap()["spec"].clone(), path)).collect::<Vec<_>>()
    };
    let (before, jobs) = (pods(), story.api.below(JOBS));
    for (name, key, wrong, why) in [
        ("postgres", "order-login", &b"p\xe9"[..], "is not UTF-8 text"),
        ("postgres", "superuser", b"secret\n", "has a line break in it"),
        ("rabbitmq", "order", b"sec\0ret", "has a NUL in it"),
        ("redis", "auth", &[b'p'; 1025], "is longer than 1,024 bytes"),
        ("admin", "password", b"p\xe9", "is not UTF-8 text"),
        ("admin", "password", b"secret\n", "has a line break"),
        ("order-api-keys", "product", b"secret", "is no key"),
        ("signing-key", "present.pem", b"secret", "is no Ed25519 private key"),
        ("signing-key", "refresh-keys", b"secret", "has no keys"),
    ] {
        let path = format!("{CORE}/secrets/shop-{name}");
        let right = story.api.get(&path).unwrap()["data"][key].clone();
        story.api.change(&path, |secret| secret["data"][key] = BASE64_STANDARD.encode(wrong).into());
        for _ in 0..2 {
            story.reconcile().await.unwrap();
            assert!(pods() == before, "{name} {key}");
            assert!(story.api.below(JOBS).iter().all(|job| jobs.contains(job)), "{name} {key}");
        }
        let (degraded, reason, message) = story.condition("Degraded");
        assert_eq!((degraded.as_str(), reason.as_str()), ("True", "CredentialsInvalid"), "{message}");
        let said = format!("the Secret shop-{name} holds something under {key} that {why}");
        assert!(message.starts_with(&said), "{message}");
        story.api.change(&path, |secret| secret["data"][key] = right.clone());
        story.reconcile().await.unwrap();
        assert_eq!(story.condition("Degraded").0, "False", "{name} {key}");
        assert!(pods() == before, "{name} {key}");
    }
}

#[tokio::test]
async fn a_new_stack_begins_when_the_secret_that_was_made_for_it_is_one_to_work_with() {
    let story = Story::of(&json!({}));
    let path = format!("{CORE}/secrets/shop-postgres");
    let ours = json!({"name": "shop-postgres", "labels": {"ecommercestack.dev/stack": "shop"}});
    story.api.put(&path, json!({"metadata": ours, "data": {"superuser": BASE64_STANDARD.encode("secret\n")}}));
    story.reconcile().await.unwrap();
    assert_eq!(story.condition("Ready").1, "CredentialsInvalid");
    assert_eq!(story.api.below(&format!("{APPS}/statefulsets/")), ["shop-rabbitmq", "shop-redis"]);
    assert!(story.api.below(&format!("{APPS}/deployments/")).is_empty() && story.api.below(JOBS).is_empty());

    story.api.change(&path, |secret| secret["data"]["superuser"] = BASE64_STANDARD.encode("secret").into());
    story.reconcile().await.unwrap();
    assert_eq!(story.condition("Degraded").0, "False");
    assert_eq!(story.api.below(&format!("{APPS}/statefulsets/")).len(), 3);
}

#[tokio::test]
async fn with_whom_a_secret_goes_is_said_also_where_it_has_lost_a_key() {
    let story = Story::migrated().await;
    let secret = format!("{CORE}/secrets/shop-postgres");
    story.api.change(&secret, |secret| {
        secret["data"].as_object_mut().unwrap().remove("order-login");
    });
    story.api.change(STACK, |stack| stack["spec"]["deletionPolicy"] = "Delete".into());
    story.reconcile().await.unwrap();
    assert_eq!(story.condition("Degraded").1, "CredentialsLost");
    assert_eq!(story.api.get(&secret).unwrap()["metadata"]["ownerReferences"][0]["kind"], "EcommerceStack");
}

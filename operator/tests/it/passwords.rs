//! Stories of passwords that are changed: the server knows them before the pods do.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::story::{APPS, CORE, JOBS, STACK, Story};

#[tokio::test]
async fn other_passwords_reach_the_server_before_they_reach_the_pods() {
    let story = Story::migrated().await;
    let (secret, order) = (format!("{CORE}/secrets/shop-postgres"), format!("{APPS}/deployments/shop-order"));
    story.serve();
    story.reconcile().await.unwrap();
    let pods = story.api.get(&order).unwrap()["spec"]["template"].clone();
    let first = story.job("shop-provision-").unwrap();
    story.api.change(&secret, |secret| secret["data"]["order-login"] = "bmV3".into());
    story.reconcile().await.unwrap();
    let second = story.api.below(JOBS).into_iter().find(|name| name.starts_with("shop-provision-") && *name != first);
    assert_eq!(story.api.get(&order).unwrap()["spec"]["template"], pods);
    let ids = json!({"auth": "id-a", "product": "id-p", "order": "id-o", "payment": "id-y"});
    story.end_job(&second.unwrap(), "Complete", &ids.to_string());
    story.reconcile().await.unwrap();
    assert_ne!(story.api.get(&order).unwrap()["spec"]["template"], pods);
}

#[tokio::test]
async fn passwords_that_come_back_within_the_hour_are_set_in_the_server_again() {
    let story = Story::migrated().await;
    let secret = format!("{CORE}/secrets/shop-postgres");
    let first = story.job("shop-provision-").unwrap();
    let before = story.api.get(&secret).unwrap()["data"]["order-login"].clone();
    let ids = json!({"auth": "id-a", "product": "id-p", "order": "id-o", "payment": "id-y"});
    story.api.change(&secret, |secret| secret["data"]["order-login"] = "bmV3".into());
    story.reconcile().await.unwrap();
    let second = story.job("shop-provision-").unwrap();
    assert_ne!(first, second, "the one for other passwords is gone");
    story.end_job(&second, "Complete", &ids.to_string());
    story.reconcile().await.unwrap();
    story.api.change(&secret, |secret| secret["data"]["order-login"] = before.clone());
    story.reconcile().await.unwrap();
    story.reconcile().await.unwrap();
    assert!(story.api.get(&format!("{JOBS}{first}")).unwrap()["status"].is_null(), "it runs again");
}

/// A Job sets one login after the other, and one that fails may have set some.
#[tokio::test]
async fn passwords_that_come_back_after_a_provisioning_that_failed_half_way_are_set_again() {
    let story = Story::migrated().await;
    let secret = format!("{CORE}/secrets/shop-postgres");
    let first = story.job("shop-provision-").unwrap();
    let before = story.api.get(&secret).unwrap()["data"]["order-login"].clone();
    story.api.change(&secret, |secret| secret["data"]["order-login"] = "bmV3".into());
    story.reconcile().await.unwrap();
    assert_eq!(story.ledger().provisioned_from, None);
    story.end_job("shop-provision-", "Failed", "the server went away");
    story.reconcile().await.unwrap();
    story.api.change(&secret, |secret| secret["data"]["order-login"] = before.clone());
    story.reconcile().await.unwrap();
    story.reconcile().await.unwrap();
    assert!(story.api.get(&format!("{JOBS}{first}")).unwrap()["status"].is_null(), "it runs again");
}

#[tokio::test]
async fn a_password_reaches_the_pods_also_while_an_upgrade_waits() {
    let story = Story::migrated().await;
    story.serve();
    story.api.change(STACK, |stack| stack["spec"]["version"] = "2.0.0".into());
    story.reconcile().await.unwrap();
    story.end_job("shop-order-migrate-", "Failed", "no");
    let product = format!("{APPS}/deployments/shop-product");
    let template = |story: &Story| story.api.get(&product).unwrap()["spec"]["template"].clone();
    let before = template(&story);
    story.api.change(&format!("{CORE}/secrets/shop-redis"), |secret| secret["data"]["product"] = "bmV3".into());
    story.reconcile().await.unwrap();
    assert_eq!(template(&story), before, "redis does not know it yet");
    story.serve();
    story.reconcile().await.unwrap();
    let after = template(&story);
    let configuration =
        |template: &Value| template["metadata"]["annotations"]["ecommercestack.dev/configuration"].clone();
    assert_ne!(configuration(&after), configuration(&before));
    assert_eq!(after["spec"], before["spec"], "and nothing else");
}

/// The server takes over at each start what its Secret says.
#[tokio::test]
async fn the_password_of_the_superuser_alone_is_made_anew_and_the_server_started_with_it() {
    let story = Story::migrated().await;
    let (secret, set) = (format!("{CORE}/secrets/shop-postgres"), format!("{APPS}/statefulsets/shop-postgres"));
    let before = (story.api.get(&secret).unwrap(), story.api.get(&set).unwrap());
    story.api.change(&secret, |secret| drop(secret["data"].as_object_mut().unwrap().remove("superuser")));
    story.reconcile().await.unwrap();
    let after = (story.api.get(&secret).unwrap(), story.api.get(&set).unwrap());
    for login in ["order-login", "order-migrate"] {
        assert_eq!(after.0["data"][login], before.0["data"][login]);
    }
    assert!(after.0["data"]["superuser"].is_string() && after.0["data"]["superuser"] != before.0["data"]["superuser"]);
    let configuration = |set: &Value| set["spec"]["template"]["metadata"]["annotations"].clone();
    assert_ne!(configuration(&after.1), configuration(&before.1), "it starts again");
    assert_eq!(story.condition("Degraded").0, "False");
}

/// Auth gives the admin what stands in the Secret, where that is new.
#[tokio::test]
async fn another_password_of_the_admin_is_another_migration_of_auth_and_rolls_nothing() {
    let story = Story::migrated().await;
    let (secret, auth) = (format!("{CORE}/secrets/shop-admin"), format!("{APPS}/deployments/shop-auth"));
    let (first, pods) = (story.job("shop-auth-migrate-").unwrap(), story.api.get(&auth).unwrap());
    for name in story.api.below(JOBS) {
        story.api.remove(&format!("{JOBS}{name}"));
    }
    story
        .api
        .change(&secret, |secret| secret["data"]["password"] = BASE64_STANDARD.encode("another word for it").into());
    story.reconcile().await.unwrap();
    let jobs = story.api.below(JOBS);
    assert_eq!(jobs.len(), 1, "auth alone is told of it");
    assert!(jobs[0].starts_with("shop-auth-migrate-") && jobs[0] != first, "{jobs:?}");
    let job = story.api.get(&format!("{JOBS}{}", jobs[0])).unwrap().to_string();
    assert!(!job.contains("another word") && !story.ledger().text().contains("another word"));

    story.end_job("shop-auth-migrate-", "Failed", "ADMIN_PASSWORD: a password has 8 to 128 characters");
    story.reconcile().await.unwrap();
    assert_eq!(story.condition("Degraded").1, "MigrationFailed");
    assert_eq!(story.api.get(&auth).unwrap()["spec"], pods["spec"]);
    story.end_job("shop-auth-migrate-", "Complete", "");
    story.reconcile().await.unwrap();
    assert_eq!((story.condition("Degraded").0, story.condition("Migrated").0), ("False".into(), "True".into()));
    assert_eq!(story.api.get(&auth).unwrap()["spec"], pods["spec"]);
}

#[tokio::test]
async fn the_admins_password_of_before_is_another_migration_once_more() {
    let story = Story::migrated().await;
    let secret = format!("{CORE}/secrets/shop-admin");
    let first = story.job("shop-auth-migrate-").unwrap();
    let before = story.api.get(&secret).unwrap()["data"]["password"].clone();
    for password in [json!(BASE64_STANDARD.encode("another word for it")), before] {
        story.api.change(&secret, |secret| secret["data"]["password"] = password.clone());
        story.reconcile().await.unwrap();
        story.reconcile().await.unwrap();
        let job = story.job("shop-auth-migrate-").unwrap();
        assert!(story.api.get(&format!("{JOBS}{job}")).unwrap()["status"].is_null(), "it runs");
        if job != first {
            story.end_job(&job, "Complete", "");
            story.reconcile().await.unwrap();
        }
    }
    assert_eq!(story.job("shop-auth-migrate-").unwrap(), first);
}

//! Stories of databases: what Jobs provision and migrate, and what holds a service until then.

use serde_json::json;

use crate::story::{APPS, CORE, JOBS, LEDGER, STACK, Story};

#[tokio::test]
async fn services_follow_their_migration_one_by_one() {
    let story = Story::provisioned().await;
    assert_eq!(story.ledger().databases.len(), 4);
    assert!(story.job("shop-order-migrate-").is_some());

    story.end_job("shop-order-migrate-", "Complete", "");
    story.reconcile().await.unwrap();
    let deployments = story.api.below(&format!("{APPS}/deployments/"));
    assert_eq!(deployments, ["shop-gateway", "shop-order"]);
    let (migrated, reason, message) = story.condition("Migrated");
    assert_eq!((migrated.as_str(), reason.as_str()), ("False", "Migrating"));
    assert_eq!(message, "waiting for the migration of auth, product, payment");
}

#[tokio::test]
async fn a_migration_that_is_recorded_needs_its_job_no_more() {
    let story = Story::migrated().await;
    assert_eq!(story.condition("Migrated").0, "True");
    for name in story.api.below(JOBS) {
        story.api.remove(&format!("{JOBS}{name}"));
    }
    story.reconcile().await.unwrap();
    assert_eq!(story.condition("Migrated").0, "True");
    assert!(story.api.below(JOBS).is_empty());
}

#[tokio::test]
async fn a_failed_migration_leaves_the_old_pods_shows_its_log_and_is_tried_again() {
    let story = Story::migrated().await;
    let order = format!("{APPS}/deployments/shop-order");
    let before = story.api.get(&order).unwrap();
    for name in story.api.below(JOBS) {
        story.api.remove(&format!("{JOBS}{name}"));
    }

    story.api.change(STACK, |stack| stack["spec"]["version"] = "2.0.0".into());
    story.reconcile().await.unwrap();
    story.end_job(
        "shop-order-migrate-",
        "Failed",
        r#"{"level":"ERROR","message":"order ended","error":"relation orders is not as it was"}"#,
    );
    story.reconcile().await.unwrap();
    assert_eq!(story.api.get(&order).unwrap(), before);
    let (migrated, reason, message) = story.condition("Migrated");
    assert_eq!((migrated.as_str(), reason.as_str()), ("False", "MigrationFailed"));
    let job = story.job("shop-order-migrate-").unwrap();
    assert_eq!(
        message,
        format!(
            "the migration of order with ecommerce-stack/order:2.0.0 failed, and its pods go on with \
             ecommerce-stack/order:1.0.0; it is tried again at 2027-01-15T08:05:00Z. Mend what its log tells of (kubectl logs -n \
             default job/{job}), or name in the spec the version that runs, to stay with it. The end of its log: order ended: \
             relation orders is not as it was"
        )
    );
    assert_eq!(story.condition("Degraded").0, "True");

    // Its Job ended at 08:00; five minutes later it goes, and the next look makes it again.
    let failed = story.job("shop-order-migrate-").unwrap();
    story.clock.advance(time::Duration::minutes(6));
    story.reconcile().await.unwrap();
    assert!(story.job("shop-order-migrate-").is_none());
    story.reconcile().await.unwrap();
    assert_eq!(story.job("shop-order-migrate-").unwrap(), failed);
}

/// The address of the first admin may be a customer's, who is not made one: auth says so once it has migrated.
#[tokio::test]
async fn what_a_migration_leaves_to_do_is_shown_until_it_is_done_and_stops_nothing() {
    let story = Story::migrated().await;
    for name in story.api.below(JOBS) {
        story.api.remove(&format!("{JOBS}{name}"));
    }
    story.api.change(STACK, |stack| stack["spec"]["admin"] = json!({"email": "ada@example.com"}));
    story.reconcile().await.unwrap();
    assert_eq!(story.api.below(JOBS).len(), 1, "auth alone is told of it");
    story.end_job("shop-auth-migrate-", "Complete", "look at the Secret <stack>-admin");
    story.reconcile().await.unwrap();
    let notice = (
        "True".to_owned(),
        "MigrationNotice".to_owned(),
        "look at the Secret shop-admin (docs/runbook.md#migrationnotice)".to_owned(),
    );
    assert_eq!(story.condition("Degraded"), notice);
    assert_eq!(story.condition("Migrated").0, "True");
    // It speaks for nothing else that is amiss, and is heard where nothing is.
    assert_eq!(story.condition("Ready").1, "WaitingForBackends");
    for _ in 0..4 {
        story.serve();
        story.reconcile().await.unwrap();
    }
    let (holds, _, message) = story.condition("Ready");
    assert_eq!(holds, "True");
    assert!(
        message.ends_with("no real money moves; but look at the Secret shop-admin (docs/runbook.md#migrationnotice)"),
        "{message}"
    );
    assert!(story.events().contains(&"Warning MigrationNotice".to_owned()), "{:?}", story.events());

    // Its Job ended at 08:00; five minutes later it goes, and the next look makes it again. Until it has ended nothing changes.
    let first = story.job("shop-auth-migrate-").unwrap();
    story.clock.advance(time::Duration::minutes(6));
    for job in [None, Some(first.clone())] {
        story.reconcile().await.unwrap();
        assert_eq!(story.job("shop-auth-migrate-"), job);
        assert_eq!((story.condition("Degraded"), story.condition("Migrated").0), (notice.clone(), "True".to_owned()));
    }
    story.end_job("shop-auth-migrate-", "Complete", "");
    story.reconcile().await.unwrap();
    assert_eq!(story.condition("Degraded").1, "AsExpected");
    story.api.remove(&format!("{JOBS}{first}"));
    story.reconcile().await.unwrap();
    assert_eq!(story.job("shop-auth-migrate-"), None);
}

#[tokio::test]
async fn while_the_admins_secret_is_away_nothing_migrates_and_what_was_migrated_is() {
    let story = Story::migrated().await;
    let secret = format!("{CORE}/secrets/shop-admin");
    let before = story.api.get(&secret).unwrap();
    for name in story.api.below(JOBS) {
        story.api.remove(&format!("{JOBS}{name}"));
    }
    story.api.remove(&secret);
    for _ in 0..2 {
        story.reconcile().await.unwrap();
        assert_eq!(story.condition("Degraded").1, "CredentialsLost");
        assert_eq!(story.condition("Migrated").0, "True");
        assert!(story.api.below(JOBS).is_empty());
    }
    story.api.put(&secret, json!({"metadata": {"name": "shop-admin"}, "data": before["data"]}));
    story.reconcile().await.unwrap();
    assert!(story.api.below(JOBS).is_empty(), "it is as it was");
}

#[tokio::test]
async fn another_volume_is_provisioned_and_migrated_again() {
    let story = Story::migrated().await;
    let claim = format!("{CORE}/persistentvolumeclaims/data-shop-postgres-0");
    story.api.change(&claim, |claim| claim["metadata"]["uid"] = "claim-2".into());
    let old = story.job("shop-provision-").unwrap();
    story.reconcile().await.unwrap();
    let new = story.api.below(JOBS).into_iter().find(|name| name.starts_with("shop-provision-") && *name != old);
    let ids = json!({"auth": "id-2", "product": "id-2", "order": "id-2", "payment": "id-2"});
    story.end_job(&new.unwrap(), "Complete", &ids.to_string());
    story.reconcile().await.unwrap();
    let migrations = story.api.below(JOBS).into_iter().filter(|name| name.contains("-migrate-")).count();
    assert_eq!(migrations, 7, "those of before stay for their log, but auth's, which has set a password");
}

/// Its databases have the ids of before, and the tables of the day it was taken.
#[tokio::test]
async fn a_volume_from_a_snapshot_is_migrated_again() {
    let story = Story::migrated().await;
    let (provision, migrate) = (story.job("shop-provision-").unwrap(), story.job("shop-order-migrate-").unwrap());
    let claim = format!("{CORE}/persistentvolumeclaims/data-shop-postgres-0");
    story.api.change(&claim, |claim| claim["metadata"]["uid"] = "claim-2".into());
    story.reconcile().await.unwrap();
    let others = |beginning: &str, of_before: &str| {
        let all = story.api.below(JOBS).into_iter();
        all.filter(|name| name.starts_with(beginning) && name != of_before).collect::<Vec<_>>()
    };
    let ids = json!({"auth": "id-a", "product": "id-p", "order": "id-o", "payment": "id-y"});
    story.end_job(&others("shop-provision-", &provision)[0], "Complete", &ids.to_string());
    story.reconcile().await.unwrap();
    assert_eq!(story.condition("Migrated").1, "Migrating");
    assert_eq!(others("shop-order-migrate-", &migrate).len(), 1);
}

#[tokio::test]
async fn a_migration_that_runs_is_not_stopped_by_what_holds_the_rest() {
    let story = Story::provisioned().await;
    let running = story.api.below(JOBS);
    story.api.change(STACK, |stack| stack["spec"]["images"] = json!({"pullSecrets": ["registry"]}));
    story.reconcile().await.unwrap();
    assert_eq!(story.condition("Degraded").1, "PullSecretMissing");
    assert_eq!(story.api.below(JOBS), running);
}

#[tokio::test]
async fn a_failed_job_that_somebody_took_away_is_not_made_again_before_its_time() {
    let story = Story::provisioned().await;
    story.end_job("shop-order-migrate-", "Failed", "the end of its log");
    story.reconcile().await.unwrap();
    story.api.remove(&format!("{JOBS}{}", story.job("shop-order-migrate-").unwrap()));
    for _ in 0..3 {
        story.reconcile().await.unwrap();
        assert_eq!(story.job("shop-order-migrate-"), None);
        assert!(story.condition("Migrated").2.ends_with("the end of its log"));
    }
    story.clock.advance(time::Duration::minutes(6));
    story.reconcile().await.unwrap();
    assert!(story.job("shop-order-migrate-").is_some());
    assert_eq!(story.condition("Migrated").1, "MigrationFailed", "until it has ended it says nothing new");
}

#[tokio::test]
async fn a_job_whose_pod_never_started_is_made_again_when_the_spec_is_mended_and_one_that_runs_is_not() {
    let story = Story::provisioned().await;
    let (waits, runs) = (story.job("shop-order-migrate-").unwrap(), story.job("shop-auth-migrate-").unwrap());
    for (job, state) in [(&waits, json!({"waiting": {"reason": "ImagePullBackOff"}})), (&runs, json!({"running": {}}))]
    {
        let labels = json!({"batch.kubernetes.io/job-name": job, "ecommercestack.dev/stack": "shop"});
        let container = json!({
            "name": "migrate", "image": "x", "imageID": "", "ready": false, "restartCount": 0, "state": state,
        });
        let pod = json!({
            "metadata": {"name": format!("{job}-abcde"), "labels": labels},
            "status": {"phase": "Pending", "containerStatuses": [container]},
        });
        story.api.put(&format!("{CORE}/pods/{job}-abcde"), pod);
    }
    story.api.put(&format!("{CORE}/secrets/pull"), json!({"metadata": {"name": "pull"}}));
    story.api.change(STACK, |stack| stack["spec"]["images"] = json!({"pullSecrets": ["pull"]}));
    story.reconcile().await.unwrap();
    assert_eq!(story.job("shop-order-migrate-"), None);
    assert_eq!(story.job("shop-auth-migrate-"), Some(runs));
    story.reconcile().await.unwrap();
    let again = story.api.get(&format!("{JOBS}{waits}")).unwrap();
    assert_eq!(again["spec"]["template"]["spec"]["imagePullSecrets"][0]["name"], "pull");
    story.writes();
    story.reconcile().await.unwrap();
    assert_eq!(story.writes(), Vec::<String>::new());
}

#[tokio::test]
async fn a_server_that_says_it_is_another_is_provisioned_and_one_that_says_nothing_is_not() {
    let story = Story::migrated().await;
    let first = story.job("shop-provision-").unwrap();
    for words in ["", "7301 17", "7301 17", "initdb: error"] {
        story.say_of_postgres(words);
        story.reconcile().await.unwrap();
        assert_eq!(story.job("shop-provision-").as_ref(), Some(&first), "{words}");
    }
    let known = story.api.get(LEDGER).unwrap()["data"]["postgres-server"].clone();
    assert_eq!(known, "7301", "for the container that would make another one");
    story.say_of_postgres("7302 17");
    story.reconcile().await.unwrap();
    assert_ne!(story.job("shop-provision-"), Some(first));
}

/// Kubernetes says so of the Job some seconds later, and never where a mesh has put in a proxy that does not end.
#[tokio::test]
async fn a_job_has_done_its_work_as_soon_as_its_own_container_has() {
    let story = Story::provisioned().await;
    let job = story.job("shop-order-migrate-").unwrap();
    story.api.change(&format!("{JOBS}{job}"), |job| job["metadata"]["uid"] = "second".into());
    let end = async |owner: &str, exit_code: i32| {
        let container = |name: &str, state| json!({"name": name, "image": "x", "imageID": "x", "ready": false, "restartCount": 0, "state": state});
        let ended = json!({"terminated": {"exitCode": exit_code, "finishedAt": "2027-01-15T08:00:00Z"}});
        let pod = json!({
            "metadata": {
                "name": format!("{job}-abcde"),
                "labels": {"batch.kubernetes.io/job-name": job, "ecommercestack.dev/stack": "shop"},
                "ownerReferences": [{"apiVersion": "batch/v1", "kind": "Job", "name": job, "uid": owner}],
            },
            "status": {"phase": "Running", "containerStatuses": [
                container("istio-proxy", json!({"running": {}})), container("migrate", ended),
            ]},
        });
        story.api.put(&format!("{CORE}/pods/{job}-abcde"), pod);
        story.reconcile().await.unwrap();
        story.api.get(&format!("{APPS}/deployments/shop-order")).is_some()
    };
    assert!(!end("first", 0).await, "the pod of a Job of before, which had the name");
    assert!(!end("second", 1).await, "Kubernetes tries again");
    assert!(end("second", 0).await);
    assert!(story.api.get(&format!("{JOBS}{job}")).is_some(), "it is left to its end");
    story.api.remove(&format!("{JOBS}{job}"));
    story.reconcile().await.unwrap();
    assert_eq!(story.job("shop-order-migrate-"), None, "and known when it is gone");
}

/// A broker with less takes no messages from its start on: the stack would say that the shop is open, and no order would be paid.
#[tokio::test]
async fn a_broker_with_too_little_memory_to_take_a_message_is_named_and_stays_as_it_is() {
    let story = Story::migrated().await;
    let set = || story.api.get(&format!("{APPS}/statefulsets/shop-rabbitmq")).unwrap()["spec"].clone();
    let before = set();
    let limit = |limit: &str| json!({"embedded": {"resources": {"limits": {"memory": limit}}}});
    story.api.change(STACK, |stack| stack["spec"]["rabbitmq"] = limit("255Mi"));
    story.reconcile().await.unwrap();
    assert_eq!(set(), before);
    let (_, reason, message) = story.condition("Degraded");
    assert_eq!(reason, "LimitTooLow");
    assert!(message.contains("spec.rabbitmq.embedded.resources.limits.memory (255Mi) is less than 256Mi"), "{message}");
    story.api.change(STACK, |stack| stack["spec"]["rabbitmq"] = limit("256Mi"));
    story.reconcile().await.unwrap();
    assert_eq!(story.condition("Degraded").0, "False");
    assert_ne!(set(), before);
}

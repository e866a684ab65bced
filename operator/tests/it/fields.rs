//! Level-triggered, field by field: a spec that is changed and changed back leaves what was there before.

use std::collections::BTreeMap;

use ecommerce_testing::figure;
use kube::ResourceExt as _;
use kube::api::{Api, DynamicObject, ListParams, PostParams};
use operator::crd::EcommerceStack;
use operator::kinds::KINDS;
use operator::ledger::Ledger;
use serde_json::{Value, json};

use crate::rules::allowed;
use crate::walk::Walk;

/// A volume that has grown stays grown, and what was migrated has been.
const NOT_TAKEN_BACK: [&str; 4] = ["Pod", "Job", "PersistentVolumeClaim", "Secret shop-admin"];

/// Everything there is as somebody decided it, by kind and name.
async fn what_is_there(walk: &Walk) -> BTreeMap<String, Value> {
    let mut there = BTreeMap::new();
    for kind in KINDS.iter().filter(|kind| !NOT_TAKEN_BACK.contains(&kind.resource.kind.as_str())) {
        let api: Api<DynamicObject> = Api::namespaced_with(walk.client.clone(), &walk.namespace, &kind.resource);
        for object in api.list(&ListParams::default()).await.unwrap() {
            let title = format!("{} {}", kind.resource.kind, object.name_any());
            if object.name_any().starts_with("smtp") || NOT_TAKEN_BACK.contains(&title.as_str()) {
                continue;
            }
            let mut data = object.data;
            data.as_object_mut().unwrap().remove("status");
            if title == "ConfigMap shop-ledger" {
                let ledger = Ledger::parse(data["data"]["ledger.json"].as_str().unwrap()).unwrap();
                let shown: Vec<_> = ledger.revisions.values().map(|shown| shown.revision.clone()).collect();
                data = json!([ledger.pins, ledger.credentials, shown, ledger.failed_upgrade]);
            }
            let metadata = json!([object.metadata.labels, object.metadata.owner_references.is_some()]);
            there.insert(title, json!([metadata, data]));
        }
    }
    there
}

async fn say(walk: &Walk, spec: &Value) {
    let stacks = walk.api::<EcommerceStack>();
    let mut stack = walk.stack().await;
    stack.spec = serde_json::from_value(spec.clone()).unwrap();
    stacks.replace("shop", &PostParams::default(), &stack).await.unwrap();
    walk.settle().await;
}

#[tokio::test]
async fn each_field_that_is_set_and_taken_back_leaves_what_was_there_before() {
    let walk = Walk::begin(json!({})).await;
    walk.give_secret_of_mail().await;
    walk.to_ready().await;
    let before = what_is_there(&walk).await;
    let mut fields = 0;
    for (_, spec) in allowed() {
        let moves_a_volume = spec.to_string().contains("storage");
        if spec == json!({}) || moves_a_volume {
            continue;
        }
        Box::pin(say(&walk, &spec)).await;
        Box::pin(say(&walk, &json!({}))).await;
        let after = what_is_there(&walk).await;
        for title in before.keys().chain(after.keys()) {
            assert_eq!(after.get(title), before.get(title), "{title} after {spec}");
        }
        fields += 1;
    }
    figure("specs that were set and taken back without a trace", fields);
}

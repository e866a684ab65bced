//! What goes wrong at each write of a bring-up: the next look, by another process if need be, comes to the same end.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ecommerce_testing::{figure, scale};
use ecommerce_types::Clock;
use futures::{StreamExt as _, stream};
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt as _;
use kube::api::{Api, DynamicObject, ListParams};
use operator::kinds::KINDS;
use operator::reconcile::{self, Context};
use operator::settings::Settings;
use serde_json::json;

use crate::walk::{Walk, patient};
use crate::way::{Fault, Way};

/// Looks that any of them may take, with what goes wrong in one.
const LOOKS: usize = 24;
/// Seconds that a look may take that meets what does not answer; the machine may have other work.
const LIMIT: u64 = 10;
/// Stacks that come up at once.
const AT_ONCE: usize = 8;

type Secrets = BTreeMap<(String, String), Vec<u8>>;

/// A stack that comes up over this way, from process to process.
async fn bring_up(walk: &Walk, way: &Way) {
    let mut known = Secrets::new();
    let process = |limit| {
        let settings = Settings { reconcile_limit_seconds: limit, ..patient() };
        Context::new(way.client(), settings, Clock::system())
    };
    let mut context = process(LIMIT);
    let mut has_struck = false;
    for _ in 0..LOOKS {
        let is_cut_off = tokio::select! {
            _ = reconcile::run(&walk.namespace, "shop", &context) => false,
            () = way.stopped() => true,
        };
        if is_cut_off || has_struck != way.has_struck() {
            has_struck = way.has_struck();
            context = process(if has_struck { 60 } else { LIMIT });
        }
        assert_no_secret_is_made_anew(walk, &mut known).await;
        if walk.is_ready().await {
            return;
        }
        walk.play().await;
    }
    panic!("not ready after {LOOKS} looks: {:?}", walk.stack().await.status);
}

async fn assert_no_secret_is_made_anew(walk: &Walk, known: &mut Secrets) {
    for secret in walk.api::<Secret>().list(&ListParams::default()).await.unwrap() {
        let name = secret.name_any();
        let is_generated = !name.ends_with("-config") && !name.ends_with("-hashes");
        for (key, value) in secret.data.unwrap_or_default().into_iter().filter(|_| is_generated) {
            let before = known.insert((name.clone(), key.clone()), value.0.clone());
            assert!(before.is_none_or(|before| before == value.0), "{name} {key} was made anew");
        }
    }
}

/// Kind and name of everything there is that is not named for what differs between two stacks.
async fn what_is_there(walk: &Walk) -> BTreeSet<String> {
    let mut there = BTreeSet::new();
    for kind in KINDS.iter().filter(|kind| !["Job", "Pod", "ControllerRevision"].contains(&kind.resource.kind.as_str()))
    {
        let api: Api<DynamicObject> = Api::namespaced_with(walk.client.clone(), &walk.namespace, &kind.resource);
        let found = api.list_metadata(&ListParams::default()).await.unwrap();
        there.extend(found.iter().map(|object| format!("{} {}", kind.resource.kind, object.name_any())));
    }
    there
}

#[tokio::test]
async fn whatever_goes_wrong_at_a_write_the_next_look_comes_to_the_same_end() {
    let spec = json!({"services": {"order": {"replicas": 2}}, "gateway": {"ingress": {"host": "shop.example.com"}}});
    let walk = Walk::begin(spec.clone()).await;
    let way = Way::to(walk.client.clone(), &walk.namespace);
    Box::pin(bring_up(&walk, &way)).await;
    let (end, writes) = (what_is_there(&walk).await, way.writes().len());

    let cases = (0..writes).flat_map(|number| Fault::ALL.map(|fault| (number, fault)));
    // An odd step meets every fault and every write.
    let cases: Vec<_> = cases.step_by(scale(1, 11)).collect();
    let count = cases.len();
    let end = Arc::new(end);
    stream::iter(cases)
        .for_each_concurrent(AT_ONCE, |(number, fault)| {
            let (spec, end) = (spec.clone(), Arc::clone(&end));
            async move {
                let walk = Walk::begin(spec).await;
                let way = Way::with(walk.client.clone(), &walk.namespace, number, fault);
                Box::pin(bring_up(&walk, &way)).await;
                assert!(way.has_struck(), "{fault:?} at write {number} of {:?}", way.writes());
                assert_eq!(what_is_there(&walk).await, *end, "{fault:?} at write {number}");
            }
        })
        .await;
    figure("faults at the writes of a bring-up, each with the same end", format!("{count}, of {writes} writes"));
}

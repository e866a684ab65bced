//! Why a part does not run, in a sentence that says what to do. Pure.

use std::time::Duration;

use ecommerce_contract::Service;
use k8s_openapi::api::core::v1::{ContainerStateTerminated, ContainerStatus, Event, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::ResourceExt as _;

use super::dereference::Observed;
use crate::crd::condition::Reason;
use crate::names::{Backend, Names};

/// Reasons for which Kubernetes does not get an image.
const NO_IMAGE: [&str; 4] = ["ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName"];
/// Reasons for which a container has ended that never began.
const COULD_NOT_BEGIN: [&str; 2] = ["StartError", "ContainerCannotRun"];
/// How much of a log a sentence takes, in characters.
const LOG_END: usize = 300;

/// What a pod may take to start, to serve again, or to be gone after its grace.
const PATIENCE: Duration = Duration::from_mins(3);
/// Older words of Kubernetes are of another trouble.
const RECENT: Duration = Duration::from_mins(15);

/// Something with pods that needs a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// One word for the condition.
    pub reason: Reason,
    /// What is wrong and what to do.
    pub sentence: String,
}

/// The first trouble of a stack; nothing where all run or only start.
#[must_use]
pub fn trouble(observed: &Observed, names: &Names, now: &Time) -> Option<Trouble> {
    let refused = pods_refused(observed, names, now).map(|sentence| Trouble { reason: Reason::PodsRefused, sentence });
    let of_pods = of_pods(&observed.pods).or_else(|| observed.pods.iter().find_map(|pod| of_late(pod, observed, now)));
    refused.or_else(|| of_pods.map(|sentence| Trouble { reason: Reason::PodsInTrouble, sentence }))
}

/// The first trouble among these pods that they tell by themselves.
#[must_use]
pub fn of_pods<'a>(pods: impl IntoIterator<Item = &'a Pod>) -> Option<String> {
    pods.into_iter().filter(|pod| pod.metadata.deletion_timestamp.is_none()).find_map(of_pod)
}

/// A quota, or an admission rule: no pod is there that could tell.
fn pods_refused(observed: &Observed, names: &Names, now: &Time) -> Option<String> {
    let services = Service::ALL.into_iter().find_map(|service| {
        let name = names.service(service);
        let conditions = observed.deployments.get(&name)?.status.as_ref()?.conditions.as_ref()?;
        let refused = conditions.iter().find(|one| one.type_ == "ReplicaFailure" && one.status == "True")?;
        let field = format!("spec.services.{service}.resources");
        Some(refusal_of_pods(&name, refused.message.as_deref().unwrap_or_default(), &field))
    });
    let stores = || Backend::ALL.into_iter().find_map(|store| store_refused(observed, names, store, None, now));
    let jobs = || observed.jobs_without_a_pod().find_map(|job| job_refused(observed, job, now));
    services.or_else(stores).or_else(jobs)
}

/// What a Job asks for is no field of the spec.
fn job_refused(observed: &Observed, job: &str, now: &Time) -> Option<String> {
    let said = last_warning(observed, "Job", job, "FailedCreate", now)?.message.as_deref()?;
    Some(refusal_of_pods(job, said, "spec.services or in what else runs there"))
}

/// Why no pod of a store can be made, said since then.
#[must_use]
pub fn store_refused(
    observed: &Observed,
    names: &Names,
    store: Backend,
    since: Option<&Time>,
    now: &Time,
) -> Option<String> {
    let name = names.backend(store);
    let set = observed.stateful_sets.get(&name)?;
    let is_empty = set.status.as_ref().is_some_and(|status| status.replicas == 0);
    let warning = is_empty.then(|| last_warning(observed, "StatefulSet", &name, "FailedCreate", now))??;
    let is_of_now = since.is_none_or(|since| said_at(warning).is_some_and(|at| at.0 >= since.0));
    let said = warning.message.as_deref().filter(|_| is_of_now)?;
    Some(refusal_of_pods(&name, said, &format!("spec.{}.embedded.resources", store.as_str())))
}

/// Why none of a pod's containers works and none will: what is on its volume is as it was.
#[must_use]
pub fn never_starts(pod: &Pod, now: &Time) -> Option<String> {
    let status = pod.status.as_ref().filter(|_| pod.metadata.deletion_timestamp.is_none())?;
    let could_not = |ended: &ContainerStateTerminated| {
        ended.reason.as_deref().is_some_and(|reason| COULD_NOT_BEGIN.contains(&reason))
    };
    let has_run = status.container_statuses.iter().flatten().any(|container| {
        let now_and_before = [container.state.as_ref(), container.last_state.as_ref()];
        now_and_before
            .into_iter()
            .flatten()
            .any(|state| state.running.is_some() || state.terminated.as_ref().is_some_and(|ended| !could_not(ended)))
    });
    let is_pulled = containers_of(pod).any(|container| {
        let waiting = container.state.as_ref().and_then(|state| state.waiting.as_ref());
        // Once is a registry that was busy.
        waiting.is_some_and(|waiting| waiting.reason.as_deref() == Some("ErrImagePull"))
    });
    // Room may come: a cluster that grows takes some minutes.
    let waits_for_room = status.conditions.iter().flatten().any(|condition| {
        let is_late = condition.last_transition_time.as_ref().is_some_and(|since| now.0 > since.0 + PATIENCE);
        condition.type_ == "PodScheduled" && condition.status == "False" && !is_late
    });
    (!has_run && !is_pulled && !waits_for_room).then(|| of_pod(pod)).flatten()
}

fn refusal_of_pods(name: &str, said: &str, field: &str) -> String {
    let mend = if said.contains("quota") || said.contains("LimitRange") || said.contains("maximum") {
        format!("raise what the namespace allows, or ask for less in {field}")
    } else {
        "change the rule that refuses it, or let this namespace be an exception".to_owned()
    };
    format!("no pod of {name} can be made: {said}; {mend}")
}

/// A pod that takes longer than any would: its times stand there and not how long it is by now, for a sentence that changes by
/// itself is news each time.
fn of_late(pod: &Pod, observed: &Observed, now: &Time) -> Option<String> {
    let name = pod.name_any();
    let is_late = |since: &Time| now.0 > since.0 + PATIENCE;
    if let Some(due) = pod.metadata.deletion_timestamp.as_ref() {
        let node = pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref()).unwrap_or("none");
        return is_late(due).then(|| {
            format!(
                "pod {name} was to be gone at {}: its node {node} may be lost. Look at kubectl get nodes; once the node is surely off, kubectl delete pod {name} --force",
                due.0
            )
        });
    }
    let status = pod.status.as_ref()?;
    match status.phase.as_deref()? {
        "Pending" => {
            let since = status.start_time.as_ref().or(pod.metadata.creation_timestamp.as_ref())?;
            let said = last_warning(observed, "Pod", &name, "", now).and_then(|warning| warning.message.as_deref());
            let words = said.map_or_else(|| format!("see kubectl describe pod {name}"), ToOwned::to_owned);
            is_late(since).then(|| format!("pod {name} has not started since {}: {words}", since.0))
        }
        "Running" => {
            let unready =
                status.conditions.iter().flatten().find(|one| one.type_ == "Ready" && one.status == "False")?;
            let since = unready.last_transition_time.as_ref()?;
            let log = format!("see kubectl describe pod {name} and its log");
            is_late(since).then(|| format!("pod {name} runs and does not serve since {}: {log}", since.0))
        }
        _ => None,
    }
}

/// What Kubernetes last said of an object; an empty reason is any.
fn last_warning<'a>(observed: &'a Observed, kind: &str, name: &str, reason: &str, now: &Time) -> Option<&'a Event> {
    let is_of = |event: &&Event| {
        let object = &event.involved_object;
        let is_this = object.kind.as_deref() == Some(kind) && object.name.as_deref() == Some(name);
        is_this && (reason.is_empty() || event.reason.as_deref() == Some(reason))
    };
    let recent = |event: &&Event| said_at(event).is_none_or(|at| now.0 < at.0 + RECENT);
    observed.warnings.iter().filter(is_of).filter(recent).max_by_key(|event| said_at(event))
}

fn said_at(event: &Event) -> Option<&Time> {
    event.last_timestamp.as_ref().or(event.metadata.creation_timestamp.as_ref())
}

fn of_pod(pod: &Pod) -> Option<String> {
    let status = pod.status.as_ref()?;
    // Pods of Jobs that have ended tell their story in the conditions of migrations.
    if matches!(status.phase.as_deref(), Some("Succeeded" | "Failed")) {
        return None;
    }
    let unschedulable = status.conditions.iter().flatten().find_map(|condition| {
        let waits = condition.type_ == "PodScheduled" && condition.status == "False";
        waits.then(|| {
            let why = condition.message.as_deref().unwrap_or("no node takes it");
            format!("pod {} has no node ({why}): make room in the cluster or ask for less", pod.name_any())
        })
    });
    unschedulable.or_else(|| containers_of(pod).find_map(|container| of_container(pod, container)))
}

/// Those that come first, then the others.
fn containers_of(pod: &Pod) -> impl Iterator<Item = &ContainerStatus> {
    let status = pod.status.iter();
    status.flat_map(|status| {
        status.init_container_statuses.iter().flatten().chain(status.container_statuses.iter().flatten())
    })
}

fn of_container(pod: &Pod, container: &ContainerStatus) -> Option<String> {
    let state = container.state.as_ref()?;
    // In the moment after its end it does not wait for its next start yet.
    if let Some(ended) = state.terminated.as_ref().filter(|ended| ended.exit_code != 0 && container.restart_count > 0) {
        return Some(ends_again_and_again(pod, container, Some(ended)));
    }
    let waiting = state.waiting.as_ref()?;
    let reason = waiting.reason.as_deref()?;
    let name = pod.name_any();
    if NO_IMAGE.contains(&reason) {
        return Some(format!(
            "pod {name} can not get its image {}: load or push it, or name another in the spec",
            container.image
        ));
    }
    match reason {
        "CrashLoopBackOff" => {
            let last = container.last_state.as_ref().and_then(|state| state.terminated.as_ref());
            Some(ends_again_and_again(pod, container, last))
        }
        "CreateContainerConfigError" | "CreateContainerError" | "RunContainerError" => {
            let why = waiting.message.as_deref().unwrap_or(reason);
            Some(format!("pod {name} can not start its container {}: {why}", container.name))
        }
        _ => None,
    }
}

fn ends_again_and_again(pod: &Pod, container: &ContainerStatus, last: Option<&ContainerStateTerminated>) -> String {
    let name = pod.name_any();
    let words = last.and_then(|ended| ended.message.as_deref()).map(str::trim).unwrap_or_default();
    let skipped = words.chars().count().saturating_sub(LOG_END);
    let words: String = words.chars().skip(skipped).collect();
    let code = last.map_or(0, |ended| ended.exit_code);
    let log = if words.is_empty() {
        format!("see kubectl logs -n {} {name} -c {} --previous", pod.namespace().unwrap_or_default(), container.name)
    } else {
        words
    };
    format!("pod {name} ends again and again with exit code {code}: {log}")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn pod(phase: &str, container: &Value) -> Pod {
        let container = json!({
            "name": "order", "image": "ecommerce-stack/order:9", "imageID": "", "ready": false, "restartCount": 3,
            "state": container["state"], "lastState": container["lastState"],
        });
        let status = json!({"phase": phase, "containerStatuses": [container]});
        serde_json::from_value(json!({"metadata": {"name": "shop-order-1", "namespace": "default"}, "status": status}))
            .unwrap()
    }

    #[test]
    fn an_image_that_is_nowhere_is_named() {
        let pod = pod("Pending", &json!({"state": {"waiting": {"reason": "ImagePullBackOff"}}}));
        assert_eq!(
            of_pods(&[pod]).unwrap(),
            "pod shop-order-1 can not get its image ecommerce-stack/order:9: load or push it, or name another in the spec"
        );
    }

    #[test]
    fn a_pod_that_ends_again_and_again_shows_where_its_log_is() {
        let crash = json!({
            "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": {"terminated": {"exitCode": 2}},
        });
        let sentence = of_pods(&[pod("Running", &crash)]).unwrap();
        assert!(sentence.contains("exit code 2"), "{sentence}");
        assert!(sentence.ends_with("see kubectl logs -n default shop-order-1 -c order --previous"), "{sentence}");
    }

    #[test]
    fn a_pod_that_has_just_ended_again_says_its_last_words() {
        let ended = json!({"state": {"terminated": {"exitCode": 1, "message": "The volume is empty."}}});
        let sentence = of_pods(&[pod("Pending", &ended)]).unwrap();
        assert_eq!(sentence, "pod shop-order-1 ends again and again with exit code 1: The volume is empty.");
    }

    #[test]
    fn a_pod_that_only_starts_is_no_trouble() {
        let starting = pod("Pending", &json!({"state": {"waiting": {"reason": "ContainerCreating"}}}));
        let failed = pod("Failed", &json!({"state": {"terminated": {"exitCode": 1}}}));
        assert_eq!(of_pods(&[starting, failed]), None);
    }

    const NOW: &str = "2027-01-15T08:00:00Z";

    fn of<K: serde::de::DeserializeOwned>(object: Value) -> K {
        serde_json::from_value(object).unwrap()
    }

    fn trouble_of(observed: &Observed) -> Option<Trouble> {
        trouble(observed, &Names::new("default", "shop"), &of(json!(NOW)))
    }

    fn warning(kind: &str, name: &str, reason: &str, at: &str, message: &str) -> Event {
        of(json!({
            "metadata": {}, "involvedObject": {"kind": kind, "name": name}, "type": "Warning",
            "reason": reason, "lastTimestamp": at, "message": message,
        }))
    }

    #[test]
    fn a_quota_that_leaves_no_room_is_said_in_its_own_words_with_the_field_to_set() {
        const SAID: &str = "pods \"shop-order-1\" is forbidden: exceeded quota: team, requested: requests.memory=24Mi";
        let mut observed = Observed::default();
        let condition = json!({"type": "ReplicaFailure", "status": "True", "message": SAID});
        observed.deployments.insert("shop-order".to_owned(), of(json!({"status": {"conditions": [condition]}})));
        let found = trouble_of(&observed).unwrap();
        assert_eq!(found.reason, Reason::PodsRefused);
        assert!(found.sentence.contains("exceeded quota: team"), "{found:?}");
        assert!(found.sentence.ends_with("ask for less in spec.services.order.resources"), "{found:?}");

        let mut observed = Observed::default();
        observed.stateful_sets.insert("shop-postgres".to_owned(), of(json!({"status": {"replicas": 0}})));
        assert_eq!(trouble_of(&observed), None);
        let refused = |at| warning("StatefulSet", "shop-postgres", "FailedCreate", at, "violates PodSecurity");
        observed.warnings = vec![refused("2027-01-15T07:00:00Z")];
        assert_eq!(trouble_of(&observed), None, "an hour ago");
        observed.warnings.push(refused("2027-01-15T07:59:00Z"));
        let found = trouble_of(&observed).unwrap();
        assert!(found.sentence.contains("violates PodSecurity; change the rule"), "{found:?}");
    }

    #[test]
    fn a_pod_that_is_late_is_told_of_with_the_time_since_when() {
        let of_status = |metadata: Value, status: Value| {
            let mut named = json!({"name": "shop-postgres-0"});
            named.as_object_mut().unwrap().extend(metadata.as_object().unwrap().clone());
            let pod: Pod =
                of(json!({"metadata": named, "spec": {"nodeName": "a", "containers": []}, "status": status}));
            pod
        };
        let ready = |status: &str, at: &str| {
            let condition = json!({"type": "Ready", "status": status, "lastTransitionTime": at});
            json!({"phase": "Running", "conditions": [condition]})
        };
        let (early, late) = ("2027-01-15T07:58:00Z", "2027-01-15T07:50:00Z");
        let pending = |at: &str| json!({"phase": "Pending", "startTime": at});
        for (metadata, status, sentence) in [
            (json!({"deletionTimestamp": early}), json!({}), None),
            (
                json!({"deletionTimestamp": late}),
                json!({}),
                Some("was to be gone at 2027-01-15T07:50:00Z: its node a may be lost"),
            ),
            (json!({}), pending(early), None),
            (json!({}), pending(late), Some("has not started since 2027-01-15T07:50:00Z: no such volume")),
            (json!({}), ready("False", early), None),
            (json!({}), ready("False", late), Some("runs and does not serve since 2027-01-15T07:50:00Z")),
            (json!({}), ready("True", late), None),
        ] {
            let warnings = vec![warning("Pod", "shop-postgres-0", "FailedMount", early, "no such volume")];
            let pods = vec![of_status(metadata, status)];
            let found = trouble_of(&Observed { pods, warnings, ..Observed::default() });
            let found = found.map(|trouble| trouble.sentence).unwrap_or_default();
            assert_eq!(sentence.is_some(), !found.is_empty(), "{found}");
            assert!(found.contains(sentence.unwrap_or_default()), "{found}");
        }
    }
}

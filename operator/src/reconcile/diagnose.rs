//! Why a pod does not run, in a sentence that says what to do. Pure.

use k8s_openapi::api::core::v1::{ContainerStatus, Pod};
use kube::ResourceExt as _;

/// Reasons for which Kubernetes does not get an image.
const NO_IMAGE: [&str; 4] = ["ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName"];
/// How much of a log a sentence takes, in characters.
const LOG_END: usize = 300;

/// The first trouble among these pods; nothing where all run or only start.
#[must_use]
pub fn trouble<'a>(pods: impl IntoIterator<Item = &'a Pod>) -> Option<String> {
    pods.into_iter().filter(|pod| pod.metadata.deletion_timestamp.is_none()).find_map(of_pod)
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
    let containers =
        || status.init_container_statuses.iter().flatten().chain(status.container_statuses.iter().flatten());
    unschedulable.or_else(|| containers().find_map(|container| of_container(pod, container)))
}

fn of_container(pod: &Pod, container: &ContainerStatus) -> Option<String> {
    let waiting = container.state.as_ref()?.waiting.as_ref()?;
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
            let words = last.and_then(|terminated| terminated.message.as_deref()).map(str::trim).unwrap_or_default();
            let skipped = words.chars().count().saturating_sub(LOG_END);
            let words: String = words.chars().skip(skipped).collect();
            let code = last.map_or(0, |terminated| terminated.exit_code);
            let log = if words.is_empty() {
                format!(
                    "see kubectl logs -n {} {name} -c {} --previous",
                    pod.namespace().unwrap_or_default(),
                    container.name
                )
            } else {
                words
            };
            Some(format!("pod {name} ends again and again with exit code {code}: {log}"))
        }
        "CreateContainerConfigError" | "CreateContainerError" | "RunContainerError" => {
            let why = waiting.message.as_deref().unwrap_or(reason);
            Some(format!("pod {name} can not start its container {}: {why}", container.name))
        }
        _ => None,
    }
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
            trouble(&[pod]).unwrap(),
            "pod shop-order-1 can not get its image ecommerce-stack/order:9: load or push it, or name another in the spec"
        );
    }

    #[test]
    fn a_pod_that_ends_again_and_again_shows_where_its_log_is() {
        let crash = json!({
            "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": {"terminated": {"exitCode": 2}},
        });
        let sentence = trouble(&[pod("Running", &crash)]).unwrap();
        assert!(sentence.contains("exit code 2"), "{sentence}");
        assert!(sentence.ends_with("see kubectl logs -n default shop-order-1 -c order --previous"), "{sentence}");
    }

    #[test]
    fn a_pod_that_only_starts_is_no_trouble() {
        let starting = pod("Pending", &json!({"state": {"waiting": {"reason": "ContainerCreating"}}}));
        let failed = pod("Failed", &json!({"state": {"terminated": {"exitCode": 1}}}));
        assert_eq!(trouble(&[starting, failed]), None);
    }
}

//! What a person would want to know of a stack, as Events: a condition that flipped, and what they have asked for that can not be.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::runtime::events::{Event, EventType, Recorder};
use kube::{Client, Resource as _};

use crate::crd::condition::{DEGRADED, Reason};
use crate::crd::{EcommerceStack, EcommerceStackStatus};
use crate::names::MANAGER;

/// The API server takes no longer note.
const NOTE_BYTES: usize = 1_024;

/// Tells what flipped between a stack's status and its next one. An Event that is not taken is no failure.
pub async fn publish(stack: &EcommerceStack, next: &EcommerceStackStatus, client: &Client) {
    // A new one: a recorder counts what has the same reason as one Event, under the words of the first.
    let recorder = Recorder::new(client.clone(), MANAGER.into());
    let before = stack.status.as_ref().map_or(&[][..], |status| status.conditions.as_slice());
    for event in next.conditions.iter().filter_map(|condition| of_flip(before, condition)) {
        if let Err(error) = recorder.publish(&event, &stack.object_ref(&())).await {
            tracing::warn!(%error, "unable to publish an Event");
        }
    }
}

/// An Event for a condition that is not as it was. A stack that has just been made is not told that it is not ready.
fn of_flip(before: &[Condition], after: &Condition) -> Option<Event> {
    let was = before.iter().find(|condition| condition.type_ == after.type_);
    let flipped = was.map_or(after.type_ == DEGRADED || after.status == "True", |was| was.status != after.status);
    let new_trouble =
        after.type_ == DEGRADED && after.status == "True" && was.is_some_and(|was| was.reason != after.reason);
    let news = after.reason == Reason::VolumeNotShrunk.as_str() && was.is_some_and(|was| was.reason != after.reason);
    if !(flipped || new_trouble || news) || (was.is_none() && after.status == "False") {
        return None;
    }
    let is_good = (after.status == "True") != (after.type_ == DEGRADED);
    Some(Event {
        type_: if is_good { EventType::Normal } else { EventType::Warning },
        reason: after.reason.clone(),
        note: Some(after.message[..after.message.floor_char_boundary(NOTE_BYTES)].to_owned()),
        action: "Reconcile".to_owned(),
        secondary: None,
    })
}

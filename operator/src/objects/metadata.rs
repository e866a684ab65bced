//! Labels and the rest of an object's metadata.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta, OwnerReference};

use crate::names::{MANAGER, Names, STACK_LABEL};

/// Argo CD takes for its own what has this label and no owner, and removes what it does not find in git: so it is on nothing that
/// has no owner.
const INSTANCE: &str = "app.kubernetes.io/instance";

/// The labels of everything that belongs to a stack.
#[must_use]
pub fn stack_labels(names: &Names) -> BTreeMap<String, String> {
    [
        ("app.kubernetes.io/managed-by", MANAGER),
        ("app.kubernetes.io/part-of", "ecommerce-stack"),
        (STACK_LABEL, names.stack.as_str()),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .into()
}

/// The labels of one part: `name` is what it is (`postgres`, `order`), `component` is what it is for.
#[must_use]
pub fn labels(names: &Names, name: &str, component: &str) -> BTreeMap<String, String> {
    let mut labels = stack_labels(names);
    labels.insert(INSTANCE.to_owned(), names.stack.clone());
    labels.insert("app.kubernetes.io/component".to_owned(), component.to_owned());
    labels.insert("app.kubernetes.io/name".to_owned(), name.to_owned());
    labels
}

/// The metadata of what may outlive its stack: data, and what opens it.
pub(super) fn retained(names: &Names, name: String, owners: Option<Vec<OwnerReference>>) -> ObjectMeta {
    ObjectMeta { annotations: Some(not_pruned()), ..metadata(names, name, stack_labels(names), owners) }
}

/// A word for whoever keeps a cluster as git says.
#[must_use]
pub fn not_pruned() -> BTreeMap<String, String> {
    [("argocd.argoproj.io/sync-options".to_owned(), "Prune=false".to_owned())].into()
}

/// The labels that find a part's pods. They can never change, so there are few.
pub(super) fn selector(names: &Names, name: &str, component: &str) -> BTreeMap<String, String> {
    let keys = ["app.kubernetes.io/component", "app.kubernetes.io/name", STACK_LABEL];
    labels(names, name, component).into_iter().filter(|(key, _)| keys.contains(&key.as_str())).collect()
}

pub(super) fn label_selector(names: &Names, name: &str, component: &str) -> LabelSelector {
    LabelSelector { match_labels: Some(selector(names, name, component)), match_expressions: None }
}

pub(super) fn metadata(
    names: &Names,
    name: String,
    labels: BTreeMap<String, String>,
    owners: Option<Vec<OwnerReference>>,
) -> ObjectMeta {
    ObjectMeta {
        name: Some(name),
        namespace: Some(names.namespace.clone()),
        labels: Some(labels),
        owner_references: owners,
        ..ObjectMeta::default()
    }
}

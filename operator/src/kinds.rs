//! The kinds of objects that a stack is made of: how each is read, what wakes a reconcile, what goes once nothing wants it any more,
//! and so what the operator may do. The chart's `ClusterRole` is made from this table.
//!
//! To add a kind: a row here and its file in `objects/`, then `make generate`. One that a spec may switch off again
//! ([`Kind::optional`]) is listed and removed by itself.

use std::fmt::Write as _;
use std::sync::LazyLock;

use k8s_openapi::api::apps::v1::{ControllerRevision, Deployment, StatefulSet};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{ConfigMap, PersistentVolumeClaim, Pod, Secret, Service};
use k8s_openapi::api::networking::v1::{Ingress, NetworkPolicy};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::Resource;
use kube::api::ApiResource;

/// A kind, and what is done with its objects.
#[derive(Debug, Clone)]
pub struct Kind {
    /// As the API server knows it.
    pub resource: ApiResource,
    /// How its objects are found.
    pub read: Read,
    /// Which change of one wakes a reconcile of its stack.
    pub wakes: Wakes,
    /// How its objects are written.
    pub write: Write,
    /// Whether objects are removed.
    pub removed: bool,
    /// Whether a spec may ask for fewer of them than are there: what nothing wants any more is removed.
    pub optional: bool,
    /// What for, for whoever reads the `ClusterRole`.
    why: &'static str,
}

/// How objects are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Read {
    /// By the stack's label.
    Listed,
    /// By their names alone: what the operator was not told of it can not find.
    Named,
}

/// What wakes a reconcile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wakes {
    /// No change.
    Never,
    /// Any change; it is owned by its stack.
    Always,
    /// That the work of its Job is done; the Job owns it, and a label names the stack.
    OnceDone,
}

/// How objects are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Write {
    /// Server-side, again and again.
    Applied,
    /// Once.
    Created,
    /// Only where they are there, made by others.
    Patched,
    /// Not at all.
    Nothing,
}

/// All kinds.
pub static KINDS: LazyLock<[Kind; 12]> = LazyLock::new(|| {
    [
        Kind::of::<Secret>(Read::Named, Write::Applied, "By name alone: it can not list what it was not told of."),
        Kind::of::<ConfigMap>(Read::Named, Write::Applied, "Configuration of stores, and the ledger."),
        Kind::of::<PersistentVolumeClaim>(Read::Named, Write::Patched, "Growing a volume."),
        Kind::of::<Pod>(
            Read::Listed,
            Write::Nothing,
            "Why something does not start, and what a Job said at its end. Deleted where a mended store waits behind its broken pod.",
        )
        .wakes(Wakes::OnceDone)
        .removed(),
        Kind::of::<Service>(Read::Listed, Write::Applied, "What stands in front of each part.")
            .wakes(Wakes::Always),
        Kind::of::<Deployment>(Read::Listed, Write::Applied, "The services.").wakes(Wakes::Always),
        Kind::of::<ControllerRevision>(Read::Listed, Write::Applied, "What the services show and have shown.")
            .removed(),
        Kind::of::<StatefulSet>(
            Read::Listed,
            Write::Applied,
            "The stores. Deleted only to be made again around the same pod, where a volume template changes.",
        )
        .wakes(Wakes::Always)
        .removed(),
        Kind::of::<Job>(Read::Listed, Write::Created, "Provisioning and migrations.").wakes(Wakes::Always).removed(),
        Kind::of::<PodDisruptionBudget>(Read::Listed, Write::Applied, "One pod of a service at a time.")
            .wakes(Wakes::Always)
            .optional(),
        Kind::of::<NetworkPolicy>(Read::Listed, Write::Applied, "Who reaches whom.").wakes(Wakes::Always).optional(),
        Kind::of::<Ingress>(Read::Listed, Write::Applied, "The way in by a host's name.")
            .wakes(Wakes::Always)
            .optional(),
    ]
});

impl Kind {
    fn of<K: Resource<DynamicType = ()>>(read: Read, write: Write, why: &'static str) -> Self {
        let resource = ApiResource::erase::<K>(&());
        Self { resource, read, wakes: Wakes::Never, write, removed: false, optional: false, why }
    }

    const fn wakes(mut self, wakes: Wakes) -> Self {
        self.wakes = wakes;
        self
    }

    const fn removed(mut self) -> Self {
        self.removed = true;
        self
    }

    const fn optional(mut self) -> Self {
        self.optional = true;
        self.removed()
    }

    fn verbs(&self) -> Vec<&'static str> {
        let mut verbs = match (self.read, self.write) {
            (Read::Listed, Write::Nothing) => vec!["list"],
            (Read::Listed, _) => vec!["get", "list"],
            (Read::Named, _) => vec!["get"],
        };
        if self.wakes != Wakes::Never {
            verbs.push("watch");
        }
        match self.write {
            Write::Applied => verbs.extend(["create", "patch"]),
            Write::Created => verbs.push("create"),
            Write::Patched => verbs.push("patch"),
            Write::Nothing => {}
        }
        if self.removed {
            verbs.push("delete");
        }
        verbs
    }
}

/// The kinds that a spec may switch off again.
pub fn optional() -> impl Iterator<Item = &'static Kind> {
    KINDS.iter().filter(|kind| kind.optional)
}

/// The rules of the operator's `ClusterRole`, as the chart takes them in.
#[must_use]
pub fn cluster_role_rules() -> String {
    let own = [
        ("ecommercestack.dev", "ecommercestacks", vec!["get", "list", "watch"], "What people ask for."),
        ("ecommercestack.dev", "ecommercestacks/status", vec!["patch"], "What it says of them."),
    ];
    let told = [
        ("", "events", vec!["list"], "Why a pod can not be made."),
        ("events.k8s.io", "events", vec!["create", "patch"], "What a person would want to know."),
    ];
    let of_kinds =
        KINDS.iter().map(|kind| (kind.resource.group.as_str(), kind.resource.plural.as_str(), kind.verbs(), kind.why));
    let mut text =
        "# Made by `operator rules` from operator/src/kinds.rs. Do not edit; change the table and make it again.\n"
            .to_owned();
    for (group, resource, verbs, why) in own.into_iter().chain(of_kinds).chain(told) {
        // Writing to a String does not fail.
        let _ = writeln!(
            text,
            "# {why}\n- apiGroups: [\"{group}\"]\n  resources: [{resource}]\n  verbs: [{}]",
            verbs.join(", ")
        );
    }
    text
}

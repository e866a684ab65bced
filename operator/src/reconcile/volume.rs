//! How large the volume of a claim is, as Kubernetes tells it. Pure.

use k8s_openapi::api::core::v1::PersistentVolumeClaim;

use crate::amount::thousandths;

/// What Kubernetes says of a claim whose volume does not become as large as it asks.
const FAULTS: [&str; 2] = ["ControllerResizeError", "NodeResizeError"];

/// The volume of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    /// What the claim asks for.
    pub asked: String,
    /// What of it the volume has: it never has less again. A volume that a person has made may be larger than its claim asks for.
    pub taken: String,
    /// Why it does not become as large as it asks.
    pub fault: Option<String>,
}

impl Volume {
    /// What a claim says of its volume; one that is not bound yet is taken to get what it asks for.
    #[must_use]
    pub fn of(claim: &PersistentVolumeClaim) -> Option<Self> {
        let asked = claim.spec.as_ref()?.resources.as_ref()?.requests.as_ref()?.get("storage")?.0.clone();
        let status = claim.status.as_ref();
        let has = status.and_then(|status| Some(status.capacity.as_ref()?.get("storage")?.0.clone()));
        let taken = has.filter(|has| thousandths(has) < thousandths(&asked));
        let conditions = status.and_then(|status| status.conditions.as_ref()).into_iter().flatten();
        let mut faults =
            conditions.filter(|condition| FAULTS.contains(&condition.type_.as_str()) && condition.status == "True");
        // A fault of a size that is no longer asked for stays for a while.
        let fault = taken.as_ref().and_then(|_| faults.find_map(|condition| condition.message.clone()));
        Some(Self { taken: taken.unwrap_or_else(|| asked.clone()), asked, fault })
    }
}

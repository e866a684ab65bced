//! One replica works at a time: the one that holds a Lease. Claimed with the version that was read, so that two can not both
//! have it; let go at the end, so that the next need not wait.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use k8s_openapi::jiff::Timestamp;
use kube::Client;
use kube::api::{Api, PostParams};
use tokio::time::Instant;

use crate::names::MANAGER;

/// A holder that has not renewed for this time is gone.
const DURATION: Duration = Duration::from_secs(15);
/// Between two renewals.
pub const RENEW: Duration = Duration::from_secs(4);
/// A holder that could not renew for this time stops working, well before another may start.
pub const GIVE_UP: Duration = Duration::from_secs(10);

/// An acquisition of the Lease.
pub struct Leadership {
    leases: Api<Lease>,
    holder: String,
    /// The version last seen and when, by this process's own clock: those of two nodes need not agree.
    seen: Option<(String, Instant)>,
}

impl Leadership {
    /// Nothing acquired yet.
    #[must_use]
    pub fn new(client: Client, namespace: &str, holder: &str) -> Self {
        Self { leases: Api::namespaced(client, namespace), holder: holder.to_owned(), seen: None }
    }

    /// Claims or renews; tells whether this process holds the Lease now.
    pub async fn hold(&mut self) -> Result<bool, kube::Error> {
        let Some(lease) = self.leases.get_opt(MANAGER).await? else {
            let lease = Self::lease(None, Some(self.holder.clone()));
            return won(self.leases.create(&PostParams::default(), &lease).await);
        };
        let version = lease.metadata.resource_version.clone();
        let holder = lease.spec.and_then(|spec| spec.holder_identity).filter(|holder| !holder.is_empty());
        if holder.is_none_or(|holder| holder == self.holder) || self.has_expired(version.as_deref()) {
            let lease = Self::lease(version, Some(self.holder.clone()));
            return won(self.leases.replace(MANAGER, &PostParams::default(), &lease).await);
        }
        Ok(false)
    }

    /// Lets go.
    pub async fn release(&mut self) -> Result<(), kube::Error> {
        let Some(lease) = self.leases.get_opt(MANAGER).await? else { return Ok(()) };
        if lease.spec.and_then(|spec| spec.holder_identity).as_deref() == Some(&self.holder) {
            let free = Self::lease(lease.metadata.resource_version, None);
            self.leases.replace(MANAGER, &PostParams::default(), &free).await?;
        }
        Ok(())
    }

    fn has_expired(&mut self, version: Option<&str>) -> bool {
        let version = version.unwrap_or_default();
        match &self.seen {
            Some((seen, since)) if seen == version => since.elapsed() >= DURATION,
            _ => {
                self.seen = Some((version.to_owned(), Instant::now()));
                false
            }
        }
    }

    fn lease(version: Option<String>, holder: Option<String>) -> Lease {
        let now = MicroTime(Timestamp::now());
        Lease {
            metadata: ObjectMeta { name: Some(MANAGER.to_owned()), resource_version: version, ..ObjectMeta::default() },
            spec: Some(LeaseSpec {
                acquire_time: holder.is_some().then(|| now.clone()),
                holder_identity: holder,
                lease_duration_seconds: i32::try_from(DURATION.as_secs()).ok(),
                renew_time: Some(now),
                ..LeaseSpec::default()
            }),
        }
    }
}

/// Someone else was quicker: no failure, only no Lease.
fn won(written: Result<Lease, kube::Error>) -> Result<bool, kube::Error> {
    match written {
        Ok(_) => Ok(true),
        Err(kube::Error::Api(status)) if status.code == 409 => Ok(false),
        Err(error) => Err(error),
    }
}

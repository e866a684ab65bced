//! Removes what is no longer wanted: Jobs for another image or another database, and failed ones whose time has come.
//! Names of everything else do not change, and what belongs to the stack as a whole goes with it by its owner reference.

use k8s_openapi::api::batch::v1::Job;
use kube::api::{Api, DeleteParams};
use kube::{Client, ResourceExt as _};

use super::Error;
use super::dereference::Observed;
use super::jobs::has_succeeded;
use crate::build::Desired;
use crate::names::Names;

/// Removes Jobs. Those that have succeeded stay for their log until Kubernetes takes them.
pub async fn prune(
    desired: &Desired,
    names: &Names,
    observed: &Observed,
    due: &[String],
    client: &Client,
) -> Result<(), Error> {
    let api: Api<Job> = Api::namespaced(client.clone(), &names.namespace);
    for (name, job) in &observed.jobs {
        let wanted = desired.jobs.iter().any(|job| job.name_any() == *name);
        let superseded = !wanted && !has_succeeded(job);
        if (superseded || due.contains(name)) && job.metadata.deletion_timestamp.is_none() {
            let gone = api.delete(name, &DeleteParams::background()).await;
            match gone {
                Err(kube::Error::Api(status)) if status.code == 404 => {}
                result => {
                    result.map_err(Error::api(format!("remove the Job {name}")))?;
                }
            }
        }
    }
    Ok(())
}

//! What the services of a stack log: a filter in a `ConfigMap` that each of them follows, so that it is no part of a revision and no
//! pod rolls for another one.

use k8s_openapi::api::core::v1::{ConfigMap, ConfigMapVolumeSource, Volume, VolumeMount};

use super::container::mount;
use super::metadata::{metadata, stack_labels};
use super::{Inputs, Manifest};

/// The entry of the `ConfigMap`, which is the file's name.
const ENTRY: &str = "filter";
/// Where it is mounted: as a whole, for a single file of it would stay as it was.
const DIRECTORY: &str = "/etc/ecommerce/log";
const VOLUME: &str = "log";
const DEFAULT: &str = "info";

/// The file that a service follows.
pub(super) fn file() -> String {
    format!("{DIRECTORY}/{ENTRY}")
}

/// The object that holds the filter.
pub(super) fn object(inputs: &Inputs<'_>) -> Manifest {
    let names = inputs.names;
    let filter = inputs.spec.log.as_ref().and_then(|log| log.filter.as_deref()).unwrap_or(DEFAULT);
    Manifest::new(&ConfigMap {
        metadata: metadata(names, names.log(), stack_labels(names), Some(inputs.owned())),
        data: Some([(ENTRY.to_owned(), filter.to_owned())].into()),
        ..ConfigMap::default()
    })
}

/// Its volume in a pod. One that is gone keeps no pod from starting.
pub(super) fn volume(inputs: &Inputs<'_>) -> (Volume, VolumeMount) {
    let source =
        ConfigMapVolumeSource { name: inputs.names.log(), optional: Some(true), ..ConfigMapVolumeSource::default() };
    let volume = Volume { name: VOLUME.to_owned(), config_map: Some(source), ..Volume::default() };
    (volume, mount(VOLUME, DIRECTORY, true))
}

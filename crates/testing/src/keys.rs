//! API keys for one test.

use std::path::PathBuf;

use ecommerce_contract::Service;
use ecommerce_http::api_key::Settings;
use sha2::{Digest as _, Sha256};

use crate::unique_name;

/// A key for each service that might call, and the file of hashes that the callee reads.
#[derive(Debug, Clone)]
pub struct Keys {
    name: String,
    path: PathBuf,
}

impl Keys {
    /// New keys.
    ///
    /// # Panics
    /// When the file cannot be written.
    #[must_use]
    pub fn create() -> Self {
        let name = unique_name();
        let path = std::env::temp_dir().join(format!("{name}.json"));
        let keys = Self { name, path };
        let hashes: serde_json::Map<String, serde_json::Value> = Service::ALL
            .into_iter()
            .map(|caller| {
                let hash = hex::encode(Sha256::digest(keys.of(caller)));
                (caller.as_str().to_owned(), serde_json::json!({ "present": hash, "next": null, "previous": null }))
            })
            .collect();
        std::fs::write(&keys.path, serde_json::to_vec(&hashes).expect("hashes are JSON")).expect("write the hashes");
        keys
    }

    /// The key that `caller` sends.
    #[must_use]
    pub fn of(&self, caller: Service) -> String {
        format!("{}-{caller}", self.name)
    }

    /// What the callee is told.
    #[must_use]
    pub fn settings(&self) -> Settings {
        Settings { api_key_hashes_file: self.path.clone() }
    }
}

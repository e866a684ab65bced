//! API keys for one test.

use std::path::PathBuf;

use ecommerce_contract::Service;
use ecommerce_http::{api_key, edge_key};
use sha2::{Digest as _, Sha256};

use crate::unique_name;

/// The file of hashes.
const HASHES: &str = "hashes.json";

/// A key for each service that might call, the file of hashes that a callee reads, and the files that callers read.
#[derive(Debug, Clone)]
pub struct Keys {
    name: String,
    directory: PathBuf,
}

impl Keys {
    /// New keys.
    ///
    /// # Panics
    /// When the file cannot be written.
    #[must_use]
    pub fn create() -> Self {
        let name = unique_name();
        let directory = std::env::temp_dir().join(&name);
        let keys = Self { name, directory };
        let hashes: serde_json::Map<String, serde_json::Value> = Service::ALL
            .into_iter()
            .map(|caller| {
                let hash = hex::encode(Sha256::digest(keys.of(caller)));
                (caller.as_str().to_owned(), serde_json::json!({ "present": hash, "next": null, "previous": null }))
            })
            .collect();
        std::fs::create_dir(&keys.directory).expect("make a directory");
        keys.write(HASHES, &serde_json::Value::Object(hashes).to_string());
        for caller in Service::ALL {
            std::fs::create_dir(keys.directory.join(caller.as_str())).expect("make a directory");
            for called in Service::ALL {
                keys.send(caller, called, &keys.of(caller));
            }
        }
        keys
    }

    /// The key that `caller` sends.
    #[must_use]
    pub fn of(&self, caller: Service) -> String {
        format!("{}-{caller}", self.name)
    }

    /// What a callee is told.
    #[must_use]
    pub fn known(&self) -> api_key::Settings {
        api_key::Settings { api_key_hashes_file: self.directory.join(HASHES) }
    }

    /// What a caller is told.
    #[must_use]
    pub fn sent_by(&self, caller: Service) -> edge_key::Settings {
        edge_key::Settings { edge_keys_directory: self.directory.join(caller.as_str()) }
    }

    /// Has `caller` send another key to a service from now on, as soon as it reads its file again.
    ///
    /// # Panics
    /// When the file cannot be written.
    pub fn send(&self, caller: Service, to: Service, key: &str) {
        self.write(&format!("{caller}/{to}"), key);
    }

    /// Has the callee know another key of `caller`, in place of all that it has known.
    ///
    /// # Panics
    /// When the file cannot be written.
    pub fn know(&self, caller: Service, key: &str) {
        let hash = hex::encode(Sha256::digest(key));
        let hashes = serde_json::json!({ caller.as_str(): { "present": hash, "next": null, "previous": null } });
        self.write(HASHES, &hashes.to_string());
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.directory.join(name), text).expect("write a key");
    }
}

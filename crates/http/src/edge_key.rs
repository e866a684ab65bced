//! The keys that this service sends: one for each edge to another, in a file that is read again when it changes.

use std::future::ready;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderValue;
use ecommerce_contract::Service;
use ecommerce_runtime::{ErrorChain, Shutdown, every};
use parking_lot::RwLock;

/// How often the file is looked at. Kubernetes itself takes up to a minute to bring a changed Secret into a pod.
const REREAD: Duration = Duration::from_secs(5);

/// Bytes that a key has at least: fewer could be guessed, and an empty one would open every door whose key is absent.
pub const SHORTEST_KEY: usize = 32;

/// Where a caller finds its keys.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)] // every crate calls its own `Settings`
pub struct Settings {
    /// A directory with a file for each service that is called, named like it, which holds the key of the edge to it.
    #[arg(long, env = "EDGE_KEYS_DIRECTORY")]
    pub edge_keys_directory: PathBuf,
}

/// Why a key is not known.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file is not there or not readable.
    #[error("failed to read the key of an edge from {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// What the file holds is no key; it is not shown.
    #[error("{path} holds no key of at least {SHORTEST_KEY} visible ASCII characters")]
    Malformed {
        /// The file.
        path: PathBuf,
    },
}

/// The key of one edge. Clones are the same.
#[derive(Debug, Clone)]
pub struct EdgeKey {
    path: Arc<Path>,
    key: Arc<RwLock<HeaderValue>>,
}

impl EdgeKey {
    /// Reads the key of the edge to `callee`.
    pub fn read(settings: &Settings, callee: Service) -> Result<Self, Error> {
        let path = settings.edge_keys_directory.join(callee.as_str());
        let key = Arc::new(RwLock::new(parse(&path)?));
        Ok(Self { path: path.into(), key })
    }

    /// The key as it is now, as a header carries it; it does not print.
    #[must_use]
    pub fn value(&self) -> HeaderValue {
        self.key.read().clone()
    }

    /// Reads the file again while the process runs; a file that holds no key leaves the old one.
    pub async fn follow(self, shutdown: Shutdown) {
        every(REREAD, shutdown, || {
            match parse(&self.path) {
            Ok(key) => *self.key.write() = key,
            Err(error) => {
                tracing::error!(error = %ErrorChain(&error), "unable to read the key of an edge again; the old one stands");
            }
            }
            ready(())
        })
        .await;
    }
}

fn parse(path: &Path) -> Result<HeaderValue, Error> {
    let text = std::fs::read_to_string(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
    let text = text.trim_ascii();
    if text.len() < SHORTEST_KEY || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Error::Malformed { path: path.to_owned() });
    }
    let mut key = HeaderValue::from_str(text).map_err(|_| Error::Malformed { path: path.to_owned() })?;
    key.set_sensitive(true);
    Ok(key)
}

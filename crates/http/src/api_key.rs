//! The keys of the edges: which service a request comes from.
//!
//! A callee knows the SHA-256 of each caller's keys from a mounted file, and reads it again when it changes. A key is long
//! and random, so its hash needs no salt and no stretching.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::Response;
use ecommerce_contract::{Service, headers};
use ecommerce_runtime::Shutdown;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::Problem;

/// How often the file is looked at. Kubernetes itself takes up to a minute to bring a changed Secret into a pod.
const REREAD: Duration = Duration::from_secs(5);

/// Where a callee finds the hashes of its callers' keys.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)] // every crate calls its own `Settings`
pub struct Settings {
    /// A JSON file: caller to `{"present": …, "next": …, "previous": …}`, each a SHA-256 in hexadecimal or null.
    #[arg(long, env = "API_KEY_HASHES_FILE")]
    pub api_key_hashes_file: PathBuf,
}

/// Why the hashes are not known.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file is not there or not readable.
    #[error("failed to read API_KEY_HASHES_FILE {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file is not of the form.
    #[error("failed to parse API_KEY_HASHES_FILE {path}")]
    Parse {
        /// The file.
        path: PathBuf,
        /// What the parser says.
        source: serde_json::Error,
    },
    /// A hash is not a SHA-256.
    #[error("API_KEY_HASHES_FILE holds a hash that is not 64 hexadecimal digits")]
    Hash,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Generations {
    present: Option<String>,
    next: Option<String>,
    previous: Option<String>,
}

struct Known {
    caller: Service,
    generation: &'static str,
    hash: [u8; 32],
}

/// The keys that open this service.
#[derive(Clone)]
pub struct KnownKeys {
    path: PathBuf,
    known: Arc<RwLock<Vec<Known>>>,
}

impl KnownKeys {
    /// Reads the file.
    pub fn read(settings: &Settings) -> Result<Self, Error> {
        let path = settings.api_key_hashes_file.clone();
        let known = Arc::new(RwLock::new(parse(&path)?));
        Ok(Self { path, known })
    }

    /// Reads the file again while the process runs; a file that cannot be read leaves the keys as they are.
    pub async fn follow(self, shutdown: Shutdown) {
        let mut tick = tokio::time::interval(REREAD);
        loop {
            tokio::select! {
                () = shutdown.stopped() => return,
                _ = tick.tick() => {}
            }
            match parse(&self.path) {
                Ok(keys) => *self.known.write().unwrap_or_else(std::sync::PoisonError::into_inner) = keys,
                Err(error) => {
                    tracing::error!(error = %ecommerce_runtime::exit::Chain(&error), "unable to read the api keys again; the old ones stand");
                }
            }
        }
    }

    /// The caller to whom the key belongs. Every known hash is compared, whichever fits.
    fn caller(&self, key: &[u8]) -> Option<Service> {
        let hash: [u8; 32] = Sha256::digest(key).into();
        let known = self.known.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut found = None;
        for candidate in known.iter() {
            if bool::from(candidate.hash.ct_eq(&hash)) {
                found = Some(candidate);
            }
        }
        let found = found?;
        metrics::counter!("api_key_uses_total", "caller" => found.caller.as_str(), "generation" => found.generation)
            .increment(1);
        Some(found.caller)
    }
}

/// The caller that a request's key belongs to; put into the request by [`require`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct From(pub Service);

/// The keys and the callers that one set of routes is open to.
#[derive(Clone)]
pub struct Door {
    /// All keys of this service.
    pub keys: KnownKeys,
    /// Whose keys open these routes.
    pub callers: &'static [Service],
}

/// A layer: lets a request in whose `x-api-key` belongs to one of the door's callers.
pub async fn require(State(door): State<Door>, mut request: Request, next: Next) -> Result<Response, Problem> {
    let missing =
        || Problem::new(StatusCode::UNAUTHORIZED, "api_key_missing", "this service is called through the gateway");
    let key = request.headers().get(headers::API_KEY).ok_or_else(missing)?;
    let caller =
        door.keys.caller(key.as_bytes()).filter(|caller| door.callers.contains(caller)).ok_or_else(|| {
            Problem::new(StatusCode::FORBIDDEN, "api_key_refused", "this key does not open this route")
        })?;
    request.extensions_mut().insert(From(caller));
    Ok(next.run(request).await)
}

fn parse(path: &Path) -> Result<Vec<Known>, Error> {
    let text = std::fs::read(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
    let callers: BTreeMap<String, Generations> =
        serde_json::from_slice(&text).map_err(|source| Error::Parse { path: path.to_owned(), source })?;
    let mut known = Vec::new();
    for caller in Service::ALL {
        let Some(keys) = callers.get(caller.as_str()) else { continue };
        for (generation, hash) in [("present", &keys.present), ("next", &keys.next), ("previous", &keys.previous)] {
            let Some(hash) = hash else { continue };
            let mut bytes = [0; 32];
            hex::decode_to_slice(hash, &mut bytes).map_err(|_| Error::Hash)?;
            known.push(Known { caller, generation, hash: bytes });
        }
    }
    Ok(known)
}

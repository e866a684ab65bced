//! Which service a request comes from: the keys that callers send, as a callee knows them.
//!
//! A callee knows the SHA-256 of each caller's keys from a mounted file, and reads it again when it changes. A key is long
//! and random, so its hash needs no salt and no stretching.

use std::collections::BTreeMap;
use std::future::ready;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use ecommerce_contract::Service;
use ecommerce_contract::headers::{API_KEY, EDGE_REFUSED};
use ecommerce_runtime::{ErrorChain, Shutdown, every};
use ecommerce_types::Clock;
use parking_lot::RwLock;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::Problem;
use crate::edge_key::SHORTEST_KEY;
use crate::metrics::{API_KEY_LAST_USE, API_KEY_USES};

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
    clock: Clock,
}

impl KnownKeys {
    /// Reads the file.
    pub fn read(settings: &Settings, clock: Clock) -> Result<Self, Error> {
        let path = settings.api_key_hashes_file.clone();
        let known = Arc::new(RwLock::new(parse(&path)?));
        Ok(Self { path, known, clock })
    }

    /// Reads the file again while the process runs; a file that cannot be read leaves the keys as they are.
    pub async fn follow(self, shutdown: Shutdown) {
        every(REREAD, shutdown, || {
            match parse(&self.path) {
            Ok(keys) => *self.known.write() = keys,
            Err(error) => {
                tracing::error!(error = %ErrorChain(&error), "unable to read the api keys again; the old ones stand");
            }
            }
            ready(())
        })
        .await;
    }

    /// The caller whose key a request carries. Every known hash is compared, whichever fits.
    pub(crate) fn identify(&self, headers: &HeaderMap) -> Option<From> {
        let key = headers.get(API_KEY)?.as_bytes();
        if key.len() < SHORTEST_KEY {
            return None;
        }
        let hash: [u8; 32] = Sha256::digest(key).into();
        let known = self.known.read();
        let mut found = None;
        for candidate in known.iter() {
            if bool::from(candidate.hash.ct_eq(&hash)) {
                found = Some((candidate.caller, candidate.generation));
            }
        }
        drop(known);
        let (caller, generation) = found?;
        API_KEY_USES.increment([caller.as_str(), generation]);
        API_KEY_LAST_USE.set([caller.as_str(), generation], self.clock.now().unix_timestamp());
        Some(From(caller))
    }
}

/// The caller that a request's key belongs to; put into the request before anything of it is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct From(pub Service);

/// Lets requests of these callers alone reach these routes.
pub fn only_for<S: Clone + Send + Sync + 'static>(callers: &'static [Service], routes: Router<S>) -> Router<S> {
    routes.route_layer(middleware::from_fn(move |request: Request, next: Next| require(callers, request, next)))
}

/// A refusal here is a fault between two services and none of the person behind the request, so it is marked for the
/// gateway, which passes it on as what it is.
async fn require(callers: &[Service], request: Request, next: Next) -> Response {
    let problem = match request.extensions().get::<From>() {
        Some(From(caller)) if callers.contains(caller) => return next.run(request).await,
        Some(_) => Problem::new(StatusCode::FORBIDDEN, "api_key_refused", "this key does not open this route"),
        None if request.headers().contains_key(API_KEY) => {
            Problem::new(StatusCode::FORBIDDEN, "api_key_refused", "this key opens nothing here")
        }
        None => Problem::new(StatusCode::UNAUTHORIZED, "api_key_missing", "this service is called through the gateway"),
    };
    let mut refusal = problem.into_response();
    refusal.headers_mut().insert(EDGE_REFUSED, HeaderValue::from_static("1"));
    refusal
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

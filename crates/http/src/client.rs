//! The client with which one service asks another for JSON.

use std::sync::Arc;
use std::time::Duration;

use ecommerce_contract::headers;
use ecommerce_runtime::request_id;
use ecommerce_types::Clock;
use serde::de::DeserializeOwned;
use url::Url;

use crate::edge_key::EdgeKey;
use crate::renewed::Renewed;

/// How long an idle connection is kept: shorter than a server keeps it, also one that is ending.
pub const IDLE: Duration = Duration::from_secs(5);
/// How long a connection may take to stand.
pub const CONNECT: Duration = Duration::from_secs(1);

/// What an answer may weigh, in bytes.
const ANSWER_LIMIT: usize = 1024 * 1024;

/// Another service, with the key of the edge to it. Clones share the connections.
#[derive(Debug, Clone)]
pub struct Peer {
    http: Arc<Renewed<reqwest::Client>>,
    url: Url,
    key: EdgeKey,
    timeout: Duration,
}

/// Why a peer gave no answer that can be used.
#[derive(Debug, thiserror::Error)]
#[error("unable to ask {url}")]
pub struct Error {
    url: Url,
    source: Cause,
}

#[derive(Debug, thiserror::Error)]
enum Cause {
    #[error(transparent)]
    Http(#[from] reqwest::Error),
    #[error("the answer has more than {ANSWER_LIMIT} bytes")]
    TooLarge,
    #[error("failed to parse the answer")]
    Json(#[from] serde_json::Error),
}

impl Cause {
    /// Whether connections to where nobody answers may be kept; whoever has answered is there, whatever the answer.
    fn is_of_the_connection(&self) -> bool {
        matches!(self, Self::Http(error) if !error.is_status() && !error.is_decode())
    }
}

impl Peer {
    /// A peer at `url` that is given `timeout` for each answer.
    pub fn new(url: Url, key: EdgeKey, timeout: Duration, clock: Clock) -> Result<Self, Error> {
        let http = client(timeout).map_err(|source| Error { url: url.clone(), source: source.into() })?;
        Ok(Self { http: Arc::new(Renewed::new(http, clock)), url, key, timeout })
    }

    /// Asks for `path` with these query parameters.
    pub async fn get<T: DeserializeOwned>(&self, path: &str, query: &[(&str, String)]) -> Result<T, Error> {
        let mut url = self.url.clone();
        url.set_path(path);
        let http = self.http.get(|| client(self.timeout).ok());
        let mut request = http.get(url.clone()).query(query).header(headers::API_KEY, self.key.value());
        if let Some(id) = request_id::current() {
            request = request.header(headers::REQUEST_ID, id);
        }
        read(request).await.map_err(|source| {
            if source.is_of_the_connection() {
                self.http.expire();
            }
            Error { url, source }
        })
    }
}

fn client(timeout: Duration) -> Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder()
        .connect_timeout(CONNECT)
        .timeout(timeout)
        .pool_idle_timeout(IDLE)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
}

async fn read<T: DeserializeOwned>(request: reqwest::RequestBuilder) -> Result<T, Cause> {
    let mut answer = request.send().await?.error_for_status()?;
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        if body.len() + chunk.len() > ANSWER_LIMIT {
            return Err(Cause::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(serde_json::from_slice(&body)?)
}

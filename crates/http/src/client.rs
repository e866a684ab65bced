//! The client with which one service asks another.

use std::time::Duration;

use ecommerce_contract::headers;
use ecommerce_runtime::request_id;
use secrecy::{ExposeSecret as _, SecretString};
use serde::de::DeserializeOwned;
use url::Url;

/// How long an idle connection is kept: shorter than the server keeps it.
pub const IDLE: Duration = Duration::from_secs(20);
/// How long a connection may take to stand.
pub const CONNECT: Duration = Duration::from_secs(1);

/// Another service, with the key of the edge to it.
#[derive(Debug, Clone)]
pub struct Peer {
    http: reqwest::Client,
    url: Url,
    key: SecretString,
}

/// Why a peer gave no answer that can be used.
#[derive(Debug, thiserror::Error)]
#[error("unable to ask {url}")]
pub struct Error {
    url: Url,
    source: reqwest::Error,
}

impl Peer {
    /// A peer at `url` that is given `timeout` for each answer.
    pub fn new(url: Url, key: SecretString, timeout: Duration) -> Result<Self, Error> {
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .timeout(timeout)
            .pool_idle_timeout(IDLE)
            .no_proxy()
            .build()
            .map_err(|source| Error { url: url.clone(), source })?;
        Ok(Self { http, url, key })
    }

    /// Asks for `path` with these query parameters.
    pub async fn get<T: DeserializeOwned>(&self, path: &str, query: &[(&str, String)]) -> Result<T, Error> {
        let mut url = self.url.clone();
        url.set_path(path);
        let mut request = self.http.get(url.clone()).query(query).header(headers::API_KEY, self.key.expose_secret());
        if let Some(id) = request_id::current() {
            request = request.header(headers::REQUEST_ID, id);
        }
        let answer = async { request.send().await?.error_for_status()?.json().await };
        answer.await.map_err(|source| Error { url, source })
    }
}

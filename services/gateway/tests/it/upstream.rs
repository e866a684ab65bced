//! A service behind the gateway, which answers with what it has received.

use std::sync::{Arc, Mutex};

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use ecommerce_contract::Service;
use ecommerce_token::Jwks;
use futures::StreamExt as _;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc};

/// One service.
#[derive(Clone)]
pub(crate) struct Upstream {
    pub(crate) url: String,
    pub(crate) seen: Arc<Seen>,
}

/// What a service has received, and what it is told to do.
pub(crate) struct Seen {
    service: Service,
    /// What the gateway is to send.
    key: String,
    /// What auth answers for its keys; `None`: it is not ready.
    pub(crate) jwks: Mutex<Option<Jwks>>,
    /// Every path that was asked for.
    pub(crate) paths: Mutex<Vec<String>>,
    /// The rest of an answer that is sent in pieces.
    pub(crate) pieces: Mutex<Option<mpsc::UnboundedReceiver<Bytes>>>,
    /// Lets an answer go that waits to be told.
    pub(crate) told: Notify,
}

/// Notes how work ended: done, or dropped before.
struct Work<'a> {
    seen: &'a Seen,
    end: &'static str,
}

impl Drop for Work<'_> {
    fn drop(&mut self) {
        self.seen.paths.lock().unwrap().push(self.end.to_owned());
    }
}

impl Upstream {
    /// Starts on a port of its own.
    pub(crate) async fn start(service: Service, key: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Seen {
            service,
            key,
            jwks: Mutex::default(),
            paths: Mutex::default(),
            pieces: Mutex::default(),
            told: Notify::new(),
        });
        let routes = Router::new().fallback(answer).with_state(Arc::clone(&seen));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { url, seen }
    }

    /// How often a path was asked for.
    pub(crate) fn asked(&self, path: &str) -> usize {
        self.seen.paths.lock().unwrap().iter().filter(|asked| *asked == path).count()
    }

    /// The next answer to `?answer=pieces` is what is sent here.
    pub(crate) fn pieces(&self) -> mpsc::UnboundedSender<Bytes> {
        let (sender, receiver) = mpsc::unbounded_channel();
        *self.seen.pieces.lock().unwrap() = Some(receiver);
        sender
    }
}

async fn answer(State(seen): State<Arc<Seen>>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    seen.paths.lock().unwrap().push(path.clone());
    if request.headers().get("x-api-key").is_none_or(|key| key != &seen.key) {
        return (StatusCode::FORBIDDEN, [("x-edge-refused", "1")], "who is there?").into_response();
    }
    match (path.as_str(), request.uri().query().unwrap_or_default()) {
        ("/.well-known/jwks.json", "") => match seen.jwks.lock().unwrap().clone() {
            Some(jwks) => Json(jwks).into_response(),
            None => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        },
        // More than any buffer on the way holds.
        (_, "answer=long") => vec![b'x'; 16 * 1024 * 1024].into_response(),
        (_, "answer=never") => std::future::pending().await,
        (_, "answer=pieces") => {
            let receiver = seen.pieces.lock().unwrap().take().unwrap();
            let pieces = futures::stream::unfold(receiver, async |mut receiver| {
                receiver.recv().await.map(|piece| (Ok::<_, std::io::Error>(piece), receiver))
            });
            Body::from_stream(pieces).into_response()
        }
        (_, "answer=first-piece") => {
            request.into_body().into_data_stream().next().await.unwrap().unwrap().into_response()
        }
        (_, "answer=when-told") => {
            let mut work = Work { seen: &seen, end: "dropped" };
            seen.told.notified().await;
            work.end = "done";
            StatusCode::OK.into_response()
        }
        (_, "answer=rude") => rude(),
        (_, "answer=tagged") => tagged(request.headers()),
        _ => echo(&seen, request).await,
    }
}

async fn echo(seen: &Seen, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, usize::MAX).await else { return StatusCode::BAD_REQUEST.into_response() };
    let header = |(name, value): (&header::HeaderName, &header::HeaderValue)| {
        json!([name.as_str(), String::from_utf8_lossy(value.as_bytes())])
    };
    Json(json!({
        "service": seen.service.as_str(),
        "method": parts.method.as_str(),
        "target": parts.uri.to_string(),
        "headers": parts.headers.iter().map(header).collect::<Vec<_>>(),
        "body": String::from_utf8_lossy(&body),
    }))
    .into_response()
}

fn rude() -> Response {
    let headers = [
        ("server", "secret/1.0"),
        ("x-powered-by", "secret"),
        ("connection", "x-hop"),
        ("x-hop", "1"),
        ("keep-alive", "timeout=5"),
        ("x-user-id", "somebody"),
        ("x_api_key", "secret"),
        ("etag", "\"kept\""),
    ];
    (headers, "").into_response()
}

fn tagged(headers: &HeaderMap) -> Response {
    let known = headers.get(header::IF_NONE_MATCH).is_some_and(|tag| tag == "\"v1\"");
    let status = if known { StatusCode::NOT_MODIFIED } else { StatusCode::OK };
    (status, [(header::ETAG, "\"v1\"")], if known { "" } else { "fresh" }).into_response()
}

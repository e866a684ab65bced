//! One connection, from its first byte to its last.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderValue, Method, Request, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use ecommerce_runtime::Shutdown;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tower::ServiceExt as _;

use super::connections::{Admitted, Connections, Entry};
use super::io::ClientStream;
use super::limits::HEAD_BYTES;
use super::unread;
use super::watched::Watched;
use crate::Problem;

/// A connection that has been taken in.
pub(super) struct Connection {
    admitted: Admitted,
    stream: TcpStream,
    peer: SocketAddr,
}

impl Connection {
    /// Takes a stream in, whoever else has to go for it.
    pub(super) fn admit(stream: TcpStream, peer: SocketAddr, connections: &Connections) -> Self {
        let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
        // Small answers leave at once.
        let _ = stream.set_nodelay(true);
        Self { admitted: connections.admit(peer.ip()), stream, peer }
    }

    /// What it is doing.
    pub(super) fn entry(&self) -> Arc<Entry> {
        Arc::clone(&self.admitted.entry)
    }

    /// Answers what is asked on it, until its client leaves, its place is wanted, or `idle_is_over` and nothing is asked.
    pub(super) async fn serve(self, routes: Router, shutdown: Shutdown, idle_is_over: Shutdown) {
        let Self { admitted, stream, peer } = self;
        let entry = &admitted.entry;
        let answer = service_fn(|request: Request<Incoming>| {
            entry.answering();
            let (routes, shutdown) = (routes.clone(), &shutdown);
            async move {
                let mut response = answer(routes, request, peer).await;
                if shutdown.is_draining() {
                    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
                }
                Ok::<_, Infallible>(response.map(|body| Watched::new(body, entry)))
            }
        });
        let stream = TokioIo::new(ClientStream::new(stream, entry.clone()));
        let mut http = http1::Builder::new();
        // Times are kept by `Connections`, for all that is slow and not for heads alone.
        http.timer(TokioTimer::new()).header_read_timeout(None).max_buf_size(HEAD_BYTES);
        let mut connection = std::pin::pin!(http.serve_connection(stream, answer));
        let mut leaving = false;
        loop {
            tokio::select! {
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        tracing::debug!(%error, "connection ended");
                    }
                    return;
                }
                () = entry.closed() => return,
                () = idle_is_over.stopped(), if !leaving => {
                    leaving = true;
                    connection.as_mut().graceful_shutdown();
                }
            }
        }
    }
}

async fn answer(routes: Router, request: Request<Incoming>, peer: SocketAddr) -> Response {
    if !is_known(request.method()) {
        return Problem::new(
            StatusCode::NOT_IMPLEMENTED,
            "unknown_method",
            "this method is none of those that RFC 9110 and RFC 5789 name",
        )
        .into_response();
    }
    let waits = request.headers().contains_key(header::EXPECT);
    let (mut parts, body) = request.into_parts();
    let (body, rest) = unread::lend(body);
    parts.extensions.insert(ConnectInfo(peer));
    let request: Request<Body> = Request::from_parts(parts, body);
    let Ok(mut response) = routes.oneshot(request).await;
    if !rest.read_to_end(waits).await {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// A method that anybody can make up is a label and a line that anybody can make up.
fn is_known(method: &Method) -> bool {
    [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::OPTIONS,
        Method::TRACE,
        Method::CONNECT,
    ]
    .contains(method)
}

//! The server: `axum::serve` with the time limits it lacks.

use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use ecommerce_runtime::Shutdown;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tower::ServiceExt as _;

/// How long a client may take to send its headers, and so how long an idle connection is kept. Our own clients drop theirs
/// sooner ([`crate::client::IDLE`]), so that none sends into a closing door.
const HEADERS: Duration = Duration::from_secs(30);

/// How long to wait when a connection cannot be accepted.
const REFUSED: Duration = Duration::from_millis(100);

/// Serves until the shutdown says stop, then gives what is in hand `drain_timeout` to end. A handler finds who has connected
/// in [`ConnectInfo`].
pub async fn serve(listener: TcpListener, routes: Router, shutdown: Shutdown, drain_timeout: Duration) {
    let graceful = GracefulShutdown::new();
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADERS);
    loop {
        let accepted = tokio::select! {
            () = shutdown.stopped() => break,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "unable to accept a connection");
                // Out of file descriptors, most likely: accepting at once would only spin.
                let _ = tokio::time::timeout(REFUSED, shutdown.stopped()).await;
                continue;
            }
        };
        // Small answers leave at once.
        let _ = stream.set_nodelay(true);
        let routes = routes.clone();
        let answer = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            routes.clone().oneshot(request)
        });
        let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), answer));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "connection ended");
            }
        });
    }
    drop(listener);
    if tokio::time::timeout(drain_timeout, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests did not end in time and were dropped");
    }
}

//! The server: HTTP/1.1 with bounds on everything that a stranger could make grow.
//!
//! [`Limits`] says the bounds, [`Connections`] keeps them for all connections together, and each connection is served by
//! itself. What is asked on one is answered by the routes; nothing here knows them.

mod connection;
mod connections;
mod io;
mod limits;
mod malformed;
mod unread;
mod watched;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use ecommerce_runtime::Shutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, timeout, timeout_at};

pub use connections::Connections;
pub use limits::{HEAD_BYTES, Limits, Settings};

use connection::Connection;
use connections::Entry;

/// How long to wait when a connection cannot be accepted.
const REFUSED: Duration = Duration::from_millis(100);

/// How a server ends.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ending {
    /// How long connections on which nothing is asked are kept, so that a client of ours, which drops them sooner, never
    /// sends into a closing door.
    pub idle: Duration,
    /// How long what is in hand may take to end.
    pub requests: Duration,
}

/// Serves until the shutdown says stop, then ends as `ending` says. A handler finds who has connected in
/// [`axum::extract::ConnectInfo`].
pub async fn serve(listener: TcpListener, routes: Router, limits: Limits, shutdown: Shutdown, ending: Ending) {
    let connections = Connections::new(limits);
    let (idle_is_over, all_is_over) = (Shutdown::new(), Shutdown::new());
    let overseer = tokio::spawn(connections.clone().close_slow(all_is_over.clone()));
    let mut newest: Option<Arc<Entry>> = None;
    while let Some((stream, peer)) = accept(&listener, &shutdown).await {
        // Of those that come at once nobody is known to ask nothing, and who has been served would go for them.
        if let Some(newest) = newest.filter(|_| connections.are_full_for(peer.ip())) {
            newest.looked_at().await;
        }
        let connection = Connection::admit(stream, peer, &connections);
        newest = Some(connection.entry());
        tokio::spawn(connection.serve(routes.clone(), shutdown.clone(), idle_is_over.clone()));
    }
    drop(listener);
    let until = Instant::now() + ending.requests;
    let _ = timeout(ending.idle.min(ending.requests), connections.all_ended()).await;
    idle_is_over.stop();
    if timeout_at(until, connections.all_ended()).await.is_err() {
        tracing::warn!(connections = connections.count(), "requests did not end in time and were dropped");
    }
    all_is_over.stop();
    let _ = overseer.await;
}

/// The next connection; `None` when the process stops.
async fn accept(listener: &TcpListener, shutdown: &Shutdown) -> Option<(TcpStream, SocketAddr)> {
    loop {
        let accepted = tokio::select! {
            biased;
            () = shutdown.stopped() => return None,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok(accepted) => return Some(accepted),
            Err(error) => {
                tracing::warn!(%error, "unable to accept a connection");
                // Out of file descriptors, most likely: accepting at once would only spin.
                let _ = timeout(REFUSED, shutdown.stopped()).await;
            }
        }
    }
}

//! A whole process: two ports, background tasks, one end.

use std::net::SocketAddr;

use axum::Router;
use ecommerce_runtime::settings::{Drain, Listen};
use ecommerce_runtime::tasks::EndedEarly;
use ecommerce_runtime::{Shutdown, Tasks};
use tokio::net::TcpListener;

use crate::operations::Operations;
use crate::server::serve;

/// The two ports, bound.
#[derive(Debug)]
pub struct Listeners {
    http: TcpListener,
    operations: TcpListener,
}

impl Listeners {
    /// Binds both. Port 0 takes any free one.
    pub async fn bind(listen: &Listen) -> std::io::Result<Self> {
        let http = TcpListener::bind(listen.http_address).await?;
        let operations = TcpListener::bind(listen.operations_address).await?;
        Ok(Self { http, operations })
    }

    /// Where the API listens.
    pub fn http_address(&self) -> std::io::Result<SocketAddr> {
        self.http.local_addr()
    }

    /// Where health and metrics listen.
    pub fn operations_address(&self) -> std::io::Result<SocketAddr> {
        self.operations.local_addr()
    }
}

/// Serves until the shutdown says stop, then ends what is in hand. Health is answered to the very end.
pub async fn run(
    listeners: Listeners,
    routes: Router,
    operations: Operations,
    tasks: Tasks,
    drain: Drain,
) -> Result<(), EndedEarly> {
    if let (Ok(http), Ok(operations)) = (listeners.http_address(), listeners.operations_address()) {
        tracing::info!(http.address = %http, operations.address = %operations, "listening");
    }
    let shutdown = operations.shutdown.clone();
    let end_of_operations = Shutdown::new();
    let second_port = serve(listeners.operations, operations.router(), end_of_operations.clone(), drain.timeout());
    let second_port = tokio::spawn(second_port);
    let requests = serve(listeners.http, routes, shutdown, drain.timeout());
    let ended = tasks.run(requests, drain.timeout()).await;
    end_of_operations.stop();
    let _ = second_port.await;
    ended
}

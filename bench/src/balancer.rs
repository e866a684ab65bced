//! What a Kubernetes Service does: each new connection goes to the next replica that is ready.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// One address in front of the replicas of a service.
#[derive(Debug)]
pub struct Balancer {
    /// Where it listens.
    pub address: SocketAddr,
    ready: watch::Sender<Vec<SocketAddr>>,
}

impl Balancer {
    /// One with no replica yet: connections are refused by being closed.
    pub async fn start() -> std::io::Result<Self> {
        Self::start_at(SocketAddr::from(([127, 0, 0, 1], 0))).await
    }

    /// One at this address.
    pub async fn start_at(address: SocketAddr) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let (ready, replicas) = watch::channel(Vec::new());
        tokio::spawn(serve(listener, replicas));
        Ok(Self { address, ready })
    }

    /// Says which replicas are ready.
    pub fn set(&self, ready: Vec<SocketAddr>) {
        self.ready.send_replace(ready);
    }
}

async fn serve(listener: TcpListener, replicas: watch::Receiver<Vec<SocketAddr>>) {
    let next = Arc::new(AtomicUsize::new(0));
    while let Ok((mut client, _)) = listener.accept().await {
        let ready = replicas.borrow().clone();
        if ready.is_empty() {
            continue;
        }
        let replica = ready[next.fetch_add(1, Ordering::Relaxed) % ready.len()];
        tokio::spawn(async move {
            let mut server = TcpStream::connect(replica).await?;
            client.set_nodelay(true)?;
            server.set_nodelay(true)?;
            tokio::io::copy_bidirectional(&mut client, &mut server).await
        });
    }
}

//! The gateway in front of auth, as clients meet both.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};

use ecommerce_contract::Service;
use ecommerce_process::{Host, Settings};
use ecommerce_runtime::Shutdown;
use ecommerce_testing::eventually;
use gateway::{Config, Upstreams};
use tokio::net::{TcpListener, TcpStream};

use crate::shop::Shop;

/// A path of the gateway's that auth, which asks PostgreSQL itself who is logged in, has nothing to say to.
const PATH: &str = "/api/v1/orders";
/// What is answered where the gateway lets somebody in: auth's word that this is none of its paths.
pub(crate) const LET_IN: u16 = 404;

/// A gateway; ended when it is dropped.
pub(crate) struct Door {
    pub(crate) address: SocketAddr,
    http: reqwest::Client,
    shutdown: Shutdown,
}

impl Door {
    /// One before these replicas of the shop's auth, each connection to the next of them, as a Kubernetes Service does.
    pub(crate) async fn before(shop: &Shop, replicas: Vec<SocketAddr>) -> Self {
        Self::behind_proxies(0, shop, replicas).await
    }

    /// The same where so many proxies of ours are in front of it.
    pub(crate) async fn behind_proxies(trusted_proxies: u8, shop: &Shop, replicas: Vec<SocketAddr>) -> Self {
        let auth_url: String = format!("http://{}", balance(replicas).await);
        let config = Config {
            token: shop.config.token.clone(),
            redis: shop.config.redis.clone(),
            upstreams: Upstreams {
                auth_url: auth_url.parse().unwrap(),
                product_url: auth_url.parse().unwrap(),
                order_url: auth_url.parse().unwrap(),
                payment_url: auth_url.parse().unwrap(),
            },
            edge_keys: shop.keys.sent_by(Service::Gateway),
            trusted_proxies,
        };
        let shutdown = Shutdown::new();
        let host = Host::bind(&Settings::for_tests(), shop.clock.clone(), shutdown.clone()).unwrap();
        let app = gateway::build(config, host).await.unwrap();
        let address = app.http_address().unwrap();
        tokio::spawn(app.run());
        let door = Self { address, http: reqwest::Client::new(), shutdown };
        eventually("the gateway knows auth's keys", || async { (door.ask("x").await == 401).then_some(()) }).await;
        door
    }

    /// What is answered to who asks with this token.
    pub(crate) async fn ask(&self, token: &str) -> u16 {
        let answer = self.http.get(format!("http://{}{PATH}", self.address)).bearer_auth(token).send().await.unwrap();
        answer.status().as_u16()
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.shutdown.stop();
    }
}

async fn balance(replicas: Vec<SocketAddr>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let next = AtomicUsize::new(0);
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let replica = replicas[next.fetch_add(1, Ordering::Relaxed) % replicas.len()];
            tokio::spawn(async move {
                let mut server = TcpStream::connect(replica).await?;
                client.set_nodelay(true)?;
                server.set_nodelay(true)?;
                tokio::io::copy_bidirectional(&mut client, &mut server).await
            });
        }
    });
    address
}

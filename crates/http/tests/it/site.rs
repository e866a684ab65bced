//! A few routes behind everything that a service has around its own.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::routing::{get, post};
use ecommerce_contract::Service;
use ecommerce_http::api_key::{KnownKeys, only_for};
use ecommerce_http::request_log::{Callers, around};
use ecommerce_http::server::{Ending, Limits, Settings, serve};
use ecommerce_http::{Customer, Staff};
use ecommerce_runtime::{Shutdown, request_id};
use ecommerce_testing::Keys;
use ecommerce_types::Clock;
use tokio::net::TcpListener;

/// A running server with the keys of its callers.
pub(crate) struct Site {
    pub(crate) address: SocketAddr,
    pub(crate) keys: Keys,
    pub(crate) shutdown: Shutdown,
}

impl Site {
    /// Open to the gateway, and to order under `/internal`.
    pub(crate) async fn open() -> Self {
        Self::open_with(Keys::create()).await
    }

    pub(crate) async fn open_with(keys: Keys) -> Self {
        let clock = Clock::system();
        let for_gateway = Router::new()
            .route("/hello", get(async || "hello").post(async || "hello"))
            .route("/kept", get(async || ([("cache-control", "public, max-age=60")], "kept")))
            .route("/id", get(async || request_id::current().unwrap_or_default()))
            .route("/panics", get(panics).post(panics))
            .route("/customer", get(async |Customer(caller): Customer| caller.user_id.to_string()))
            .route("/staff", get(async |Staff(caller): Staff| caller.user_id.to_string()))
            .route("/body", post(async |_: Request| "not read"));
        let for_order = Router::new().route("/internal", get(async || "internal"));
        let routes = only_for(&[Service::Gateway], for_gateway).merge(only_for(&[Service::Order], for_order));
        let known = KnownKeys::read(&keys.known(), clock.clone()).unwrap();
        let routes = around(routes, clock, Callers::Services(known));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, shutdown) = (listener.local_addr().unwrap(), Shutdown::new());
        let limits = Limits::new(Settings::default(), None, None);
        let ending = Ending { idle: Duration::from_secs(20), requests: Duration::from_secs(30) };
        tokio::spawn(serve(listener, routes, limits, shutdown.clone(), ending));
        Self { address, keys, shutdown }
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.shutdown.stop();
    }
}

async fn panics() -> &'static str {
    panic!("this handler panics");
}

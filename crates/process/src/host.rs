//! What a service is built on.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use axum::Router;
use ecommerce_http::api_key::KnownKeys;
use ecommerce_http::health_and_metrics::HealthAndMetrics;
use ecommerce_http::request_log::{self, Callers};
use ecommerce_http::server::Limits;
use ecommerce_runtime::settings::{Drain, Listen};
use ecommerce_runtime::{Shutdown, Tasks};
use ecommerce_types::Clock;
use tokio::net::{TcpListener, TcpSocket};

use crate::app::App;
use crate::readiness::Readiness;
use crate::{Settings, machine};

/// Connections that wait to be taken in; the next one is tried again by its client's kernel, a second later. The usual 128
/// are too few for those that come at once.
const WAITING: u32 = 1024;

/// The two ports, bound.
#[derive(Debug)]
pub struct Listeners {
    pub(crate) http: TcpListener,
    pub(crate) operations: TcpListener,
}

impl Listeners {
    /// Binds both. Port 0 takes any free one.
    pub fn bind(listen: &Listen) -> io::Result<Self> {
        Ok(Self { http: bind(listen.http_address)?, operations: bind(listen.operations_address)? })
    }
}

/// Binds an address; where the machine has no IPv6, any address of it is any address of IPv4.
fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    match listen(address) {
        Err(error)
            if address.is_ipv6() && address.ip().is_unspecified() && error.kind() != io::ErrorKind::AddrInUse =>
        {
            listen((Ipv4Addr::UNSPECIFIED, address.port()).into())
        }
        bound => bound,
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(WAITING)
}

/// What a service is built on: its ports, its clock, its end, and what strangers may take of it.
#[derive(Debug)]
pub struct Host {
    /// Bound, and not answered yet.
    pub listeners: Listeners,
    /// Tells the time and makes ids.
    pub clock: Clock,
    /// Tells every part that the process ends.
    pub shutdown: Shutdown,
    /// What strangers may take.
    pub limits: Limits,
    drain: Drain,
}

impl Host {
    /// Binds the ports.
    pub fn bind(settings: &Settings, clock: Clock, shutdown: Shutdown) -> io::Result<Self> {
        let limits = Limits::new(settings.server, machine::memory(), machine::open_files());
        Ok(Self { listeners: Listeners::bind(&settings.listen)?, clock, shutdown, limits, drain: settings.drain })
    }

    /// Background tasks that end with this process.
    #[must_use]
    pub fn tasks(&self) -> Tasks {
        Tasks::new(self.shutdown.clone())
    }

    /// A service that other services call: whoever they are stands in `keys`.
    #[must_use]
    pub fn called_by_services(self, keys: KnownKeys, routes: Router, mut tasks: Tasks) -> App {
        tasks.spawn("api keys", keys.clone().follow(self.shutdown.clone()));
        let routes = request_log::around(routes, self.clock.clone(), Callers::Services(keys));
        self.app(routes, tasks)
    }

    /// A service that strangers call, through so many proxies of ours. Without one, connections are the clients' own, and
    /// no client holds more than its share of them.
    #[must_use]
    pub fn called_by_clients(mut self, trusted_proxies: u8, routes: Router, tasks: Tasks) -> App {
        if trusted_proxies == 0 {
            self.limits = self.limits.shared_by_clients();
        }
        let routes = request_log::around(routes, self.clock.clone(), Callers::Clients { trusted_proxies });
        self.app(routes, tasks)
    }

    fn app(self, routes: Router, tasks: Tasks) -> App {
        App {
            listeners: self.listeners,
            routes,
            health: HealthAndMetrics::new(self.shutdown),
            readiness: Readiness::default(),
            limits: self.limits,
            tasks,
            drain: self.drain,
        }
    }
}

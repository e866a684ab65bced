//! A door before a store that speaks TLS and shows a certificate, while the store behind it is met in clear.

use std::io;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use url::Url;

use crate::authority::Certificate;

/// What a client of PostgreSQL asks before it speaks TLS (its manual, "Message Formats", `SSLRequest`).
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// A door that is open for as long as the test runs.
#[derive(Debug)]
pub struct TlsDoor {
    /// The store's address through it: by TLS, to `localhost`.
    pub url: Url,
}

impl TlsDoor {
    /// Before the store at `url`, which is one of PostgreSQL, RabbitMQ or Redis, with a host and a port.
    ///
    /// # Panics
    /// When it is none, or no port is free.
    pub async fn to(url: &str, certificate: &Certificate) -> Self {
        let mut url = Url::parse(url).expect("an address");
        let store = format!("{}:{}", url.host_str().expect("a host"), url.port().expect("a port"));
        let asks_first = url.scheme() == "postgres";
        let door = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        url.set_port(Some(door.local_addr().expect("a bound address").port())).expect("an address with a port");
        let acceptor = acceptor(certificate);
        tokio::spawn(async move {
            while let Ok((client, _)) = door.accept().await {
                let (store, acceptor) = (store.clone(), acceptor.clone());
                // A client that does not believe it goes away: that is the client's to tell.
                tokio::spawn(async move { pass(client, &store, &acceptor, asks_first).await });
            }
        });
        Self { url: by_tls(url.as_str()) }
    }
}

/// The same store by TLS, at `localhost`, whether it speaks it or not.
///
/// # Panics
/// When it is none of PostgreSQL, RabbitMQ or Redis.
#[must_use]
pub fn by_tls(url: &str) -> Url {
    let mut url = Url::parse(url).expect("an address");
    url.set_host(Some("localhost")).expect("an address with a host");
    match url.scheme() {
        "postgres" => drop(url.query_pairs_mut().append_pair("sslmode", "verify-full")),
        "amqp" => url.set_scheme("amqps").expect("a scheme"),
        "redis" => url.set_scheme("rediss").expect("a scheme"),
        other => panic!("no store is at {other}://"),
    }
    url
}

fn acceptor(certificate: &Certificate) -> TlsAcceptor {
    let chain = vec![CertificateDer::from_pem_slice(certificate.certificate.as_bytes()).expect("a certificate")];
    let key = PrivateKeyDer::from_pem_slice(certificate.key.as_bytes()).expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().expect("versions");
    let config = config.with_no_client_auth().with_single_cert(chain, key).expect("a key of this certificate");
    Arc::new(config).into()
}

async fn pass(mut client: TcpStream, store: &str, acceptor: &TlsAcceptor, asks_first: bool) -> io::Result<()> {
    client.set_nodelay(true)?;
    if asks_first {
        let mut asked = [0; SSL_REQUEST.len()];
        client.read_exact(&mut asked).await?;
        assert_eq!(asked, SSL_REQUEST, "a client that speaks in clear");
        client.write_all(b"S").await?;
    }
    let mut client = acceptor.accept(client).await?;
    let mut store = TcpStream::connect(store).await?;
    store.set_nodelay(true)?;
    copy_bidirectional(&mut client, &mut store).await.map(drop)
}

//! AMQP over streams of ours: the client library brings no TLS of its own with which a server could be believed.
//!
//! It takes streams of a reactor, so there is one here: tokio's, whose streams to a server are encrypted where that is asked for. Both kinds
//! are one type, for the library is compiled once for each.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_rs::traits::Reactor;
use async_rs::util::RuntimeParts;
use async_rs::{Runtime, Tokio};
use ecommerce_tls::Authority;
use futures::{AsyncRead, AsyncWrite};
use lapin::uri::AMQPUri;
use lapin::{AsyncTcpStream, Connection, ConnectionProperties};
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_util::compat::{Compat, TokioAsyncReadCompatExt as _};
use tokio_util::either::Either;

use crate::Error;

/// What rustls makes of a server that answers a handshake in clear, as RabbitMQ does with the versions that it speaks.
const IN_CLEAR: rustls::Error = rustls::Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType);

/// How what is sent to a broker is encrypted: by what name it has to be known, and who may vouch for that. Clones share it.
#[derive(Clone)]
pub(crate) struct Encryption {
    name: ServerName<'static>,
    client: TlsConnector,
}

impl Encryption {
    /// For the broker of this name, which this authority alone may vouch for, or, where none is named, those that browsers know.
    pub(crate) fn of(host: &str, authority: Option<&Authority>) -> Result<Self, Error> {
        let name = ServerName::try_from(host.to_owned()).map_err(|_| Error::InvalidUrl)?;
        Ok(Self { name, client: Arc::new(ecommerce_tls::client(authority)).into() })
    }

    async fn encrypt(&self, broker: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        self.client.connect(self.name.clone(), broker).await.map_err(in_words)
    }
}

/// Connects, encrypted or in clear, and logs in.
pub(crate) async fn connect(
    uri: AMQPUri,
    properties: ConnectionProperties,
    encryption: Option<Encryption>,
) -> Result<Connection, lapin::Error> {
    let tokio = Tokio::current();
    let reactor = Streams { tokio: tokio.clone(), encryption: encryption.clone() };
    let runtime = Runtime::new(RuntimeParts::new(tokio, reactor));
    let open = async move |uri: AMQPUri, _| {
        let broker = TcpStream::connect((uri.authority.host.as_str(), uri.authority.port)).await?;
        Ok(AsyncTcpStream::Plain(stream(broker, encryption.as_ref()).await?))
    };
    Connection::connector(uri, runtime, open, properties).await
}

/// What the library reads and writes.
type Stream = Compat<Either<TcpStream, Box<TlsStream<TcpStream>>>>;

async fn stream(broker: TcpStream, encryption: Option<&Encryption>) -> io::Result<Stream> {
    broker.set_nodelay(true)?;
    let stream = match encryption {
        None => Either::Left(broker),
        Some(encryption) => Either::Right(Box::new(encryption.encrypt(broker).await?)),
    };
    Ok(stream.compat())
}

impl std::fmt::Debug for Encryption {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Encryption").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What is wrong with a certificate, rustls says well; of an answer in clear it says no more than that it does not read.
fn in_words(error: io::Error) -> io::Error {
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>());
    if cause == Some(&IN_CLEAR) {
        return io::Error::new(io::ErrorKind::InvalidData, "the broker speaks no TLS at this port");
    }
    error
}

/// A reactor whose streams to a server are ours.
#[derive(Debug, Clone)]
struct Streams {
    tokio: Tokio,
    encryption: Option<Encryption>,
}

impl Reactor for Streams {
    type TcpStream = Stream;
    type Sleep = <Tokio as Reactor>::Sleep;

    fn register<H: io::Read + io::Write + AsFd + AsRawFd + Send + 'static>(
        &self,
        socket: H,
    ) -> io::Result<impl AsyncRead + AsyncWrite + Send + Unpin + 'static> {
        self.tokio.register(socket)
    }

    fn sleep(&self, duration: Duration) -> Self::Sleep {
        self.tokio.sleep(duration)
    }

    fn interval(&self, duration: Duration) -> impl futures::Stream<Item = Instant> + Send + 'static {
        self.tokio.interval(duration)
    }

    fn tcp_connect_addr(
        &self,
        address: SocketAddr,
    ) -> impl Future<Output = io::Result<Self::TcpStream>> + Send + 'static {
        let encryption = self.encryption.clone();
        async move { stream(TcpStream::connect(address).await?, encryption.as_ref()).await }
    }
}

//! A connection to a store of others, over TLS where its address says so: the way of RabbitMQ, its management and Redis. PostgreSQL's
//! driver has its own.

use std::sync::Arc;
use std::time::Duration;

use ecommerce_tls::Authority;
use rustls::CertificateError;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::{Instant, interval, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_util::either::Either;

use super::error::Fault;
use crate::external::{Address, Found};

/// Between two tries.
const PAUSE: Duration = Duration::from_millis(500);

pub(super) type Wire = Either<TcpStream, Box<TlsStream<TcpStream>>>;

/// Connects; a server that is still starting is waited for until the deadline.
pub(super) async fn connect(found: &Found, address: &Address, deadline: Instant) -> Result<Wire, Fault> {
    let mut pause = interval(PAUSE);
    let mut last = "in time".to_owned();
    loop {
        let tried = async {
            pause.tick().await;
            TcpStream::connect((address.host.as_str(), address.port)).await
        };
        match timeout_at(deadline, tried).await {
            Ok(Ok(stream)) => return encrypted(found, address, stream, deadline).await,
            Ok(Err(error)) => last = error.to_string(),
            Err(_) => return Err(unreachable(address, last)),
        }
    }
}

async fn encrypted(found: &Found, address: &Address, stream: TcpStream, deadline: Instant) -> Result<Wire, Fault> {
    if !address.tls {
        return Ok(Either::Left(stream));
    }
    let not_believed = |why: String| Fault::NotBelieved { key: address.said_by.clone(), why };
    let authority = found.authorities.as_ref().map(|pem| Authority::from_pem(pem.as_str())).transpose();
    let authority = authority.map_err(|invalid| not_believed(format!("what it is to be believed by {invalid}")))?;
    let client = TlsConnector::from(Arc::new(ecommerce_tls::client(authority.as_ref())));
    let name = ServerName::try_from(address.host.clone()).map_err(|error| not_believed(error.to_string()))?;
    match timeout_at(deadline, client.connect(name, stream)).await {
        Ok(Ok(stream)) => Ok(Either::Right(Box::new(stream))),
        Ok(Err(error)) => Err(not_believed(why_not_believed(&error).unwrap_or_else(|| error.to_string()))),
        Err(_) => Err(unreachable(address, "it says nothing of TLS in time".to_owned())),
    }
}

pub(super) fn unreachable(address: &Address, why: String) -> Fault {
    Fault::Unreachable { key: address.said_by.clone(), why }
}

/// What is wrong with a certificate, where that is what went wrong.
pub(super) fn why_not_believed(error: &std::io::Error) -> Option<String> {
    let error = error.get_ref()?.downcast_ref::<rustls::Error>()?;
    Some(match error {
        rustls::Error::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. }) => {
            "its certificate has expired".to_owned()
        }
        rustls::Error::InvalidCertificate(
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. },
        ) => "its certificate is not valid yet".to_owned(),
        rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::BadSignature) => {
            "nobody whom the Secret's certificates name, or else a public authority, has signed its certificate"
                .to_owned()
        }
        rustls::Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => "its certificate is of another host".to_owned(),
        other => other.to_string(),
    })
}

//! A wire to a store that a test can cut or clog, while other tests go on using the store.

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use url::Url;

/// How the wire is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Whole,
    /// Bytes go in and do not come out.
    Clogged,
    /// Connections end, and new ones with them.
    Cut,
}

/// A wire from an address of its own to a store's; it ends when this is dropped.
#[derive(Debug)]
pub struct Link {
    /// The store's address, through the wire.
    pub url: Url,
    state: watch::Sender<State>,
}

impl Link {
    /// A whole wire to the store at `url`, which has a host and a port.
    ///
    /// # Panics
    /// When that is no address, or no port is free.
    pub async fn to(url: &str) -> Self {
        let mut url = Url::parse(url).expect("an address");
        let store = format!("{}:{}", url.host_str().expect("a host"), url.port().expect("a port"));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound address");
        url.set_ip_host(address.ip()).expect("an address with a host");
        url.set_port(Some(address.port())).expect("an address with a port");
        let (state, _) = watch::channel(State::Whole);
        let states = state.subscribe();
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let (store, states) = (store.clone(), states.clone());
                tokio::spawn(async move {
                    if *states.borrow() != State::Cut
                        && let Ok(far) = TcpStream::connect(store).await
                        // What the wire is to stand for waits for nothing (RFC 896 makes it wait for the far end's word).
                        && near.set_nodelay(true).and_then(|()| far.set_nodelay(true)).is_ok()
                    {
                        join(near, far, states).await;
                    }
                });
            }
        });
        Self { url, state }
    }

    /// Ends all connections and lets no new one through.
    pub fn cut(&self) {
        self.state.send_replace(State::Cut);
    }

    /// Keeps connections, but lets nothing more through.
    pub fn clog(&self) {
        self.state.send_replace(State::Clogged);
    }

    /// Makes the wire whole again.
    pub fn mend(&self) {
        self.state.send_replace(State::Whole);
    }
}

async fn join(near: TcpStream, far: TcpStream, states: watch::Receiver<State>) {
    let mut cut = states.clone();
    let ((near_read, near_write), (far_read, far_write)) = (near.into_split(), far.into_split());
    tokio::select! {
        () = pump(near_read, far_write, states.clone()) => {}
        () = pump(far_read, near_write, states) => {}
        _ = cut.wait_for(|state| *state == State::Cut) => {}
    }
}

async fn pump(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, mut states: watch::Receiver<State>) {
    let mut bytes = [0; 4096];
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        if states.wait_for(|state| *state != State::Clogged).await.is_err() {
            return;
        }
        if to.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
}

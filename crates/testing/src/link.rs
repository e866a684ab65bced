//! A wire to a store that a test can cut, clog, slow down or listen to, while other tests go on using the store.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use url::Url;

/// How the wire is, and since how many silences.
#[derive(Debug, Clone, Copy)]
struct Wire {
    state: State,
    silences: u32,
    delay: Duration,
}

/// Hears what one connection sends to the store.
pub type Listener = Box<dyn FnMut(&[u8]) + Send>;

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
    /// Where new connections go, by host and port.
    store: Arc<Mutex<String>>,
    wire: watch::Sender<Wire>,
}

impl Link {
    /// A whole wire to the store at `url`, which has a host and a port.
    ///
    /// # Panics
    /// When that is no address, or no port is free.
    pub async fn to(url: &str) -> Self {
        Self::heard(url, || Box::new(|_| {})).await
    }

    /// The same; each connection is listened to.
    ///
    /// # Panics
    /// As [`Self::to`].
    pub async fn heard(url: &str, listener: impl Fn() -> Listener + Send + Sync + 'static) -> Self {
        let heard_by = Arc::new(listener);
        let mut url = Url::parse(url).expect("an address");
        let store = Arc::new(Mutex::new(host_and_port(&url)));
        let door = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = door.local_addr().expect("a bound address");
        url.set_ip_host(address.ip()).expect("an address with a host");
        url.set_port(Some(address.port())).expect("an address with a port");
        let (wire, _) = watch::channel(Wire { state: State::Whole, silences: 0, delay: Duration::ZERO });
        let wires = wire.subscribe();
        let leads_to = store.clone();
        tokio::spawn(async move {
            while let Ok((near, _)) = door.accept().await {
                let store = leads_to.lock().expect("a lock").clone();
                let (wires, heard_by) = (wires.clone(), Arc::clone(&heard_by));
                tokio::spawn(async move {
                    if wires.borrow().state != State::Cut
                        && let Ok(far) = TcpStream::connect(store).await
                        // What the wire is to stand for waits for nothing (RFC 896 makes it wait for the far end's word).
                        && near.set_nodelay(true).and_then(|()| far.set_nodelay(true)).is_ok()
                    {
                        join(near, far, wires, heard_by()).await;
                    }
                });
            }
        });
        Self { url, store, wire }
    }

    /// From now on new connections go to the store at this address, as when a name is given to another server; those that there are
    /// stay.
    ///
    /// # Panics
    /// When that is no address.
    pub fn lead_to(&self, url: &str) {
        *self.store.lock().expect("a lock") = host_and_port(&Url::parse(url).expect("an address"));
    }

    /// Ends all connections and lets no new one through.
    pub fn cut(&self) {
        self.be(State::Cut);
    }

    /// Keeps connections, but lets nothing more through.
    pub fn clog(&self) {
        self.be(State::Clogged);
    }

    /// Makes the wire whole again.
    pub fn mend(&self) {
        self.be(State::Whole);
    }

    /// Lets nothing more through the connections that there are, for ever and without ending them, as a node that dies without a
    /// word; new ones are whole.
    pub fn silence(&self) {
        self.wire.send_modify(|wire| wire.silences += 1);
    }

    /// Lets everything through after a while more, each way.
    pub fn slow(&self, delay: Duration) {
        self.wire.send_modify(|wire| wire.delay = delay);
    }

    fn be(&self, state: State) {
        self.wire.send_modify(|wire| wire.state = state);
    }
}

fn host_and_port(url: &Url) -> String {
    format!("{}:{}", url.host_str().expect("a host"), url.port().expect("a port"))
}

async fn join(near: TcpStream, far: TcpStream, wires: watch::Receiver<Wire>, listener: Listener) {
    let mut cut = wires.clone();
    let ((near_read, near_write), (far_read, far_write)) = (near.into_split(), far.into_split());
    tokio::select! {
        () = pump(near_read, far_write, wires.clone(), listener) => {}
        () = pump(far_read, near_write, wires, Box::new(|_| {})) => {}
        _ = cut.wait_for(|wire| wire.state == State::Cut) => {}
    }
}

async fn pump(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut wires: watch::Receiver<Wire>,
    mut listener: Listener,
) {
    let mut bytes = vec![0; 16 * 1024];
    let silences = wires.borrow().silences;
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        listener(&bytes[..count]);
        let whole = wires.wait_for(|wire| wire.state != State::Clogged && wire.silences == silences).await;
        let Ok(delay) = whole.map(|wire| wire.delay) else { return };
        if !delay.is_zero() {
            #[expect(clippy::disallowed_methods, reason = "the way that is played here takes its time")]
            tokio::time::sleep(delay).await;
        }
        if to.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
}

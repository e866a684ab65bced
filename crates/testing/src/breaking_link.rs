//! A wire to PostgreSQL that breaks at one statement: before the server hears of it, or before anybody hears what became of it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

/// When a connection breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// The server never hears of the statement.
    BeforeItIsSent,
    /// The server has done what it says, and nobody is told.
    BeforeItsAnswer,
}

/// A wire that breaks once, at the statement of this number, whichever connection it comes on; all others go through, and
/// connections that come later do.
#[derive(Debug)]
pub struct BreakingLink {
    /// The server's address, through the wire.
    pub url: Url,
    plan: Arc<Plan>,
}

#[derive(Debug)]
struct Plan {
    number: AtomicUsize,
    moment: Moment,
    heard: AtomicUsize,
}

impl BreakingLink {
    /// To the server at `url`, which breaks at the statement with this number, the first being 1.
    ///
    /// # Panics
    /// When that is no address with a host and a port, or no port is free.
    pub async fn to(url: &str, number: usize, moment: Moment) -> Self {
        let mut url = Url::parse(url).expect("an address");
        let server = format!("{}:{}", url.host_str().expect("a host"), url.port().expect("a port"));
        let door = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = door.local_addr().expect("a bound address");
        url.set_ip_host(address.ip()).expect("an address with a host");
        url.set_port(Some(address.port())).expect("an address with a port");
        // What is encrypted cannot be counted, and asking for it is no message of the protocol.
        url.set_query(Some("sslmode=disable"));
        let plan = Arc::new(Plan { number: number.into(), moment, heard: AtomicUsize::new(0) });
        let of_all = plan.clone();
        tokio::spawn(async move {
            while let Ok((near, _)) = door.accept().await {
                let (server, plan) = (server.clone(), of_all.clone());
                tokio::spawn(async move {
                    if let Ok(far) = TcpStream::connect(server).await {
                        let _ = join(near, far, &plan).await;
                    }
                });
            }
        });
        Self { url, plan }
    }

    /// Counts anew, and breaks once more at the statement with this number.
    pub fn break_at(&self, number: usize) {
        self.plan.number.store(number, Ordering::SeqCst);
        self.plan.heard.store(0, Ordering::SeqCst);
    }

    /// Whether that statement has come.
    #[must_use]
    pub fn has_broken(&self) -> bool {
        self.plan.heard.load(Ordering::SeqCst) >= self.plan.number.load(Ordering::SeqCst)
    }
}

impl Plan {
    /// Whether the connection breaks at this message. What makes the server do and commit something is a simple query, such as
    /// `COMMIT`, or the end of an extended one (PostgreSQL's manual, "Message Flow").
    fn breaks_at(&self, message: &[u8]) -> bool {
        const QUERY: u8 = b'Q';
        const SYNC: u8 = b'S';
        matches!(message.first(), Some(&QUERY | &SYNC))
            && self.heard.fetch_add(1, Ordering::SeqCst) + 1 == self.number.load(Ordering::SeqCst)
    }
}

async fn join(near: TcpStream, far: TcpStream, plan: &Plan) -> io::Result<()> {
    near.set_nodelay(true)?;
    far.set_nodelay(true)?;
    let ((near_read, near_write), (far_read, far_write)) = (near.into_split(), far.into_split());
    let is_mute = AtomicBool::new(false);
    tokio::select! {
        ended = there(BufReader::new(near_read), far_write, plan, &is_mute) => ended,
        ended = back(BufReader::new(far_read), near_write, &is_mute) => ended,
    }
}

async fn there(
    mut near: impl AsyncRead + Unpin,
    mut far: impl AsyncWrite + Unpin,
    plan: &Plan,
    is_mute: &AtomicBool,
) -> io::Result<()> {
    // The first message has no type.
    let first = message(&mut near, 4).await?;
    far.write_all(&first).await?;
    loop {
        let message = message(&mut near, 5).await?;
        if plan.breaks_at(&message) {
            if plan.moment == Moment::BeforeItIsSent {
                return Ok(());
            }
            is_mute.store(true, Ordering::SeqCst);
        }
        far.write_all(&message).await?;
    }
}

async fn back(
    mut far: impl AsyncRead + Unpin,
    mut near: impl AsyncWrite + Unpin,
    is_mute: &AtomicBool,
) -> io::Result<()> {
    const READY_FOR_QUERY: u8 = b'Z';
    loop {
        let message = message(&mut far, 5).await?;
        match message.first() {
            Some(&READY_FOR_QUERY) if is_mute.load(Ordering::SeqCst) => return Ok(()),
            _ if is_mute.load(Ordering::SeqCst) => {}
            _ => near.write_all(&message).await?,
        }
    }
}

/// One message, whose head ends with its length, which counts itself.
async fn message(from: &mut (impl AsyncRead + Unpin), head: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; head];
    from.read_exact(&mut bytes).await?;
    let length = bytes.last_chunk().map_or(0, |length| u32::from_be_bytes(*length));
    let rest = usize::try_from(length).unwrap_or_default().saturating_sub(4);
    bytes.resize(head + rest, 0);
    let (_, rest) = bytes.split_at_mut(head);
    from.read_exact(rest).await?;
    Ok(bytes)
}

//! What becomes of a request's body that nobody has read to its end.
//!
//! HTTP/1.1 sends the next request behind it. A server that answers early, as with a refusal, has to read the rest or to
//! close; a client that is still sending then meets a reset, and every refusal costs a new connection.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, Incoming, SizeHint};
use parking_lot::Mutex;
use tokio::time::timeout;

use crate::BODY_LIMIT;

/// How long the rest of a body may take.
const REST: Duration = Duration::from_secs(1);

/// A body that comes back when it is dropped before its end.
struct Lent {
    body: Option<Incoming>,
    home: Arc<Mutex<Option<Incoming>>>,
}

/// Where a body comes back to.
pub(super) struct Rest(Option<Arc<Mutex<Option<Incoming>>>>);

/// Gives a body to whoever answers, and a way to the rest of it. A request without a body costs nothing.
pub(super) fn lend(body: Incoming) -> (Body, Rest) {
    if body.is_end_stream() {
        return (Body::empty(), Rest(None));
    }
    let home = Arc::default();
    let lent = Lent { body: Some(body), home: Arc::clone(&home) };
    (Body::new(lent), Rest(Some(home)))
}

impl Rest {
    /// Reads what nobody has read; false when that is more than a body may have, or takes too long, and the connection
    /// cannot be used again. Nothing is read of a client that `waits` to be told to go on (RFC 9110, section 10.1.1).
    pub(super) async fn read_to_end(self, waits: bool) -> bool {
        let Some(body) = self.0.and_then(|home| home.lock().take()) else { return true };
        !waits && timeout(REST, read(body)).await.unwrap_or(false)
    }
}

async fn read(mut body: Incoming) -> bool {
    let mut left = BODY_LIMIT;
    loop {
        match std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
            None => return true,
            Some(Err(_)) => return false,
            Some(Ok(frame)) => match left.checked_sub(frame.data_ref().map_or(0, Bytes::len)) {
                Some(rest) => left = rest,
                None => return false,
            },
        }
    }
}

impl HttpBody for Lent {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        self.body.as_mut().map_or(Poll::Ready(None), |body| Pin::new(body).poll_frame(context))
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(SizeHint::default, HttpBody::size_hint)
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        *self.home.lock() = self.body.take().filter(|body| !body.is_end_stream());
    }
}

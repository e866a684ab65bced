//! Bodies on their way through: a request's is collected before anything is forwarded, an answer's passes as it comes and may
//! not stall.

use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::http::{HeaderMap, header};
use ecommerce_http::BODY_LIMIT;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::{Frame, Incoming, SizeHint};
use tokio::time::{Instant, Sleep, timeout};

use crate::Error;

/// Refuses a body that no service reads: one that is too large by its own word, or packed.
pub(crate) fn check(headers: &HeaderMap) -> Result<(), Error> {
    let declared = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if declared.is_some_and(|length| length > BODY_LIMIT as u64) {
        return Err(Error::BodyTooLarge);
    }
    let packed = headers.get(header::CONTENT_ENCODING).is_some_and(|coding| coding != "identity");
    if packed { Err(Error::BodyEncoded) } else { Ok(()) }
}

/// All of a request's body, up to [`BODY_LIMIT`] and without trailers, which a service would read as headers. A slow client
/// keeps nobody behind the gateway waiting, and what was collected can be sent once more.
pub(crate) async fn collect(body: Body, limit: Duration) -> Result<Bytes, Error> {
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    timeout(limit, copied(body)).await.map_err(|_| Error::BodyTooSlow)?
}

/// Copied as it comes: each part that is kept would keep the buffer it was read into, 8 KiB for a byte that came alone.
async fn copied(body: Body) -> Result<Bytes, Error> {
    let mut body = pin!(Limited::new(body, BODY_LIMIT));
    let mut collected = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| refusal(&*error))?;
        if let Ok(data) = frame.into_data() {
            collected.extend_from_slice(&data);
        }
    }
    Ok(collected.into())
}

fn refusal(error: &(dyn std::error::Error + 'static)) -> Error {
    if error.is::<LengthLimitError>() { Error::BodyTooLarge } else { Error::BodyUnreadable }
}

/// Why an answer's body ended before its end. The client sees its connection end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Broken {
    /// The service went away.
    #[error("the answer's body ended early")]
    Answer(#[source] hyper::Error),
    /// The service paused for longer than the route's limit.
    #[error("the answer's body stalled")]
    Stalled,
}

/// An answer's body, whose pauses are no longer than the route's limit.
#[derive(Debug)]
pub(crate) struct AnswerBody {
    inner: Incoming,
    limit: Duration,
    /// Made at the first pause; a small answer has none.
    pause: Option<Pin<Box<Sleep>>>,
    pausing: bool,
}

impl AnswerBody {
    /// Lets a body through that pauses for `limit` at most.
    pub(crate) fn new(inner: Incoming, limit: Duration) -> Self {
        Self { inner, limit, pause: None, pausing: false }
    }

    fn poll_pause(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let until = Instant::now() + self.limit;
        let pause = self.pause.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(until)));
        if !self.pausing {
            pause.as_mut().reset(until);
            self.pausing = true;
        }
        pause.as_mut().poll(context)
    }
}

impl HttpBody for AnswerBody {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        loop {
            let Poll::Ready(frame) = Pin::new(&mut self.inner).poll_frame(context) else {
                ready!(self.poll_pause(context));
                return Poll::Ready(Some(Err(Broken::Stalled)));
            };
            self.pausing = false;
            match frame {
                Some(Ok(frame)) => {
                    let Ok(data) = frame.into_data() else { continue };
                    return Poll::Ready(Some(Ok(Frame::data(data))));
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(Broken::Answer(error)))),
                None => return Poll::Ready(None),
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

//! Bodies on their way through: neither is collected, the client's is counted, the service's may not stall.

use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::http::{HeaderMap, header};
use ecommerce_http::BODY_LIMIT;
use hyper::body::{Frame, Incoming, SizeHint};
use tokio::time::{Instant, Sleep};

/// Why a body ended before its end. The other side sees its connection end.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// The client sent more than it may.
    #[error("the request's body is over the limit")]
    TooLarge,
    /// The client went away, or sent what is no body.
    #[error("the request's body ended early")]
    Request(#[source] axum::Error),
    /// The service went away.
    #[error("the answer's body ended early")]
    Answer(#[source] hyper::Error),
    /// The service paused for longer than the route's limit.
    #[error("the answer's body stalled")]
    Stalled,
}

/// How a request's body ended, for whoever has to say why forwarding it failed; nothing while it still comes.
#[derive(Debug, Clone, Default)]
pub struct Progress(Arc<OnceLock<End>>);

/// The end of a request's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// All of it has been read.
    Whole,
    /// It turned out to be over the limit.
    TooLarge,
    /// The client did not send it to its end.
    Broken,
}

impl Progress {
    /// How it ended.
    #[must_use]
    pub fn end(&self) -> Option<End> {
        self.0.get().copied()
    }

    fn set(&self, end: End) {
        self.0.get_or_init(|| end);
    }
}

/// A request's body, up to [`BODY_LIMIT`]. Trailers end here: a service would read them as headers.
#[derive(Debug)]
pub struct RequestBody {
    inner: Body,
    left: usize,
    progress: Progress,
}

impl RequestBody {
    /// Takes a body whose declared length is within the limit; one of undeclared length is counted as it comes.
    pub fn new(headers: &HeaderMap, inner: Body) -> Result<Self, Broken> {
        let declared = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        if declared.is_some_and(|length| length > BODY_LIMIT as u64) {
            return Err(Broken::TooLarge);
        }
        let progress = Progress::default();
        if inner.is_end_stream() {
            progress.set(End::Whole);
        }
        Ok(Self { inner, left: BODY_LIMIT, progress })
    }

    /// How far it has come; stays with the caller when the body is sent.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.progress.clone()
    }
}

impl HttpBody for RequestBody {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        loop {
            let data = match ready!(Pin::new(&mut self.inner).poll_frame(context)) {
                Some(Ok(frame)) => frame.into_data(),
                Some(Err(error)) => {
                    self.progress.set(End::Broken);
                    return Poll::Ready(Some(Err(Broken::Request(error))));
                }
                None => {
                    self.progress.set(End::Whole);
                    return Poll::Ready(None);
                }
            };
            let Ok(data) = data else { continue };
            let Some(left) = self.left.checked_sub(data.len()) else {
                self.progress.set(End::TooLarge);
                return Poll::Ready(Some(Err(Broken::TooLarge)));
            };
            self.left = left;
            if self.inner.is_end_stream() {
                self.progress.set(End::Whole);
            }
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// An answer's body, whose pauses are no longer than the route's limit.
#[derive(Debug)]
pub struct AnswerBody {
    inner: Incoming,
    limit: Duration,
    /// Made at the first pause; a small answer has none.
    pause: Option<Pin<Box<Sleep>>>,
    pausing: bool,
}

impl AnswerBody {
    /// Lets a body through that pauses for `limit` at most.
    #[must_use]
    pub fn new(inner: Incoming, limit: Duration) -> Self {
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

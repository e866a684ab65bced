//! The body of an answer, which says when it has been handed over.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};

use super::connections::Entry;

/// An answer's body; when it is dropped, its connection has nothing to do.
pub(super) struct Watched {
    body: Body,
    entry: Arc<Entry>,
}

impl Watched {
    pub(super) fn new(body: Body, entry: &Arc<Entry>) -> Self {
        Self { body, entry: Arc::clone(entry) }
    }
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.entry.answered();
    }
}

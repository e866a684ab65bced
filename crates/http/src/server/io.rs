//! The bytes of one connection: notes what its client does with them, and puts a problem document where the HTTP library
//! would answer nothing but a status.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::connections::Entry;
use super::malformed;

/// Bytes that are taken in after the last answer, so that it is not lost in a reset.
const LINGERED: usize = 64 * 1024;

/// A client's stream.
pub(super) struct ClientStream {
    stream: TcpStream,
    entry: Arc<Entry>,
    /// What is sent in place of an answer of the library, and how far that has come.
    in_place: Option<(Vec<u8>, usize)>,
    /// The sending half is closed.
    closed: bool,
    lingered: usize,
}

impl ClientStream {
    pub(super) fn new(stream: TcpStream, entry: Arc<Entry>) -> Self {
        Self { stream, entry, in_place: None, closed: false, lingered: 0 }
    }

    fn note<T>(&self, written: &Poll<io::Result<T>>) {
        match written {
            Poll::Pending => self.entry.stalls(),
            Poll::Ready(_) => self.entry.takes(),
        }
    }

    /// Sends the document in place of `answer`, which counts as written when all of it is.
    fn poll_in_place(&mut self, context: &mut Context<'_>, answer: usize) -> Poll<io::Result<usize>> {
        while let Some((document, sent)) = &mut self.in_place {
            let written = Pin::new(&mut self.stream).poll_write(context, &document[*sent..]);
            if let Poll::Ready(Ok(count)) = &written {
                *sent += count;
                if *sent >= document.len() || *count == 0 {
                    self.in_place = None;
                }
            }
            self.note(&written);
            ready!(written)?;
        }
        Poll::Ready(Ok(answer))
    }
}

impl AsyncRead for ClientStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        self.entry.read(buffer.filled().len() > before);
        read
    }
}

impl AsyncWrite for ClientStream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.in_place.is_none() && self.entry.is_reading_a_head() {
            self.in_place = malformed::document_for(bytes).map(|document| (document, 0));
        }
        if self.in_place.is_some() {
            return self.poll_in_place(context, bytes.len());
        }
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.note(&written);
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.in_place.is_some() || self.entry.is_reading_a_head() {
            let first = slices.iter().find(|slice| !slice.is_empty()).map_or(&[][..], |slice| slice);
            return self.poll_write(context, first);
        }
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.note(&written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    /// Says that nothing follows, and then takes in what the client still sends, for a moment: a socket that is closed with
    /// bytes unread is reset, and the client may lose the answer that says what was wrong (RFC 9112, section 9.6).
    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.closed {
            ready!(Pin::new(&mut self.stream).poll_shutdown(context))?;
            self.closed = true;
        }
        self.entry.lingering();
        let mut space = [0; 4096];
        while self.lingered < LINGERED {
            let mut buffer = ReadBuf::new(&mut space);
            match ready!(Pin::new(&mut self.stream).poll_read(context, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => self.lingered += buffer.filled().len(),
                Ok(()) | Err(_) => break,
            }
        }
        Poll::Ready(Ok(()))
    }
}

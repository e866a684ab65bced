//! The end of an answer: what was sent and how long it took go to the log and to the metrics when its last byte has been
//! handed over, or when nobody waits for it any more.

use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::MatchedPath;
use axum::http::{Method, StatusCode};
use ecommerce_runtime::metrics::Series;
use ecommerce_runtime::telemetry;
use ecommerce_types::{Clock, UserId};
use hyper::body::{Frame, SizeHint};

use crate::route_metrics::label;

/// The target of the lines, by which `LOG_FILTER` keeps or drops them.
const TARGET: &str = "access";

/// What is known of a request when its answer begins.
pub(crate) struct Line {
    /// When it came, in the clock's monotonic time.
    pub(crate) began: Duration,
    pub(crate) request_id: String,
    pub(crate) client: Option<IpAddr>,
    pub(crate) user: Option<UserId>,
    pub(crate) method: Method,
    pub(crate) route: Option<MatchedPath>,
    pub(crate) status: StatusCode,
    pub(crate) series: Series,
    pub(crate) clock: Clock,
}

/// A body that is counted on its way.
pub(crate) struct Answered {
    body: Body,
    line: Line,
    bytes: u64,
}

impl Answered {
    pub(crate) fn new(body: Body, line: Line) -> Self {
        Self { body, line, bytes: 0 }
    }
}

impl Line {
    fn end(&self, bytes: u64) {
        let took = self.clock.monotonic().saturating_sub(self.began);
        self.series.observe(took.as_secs_f64());
        if !tracing::enabled!(target: TARGET, tracing::Level::INFO) {
            return;
        }
        telemetry::write_line(TARGET, self.clock.now(), "answered", |line| {
            let line = line
                .text("request.id", &self.request_id)
                .optional_text("client.address", self.client.map(|address| address.to_string()).as_deref())
                .optional_text("user.id", self.user.map(|user| user.to_string()).as_deref())
                .text("http.method", label(&self.method));
            line.text("http.route", self.route.as_ref().map_or("none", MatchedPath::as_str))
                .number("http.status", self.status.as_u16().into())
                .number("http.response_bytes", bytes)
                .number("took.microseconds", u64::try_from(took.as_micros()).unwrap_or(u64::MAX))
        });
    }
}

impl HttpBody for Answered {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        if let Poll::Ready(Some(Ok(frame))) = &frame {
            self.bytes += frame.data_ref().map_or(0, Bytes::len) as u64;
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Answered {
    fn drop(&mut self) {
        self.line.end(self.bytes);
    }
}

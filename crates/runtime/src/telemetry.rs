//! The log: where its lines go, and in which form. Each line that is written for a request carries the request's id.

use std::future::ready;
use std::io::stdout;
use std::sync::OnceLock;
use std::time::Duration;

use parking_lot::Mutex;
use time::OffsetDateTime;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};

use crate::log_filter::LogFilter;
pub use crate::log_line::LogLine;
use crate::log_writer::LogWriter;
use crate::settings::{LogFormat, Logs};
use crate::{Shutdown, every, request_id};

static STARTED: OnceLock<Started> = OnceLock::new();

/// The field of a line that says for which request it was written.
const REQUEST_ID: &str = "request.id";

/// How often the file of the filter is looked at. Kubernetes itself takes up to a minute to bring a change into a pod.
const REREAD: Duration = Duration::from_secs(5);

#[derive(Debug)]
struct Started {
    writer: LogWriter,
    format: LogFormat,
    filter: Mutex<LogFilter>,
}

/// Why there is no log.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `LOG_FILTER` does not parse.
    #[error("LOG_FILTER is no filter: {0}")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// Something else logs already.
    #[error("failed to start logging")]
    Logs(#[from] TryInitError),
    /// There is no thread for the log.
    #[error("failed to start the log's thread")]
    Thread(#[from] std::io::Error),
}

/// Starts the log to standard output.
pub fn start(logs: &Logs) -> Result<(), Error> {
    let (mut filter, layer) = LogFilter::new(logs)?;
    let writer = LogWriter::start(stdout())?;
    let registry = tracing_subscriber::registry().with(layer);
    match logs.log_format {
        LogFormat::Json => {
            let mut layer = json_subscriber::layer()
                .flatten_event(true)
                .with_current_span(false)
                .with_span_list(false)
                .with_writer(writer.clone());
            layer.inner_layer_mut().add_dynamic_field(REQUEST_ID, |_, _| request_id::current());
            registry.with(layer).try_init()?;
        }
        LogFormat::Text => {
            registry.with(tracing_subscriber::fmt::layer().with_writer(writer.clone())).try_init()?;
        }
    }
    filter.look();
    // Only one can have started: `try_init` refuses a second.
    let _ = STARTED.set(Started { writer, format: logs.log_format, filter: filter.into() });
    Ok(())
}

/// Takes what is new in the file of the filter while the process runs.
pub async fn follow(shutdown: Shutdown) {
    let Some(started) = STARTED.get().filter(|started| started.filter.lock().has_file()) else { return };
    every(REREAD, shutdown, || {
        started.filter.lock().look();
        ready(())
    })
    .await;
}

/// Writes what waits to be written, unless its reader is too slow for an ending process.
pub(crate) fn close() {
    if let Some(started) = STARTED.get() {
        started.writer.close();
    }
}

/// Writes a line of fixed form, such as the one that each request leaves. It is for whoever has asked
/// `tracing::enabled!`; before [`start`], it goes nowhere.
pub fn write_line(target: &str, at: OffsetDateTime, message: &str, fields: impl FnOnce(LogLine) -> LogLine) {
    if let Some(started) = STARTED.get() {
        let line = fields(LogLine::new(started.format, at, target, message)).end();
        started.writer.line(line.as_bytes());
    }
}

//! The log: where its lines go, and in which form. Each line that is written for a request carries the request's id.

use std::io::stdout;
use std::sync::OnceLock;

use time::OffsetDateTime;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};

pub use crate::log_line::LogLine;
use crate::log_writer::LogWriter;
use crate::request_id;
use crate::settings::{LogFormat, Logs};

static STARTED: OnceLock<Started> = OnceLock::new();

/// The field of a line that says for which request it was written.
const REQUEST_ID: &str = "request.id";

#[derive(Debug)]
struct Started {
    writer: LogWriter,
    format: LogFormat,
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
    let filter = EnvFilter::try_new(&logs.log_filter)?;
    let writer = LogWriter::start(stdout())?;
    let registry = tracing_subscriber::registry().with(filter);
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
    // Only one can have started: `try_init` refuses a second.
    let _ = STARTED.set(Started { writer, format: logs.log_format });
    Ok(())
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

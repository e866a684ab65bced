//! Which lines are logged: as the process was told at its start, and from then on as a file says, where there is one.
//!
//! A change of the file is taken within seconds and needs no other process. What does not read is said once, and the filter from
//! before stays.

use std::path::PathBuf;

use tracing_subscriber::filter::ParseError;
use tracing_subscriber::reload::{self, Handle};
use tracing_subscriber::{EnvFilter, Registry};

use crate::ErrorChain;
use crate::settings::Logs;

/// The layer that lets lines through.
pub(crate) type Layer = reload::Layer<EnvFilter, Registry>;

/// The filter in force and where the next one comes from.
#[derive(Debug)]
pub(crate) struct LogFilter {
    file: Option<PathBuf>,
    /// In force where the file says nothing.
    otherwise: String,
    /// What the last look at the file found: its text, or why there is none.
    found: Option<Result<String, String>>,
    handle: Handle<EnvFilter, Registry>,
}

impl LogFilter {
    /// The filter that a process is told at its start.
    pub(crate) fn new(logs: &Logs) -> Result<(Self, Layer), ParseError> {
        let (layer, handle) = reload::Layer::new(EnvFilter::try_new(&logs.log_filter)?);
        let (file, otherwise) = (logs.log_filter_file.clone(), logs.log_filter.clone());
        Ok((Self { file, otherwise, found: None, handle }, layer))
    }

    /// Whether there is a file to look at.
    pub(crate) fn has_file(&self) -> bool {
        self.file.is_some()
    }

    /// Looks at the file, and takes what is new in it.
    pub(crate) fn look(&mut self) {
        let Some(file) = &self.file else { return };
        let read = std::fs::read_to_string(file).map(|text| text.trim().to_owned());
        let found = read.map_err(|error| error.to_string());
        if self.found.as_ref() == Some(&found) {
            return;
        }
        let taken = match &found {
            Ok(text) => self.take(if text.is_empty() { &self.otherwise } else { text }),
            Err(error) => Err(error.clone()),
        };
        match taken {
            Ok(filter) => tracing::info!(filter, "logging by another filter"),
            Err(error) => {
                tracing::warn!(file = %file.display(), error, "unable to take the log's filter from its file; the one before stays");
            }
        }
        self.found = Some(found);
    }

    fn take<'a>(&self, text: &'a str) -> Result<&'a str, String> {
        let filter = EnvFilter::try_new(text).map_err(|error| ErrorChain(&error).to_string())?;
        self.handle.reload(filter).map_err(|error| error.to_string())?;
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::path::Path;
    use std::sync::Arc;

    use parking_lot::Mutex;
    use tracing::subscriber::with_default;
    use tracing_subscriber::fmt;
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;
    use crate::settings::LogFormat;

    /// What was logged.
    #[derive(Debug, Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Lines {
        /// Those since the last look.
        fn take(&self) -> String {
            String::from_utf8(std::mem::take(&mut *self.0.lock())).unwrap()
        }
    }

    impl Write for Lines {
        fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
            self.0.lock().extend_from_slice(line);
            Ok(line.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// A file of this name and what is logged by it.
    fn follow(name: &str, story: impl FnOnce(LogFilter, &Path, &Lines)) {
        let file = std::env::temp_dir().join(format!("log-filter-{name}-{}", std::process::id()));
        let _ = std::fs::remove_file(&file);
        let lines = Lines::default();
        let logs =
            Logs { log_filter: "info".to_owned(), log_filter_file: Some(file.clone()), log_format: LogFormat::Text };
        let (filter, layer) = LogFilter::new(&logs).unwrap();
        let written = lines.clone();
        let writes = fmt::layer().with_ansi(false).with_writer(move || written.clone());
        with_default(tracing_subscriber::registry().with(layer).with(writes), || story(filter, &file, &lines));
        let _ = std::fs::remove_file(&file);
    }

    /// Which of three lines are logged.
    fn logged(lines: &Lines) -> Vec<&'static str> {
        lines.take();
        tracing::debug!("a detail");
        tracing::debug!(target: "order", "more of order");
        tracing::info!("an event");
        let logged = lines.take();
        ["a detail", "more of order", "an event"].into_iter().filter(|line| logged.contains(line)).collect()
    }

    #[test]
    fn a_file_that_does_not_read_leaves_the_filter_and_is_said_once() {
        follow("wrong", |mut filter, file, lines| {
            for wrong in [None, Some("info,order=debgu"), Some("info,order=loud")] {
                if let Some(text) = wrong {
                    std::fs::write(file, text).unwrap();
                }
                for said in [1, 0] {
                    filter.look();
                    assert_eq!(lines.take().matches("unable to take the log's filter").count(), said, "{wrong:?}");
                }
                assert_eq!(logged(lines), ["an event"], "{wrong:?}");
            }
            std::fs::write(file, "info,order=debug").unwrap();
            filter.look();
            std::fs::write(file, "info,order=debgu").unwrap();
            filter.look();
            assert_eq!(logged(lines), ["more of order", "an event"], "the one before stays");
        });
    }

    /// Libraries write at `trace` what goes over the wire, and a login goes there first.
    #[test]
    fn nothing_is_ever_logged_below_debug() {
        assert_eq!(tracing::level_filters::STATIC_MAX_LEVEL, tracing::level_filters::LevelFilter::DEBUG);
    }

    #[test]
    fn a_change_of_the_file_is_taken_at_the_next_look() {
        follow("right", |mut filter, file, lines| {
            for (text, expected) in [
                ("info", &["an event"][..]),
                ("info,order=debug\n", &["more of order", "an event"]),
                ("debug", &["a detail", "more of order", "an event"]),
                ("warn", &[]),
                ("", &["an event"]),
                ("off", &[]),
            ] {
                std::fs::write(file, text).unwrap();
                filter.look();
                assert_eq!(logged(lines), expected, "{text}");
            }
        });
    }
}

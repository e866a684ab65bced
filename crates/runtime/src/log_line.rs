//! A log line of fixed form, built without the machinery that a line of any form needs.

use std::fmt::Write as _;

use time::OffsetDateTime;

use crate::settings::LogFormat;

/// A line on its way: a time, a sentence and fields, in the form that all other lines have.
#[derive(Debug)]
pub struct LogLine {
    text: String,
    format: LogFormat,
}

impl LogLine {
    /// A line of level INFO.
    pub(crate) fn new(format: LogFormat, at: OffsetDateTime, target: &str, message: &str) -> Self {
        let mut line = Self { text: String::with_capacity(512), format };
        let (date, time) = (at.date(), at.time());
        let (year, month, day) = (date.year(), u8::from(date.month()), date.day());
        let (hour, minute, second, micro) = time.as_hms_micro();
        let stamp = format_args!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micro:06}Z");
        // Writing to a string does not fail.
        let _ = match format {
            LogFormat::Json => {
                write!(line.text, r#"{{"timestamp":"{stamp}","level":"INFO","target":"{target}","message":"{message}""#)
            }
            LogFormat::Text => write!(line.text, "{stamp}  INFO {target}: {message}"),
        };
        line
    }

    /// Adds a text; it may hold anything.
    #[must_use]
    pub fn text(mut self, name: &str, value: &str) -> Self {
        // Quotes, control characters and line ends are escaped in both forms: a line stays a line.
        let escaped = serde_json::to_string(value).unwrap_or_default();
        let _ = match self.format {
            LogFormat::Json => write!(self.text, r#","{name}":{escaped}"#),
            LogFormat::Text => write!(self.text, " {name}={escaped}"),
        };
        self
    }

    /// Adds a text where there is one.
    #[must_use]
    pub fn optional_text(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.text(name, value),
            None => self,
        }
    }

    /// Adds a number.
    #[must_use]
    pub fn number(mut self, name: &str, value: u64) -> Self {
        let _ = match self.format {
            LogFormat::Json => write!(self.text, r#","{name}":{value}"#),
            LogFormat::Text => write!(self.text, " {name}={value}"),
        };
        self
    }

    /// The whole line.
    pub(crate) fn end(mut self) -> String {
        self.text.push_str(match self.format {
            LogFormat::Json => "}\n",
            LogFormat::Text => "\n",
        });
        self.text
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    fn line(format: LogFormat) -> String {
        LogLine::new(format, datetime!(2026-01-02 03:04:05.000006 UTC), "access", "answered")
            .text("http.route", "/a\"b\n")
            .optional_text("user.id", None)
            .number("http.response.status_code", 200)
            .end()
    }

    #[test]
    fn a_line_is_one_json_object_whatever_is_in_it() {
        let line = line(LogFormat::Json);
        assert_eq!(line.matches('\n').count(), 1);
        let line: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(line["timestamp"], "2026-01-02T03:04:05.000006Z");
        assert_eq!(line["http.route"], "/a\"b\n");
        assert_eq!(line["http.response.status_code"], 200);
    }

    #[test]
    fn a_line_for_people_stays_one_line() {
        assert_eq!(
            line(LogFormat::Text),
            "2026-01-02T03:04:05.000006Z  INFO access: answered http.route=\"/a\\\"b\\n\" http.response.status_code=200\n"
        );
    }
}

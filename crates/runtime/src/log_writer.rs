//! Where log lines wait for their reader: one buffer of fixed size, and one thread that writes it out.
//!
//! Whoever logs never waits for the reader of standard output. While that one is slow the buffer fills, then lines are
//! dropped and counted. The thread collects for a moment before it writes, so that at load many lines are one system call.

use std::io::Write;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use tracing_subscriber::fmt::MakeWriter;

use crate::metrics::LOG_LINES_DROPPED;

/// Bytes of lines that wait at most.
const LIMIT: usize = 1024 * 1024;
/// Bytes that a buffer keeps when it is empty.
const KEPT: usize = 32 * 1024;
/// How long lines are collected before they are written.
const COLLECTED: Duration = Duration::from_millis(20);
/// How long an ending process waits for a reader.
const LAST_LINES: Duration = Duration::from_secs(1);

/// Takes lines and never waits. Clones take for the same reader.
#[derive(Debug, Clone)]
pub struct LogWriter(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    waiting: Mutex<Waiting>,
    /// There is a first line, or an end.
    changed: Condvar,
    written: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    lines: Vec<u8>,
    closed: bool,
    /// Everything is written, and nothing follows.
    ended: bool,
}

impl LogWriter {
    /// A writer whose lines go to `output`.
    pub fn start(output: impl Write + Send + 'static) -> std::io::Result<Self> {
        let shared = Shared { waiting: Mutex::default(), changed: Condvar::new(), written: Condvar::new() };
        let writer = Self(Arc::new(shared));
        let theirs = Arc::clone(&writer.0);
        thread::Builder::new().name("log".to_owned()).spawn(move || theirs.write_to(output))?;
        Ok(writer)
    }

    /// Takes one line with its end, or counts it as dropped.
    pub fn line(&self, line: &[u8]) {
        let mut waiting = self.0.waiting.lock();
        if waiting.lines.len() + line.len() > LIMIT {
            drop(waiting);
            LOG_LINES_DROPPED.increment([]);
            return;
        }
        let first = waiting.lines.is_empty();
        waiting.lines.extend_from_slice(line);
        drop(waiting);
        if first {
            self.0.changed.notify_one();
        }
    }

    /// Has written what waits, unless its reader is too slow for an ending process.
    pub fn close(&self) {
        let mut waiting = self.0.waiting.lock();
        waiting.closed = true;
        self.0.changed.notify_one();
        self.0.written.wait_while_for(&mut waiting, |waiting| !waiting.ended, LAST_LINES);
    }
}

impl Shared {
    fn write_to(&self, mut output: impl Write) {
        let mut lines = Vec::new();
        loop {
            let mut waiting = self.waiting.lock();
            self.changed.wait_while(&mut waiting, |waiting| waiting.lines.is_empty() && !waiting.closed);
            // Only the end is worth hurrying for.
            self.changed.wait_while_for(&mut waiting, |waiting| !waiting.closed, COLLECTED);
            std::mem::swap(&mut waiting.lines, &mut lines);
            let closed = waiting.closed;
            drop(waiting);
            // A reader that has gone for good leaves nobody to tell.
            let _ = output.write_all(&lines).and_then(|()| output.flush());
            lines.clear();
            lines.shrink_to(KEPT);
            if closed && self.is_empty_at_the_end() {
                return;
            }
        }
    }

    fn is_empty_at_the_end(&self) -> bool {
        let mut waiting = self.waiting.lock();
        waiting.ended = waiting.lines.is_empty();
        self.written.notify_all();
        waiting.ended
    }
}

impl Write for LogWriter {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        self.line(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for LogWriter {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// A reader that takes nothing until it is let.
    struct Stuck {
        taken: mpsc::Sender<Vec<u8>>,
        let_go: mpsc::Receiver<()>,
    }

    impl Write for Stuck {
        fn write(&mut self, lines: &[u8]) -> std::io::Result<usize> {
            let _ = self.let_go.recv();
            let _ = self.taken.send(lines.to_vec());
            Ok(lines.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn whoever_logs_does_not_wait_for_a_reader_that_stops_and_what_has_no_room_is_counted() {
        let (taken, lines) = mpsc::channel();
        let (go, let_go) = mpsc::channel();
        let writer = LogWriter::start(Stuck { taken, let_go }).unwrap();
        let line = [b'x'; 1024];
        // Three times what has room: the waiting buffer, the one in the writer's hand, and more.
        for _ in 0..3 * LIMIT / line.len() {
            writer.line(&line);
        }
        let dropped = crate::metrics::render();
        let dropped = dropped.lines().find_map(|shown| shown.strip_prefix("ecommerce_log_lines_dropped_total "));
        let dropped: usize = dropped.unwrap().parse().unwrap();
        assert!((LIMIT / line.len()..=2 * LIMIT / line.len()).contains(&dropped), "{dropped}");
        assert!(writer.0.waiting.lock().lines.len() <= LIMIT);
        drop(go);
        writer.close();
        let written: usize = lines.try_iter().map(|lines| lines.len() / line.len()).sum();
        assert_eq!(written + dropped, 3 * LIMIT / line.len());
    }
}

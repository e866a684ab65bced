//! What strangers may take of a process.

use std::time::Duration;

/// Bytes that a request's head may have: the line, the headers, cookies and all.
pub const HEAD_BYTES: usize = 16 * 1024;
/// From a head's first byte to its last.
const HEAD_TIME: Duration = Duration::from_secs(10);
/// How long a connection is kept on which nothing is asked. Whoever asks drops theirs sooner, so that none sends into a closing
/// door: our own clients ([`crate::client::IDLE`]), and the usual ingresses and load balancers, which keep theirs for a minute.
const IDLE_TIME: Duration = Duration::from_secs(75);
/// How long a client may take nothing of an answer that is ready for it.
const WRITE_STALL: Duration = Duration::from_secs(15);
/// How long what a client still sends is taken in after its last answer, so that the answer is not lost in a reset.
const LINGER: Duration = Duration::from_secs(1);

/// Memory that a connection may take: its head, a body, as much of an answer, what the runtime keeps of it.
const BYTES_OF_A_CONNECTION: u64 = 128 * 1024;
/// Fewer than these are of no use, more are for a balancer to share out.
const FEWEST_CONNECTIONS: usize = 256;
const MOST_CONNECTIONS: usize = 10_000;

/// How many clients a process serves at once.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
#[group(skip)] // every crate calls its own `Settings`
pub struct Settings {
    /// The most connections at once; as many as half of the container's memory has room for, when absent.
    #[arg(long, env = "HTTP_MAX_CONNECTIONS", value_parser = clap::value_parser!(u32).range(2..))]
    pub http_max_connections: Option<u32>,
}

/// The bounds of a server. Where a connection has to go for one of them, it is the slowest or the longest idle.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections at once.
    pub connections: usize,
    /// Connections at once from one address; for IPv6, from one network of 64 bits.
    pub connections_of_an_address: usize,
    /// From a head's first byte to its last.
    pub head_time: Duration,
    /// How long a connection is kept on which nothing is asked.
    pub idle_time: Duration,
    /// How long a client may take nothing of an answer that is ready for it.
    pub write_stall: Duration,
    /// How long what a client still sends is taken in after its last answer.
    pub linger: Duration,
}

impl Limits {
    /// The limits of a process that may have so many bytes of memory and so many files open, all addresses being proxies
    /// or services of ours.
    #[must_use]
    pub fn new(settings: Settings, memory: Option<u64>, open_files: Option<u64>) -> Self {
        let by_memory = memory.map_or(u64::MAX, |bytes| bytes / 2 / BYTES_OF_A_CONNECTION);
        // A connection may want another one, to whoever answers.
        let by_files = open_files.map_or(u64::MAX, |files| files / 3);
        let fitting = usize::try_from(by_memory.min(by_files)).unwrap_or(MOST_CONNECTIONS);
        let said = settings.http_max_connections.and_then(|most| usize::try_from(most).ok());
        let connections = said.unwrap_or(fitting.clamp(FEWEST_CONNECTIONS, MOST_CONNECTIONS));
        Self {
            connections,
            connections_of_an_address: connections,
            head_time: HEAD_TIME,
            idle_time: IDLE_TIME,
            write_stall: WRITE_STALL,
            linger: LINGER,
        }
    }

    /// The same where addresses are those of clients: none of them holds more than half of the connections.
    #[must_use]
    pub fn shared_by_clients(self) -> Self {
        Self { connections_of_an_address: self.connections / 2, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_follow_memory_and_open_files_unless_somebody_says_how_many() {
        let mebibytes = |count: u64| Limits::new(Settings::default(), Some(count * 1024 * 1024), None).connections;
        assert_eq!([16, 128, 4096].map(mebibytes), [256, 512, 10_000]);
        assert_eq!(Limits::new(Settings::default(), None, None).connections, 10_000);
        assert_eq!(Limits::new(Settings::default(), None, Some(1024)).connections, 341);
        let said = Limits::new(Settings { http_max_connections: Some(7) }, Some(1), Some(1));
        assert_eq!((said.connections, said.shared_by_clients().connections_of_an_address), (7, 3));
    }
}

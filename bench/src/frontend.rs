//! Counts what a client of PostgreSQL waits for: each `Sync` and each simple `Query` is a round trip (PostgreSQL's manual,
//! section 53.2).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ecommerce_testing::link::Listener;

/// The protocol's number in the message that begins a session; what comes before it asks for encryption.
const VERSION_3: i32 = 196_608;
/// Length and number of a message without a type.
const UNTYPED: usize = 8;
/// Type and length of all others.
const TYPED: usize = 5;

/// Round trips of any number of connections. Clones share the count.
#[derive(Debug, Clone, Default)]
pub struct RoundTrips(Arc<AtomicU64>);

impl RoundTrips {
    /// How many there were.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Listens to one connection from its beginning.
    #[must_use]
    pub fn listener(&self) -> Listener {
        let (count, mut reader) = (Arc::clone(&self.0), Reader::default());
        Box::new(move |bytes| {
            count.fetch_add(reader.read(bytes), Ordering::Relaxed);
        })
    }
}

/// Finds the messages in what comes in pieces.
#[derive(Debug, Default)]
struct Reader {
    has_begun: bool,
    head: Vec<u8>,
    left_of_body: usize,
}

impl Reader {
    fn read(&mut self, mut bytes: &[u8]) -> u64 {
        let mut count = 0;
        while !bytes.is_empty() {
            let skipped = self.left_of_body.min(bytes.len());
            self.left_of_body -= skipped;
            bytes = &bytes[skipped..];
            let wanted = if self.has_begun { TYPED } else { UNTYPED };
            let taken = (wanted - self.head.len()).min(bytes.len());
            self.head.extend_from_slice(&bytes[..taken]);
            bytes = &bytes[taken..];
            if self.head.len() == wanted {
                count += u64::from(self.message());
                self.head.clear();
            }
        }
        count
    }

    /// Takes in a head; whether its client waits for an answer of its own.
    fn message(&mut self) -> bool {
        let number = |at: usize| i32::from_be_bytes([0, 1, 2, 3].map(|offset| self.head[at + offset]));
        // A length counts itself, and not the type before it.
        let after = |length: i32, read: usize| usize::try_from(length).unwrap_or_default().saturating_sub(read);
        if self.has_begun {
            self.left_of_body = after(number(1), 4);
            return matches!(self.head[0], b'S' | b'Q');
        }
        self.left_of_body = after(number(0), UNTYPED);
        self.has_begun = number(4) == VERSION_3;
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(type_: u8, body: &[u8]) -> Vec<u8> {
        let length = i32::try_from(body.len() + 4).unwrap().to_be_bytes();
        [&[type_][..], &length, body].concat()
    }

    #[test]
    fn each_sync_and_each_query_is_one_however_the_bytes_come() {
        let encryption = [8_i32.to_be_bytes(), 80_877_103_i32.to_be_bytes()].concat();
        let startup = [&14_i32.to_be_bytes()[..], &VERSION_3.to_be_bytes(), b"user\0\0"].concat();
        let messages = [
            encryption,
            startup,
            typed(b'p', b"S and Q are no messages\0"),
            typed(b'Q', b"BEGIN\0"),
            typed(b'P', b"\0select 1\0\0\0"),
            typed(b'B', b"SSSS"),
            typed(b'E', b""),
            typed(b'S', b""),
            typed(b'X', b""),
        ];
        let bytes = messages.concat();
        for size in [1, 2, 3, 7, 64, bytes.len()] {
            let mut reader = Reader::default();
            let count: u64 = bytes.chunks(size).map(|piece| reader.read(piece)).sum();
            assert_eq!(count, 2, "in pieces of {size}");
        }
    }
}

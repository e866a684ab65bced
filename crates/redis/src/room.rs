//! Whether a cache may take more of Redis' memory: a server that is full takes no new session, and then nobody logs in.

use std::sync::Arc;
use std::time::{Duration, Instant};

use fred::clients::{Client, WithOptions};
use fred::interfaces::ClientLike as _;
use fred::types::InfoKind;
use parking_lot::Mutex;

/// How long what the server said of its memory is believed.
const BELIEVED: Duration = Duration::from_secs(1);
/// For how many values it is believed.
const VALUES: u32 = 256;

/// A cache writes while less than half of the memory is used; the rest is for what must not be lost. Clones share one look.
#[derive(Debug, Clone, Default)]
pub(crate) struct Room(Arc<Mutex<Option<Look>>>);

#[derive(Debug)]
struct Look {
    at: Instant,
    values_since: u32,
    is_half_free: bool,
}

impl Room {
    /// Whether there is room for one more value. There is none where the server does not answer.
    pub(crate) async fn is_there(&self, commands: &WithOptions<Client>) -> bool {
        if let Some(is_half_free) = self.remembered() {
            return is_half_free;
        }
        let is_half_free = match commands.info::<String>(Some(InfoKind::Memory)).await {
            Ok(memory) => is_half_free(&memory),
            Err(_) => false,
        };
        *self.0.lock() = Some(Look { at: Instant::now(), values_since: 0, is_half_free });
        is_half_free
    }

    fn remembered(&self) -> Option<bool> {
        let mut look = self.0.lock();
        let look = look.as_mut()?;
        if look.at.elapsed() < BELIEVED && look.values_since < VALUES {
            look.values_since += 1;
            return Some(look.is_half_free);
        }
        // One asks; the others go by the last look until it has an answer.
        (look.at, look.values_since) = (Instant::now(), 0);
        None
    }
}

/// Reads `INFO memory`. Without `maxmemory` there is no bound that a cache could come to.
fn is_half_free(memory: &str) -> bool {
    let bytes = |name: &str| {
        let line = memory.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.and_then(|bytes| bytes.trim().parse::<u64>().ok())
    };
    match (bytes("used_memory"), bytes("maxmemory")) {
        (_, Some(0)) => true,
        (Some(used), Some(most)) => used < most / 2,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_what_there_is_may_be_cached_in() {
        for (memory, expected) in [
            ("used_memory:49\r\nused_memory_human:49B\r\nmaxmemory:100\r\n", true),
            ("used_memory:50\r\nmaxmemory:100\r\n", false),
            ("used_memory:50\r\nmaxmemory:0\r\n", true),
            ("maxmemory:100\r\n", false),
            ("", false),
        ] {
            assert_eq!(is_half_free(memory), expected, "{memory:?}");
        }
    }
}

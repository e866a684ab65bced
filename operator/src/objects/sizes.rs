//! What a store may take inside of its container: shares of the container's limit of memory, and connections for all who come.

/// Connections of one pod: the services' default of `DATABASE_MAX_CONNECTIONS`, and those of what it does by itself, its relay included.
pub const CONNECTIONS_OF_POD: u32 = 10;
/// Connections for Jobs and people.
const ROOM: u32 = 20;
/// Another number restarts the server, so it begins with room for an autoscaler and grows in steps.
const STEP: u32 = 200;

/// The connections of a server for services with so many pods each, and one more of each while they roll.
pub(super) fn max_connections(replicas: impl IntoIterator<Item = i32>) -> u32 {
    let pods: u32 = replicas.into_iter().map(|pods| u32::try_from(pods).unwrap_or_default() + 1).sum();
    (pods * CONNECTIONS_OF_POD + ROOM).next_multiple_of(STEP)
}

/// The limit of a container's memory, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Memory(pub(super) u64);

impl Memory {
    /// PostgreSQL's own cache, in kB: a quarter, as its manual begins with (section 20.4, `shared_buffers`); the rest is for
    /// connections and for the system's cache.
    pub(super) fn shared_buffers_kb(self) -> u64 {
        self.0 / 4 / 1024
    }

    /// What PostgreSQL may take for cached when it plans, in kB: half.
    pub(super) fn effective_cache_size_kb(self) -> u64 {
        self.0 / 2 / 1024
    }

    /// What Redis keeps, in bytes: half, for it is another process that writes its log anew and copies what changes meanwhile.
    pub(super) fn maxmemory_bytes(self) -> u64 {
        self.0 / 2
    }

    /// Where RabbitMQ takes no more messages, in bytes: six tenths, its own default share of a machine.
    pub(super) fn high_watermark_bytes(self) -> u64 {
        self.0 / 10 * 6
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_enough_for_every_pool_while_pods_roll() {
        for (replicas, connections) in
            [([1; 4], 200), ([1, 1, 2, 1], 200), ([4; 4], 400), ([9; 4], 600), ([10; 4], 600)]
        {
            assert_eq!(max_connections(replicas), connections, "{replicas:?}");
        }
    }

    #[test]
    fn sizes_follow_the_limit() {
        for (mib, buffers_kb, cache_kb, redis, rabbit) in [
            (128, 32 << 10, 64 << 10, 64 << 20, 80_530_632),
            (512, 128 << 10, 256 << 10, 256 << 20, 322_122_546),
            (4096, 1 << 20, 2 << 20, 2 << 30, 2_576_980_374),
        ] {
            let memory = Memory(mib << 20);
            assert_eq!((memory.shared_buffers_kb(), memory.effective_cache_size_kb()), (buffers_kb, cache_kb));
            assert_eq!((memory.maxmemory_bytes(), memory.high_watermark_bytes()), (redis, rabbit));
        }
    }
}

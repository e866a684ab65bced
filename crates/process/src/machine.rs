//! What the container lets a process have.

use std::fs;

/// Bytes of memory that this container may take; `None` where nobody says.
pub(crate) fn memory() -> Option<u64> {
    // Version 2 of control groups, then version 1, whose "no limit" is a number close to the largest.
    let files = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];
    let limit: u64 = files.iter().find_map(|file| fs::read_to_string(file).ok()?.trim().parse().ok())?;
    (limit < u64::MAX / 4).then_some(limit)
}

/// Files and sockets that this process may have open at once.
pub(crate) fn open_files() -> Option<u64> {
    files_in(&fs::read_to_string("/proc/self/limits").ok()?)
}

fn files_in(limits: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_of_open_files_is_the_soft_one() {
        let limits = "Limit                     Soft Limit           Hard Limit           Units\n\
                      Max processes             95951                95951                processes\n\
                      Max open files            1024                 524288               files\n";
        assert_eq!(files_in(limits), Some(1024));
        assert_eq!(files_in("Max open files            unlimited            unlimited            files\n"), None);
    }
}

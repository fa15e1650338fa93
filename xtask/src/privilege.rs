//! What this process may do.

use std::fs;

/// Whether it may mount file systems, which root in a container often may not.
pub(crate) fn may_mount() -> bool {
    const CAP_SYS_ADMIN: u32 = 21;
    fs::read_to_string("/proc/self/status")
        .ok()
        .and_then(|status| capabilities(&status))
        .is_some_and(|effective| effective & (1 << CAP_SYS_ADMIN) != 0)
}

fn capabilities(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("CapEff:"))?;
    u64::from_str_radix(line.trim(), 16).ok()
}

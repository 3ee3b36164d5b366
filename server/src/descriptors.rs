//! How the file descriptors of the process are shared out. The open files of the database, of git and
//! of transfers must not depend on how many clients are connected.

/// The limits that follow from the limit on open files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Descriptors {
    /// Connections at once. Over it, an idle one is closed for a new one.
    pub(crate) connections: usize,
    /// Sockets and event streams at once. The other connections are for short requests, such as
    /// health and sign-in.
    pub(crate) live_streams: usize,
    /// Uploads and long downloads at once: each has a connection and a file.
    pub(crate) transfers: usize,
}

/// Files of content at once, however many descriptors there are.
const MAX_TRANSFERS: usize = 4096;
/// Descriptors for the database, git, mail and providers, beside those that are open at the start.
const MAX_OTHER_FILES: usize = 512;
const MIN_OTHER_FILES: usize = 6;

impl Descriptors {
    /// Reads the limit of the process, and counts what is open.
    pub(crate) fn of_process() -> Self {
        Self::from_limit(open_files_limit(), open_files())
    }

    fn from_limit(limit: usize, open: usize) -> Self {
        let free = limit.saturating_sub(open);
        let transfers = (free / 4).clamp(1, MAX_TRANSFERS);
        let other = (free / 8).clamp(MIN_OTHER_FILES, MAX_OTHER_FILES);
        let connections = free.saturating_sub(transfers + other).max(8);
        Self {
            connections,
            live_streams: connections * 3 / 4,
            transfers,
        }
    }
}

#[cfg(unix)]
fn open_files_limit() -> usize {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    limit.map_or(UNLIMITED, |limit| {
        usize::try_from(limit).unwrap_or(UNLIMITED)
    })
}

#[cfg(not(unix))]
fn open_files_limit() -> usize {
    UNLIMITED
}

/// Assumed where the system names no limit.
const UNLIMITED: usize = 1 << 20;

/// Files that this process has open.
fn open_files() -> usize {
    /// Assumed where the system does not list them.
    const ASSUMED: usize = 32;
    std::fs::read_dir("/proc/self/fd").map_or(ASSUMED, Iterator::count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptors_are_left_for_files_and_short_requests() {
        for (limit, open) in [(64, 25), (256, 25), (1024, 40), (20_000, 40), (1 << 20, 40)] {
            let shares = Descriptors::from_limit(limit, open);
            let used = open + shares.connections + shares.transfers;
            assert!(used + MIN_OTHER_FILES <= limit, "{limit}: {shares:?}");
            let for_short_requests = shares.connections - shares.live_streams;
            assert!(for_short_requests >= 5, "{limit}: {shares:?}");
            assert!(shares.transfers >= 5, "{limit}: {shares:?}");
        }
    }
}

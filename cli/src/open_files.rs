//! The limit on open files. Each connection, event stream and transfer holds one or more.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// A server with less serves few connections.
const FEW: u64 = 1024;

/// Raises the soft limit to the hard one: service managers keep the soft one low for programs that
/// use `select`, and this one does not.
pub(crate) fn raise_limit() {
    let limit = getrlimit(Resource::Nofile);
    if limit.current == limit.maximum {
        return;
    }
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::warn!(%error, "the limit on open files was not raised");
    }
}

/// Logs the limit, and what it leaves for connections.
pub(crate) fn log_limit() {
    let Some(limit) = getrlimit(Resource::Nofile).current else {
        return tracing::info!("open files are not limited");
    };
    let in_use = std::fs::read_dir("/dev/fd").map_or(0, Iterator::count) as u64;
    let left = limit.saturating_sub(in_use);
    if limit < FEW {
        tracing::warn!(
            limit,
            in_use,
            left,
            "the limit on open files is low; set LimitNOFILE or ulimit -n"
        );
    } else {
        tracing::info!(limit, in_use, left, "limit on open files");
    }
}

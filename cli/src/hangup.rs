//! SIGHUP: the terminal of the server was closed.

use std::io;

use tokio::signal::unix::{SignalKind, signal};

/// Completes on SIGHUP, and never under `nohup`, which ignores it.
pub(crate) fn received() -> io::Result<impl Future<Output = ()>> {
    // A handler would replace the decision of `nohup`.
    let mut hangup = match std::fs::read_to_string("/proc/self/status") {
        Ok(status) if is_ignored(&status) => None,
        _ => Some(signal(SignalKind::hangup())?),
    };
    Ok(async move {
        match &mut hangup {
            Some(hangup) => drop(hangup.recv().await),
            None => std::future::pending().await,
        }
    })
}

/// Whether the mask of ignored signals in `/proc/self/status` contains SIGHUP (proc(5)).
fn is_ignored(status: &str) -> bool {
    const SIGHUP: u64 = 1;
    let mask = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & SIGHUP != 0)
}

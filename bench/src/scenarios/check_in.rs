//! Check-in of 10 KB: blob, row and git commit.

use anyhow::Result;

use super::{alternate_rounds, comparison_row};
use crate::{
    load::Workload,
    options::Options,
    random::random_bytes,
    request,
    table::Table,
    targets::{self, ApiServer},
};

const CLIENTS: usize = 32;
const ACCOUNTS: usize = 8;
const CONTENT_BYTES: usize = 10 << 10;

pub(crate) async fn measure(plan: &Options, table: &mut Table) -> Result<()> {
    let strongroom = targets::strongroom_with_accounts(plan, "check-in", ACCOUNTS).await?;
    let original = targets::original_with_accounts(plan, "check-in", ACCOUNTS).await?;
    for api in [&strongroom, &original].into_iter().flatten() {
        api.add_files(CLIENTS).await?;
    }
    let [ours, original] =
        alternate_rounds(plan, [strongroom.as_ref(), original.as_ref()], workloads).await?;
    let work = "check-out and check-in of 10 KB with its git commit, 32 clients (requests)";
    table.extend(comparison_row(work, &ours, ("original", &original), 30.0));
    Ok(())
}

fn workloads(api: &ApiServer) -> Vec<CheckInCycle> {
    (0..CLIENTS)
        .map(|nth| CheckInCycle::new(nth, api.token(nth)))
        .collect()
}

/// Checks one file out and in again, with new content each time.
struct CheckInCycle {
    check_out: Vec<u8>,
    check_in: Vec<u8>,
    /// The start of the content in `check_in`.
    content_offset: usize,
    count: u64,
}

impl CheckInCycle {
    fn new(nth: usize, token: &str) -> Self {
        // New content in every round: known content costs the server less.
        let content = random_bytes(CONTENT_BYTES);
        let check_in = request::send_file(
            "POST",
            &format!("/api/files/part-{nth}.step/checkin"),
            token,
            &content,
        );
        let content_offset = check_in
            .windows(16)
            .position(|bytes| bytes == &content[..16])
            .unwrap_or_default();
        let check_out = request::post(&format!("/api/files/part-{nth}.step/checkout"), token);
        Self {
            check_out,
            check_in,
            content_offset,
            count: 0,
        }
    }
}

impl Workload for CheckInCycle {
    fn next_request(&mut self) -> &[u8] {
        self.count += 1;
        if !self.count.is_multiple_of(2) {
            return &self.check_out;
        }
        self.check_in[self.content_offset..self.content_offset + 8]
            .copy_from_slice(&self.count.to_le_bytes());
        &self.check_in
    }

    fn is_idle(&self) -> bool {
        self.count.is_multiple_of(2)
    }
}

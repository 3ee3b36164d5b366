//! Check-in of 10 KB: blob, row and git commit.

use std::hash::{BuildHasher as _, RandomState};

use anyhow::Result;

use super::{compare, in_turns};
use crate::load::Work;
use crate::plan::Plan;
use crate::request;
use crate::sides::{self, Api};
use crate::table::Table;

const CLIENTS: usize = 32;
const PEOPLE: usize = 8;
const SIZE: usize = 10 << 10;

pub(super) async fn measure(plan: &Plan, table: &mut Table) -> Result<()> {
    let strongroom = sides::strongroom(plan, "check-in", PEOPLE).await?;
    let original = sides::original(plan, "check-in", PEOPLE).await?;
    for api in [&strongroom, &original].into_iter().flatten() {
        api.add_files(CLIENTS).await?;
    }
    let [ours, original] = in_turns(plan, [strongroom.as_ref(), original.as_ref()], works).await?;
    let work = "check-out and check-in of 10 KB with its git commit, 32 clients (requests)";
    table.extend(compare(work, &ours, ("original", &original), 30.0));
    Ok(())
}

fn works(api: &Api) -> Vec<CheckIns> {
    (0..CLIENTS)
        .map(|nth| CheckIns::new(nth, api.token(nth)))
        .collect()
}

/// Checks one file out and in again, with new content each time.
struct CheckIns {
    check_out: Vec<u8>,
    check_in: Vec<u8>,
    /// The start of the content in `check_in`.
    content_at: usize,
    count: u64,
}

impl CheckIns {
    fn new(nth: usize, token: &str) -> Self {
        // New content in every round: known content costs the server less.
        let content = noise(SIZE);
        let check_in = request::send_file(
            "POST",
            &format!("/api/files/part-{nth}.step/checkin"),
            token,
            &content,
        );
        let content_at = check_in
            .windows(16)
            .position(|bytes| bytes == &content[..16])
            .unwrap_or_default();
        let check_out = request::post(&format!("/api/files/part-{nth}.step/checkout"), token);
        Self {
            check_out,
            check_in,
            content_at,
            count: 0,
        }
    }
}

impl Work for CheckIns {
    fn next(&mut self) -> &[u8] {
        self.count += 1;
        if !self.count.is_multiple_of(2) {
            return &self.check_out;
        }
        self.check_in[self.content_at..self.content_at + 8]
            .copy_from_slice(&self.count.to_le_bytes());
        &self.check_in
    }

    fn is_at_rest(&self) -> bool {
        self.count.is_multiple_of(2)
    }
}

/// Incompressible bytes, different each time (xorshift64).
pub(super) fn noise(size: usize) -> Vec<u8> {
    let mut state = RandomState::new().hash_one(size) | 1;
    let mut bytes = Vec::with_capacity(size + 8);
    while bytes.len() < size {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(size);
    bytes
}

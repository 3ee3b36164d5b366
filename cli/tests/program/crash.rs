//! The server is killed repeatedly under load. Every acknowledged change exists exactly once.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    time::Duration,
};

use reqwest::{Response, StatusCode};
use serde_json::Value;

use crate::test_program::{Client, TestProgram, upload_form};

const ROUNDS: usize = 5;
const WORKERS: usize = 8;

/// The file of one worker: its acknowledged state, and the request that is not acknowledged yet.
#[derive(Clone, Debug, Default)]
struct FileState {
    /// Acknowledged revisions.
    acknowledged: u64,
    checked_out: bool,
    pending: Step,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Step {
    #[default]
    Add,
    CheckOut,
    CheckIn,
}

impl FileState {
    /// Sends the pending request, with an idempotency key that a retry repeats.
    async fn send_pending(&self, client: &Client, name: &str) -> reqwest::Result<Response> {
        let revision = self.acknowledged + 1;
        let path = format!("/api/files/{name}");
        let content = format!("{name}, revision {revision}");
        let request = match self.pending {
            Step::Add => client
                .put(&format!("{path}/content"))
                .multipart(upload_form(&content, "new")),
            Step::CheckOut => client.post(&format!("{path}/checkout")),
            Step::CheckIn => client
                .post(&format!("{path}/checkin"))
                .multipart(upload_form(&content, "worked on")),
        };
        let key = format!("{name}-{revision}-{:?}", self.pending);
        request.header("Idempotency-Key", key).send().await
    }

    fn acknowledge(&mut self, status: StatusCode) {
        assert!(status.is_success(), "{self:?}: {status}");
        if self.pending != Step::CheckOut {
            self.acknowledged += 1;
        }
        self.checked_out = self.pending == Step::CheckOut;
        self.pending = if self.checked_out {
            Step::CheckIn
        } else {
            Step::CheckOut
        };
    }

    /// Sends requests until the server is killed.
    async fn run_until_killed(mut self, client: Client, name: String) -> (String, Self) {
        while let Ok(answer) = self.send_pending(&client, &name).await {
            self.acknowledge(answer.status());
        }
        (name, self)
    }
}

/// A random delay of 100 to 500 ms.
fn random_delay() -> Duration {
    Duration::from_millis(100 + RandomState::new().hash_one(()) % 400)
}

#[tokio::test(flavor = "multi_thread")]
async fn answered_requests_survive_a_kill_exactly_once() {
    let program = TestProgram::with_ada();
    let mut works: HashMap<String, FileState> = (0..WORKERS)
        .map(|n| (format!("{n}.nc"), FileState::default()))
        .collect();
    let mut token: Option<String> = None;
    for _ in 0..ROUNDS {
        let server = program.serve();
        // The session survives the kill too.
        let client = match &token {
            Some(token) => Client::new(&server, token),
            None => server.sign_in_as_ada().await,
        };
        token = Some(client.token.clone());
        check_recovered_state(&client, &mut works).await;
        let working: Vec<_> = works
            .into_iter()
            .map(|(name, work)| tokio::spawn(work.run_until_killed(client.clone(), name)))
            .collect();
        tokio::time::sleep(random_delay()).await;
        server.kill();
        works = HashMap::new();
        for worker in working {
            works.extend([worker.await.unwrap()]);
        }
    }
    let server = program.serve();
    let client = Client::new(&server, &token.unwrap());
    check_recovered_state(&client, &mut works).await;
    let changes: u64 = works.values().map(|work| work.acknowledged).sum();
    assert!(changes > WORKERS as u64, "too few changes: {works:?}");
    server.stop();
    let printed = program.run(&["verify"]).expect_success();
    assert!(
        printed.contains(&format!("{changes} changes"))
            && printed.ends_with("No problems found.\n"),
        "{printed}"
    );
    assert_eq!(
        program.git(&["rev-list", "--count", "main"]).trim(),
        changes.to_string()
    );
    program.git(&["fsck", "--strict"]);
}

/// Asserts that acknowledged changes exist. Repeats the unacknowledged request under its key, and
/// asserts that it took effect exactly once.
async fn check_recovered_state(client: &Client, works: &mut HashMap<String, FileState>) {
    for (name, work) in works {
        if work.acknowledged > 0 {
            let unsure = work.pending == Step::CheckIn;
            assert_stored(
                client,
                name,
                work,
                if unsure {
                    work.acknowledged..=work.acknowledged + 1
                } else {
                    work.acknowledged..=work.acknowledged
                },
            )
            .await;
        }
        let answer = work.send_pending(client, name).await.unwrap();
        work.acknowledge(answer.status());
        assert_stored(client, name, work, work.acknowledged..=work.acknowledged).await;
    }
}

async fn assert_stored(
    client: &Client,
    name: &str,
    work: &FileState,
    revisions: std::ops::RangeInclusive<u64>,
) {
    let file = client.get_json(&format!("/api/files/{name}")).await;
    let revision = file["revision"].as_u64().unwrap();
    assert!(
        revisions.contains(&revision),
        "{revision} is not in {revisions:?}: {work:?}"
    );
    if work.checked_out && revision == work.acknowledged {
        assert_eq!(file["status"], "checked_out_by_user", "{work:?}");
    }
    let history = client
        .get_json(&format!("/api/files/{name}/history?limit=1000"))
        .await;
    let revisions_found: Vec<u64> = history
        .as_array()
        .unwrap()
        .iter()
        .map(|row: &Value| row["revision"].as_u64().unwrap())
        .collect();
    assert_eq!(
        revisions_found,
        (1..=revision).rev().collect::<Vec<_>>(),
        "each once"
    );
    let content = client
        .get(&format!("/api/files/{name}/content"))
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert_eq!(content, format!("{name}, revision {revision}"));
}

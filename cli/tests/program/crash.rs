//! The program is killed in the middle of everything, again and again. What it had answered is there, once.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    time::Duration,
};

use reqwest::{Response, StatusCode};
use serde_json::Value;

use crate::program::{Client, Program, upload};

const ROUNDS: usize = 5;
const WORKERS: usize = 8;

/// One worker's file: what was answered, and what was asked last.
#[derive(Clone, Debug, Default)]
struct Work {
    /// Revisions that were answered.
    done: u64,
    checked_out: bool,
    asked: Step,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Step {
    #[default]
    Add,
    CheckOut,
    CheckIn,
}

impl Work {
    /// The next request, under a key that a retry repeats.
    async fn ask(&self, client: &Client, name: &str) -> reqwest::Result<Response> {
        let revision = self.done + 1;
        let path = format!("/api/files/{name}");
        let content = format!("{name}, revision {revision}");
        let request = match self.asked {
            Step::Add => client
                .put(&format!("{path}/content"))
                .multipart(upload(&content, "new")),
            Step::CheckOut => client.post(&format!("{path}/checkout")),
            Step::CheckIn => client
                .post(&format!("{path}/checkin"))
                .multipart(upload(&content, "worked on")),
        };
        let key = format!("{name}-{revision}-{:?}", self.asked);
        request.header("Idempotency-Key", key).send().await
    }

    fn answered(&mut self, status: StatusCode) {
        assert!(status.is_success(), "{self:?}: {status}");
        if self.asked != Step::CheckOut {
            self.done += 1;
        }
        self.checked_out = self.asked == Step::CheckOut;
        self.asked = if self.checked_out {
            Step::CheckIn
        } else {
            Step::CheckOut
        };
    }

    /// Goes on until the program is gone.
    async fn go_on(mut self, client: Client, name: String) -> (String, Self) {
        while let Ok(answer) = self.ask(&client, &name).await {
            self.answered(answer.status());
        }
        (name, self)
    }
}

/// 100 to 500 ms.
fn a_while() -> Duration {
    Duration::from_millis(100 + RandomState::new().hash_one(()) % 400)
}

#[tokio::test(flavor = "multi_thread")]
async fn answered_requests_survive_a_kill_exactly_once() {
    let program = Program::with_ada();
    let mut works: HashMap<String, Work> = (0..WORKERS)
        .map(|n| (format!("{n}.nc"), Work::default()))
        .collect();
    let mut token: Option<String> = None;
    for _ in 0..ROUNDS {
        let server = program.serve();
        // Also the session lives on.
        let client = match &token {
            Some(token) => Client::new(&server, token),
            None => server.ada().await,
        };
        token = Some(client.token.clone());
        compare(&client, &mut works).await;
        let working: Vec<_> = works
            .into_iter()
            .map(|(name, work)| tokio::spawn(work.go_on(client.clone(), name)))
            .collect();
        tokio::time::sleep(a_while()).await;
        server.kill();
        works = HashMap::new();
        for worker in working {
            works.extend([worker.await.unwrap()]);
        }
    }
    let server = program.serve();
    let client = Client::new(&server, &token.unwrap());
    compare(&client, &mut works).await;
    let changes: u64 = works.values().map(|work| work.done).sum();
    assert!(changes > WORKERS as u64, "nothing was tried: {works:?}");
    server.stop();
    let said = program.run(&["verify"]).well();
    assert!(
        said.contains(&format!("{changes} changes")) && said.ends_with("as it should be.\n"),
        "{said}"
    );
    assert_eq!(
        program.git(&["rev-list", "--count", "main"]).trim(),
        changes.to_string()
    );
    program.git(&["fsck", "--strict"]);
}

/// What was answered is there. The one request that was not is asked again under its key, and is then there once,
/// whether or not it had been carried out before the kill.
async fn compare(client: &Client, works: &mut HashMap<String, Work>) {
    for (name, work) in works {
        if work.done > 0 {
            let unsure = work.asked == Step::CheckIn;
            see(
                client,
                name,
                work,
                if unsure {
                    work.done..=work.done + 1
                } else {
                    work.done..=work.done
                },
            )
            .await;
        }
        let answer = work.ask(client, name).await.unwrap();
        work.answered(answer.status());
        see(client, name, work, work.done..=work.done).await;
    }
}

async fn see(client: &Client, name: &str, work: &Work, revisions: std::ops::RangeInclusive<u64>) {
    let file = client.see(&format!("/api/files/{name}")).await;
    let revision = file["revision"].as_u64().unwrap();
    assert!(
        revisions.contains(&revision),
        "{revision} is not in {revisions:?}: {work:?}"
    );
    if work.checked_out && revision == work.done {
        assert_eq!(file["status"], "checked_out_by_user", "{work:?}");
    }
    let history = client
        .see(&format!("/api/files/{name}/history?limit=1000"))
        .await;
    let told: Vec<u64> = history
        .as_array()
        .unwrap()
        .iter()
        .map(|row: &Value| row["revision"].as_u64().unwrap())
        .collect();
    assert_eq!(told, (1..=revision).rev().collect::<Vec<_>>(), "each once");
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

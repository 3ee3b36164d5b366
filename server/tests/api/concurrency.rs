//! Concurrent requests.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::{sync::Barrier, task::JoinSet};

use crate::{
    app::{TestApp, file_url},
    both,
};

both! {
    async fn parallel_api_check_outs_succeed_once(app: TestApp) {
        let mut people = Vec::new();
        for n in 0..8 {
            people.push(app.editor(&format!("user{n}")).await);
        }
        people[0].add("a.nc", b"x").await.expect_status(201);
        for round in 0..1000 {
            let start = Arc::new(Barrier::new(people.len()));
            let mut tries = JoinSet::new();
            for person in people.clone() {
                let start = start.clone();
                tries.spawn(async move {
                    start.wait().await;
                    (person.check_out("a.nc").await.status(), person)
                });
            }
            let tries = tries.join_all().await;
            let winners: Vec<_> = tries.iter().filter(|(status, _)| *status == 200).collect();
            assert_eq!(winners.len(), 1, "round {round}");
            assert!(tries.iter().all(|(status, _)| matches!(status, 200 | 409)), "round {round}");
            let winner = &winners[0].1;
            let seen = winner.get(&file_url("a.nc", "")).await.expect_status(200).body;
            assert_eq!(seen["locked_by"], winner.username.as_str());
            winner.post(&file_url("a.nc", "/cancel"), Value::Null).await.expect_status(200);
        }
    }

    async fn check_in_racing_override_over_api_is_consistent(app: TestApp) {
        let (ada, root) = (app.editor("ada").await, app.administrator("root").await);
        ada.add("a.nc", b"0").await.expect_status(201);
        let mut revision = 1;
        for round in 0..40 {
            ada.check_out("a.nc").await.expect_status(200);
            let content = format!("round {round}");
            let path = file_url("a.nc", "/override");
            let (check_in, overridden) = tokio::join!(
                ada.check_in("a.nc", content.as_bytes(), "mine"),
                root.post(&path, json!({"reason": "now", "take": true})),
            );
            let now = ada.get(&file_url("a.nc", "")).await.expect_status(200).body;
            match (check_in.status(), overridden.status()) {
                (200, 409) => {
                    revision += 1;
                    assert_eq!(now["locked_by"], Value::Null);
                }
                (403 | 409, 200) => {
                    assert_eq!(now["locked_by"], "root");
                    root.post(&file_url("a.nc", "/cancel"), Value::Null).await.expect_status(200);
                }
                other => panic!("round {round}: {other:?}"),
            }
            assert_eq!(now["revision"], revision);
        }
    }

    async fn parallel_adds_of_one_file_succeed_once(app: TestApp) {
        let ada = app.editor("ada").await;
        for round in 0..10 {
            let [one, two] = [format!("Dir{round}/A.nc"), format!("dir{round}/a.nc")];
            let (one, two) = tokio::join!(ada.add(&one, b"1"), ada.add(&two, b"2"));
            let mut both = [one.status(), two.status()];
            both.sort_unstable();
            assert_eq!(both, [201, 409]);
        }
        let changes = ada.get("/api/changes").await.expect_status(200).body;
        let numbers: Vec<i64> = changes.as_array().unwrap().iter().map(|c| c["change"].as_i64().unwrap()).collect();
        assert_eq!(numbers, (1..=10).collect::<Vec<_>>());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn parallel_requests_with_one_idempotency_key_act_once() {
    let app = TestApp::sqlite().await;
    let ada = app.editor("ada").await;
    let mut tries = JoinSet::new();
    for _ in 0..16 {
        let ada = ada.clone();
        tries.spawn(async move {
            let form = reqwest::multipart::Form::new().part(
                "file",
                reqwest::multipart::Part::bytes(b"x".to_vec()).file_name("f"),
            );
            ada.send(
                ada.put_request(&file_url("a.nc", "/content"))
                    .header("Idempotency-Key", "k")
                    .multipart(form),
            )
            .await
        });
    }
    for answer in tries.join_all().await {
        assert_eq!(
            (answer.status(), &answer.body["revision"]),
            (201, &json!(1)),
            "{}",
            answer.text
        );
    }
    assert_eq!(
        ada.get(&file_url("a.nc", "/history"))
            .await
            .expect_status(200)
            .body
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

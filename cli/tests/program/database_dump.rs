//! A database dump contains no usable credentials, and an ended session stays ended after a kill.

use reqwest::RequestBuilder;
use rusqlite::types::ValueRef;

use crate::test_program::{Client, PASSWORD, TestProgram, TestServer};

/// Every distinct text in every table.
fn all_text_values(database: &std::path::Path) -> Vec<String> {
    let db = rusqlite::Connection::open(database).unwrap();
    let mut tables = db
        .prepare("SELECT name FROM sqlite_master WHERE type = 'table'")
        .unwrap();
    let names: Vec<String> = tables
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let mut found = Vec::new();
    for name in names {
        let mut select = db.prepare(&format!("SELECT * FROM \"{name}\"")).unwrap();
        let columns = select.column_count();
        let mut rows = select.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            for column in 0..columns {
                if let ValueRef::Text(text) = row.get_ref(column).unwrap() {
                    found.push(String::from_utf8(text.to_vec()).unwrap());
                }
            }
        }
    }
    found.sort();
    found.dedup();
    found
}

async fn refresh_request(server: &TestServer, token: &str) -> u16 {
    let form = [("grant_type", "refresh_token"), ("refresh_token", token)];
    reqwest::Client::new()
        .post(server.url("/auth/token"))
        .form(&form)
        .send()
        .await
        .unwrap()
        .status()
        .as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn database_dump_contains_no_usable_credentials() {
    let program = TestProgram::with_ada();
    let server = program.serve();
    let ada = server.sign_in_as_ada().await;
    ada.add("a.nc", "one").await;
    // A redirect after the sign-in would lead to a page that needs the cookie.
    let http = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let form = [("username", "ada"), ("password", PASSWORD)];
    let page = http
        .post(server.url("/sign-in"))
        .header("sec-fetch-site", "same-origin")
        .form(&form);
    assert_eq!(page.send().await.unwrap().status(), 303);
    let dump = all_text_values(&program.data_folder().join("strongroom.db"));
    assert!(
        ["web", "tokens"]
            .iter()
            .all(|kind| dump.iter().any(|text| text == kind)),
        "both kinds of session are in it"
    );
    let status = async |request: RequestBuilder| request.send().await.unwrap().status();
    let mut guesses = 0;
    for text in dump
        .iter()
        .filter(|text| text.len() >= 16 && text.is_ascii() && !text.contains(['\n', ';']))
    {
        for guess in [
            text.clone(),
            format!("sr_rt_{text}"),
            format!("sr_ws_{text}"),
            format!("sr_pat_{text}"),
        ] {
            let me = || http.get(server.url("/auth/me"));
            assert_eq!(status(me().bearer_auth(&guess)).await, 401, "{guess}");
            let basic = me().basic_auth("ada", Some(&guess));
            assert_eq!(status(basic).await, 401, "{guess}");
            let cookie = me().header("cookie", format!("strongroom={guess}"));
            assert_eq!(status(cookie).await, 401, "{guess}");
            assert_eq!(refresh_request(&server, &guess).await, 400, "{guess}");
            guesses += 1;
        }
    }
    assert!(guesses > 0);
    ada.get_json("/auth/me").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ended_session_stays_ended_after_a_kill() {
    let program = TestProgram::with_ada();
    program.add_user("bob", &[]);
    let server = program.serve();
    let form = [("username", "bob"), ("password", PASSWORD)];
    let answer = reqwest::Client::new()
        .post(server.url("/auth/token"))
        .form(&form)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    let tokens: serde_json::Value = answer.json().await.unwrap();
    let bob = Client::new(&server, tokens["access_token"].as_str().unwrap());
    let ada = server.sign_in_as_ada().await;
    let ended = ada
        .post("/api/users/bob/end-sessions")
        .send()
        .await
        .unwrap();
    assert_eq!(ended.status(), 200);
    assert_eq!(ended.json::<serde_json::Value>().await.unwrap()["ended"], 1);
    assert_eq!(bob.get("/auth/me").send().await.unwrap().status(), 401);
    server.kill();
    let server = program.serve();
    let again = Client::new(&server, &bob.token);
    assert_eq!(again.get("/auth/me").send().await.unwrap().status(), 401);
    assert_eq!(
        refresh_request(&server, tokens["refresh_token"].as_str().unwrap()).await,
        400
    );
    Client::new(&server, &ada.token).get_json("/auth/me").await;
}

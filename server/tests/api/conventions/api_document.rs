//! `docs/api.md` is the wire contract, and the server keeps it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::sources;
use crate::app::{TestApp, TestResponse, file_url};

const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

fn document() -> &'static str {
    let source = sources::all()
        .iter()
        .find(|source| source.path == "docs/api.md");
    &source.unwrap().text
}

/// The cells of the rows of all tables whose first heading is this.
fn rows(heading: &str) -> Vec<Vec<&'static str>> {
    let tables = document()
        .split("\n\n")
        .filter(|part| part.starts_with(&format!("| {heading} |")));
    let lines = tables.flat_map(|table| table.lines().skip(2));
    lines
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect()
}

fn unquoted(cell: &str) -> &str {
    cell.trim_matches('`')
}

/// From the snapshot, which another test compares with the server.
fn operations() -> BTreeSet<String> {
    let path = sources::workspace().join("server/tests/api/snapshots/api__docs__openapi.snap");
    let snapshot = std::fs::read_to_string(path).unwrap();
    let openapi: Value = serde_json::from_str(snapshot.splitn(3, "---\n").nth(2).unwrap()).unwrap();
    let paths = openapi["paths"].as_object().unwrap().iter();
    paths
        .flat_map(|(path, item)| {
            let methods = item.as_object().unwrap().keys();
            methods.map(move |method| format!("{} {path}", method.to_uppercase()))
        })
        .collect()
}

#[test]
fn documented_operations_match_the_openapi_document() {
    let operations = operations();
    let rows = rows("operation");
    let documented: BTreeSet<String> = rows.iter().map(|row| unquoted(row[0]).to_owned()).collect();
    assert!(
        operations.len() > 100,
        "only {} operations were read",
        operations.len()
    );
    assert_eq!(documented, operations);
    assert_eq!(
        rows.len(),
        documented.len(),
        "an operation is documented twice"
    );
}

/// A short path names the operation that it stands for.
#[test]
fn documented_short_paths_name_their_long_ones() {
    let rows = rows("operation");
    let short: Vec<_> = rows.iter().filter(|row| row.len() == 2).collect();
    assert!(short.len() > 10, "only {} short paths", short.len());
    for row in short {
        let expected = unquoted(row[0]).replacen("/api/", "/api/vaults/{vault}/", 1);
        assert_eq!(unquoted(row[1]), expected);
    }
}

#[test]
fn documented_routes_are_not_in_the_openapi_document() {
    let operations = operations();
    let routes = rows("route");
    assert!(routes.len() > 20, "only {} routes", routes.len());
    for route in routes.iter().map(|row| unquoted(row[0])) {
        let is_request = route
            .split_once(' ')
            .is_some_and(|(method, path)| METHODS.contains(&method) && path.starts_with('/'));
        assert!(is_request && !operations.contains(route), "{route}");
    }
}

/// The sentences that clients match to the letter, as the server sends them.
#[tokio::test(flavor = "multi_thread")]
async fn documented_exact_sentences_are_answered() {
    let app = TestApp::sqlite().await;
    let ada = app.editor("ada").await;
    let root = app.administrator("root").await;
    ada.add("a.nc", b"one").await.expect_status(201);

    let wrong = [("username", "ada"), ("password", "wrong wrong wrong")];
    let registration = json!({"username": "ada", "password": "another long passphrase"});
    let mut answers = vec![
        ada.send(ada.post_request("/auth/token").form(&wrong))
            .await
            .expect_status(401),
        app.anonymous().get("/auth/me").await.expect_status(401),
        ada.post("/auth/register", registration)
            .await
            .expect_status(409),
        ada.get(&file_url("absent.nc", "")).await.expect_status(404),
        ada.post(&file_url("a.nc", "/cancel"), Value::Null)
            .await
            .expect_status(409),
        ada.check_in("a.nc", b"two", "unlocked")
            .await
            .expect_status(409),
        root.post(
            &file_url("a.nc", "/override"),
            json!({"reason": "unlocked"}),
        )
        .await
        .expect_status(409),
    ];
    ada.check_out("a.nc").await.expect_status(200);
    answers.push(root.check_out("a.nc").await.expect_status(409));

    let answered: BTreeSet<String> = answers.iter().map(sentence).collect();
    let documented: BTreeSet<String> = rows("status")
        .iter()
        .filter(|row| row.len() == 3)
        .map(|row| format!("{} {}", row[0], unquoted(row[1]).replace("{holder}", "ada")))
        .collect();
    assert_eq!(documented, answered);
}

fn sentence(answer: &TestResponse) -> String {
    format!(
        "{} {}",
        answer.status(),
        answer.body["detail"].as_str().unwrap()
    )
}

/// The types in the source of the server, with their titles.
#[test]
fn documented_problem_types_match_the_server() {
    let source = sources::all()
        .iter()
        .find(|source| source.path == "server/src/problem_type.rs");
    let strings = |part: &str| -> Vec<String> {
        let texts = part.split('"').skip(1).step_by(2).take(2);
        texts.map(ToOwned::to_owned).collect()
    };
    let defined: BTreeSet<Vec<String>> = source
        .unwrap()
        .text
        .split("named(")
        .skip(1)
        .filter(|part| part.trim_start().starts_with('"'))
        .map(strings)
        .collect();
    let documented: BTreeSet<Vec<String>> = rows("type")
        .iter()
        .map(|row| {
            let name = unquoted(row[0]).trim_start_matches("/problems/");
            vec![name.to_owned(), row[1].to_owned()]
        })
        .collect();
    assert!(defined.len() > 30, "only {} types", defined.len());
    assert_eq!(documented, defined);
    let names: BTreeSet<&String> = documented.iter().map(|row| &row[0]).collect();
    assert_eq!(names.len(), documented.len(), "a type has two titles");
}

#[tokio::test(flavor = "multi_thread")]
async fn problems_with_one_status_differ_by_type() {
    let app = TestApp::sqlite().await;
    let ada = app.editor("ada").await;
    ada.add("a.nc", b"one").await.expect_status(201);
    let free = ada
        .post(&file_url("a.nc", "/cancel"), Value::Null)
        .await
        .expect_status(409);
    let again = ada.add("a.nc", b"two").await.expect_status(409);
    ada.check_out("a.nc").await.expect_status(200);
    let locked = ada.check_out("a.nc").await.expect_status(409);
    let types = [free, again, locked].map(|answer| answer.body["type"].clone());
    assert_eq!(
        types,
        [
            "/problems/not-locked",
            "/problems/name-taken",
            "/problems/locked"
        ]
    );
    let absent = ada.get(&file_url("b.nc", "")).await.expect_status(404);
    assert_eq!(absent.body["type"], "/problems/file-not-found");
    assert_eq!(absent.body["title"], "File not found");
}

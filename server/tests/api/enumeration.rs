//! Account enumeration (OWASP): status, body, headers and time are the same for known, disabled and
//! unknown names. Add an endpoint as a [`Question`].

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use auth::{PasswordHash, Username, accounts::registration::ImportedAccount};
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use server::ConfigSource;

use crate::app::{Client, TestApp, TestResponse};

/// A request about a name, from any address.
type RequestFor = fn(&Client, &str) -> RequestBuilder;

/// Each with its uniform status.
const ENDPOINTS: [(&str, RequestFor, u16); 3] = [
    ("POST /auth/token", token_request, 401),
    ("POST /sign-in", page_request, 401),
    ("POST /auth/reset", reset_request, 202),
];
/// Imported hashes of two costs. The higher cost takes about as long as the server's own hash, so
/// that either would be visible.
const ACCOUNT_KINDS: [&str; 5] = ["known", "imported", "dearer", "disabled", "nobody"];
/// A de Bruijn sequence: each kind follows each kind equally often, because one request may delay
/// the next.
const ORDER: [usize; 25] = [
    0, 0, 1, 0, 2, 0, 3, 0, 4, 1, 1, 2, 1, 3, 1, 4, 2, 2, 3, 2, 4, 3, 3, 4, 4,
];
/// Repetitions of the order, one for each way to shift and multiply the kinds. Each kind occurs at
/// each position equally often, so periodic disturbances affect all kinds.
const ROUNDS: usize = 20;
/// A difference must appear this often in the same direction. A real difference is reproducible.
const MAX_MEASUREMENTS: usize = 3;
/// Names of each kind, so that no single name gets a hundred attempts.
const ACCOUNTS_PER_KIND: usize = 5;

fn token_request(client: &Client, name: &str) -> RequestBuilder {
    client
        .post_request("/auth/token")
        .form(&[("username", name), ("password", "this is not it at all")])
}

fn page_request(client: &Client, name: &str) -> RequestBuilder {
    let form = [("username", name), ("password", "this is not it at all")];
    client
        .post_request("/sign-in")
        .header("sec-fetch-site", "same-origin")
        .form(&form)
}

fn reset_request(client: &Client, name: &str) -> RequestBuilder {
    client
        .post_request("/auth/reset")
        .json(&json!({"account": name}))
}

async fn app_with_all_account_kinds() -> TestApp {
    let proxies = Some(vec!["127.0.0.1".parse().unwrap()]);
    let app = TestApp::with_settings(ConfigSource {
        trusted_proxies: proxies,
        ..ConfigSource::default()
    })
    .await;
    let root = app.administrator("root").await;
    for n in 0..ACCOUNTS_PER_KIND {
        for kind in ["known", "disabled"] {
            app.register_with_verified_email(&username_for(kind, n))
                .await;
        }
        for (kind, cost) in [("imported", "06"), ("dearer", "08")] {
            let hash = format!("$2b${cost}$EixZaYVK1fsbw1ZfbX3OXePaWxn96p36WQoeG6Lruj3vjPGga31lW");
            let import = ImportedAccount {
                username: Username::parse(&username_for(kind, n)).unwrap(),
                password: PasswordHash::import(&hash).unwrap(),
                administrator: false,
            };
            app.running
                .auth
                .accounts()
                .import_account(import)
                .await
                .unwrap();
        }
        let path = format!("/api/users/{}", username_for("disabled", n));
        root.send(
            root.request_builder(reqwest::Method::PATCH, &path)
                .json(&json!({"disabled": true})),
        )
        .await
        .expect_status(200);
    }
    app
}

/// All names have the same length, because the page repeats the input.
fn username_for(kind: &str, n: usize) -> String {
    format!("{kind:x<9}{n}")
}

/// Removes values that differ between any two responses.
fn comparable(mut answer: TestResponse, name: &str) -> (u16, String, Vec<(String, String)>) {
    if let Value::Object(body) = &mut answer.body {
        body.remove("request_id");
        answer.text = answer.body.to_string();
    }
    let mut headers: Vec<(String, String)> = answer
        .headers
        .iter()
        .filter(|(name, _)| !["x-request-id", "date"].contains(&name.as_str()))
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    headers.sort();
    (answer.status(), answer.text.replace(name, "NAME"), headers)
}

/// The probability that a value of `a` exceeds a value of `b` (Mann-Whitney U): 0.5 if they do not
/// differ.
fn mann_whitney(a: &[Duration], b: &[Duration]) -> f64 {
    let wins = a.iter().flat_map(|a| {
        b.iter()
            .map(move |b| if a > b { 2_u32 } else { u32::from(a == b) })
    });
    f64::from(wins.sum::<u32>()) / 2.0 / f64::from(u32::try_from(a.len() * b.len()).unwrap())
}

/// Response times of each kind, in 500 attempts.
async fn measure(
    app: &TestApp,
    (what, question, status): (&str, RequestFor, u16),
) -> [Vec<Duration>; ACCOUNT_KINDS.len()] {
    let mut took = ACCOUNT_KINDS.map(|_| Vec::new());
    let mut first = None;
    for n in 0..ROUNDS * ORDER.len() {
        let round = n / ORDER.len();
        let kind = (ORDER[n % ORDER.len()] * (1 + round / ACCOUNT_KINDS.len()) + round)
            % ACCOUNT_KINDS.len();
        let name = username_for(ACCOUNT_KINDS[kind], took[kind].len() % ACCOUNTS_PER_KIND);
        // A new address each time, after any lockout, so that every attempt hashes a password.
        app.advance_clock(Duration::from_mins(16));
        let request = question(&app.anonymous(), &name)
            .header("x-forwarded-for", format!("203.0.{}.{}", n / 250, n % 250));
        let asked = Instant::now();
        let answer = app.anonymous().send(request).await;
        took[kind].push(asked.elapsed());
        let answer = comparable(answer, &name);
        assert_eq!(answer.0, status, "{what} {name}");
        assert_eq!(
            &answer,
            first.get_or_insert_with(|| answer.clone()),
            "{what} {name}"
        );
    }
    took
}

/// The pairs of kinds whose times differ, with the share of attempts.
fn distinguishable(
    took: &[Vec<Duration>; ACCOUNT_KINDS.len()],
) -> BTreeMap<(&'static str, &'static str), String> {
    let pairs =
        (0..ACCOUNT_KINDS.len()).flat_map(|a| (0..ACCOUNT_KINDS.len()).map(move |b| (a, b)));
    let chances = pairs.map(|(a, b)| {
        (
            (ACCOUNT_KINDS[a], ACCOUNT_KINDS[b]),
            mann_whitney(&took[a], &took[b]),
        )
    });
    chances
        .filter(|(_, probability)| *probability > 0.7)
        .map(|(pair, probability)| (pair, format!("{probability:.2}")))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn account_kinds_are_indistinguishable_by_answer_and_timing() {
    let app = app_with_all_account_kinds().await;
    for question in ENDPOINTS {
        let mut differences = distinguishable(&measure(&app, question).await);
        for _ in 1..MAX_MEASUREMENTS {
            if differences.is_empty() {
                break;
            }
            let again = distinguishable(&measure(&app, question).await);
            differences.retain(|pair, _| again.contains_key(pair));
        }
        assert!(
            differences.is_empty(),
            "{}: these differ each time: {differences:?}",
            question.0
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn throttled_answers_are_identical_for_account_kinds() {
    let app = app_with_all_account_kinds().await;
    let mut answers = Vec::new();
    for kind in ACCOUNT_KINDS {
        let name = username_for(kind, 0);
        let mut responses = Vec::new();
        for n in 0..6 {
            let request = token_request(&app.anonymous(), &name)
                .header("x-forwarded-for", format!("203.0.113.{n}"));
            responses.push(comparable(app.anonymous().send(request).await, &name));
        }
        app.advance_clock(Duration::from_hours(1));
        answers.push(responses);
    }
    assert_eq!(answers[0][5].0, 429);
    assert!(
        answers
            .iter()
            .all(|responses| responses[5] == answers[0][5]),
        "{answers:?}"
    );
    assert!(
        answers
            .iter()
            .all(|responses| responses[0] == answers[0][0])
    );
}

//! Whoever asks learns nothing about who has an account: same status, body, headers and time for known, disabled and
//! unknown names. Further doors are added as a [`Question`].

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use auth::{PasswordHash, Username, service::ImportedAccount};
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use server::Partial;

use crate::app::{Answer, Client, TestApp};

/// What is asked about a name, from some address.
type Question = fn(&Client, &str) -> RequestBuilder;

/// With the status that everybody gets.
const QUESTIONS: [(&str, Question, u16); 3] = [
    ("POST /auth/token", by_token, 401),
    ("POST /sign-in", by_page, 401),
    ("POST /auth/reset", by_link, 202),
];
/// Imported hashes of two costs, the greater one about as long as ours, so that either would stand out.
const KINDS: [&str; 5] = ["known", "imported", "dearer", "disabled", "nobody"];
/// Over and over: each of them after each one equally often (de Bruijn), since what one question sets off may hold up the
/// next one.
const ORDER: [usize; 25] = [
    0, 0, 1, 0, 2, 0, 3, 0, 4, 1, 1, 2, 1, 3, 1, 4, 2, 2, 3, 2, 4, 3, 3, 4, 4,
];
/// How often that order is gone through: once with each way to shift and multiply the kinds, so that each kind stands in each
/// place equally often, and nothing that comes and goes by itself meets one kind only.
const ROUNDS: usize = 20;
/// How often a difference has to show, in the same direction, before it is believed: one that is there comes back.
const MEASURED: usize = 3;
/// Names of each kind, so that no single one is tried a hundred times.
const NAMES: usize = 5;

fn by_token(client: &Client, name: &str) -> RequestBuilder {
    client
        .post("/auth/token")
        .form(&[("username", name), ("password", "this is not it at all")])
}

fn by_page(client: &Client, name: &str) -> RequestBuilder {
    let form = [("username", name), ("password", "this is not it at all")];
    client
        .post("/sign-in")
        .header("sec-fetch-site", "same-origin")
        .form(&form)
}

fn by_link(client: &Client, name: &str) -> RequestBuilder {
    client.post("/auth/reset").json(&json!({"account": name}))
}

async fn a_house_with_all_kinds() -> TestApp {
    let proxies = Some(vec!["127.0.0.1".parse().unwrap()]);
    let app = TestApp::with(Partial {
        trusted_proxies: proxies,
        ..Partial::default()
    })
    .await;
    let root = app.administrator("root").await;
    for n in 0..NAMES {
        for kind in ["known", "disabled"] {
            app.register_reader(&name(kind, n)).await;
        }
        for (kind, cost) in [("imported", "06"), ("dearer", "08")] {
            let hash = format!("$2b${cost}$EixZaYVK1fsbw1ZfbX3OXePaWxn96p36WQoeG6Lruj3vjPGga31lW");
            let import = ImportedAccount {
                username: Username::parse(&name(kind, n)).unwrap(),
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
        let path = format!("/api/users/{}", name("disabled", n));
        root.ask(
            root.request(reqwest::Method::PATCH, &path)
                .json(&json!({"disabled": true})),
        )
        .await
        .is(200);
    }
    app
}

/// All of one length, since the page repeats what was typed.
fn name(kind: &str, n: usize) -> String {
    format!("{kind:x<9}{n}")
}

/// Without what differs from any answer to the next.
fn stripped(mut answer: Answer, name: &str) -> (u16, String, Vec<(String, String)>) {
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
    (answer.status, answer.text.replace(name, "NAME"), headers)
}

/// The chance that one of `a` is greater than one of `b` (Mann and Whitney): a half where nothing tells them apart.
fn greater(a: &[Duration], b: &[Duration]) -> f64 {
    let wins = a.iter().flat_map(|a| {
        b.iter()
            .map(move |b| if a > b { 2_u32 } else { u32::from(a == b) })
    });
    f64::from(wins.sum::<u32>()) / 2.0 / f64::from(u32::try_from(a.len() * b.len()).unwrap())
}

/// What each kind's answers took, in 500 tries.
async fn measure(
    app: &TestApp,
    (what, question, status): (&str, Question, u16),
) -> [Vec<Duration>; KINDS.len()] {
    let mut took = KINDS.map(|_| Vec::new());
    let mut first = None;
    for n in 0..ROUNDS * ORDER.len() {
        let round = n / ORDER.len();
        let kind = (ORDER[n % ORDER.len()] * (1 + round / KINDS.len()) + round) % KINDS.len();
        let name = name(KINDS[kind], took[kind].len() % NAMES);
        // From somewhere else each time, and after any wait: so every try is hashed.
        app.later(Duration::from_mins(16));
        let request = question(&app.anonymous(), &name)
            .header("x-forwarded-for", format!("203.0.{}.{}", n / 250, n % 250));
        let asked = Instant::now();
        let answer = app.anonymous().ask(request).await;
        took[kind].push(asked.elapsed());
        let answer = stripped(answer, &name);
        assert_eq!(answer.0, status, "{what} {name}");
        assert_eq!(
            &answer,
            first.get_or_insert_with(|| answer.clone()),
            "{what} {name}"
        );
    }
    took
}

/// Which of two kinds took longer than which, and in how many of their tries.
fn differing(
    took: &[Vec<Duration>; KINDS.len()],
) -> BTreeMap<(&'static str, &'static str), String> {
    let pairs = (0..KINDS.len()).flat_map(|a| (0..KINDS.len()).map(move |b| (a, b)));
    let chances = pairs.map(|(a, b)| ((KINDS[a], KINDS[b]), greater(&took[a], &took[b])));
    chances
        .filter(|(_, chance)| *chance > 0.7)
        .map(|(pair, chance)| (pair, format!("{chance:.2}")))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn account_kinds_are_indistinguishable_by_answer_and_timing() {
    let app = a_house_with_all_kinds().await;
    for question in QUESTIONS {
        let mut told = differing(&measure(&app, question).await);
        for _ in 1..MEASURED {
            if told.is_empty() {
                break;
            }
            let again = differing(&measure(&app, question).await);
            told.retain(|pair, _| again.contains_key(pair));
        }
        assert!(
            told.is_empty(),
            "{}: these differ each time: {told:?}",
            question.0
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn throttled_answers_are_identical_for_account_kinds() {
    let app = a_house_with_all_kinds().await;
    let mut answers = Vec::new();
    for kind in KINDS {
        let name = name(kind, 0);
        let mut told = Vec::new();
        for n in 0..6 {
            let request = by_token(&app.anonymous(), &name)
                .header("x-forwarded-for", format!("203.0.113.{n}"));
            told.push(stripped(app.anonymous().ask(request).await, &name));
        }
        app.later(Duration::from_hours(1));
        answers.push(told);
    }
    assert_eq!(answers[0][5].0, 429);
    assert!(
        answers.iter().all(|told| told[5] == answers[0][5]),
        "{answers:?}"
    );
    assert!(answers.iter().all(|told| told[0] == answers[0][0]));
}

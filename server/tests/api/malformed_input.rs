//! Arbitrary input on every network interface is handled or rejected as a client error, never a
//! server error. Deliberately absent: single parsers, which their own crates test.

mod bodies;
mod headers;
mod sockets;
mod targets;

use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, TestRunner},
};

use crate::app::{Client, TestResponse};

/// Draws `many` cases from the strategy.
pub(crate) fn cases<S: Strategy>(strategy: &S, many: usize) -> Vec<S::Value> {
    let mut runner = TestRunner::new(Config::default());
    (0..many)
        .map(|_| strategy.new_tree(&mut runner).unwrap().current())
        .collect()
}

/// Known pieces in any order with arbitrary bytes between them: valid input is more likely than at
/// random.
fn shuffled_fragments(
    known: &'static [&'static str],
    most: usize,
) -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        5 => prop::sample::select(known).prop_map(|piece| piece.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..12),
        1 => "\\PC{0,8}".prop_map(String::into_bytes),
    ];
    prop::collection::vec(piece, 0..most).prop_map(|pieces| pieces.concat())
}

/// An error has JSON or a page that explains it, and is never a server error.
#[track_caller]
fn assert_success_or_problem(answer: &TestResponse, about: &str) {
    assert!(
        answer.status() < 500,
        "{about}: {} {}",
        answer.status(),
        answer.text
    );
    if answer.status() < 400 {
        return;
    }
    let kind = answer.header("content-type").unwrap_or_default();
    if kind.starts_with("text/html") {
        return;
    }
    assert!(
        ["application/problem+json", "application/json"].contains(&kind),
        "{about}: {kind}: {}",
        answer.text
    );
    assert_eq!(
        answer.body["status"],
        answer.status(),
        "{about}: {}",
        answer.text
    );
    assert!(
        answer.body["detail"]
            .as_str()
            .is_some_and(|detail| detail.len() > 5),
        "{about}: {}",
        answer.text
    );
}

/// The server still responds after all input.
async fn assert_alive(client: &Client) {
    client.get("/health/live").await.expect_status(200);
}

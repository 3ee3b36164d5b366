//! Anything at all, wherever the network reaches: understood or refused as the sender's mistake, never an error of ours.
//! What single parsers do is in the rooms; here it is the whole server.

mod bodies;
mod headers;
mod sockets;
mod targets;

use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, TestRunner},
};

use crate::app::{Answer, Client};

/// Takes that many cases from the strategy.
pub(crate) fn cases<S: Strategy>(strategy: &S, many: usize) -> Vec<S::Value> {
    let mut runner = TestRunner::new(Config::default());
    (0..many)
        .map(|_| strategy.new_tree(&mut runner).unwrap().current())
        .collect()
}

/// Pieces in any order, with any bytes between them: more often almost right than chance would have it.
fn pieces(known: &'static [&'static str], most: usize) -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        5 => prop::sample::select(known).prop_map(|piece| piece.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..12),
        1 => "\\PC{0,8}".prop_map(String::into_bytes),
    ];
    prop::collection::vec(piece, 0..most).prop_map(|pieces| pieces.concat())
}

/// A refusal says in JSON what was wrong, or on a page; nothing is ever our fault.
#[track_caller]
fn assert_understood_or_refused(answer: &Answer, about: &str) {
    assert!(
        answer.status < 500,
        "{about}: {} {}",
        answer.status,
        answer.text
    );
    if answer.status < 400 {
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
        answer.body["status"], answer.status,
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

/// Nothing that was sent has taken the server along.
async fn assert_alive(client: &Client) {
    client.see("/health/live").await.is(200);
}

//! The rules of a file: single commands and arbitrary sequences.

mod commands;
mod sequences;

use auth::Actor;
use jiff::Timestamp;

use super::*;
use crate::VaultId;

fn actor(name: &str) -> Actor {
    Actor::new(Username::parse(name).unwrap())
}

fn blob(n: u8) -> Blob {
    Blob {
        id: BlobId::of_digest(&[n; 32]),
        size: u64::from(n),
    }
}

fn text(raw: &str) -> UserText {
    UserText::from_stored(raw.to_owned())
}

fn command(by: &str, operation: Operation) -> Command {
    Command {
        vault: VaultId::new("v"),
        file: Filename::from_stored("a.step"),
        operation,
        by: actor(by),
        at: Timestamp::from_second(1_000).unwrap(),
        key: None,
    }
}

fn add_operation(n: u8) -> Operation {
    Operation::Add {
        id: FileId::new("f"),
        blob: blob(n),
        comment: text("first"),
    }
}

fn restore_operation(revision: i64) -> Operation {
    Operation::Restore {
        file: FileId::new("f"),
        revision,
        blob: blob(1),
    }
}

//! Arbitrary sequences of commands.

use proptest::{prelude::*, test_runner::TestRunner};

use super::*;

fn any_operation() -> impl Strategy<Value = Operation> {
    let then = prop_oneof![
        Just(AfterCheckIn::Release),
        Just(AfterCheckIn::KeepCheckedOut)
    ];
    let broken = prop_oneof![Just(AfterOverride::Release), Just(AfterOverride::Take)];
    let base = proptest::option::of((0u8..4).prop_map(|n| blob(n).id));
    prop_oneof![
        (0u8..4).prop_map(add_operation),
        Just(Operation::CheckOut { note: None }),
        Just(Operation::Cancel),
        (0u8..4, then, base).prop_map(|(n, then, base)| Operation::CheckIn {
            blob: blob(n),
            comment: text("c"),
            then,
            base,
            unchanged: UnchangedContent::Accept
        }),
        broken.prop_map(|then| Operation::Override {
            reason: text("r"),
            then
        }),
        Just(Operation::Describe {
            description: Some(text("d"))
        }),
        "[a-c]".prop_map(|to| Operation::Move {
            to: Filename::from_stored(&to)
        }),
        (1i64..5).prop_map(restore_operation),
        Just(Operation::Delete { comment: text("") }),
    ]
}

/// The invariants between a file and the effect of one command.
fn check_invariants(
    before: &File,
    command: &Command,
    effect: &Effect,
) -> Result<(), TestCaseError> {
    let after = &effect.file;
    let caller = &command.by.username;
    let step = i64::from(effect.revision.is_some());
    prop_assert_eq!(
        after.revision,
        before.revision + step,
        "revisions are contiguous"
    );
    prop_assert!(after.lock_seq - before.lock_seq <= 1 && after.lock_seq >= before.lock_seq);
    prop_assert_eq!(&after.id, &before.id);
    if let Some(lock) = &after.lock {
        prop_assert!(!after.deleted, "a deleted file has no lock");
        prop_assert_eq!(lock.id, after.lock_seq, "the lock has the newest number");
        prop_assert!(
            before.lock.as_ref() == Some(lock) || lock.holder == *caller,
            "a caller locks only for itself"
        );
    }
    if let Some(holder) = before.holder().filter(|holder| *holder != caller) {
        prop_assert_eq!(
            effect.action,
            EventAction::Override,
            "{} acted on the lock of {}",
            caller,
            holder
        );
    }
    if after.blob != before.blob {
        prop_assert!(
            effect.revision.is_some(),
            "content changes only with a revision"
        );
    }
    Ok(())
}

/// Runs the commands in order and returns the actions of those that succeeded.
fn run_checked(steps: Vec<(&'static str, Operation)>) -> Result<Vec<EventAction>, TestCaseError> {
    let mut file: Option<File> = None;
    let (mut used_locks, mut actions) = (Vec::new(), Vec::new());
    for (by, operation) in steps {
        let command = command(by, operation);
        let Ok(effect) = decide(file.as_ref(), &command) else {
            continue;
        };
        if effect.action == EventAction::Add {
            prop_assert!(file.as_ref().is_none_or(|file| file.deleted));
            used_locks.clear();
        } else {
            let before = file.as_ref().unwrap();
            check_invariants(before, &command, &effect)?;
            if effect.action == EventAction::CheckIn {
                let lock = before.lock.as_ref().unwrap();
                prop_assert_eq!(&lock.holder, &command.by.username);
                prop_assert!(!used_locks.contains(&lock.id), "one check-in per lock");
                used_locks.push(lock.id);
            }
        }
        actions.push(effect.action);
        file = Some(effect.file);
    }
    Ok(actions)
}

#[test]
fn arbitrary_command_sequences_keep_lock_invariants() {
    let user = prop_oneof![Just("ada"), Just("bob")];
    let steps = proptest::collection::vec((user, any_operation()), 1..60);
    let seen = std::cell::RefCell::new(Vec::new());
    TestRunner::new(ProptestConfig::with_cases(2_000))
        .run(&steps, |steps| {
            seen.borrow_mut().extend(run_checked(steps)?);
            Ok(())
        })
        .unwrap();
    for action in EventAction::ALL {
        assert!(
            seen.borrow().contains(&action),
            "{action:?} never succeeded"
        );
    }
}

//! One command against one state.

use super::*;

fn check_in_operation(n: u8, then: AfterCheckIn) -> Operation {
    Operation::CheckIn {
        blob: blob(n),
        comment: text("cut"),
        then,
        base: None,
        unchanged: UnchangedContent::Accept,
    }
}

fn effect_of(file: &File, by: &str, operation: Operation) -> Effect {
    decide(Some(file), &command(by, operation)).unwrap()
}

fn error_of(file: &File, by: &str, operation: Operation) -> String {
    decide(Some(file), &command(by, operation))
        .unwrap_err()
        .to_string()
}

fn new_file() -> File {
    decide(None, &command("ada", add_operation(1)))
        .unwrap()
        .file
}

fn file_locked_by(name: &str) -> File {
    effect_of(
        &new_file(),
        name,
        Operation::CheckOut {
            note: Some(text("milling")),
        },
    )
    .file
}

#[test]
fn new_file_has_revision_one_and_no_lock() {
    let effect = decide(None, &command("ada", add_operation(1))).unwrap();
    assert_eq!(
        (effect.file.revision, effect.file.lock_seq, effect.file.lock),
        (1, 0, None)
    );
    assert_eq!(effect.revision.unwrap().kind, RevisionKind::Added);
    assert!(matches!(
        decide(Some(&new_file()), &command("bob", add_operation(2))),
        Err(VaultError::Exists { .. })
    ));
}

#[test]
fn locked_file_cannot_be_checked_out_again() {
    for name in ["ada", "bob"] {
        let said = error_of(
            &file_locked_by("ada"),
            name,
            Operation::CheckOut { note: None },
        );
        assert_eq!(said, "File is already locked by ada");
    }
    assert_eq!(file_locked_by("ada").lock.unwrap().id, 1);
}

#[test]
fn only_lock_holder_can_cancel_check_out() {
    assert_eq!(
        error_of(&new_file(), "ada", Operation::Cancel),
        "File is not currently locked"
    );
    assert_eq!(
        error_of(&file_locked_by("ada"), "bob", Operation::Cancel),
        "File is locked by ada, not by you"
    );
    let effect = effect_of(&file_locked_by("ada"), "ada", Operation::Cancel);
    assert_eq!(
        (effect.file.lock, effect.file.revision, effect.revision),
        (None, 1, None)
    );
}

#[test]
fn only_lock_holder_can_check_in() {
    let release = AfterCheckIn::Release;
    assert_eq!(
        error_of(&new_file(), "ada", check_in_operation(2, release)),
        "File must be checked out to check in"
    );
    assert_eq!(
        error_of(
            &file_locked_by("ada"),
            "bob",
            check_in_operation(2, release)
        ),
        "File is locked by ada, not by you"
    );
    let effect = effect_of(
        &file_locked_by("ada"),
        "ada",
        check_in_operation(2, release),
    );
    assert_eq!(
        (effect.file.revision, &effect.file.blob, &effect.file.lock),
        (2, &blob(2), &None)
    );
}

#[test]
fn kept_check_out_gets_new_lock_same_note() {
    let kept = effect_of(
        &file_locked_by("ada"),
        "ada",
        check_in_operation(2, AfterCheckIn::KeepCheckedOut),
    )
    .file;
    let lock = kept.lock.unwrap();
    assert_eq!(
        (lock.id, kept.lock_seq, lock.note),
        (2, 2, Some(text("milling")))
    );
}

#[test]
fn check_in_with_stale_base_is_rejected() {
    let from = |n| Operation::CheckIn {
        blob: blob(2),
        comment: text(""),
        then: AfterCheckIn::Release,
        base: Some(blob(n).id),
        unchanged: UnchangedContent::Accept,
    };
    assert!(matches!(
        decide(Some(&file_locked_by("ada")), &command("ada", from(9))),
        Err(VaultError::StaleBase)
    ));
    assert_eq!(
        effect_of(&file_locked_by("ada"), "ada", from(1))
            .file
            .revision,
        2
    );
}

#[test]
fn override_requires_lock_and_releases_or_takes_it() {
    let by = |then| Operation::Override {
        reason: text("ill"),
        then,
    };
    assert_eq!(
        error_of(&new_file(), "bob", by(AfterOverride::Release)),
        "File is not locked, no need to override."
    );
    let freed = effect_of(&file_locked_by("ada"), "bob", by(AfterOverride::Release));
    assert_eq!((&freed.file.lock, freed.reason), (&None, Some(text("ill"))));
    let lock = effect_of(&file_locked_by("ada"), "bob", by(AfterOverride::Take))
        .file
        .lock
        .unwrap();
    assert_eq!((lock.id, lock.holder.as_str(), lock.note), (2, "bob", None));
}

#[test]
fn file_checked_out_by_another_cannot_be_changed() {
    let operations = [
        Operation::Describe {
            description: Some(text("x")),
        },
        Operation::Move {
            to: Filename::from_stored("b.step"),
        },
        restore_operation(1),
        Operation::Delete { comment: text("") },
    ];
    for operation in operations {
        assert_eq!(
            error_of(&file_locked_by("ada"), "bob", operation.clone()),
            "File is checked out by ada"
        );
        decide(Some(&file_locked_by("ada")), &command("ada", operation)).unwrap();
    }
}

#[test]
fn move_keeps_lock_and_history() {
    let moved = effect_of(
        &file_locked_by("ada"),
        "ada",
        Operation::Move {
            to: Filename::from_stored("A.step"),
        },
    );
    assert_eq!(
        (moved.file.name.as_str(), moved.moved_from),
        ("A.step", Some(Filename::from_stored("a.step")))
    );
    assert_eq!((moved.file.revision, moved.file.lock.unwrap().id), (2, 1));
    let same = Operation::Move {
        to: Filename::from_stored("a.step"),
    };
    assert!(error_of(&new_file(), "ada", same).starts_with("a.step already exists"));
}

#[test]
fn restore_undeletes_and_keeps_own_lock() {
    let gone = effect_of(
        &file_locked_by("ada"),
        "ada",
        Operation::Delete { comment: text("") },
    )
    .file;
    assert_eq!((gone.deleted, &gone.lock, gone.revision), (true, &None, 2));
    for operation in [
        Operation::CheckOut { note: None },
        Operation::Cancel,
        Operation::Delete { comment: text("") },
    ] {
        assert_eq!(error_of(&gone, "ada", operation), "File not found");
    }
    let back = effect_of(&gone, "bob", restore_operation(1));
    assert_eq!(
        (back.file.deleted, back.file.revision, back.file.blob),
        (false, 3, blob(1))
    );
    assert_eq!(back.revision.unwrap().comment, text("Restored revision 1"));
    assert!(
        effect_of(&file_locked_by("ada"), "ada", restore_operation(1))
            .file
            .lock
            .is_some()
    );
}

#[test]
fn operations_on_missing_file_return_not_found() {
    for operation in [
        Operation::CheckOut { note: None },
        Operation::Cancel,
        restore_operation(1),
    ] {
        assert!(matches!(
            decide(None, &command("ada", operation)),
            Err(VaultError::NotFound)
        ));
    }
    let another = Operation::Restore {
        file: FileId::new("g"),
        revision: 1,
        blob: blob(1),
    };
    assert_eq!(error_of(&new_file(), "ada", another), "File not found");
}

#[test]
fn unchanged_content_is_refused_only_on_request() {
    let of = |n, unchanged| Operation::CheckIn {
        blob: blob(n),
        comment: text(""),
        then: AfterCheckIn::Release,
        base: None,
        unchanged,
    };
    let file = file_locked_by("ada");
    assert!(matches!(
        decide(
            Some(&file),
            &command("ada", of(1, UnchangedContent::Refuse))
        ),
        Err(VaultError::Unchanged { revision: 1 })
    ));
    for accepted in [
        of(1, UnchangedContent::Accept),
        of(2, UnchangedContent::Refuse),
    ] {
        assert_eq!(effect_of(&file, "ada", accepted).file.revision, 2);
    }
    assert!(
        matches!(
            decide(
                Some(&file),
                &command("bob", of(1, UnchangedContent::Refuse))
            ),
            Err(VaultError::NotLockHolder { .. })
        ),
        "the lock comes first"
    );
}

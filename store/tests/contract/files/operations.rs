//! Single operations and the events they record.

use auth::{AuthStore as _, Realm, RealmId, RealmName};
use store::testing::TestDatabase;
use vault::{
    EventAction, Operation, RevisionKind, VaultError, VaultStore as _,
    store::{AfterOverride, Heads},
};

use crate::builders::{
    User, actor, ada_and_bob, assert_no_gaps, blob, filename, new_vault, timestamp, top_folder,
    user_text,
};

crate::on_both_databases!(
    file_round_trips_through_the_store,
    stored_lock_prevents_a_second_check_out,
    check_in_creates_revision_and_releases_lock,
    rejected_operation_changes_nothing,
    operations_record_one_event_and_revisions_one_change,
    vaults_have_separate_files_and_change_numbers,
    operations_in_unknown_vault_return_not_found,
);

async fn file_round_trips_through_the_store(db: TestDatabase) {
    let (ada, _) = ada_and_bob(&db.store).await;
    let added = ada.add("Fixtures/Vise ü.step").await.unwrap();
    assert_eq!(
        (added.event, added.change, added.replayed),
        (1, Some(1), false)
    );
    assert_eq!(
        (
            added.file.revision,
            added.file.change,
            added.file.modified_at
        ),
        (1, 1, timestamp(60))
    );
    assert_eq!(
        ada.find("Fixtures/Vise ü.step").await,
        Some(added.file.clone())
    );
    assert_eq!(
        ada.find("fixtures/VISE Ü.step").await,
        Some(added.file),
        "names ignore case"
    );
    assert_eq!(ada.find("fixtures").await, None, "a folder is not a file");
}

async fn stored_lock_prevents_a_second_check_out(db: TestDatabase) {
    let (ada, bob) = ada_and_bob(&db.store).await;
    ada.add("a.step").await.unwrap();
    let lock = ada.check_out("a.step").await.unwrap().file.lock.unwrap();
    assert_eq!(
        (lock.id, lock.holder.as_str(), lock.at, lock.note),
        (1, "ada", timestamp(60), Some(user_text("on it")))
    );
    let refused = bob.check_out("a.step").await;
    assert!(matches!(refused, Err(VaultError::Locked { holder }) if holder.as_str() == "ada"));
    ada.cancel("a.step").await.unwrap();
    assert_eq!(
        bob.check_out("a.step").await.unwrap().file.lock.unwrap().id,
        2
    );
}

async fn check_in_creates_revision_and_releases_lock(db: TestDatabase) {
    let (ada, bob) = ada_and_bob(&db.store).await;
    ada.add("a.step").await.unwrap();
    assert!(matches!(
        ada.check_in("a.step", 2).await,
        Err(VaultError::NotCheckedOut)
    ));
    ada.check_out("a.step").await.unwrap();
    assert!(matches!(
        bob.check_in("a.step", 2).await,
        Err(VaultError::NotLockHolder { .. })
    ));
    let file = ada.check_in("a.step", 2).await.unwrap().file;
    assert_eq!(
        (file.revision, file.change, &file.blob, &file.lock),
        (2, 2, &blob(2), &None)
    );
    let revision = db
        .store
        .revision(&ada.vault, &file.id, 2)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (revision.kind, revision.blob, revision.change),
        (RevisionKind::CheckedIn, Some(blob(2)), 2)
    );
    assert_eq!(
        (revision.author.name.as_str(), revision.comment),
        ("ada", user_text("better"))
    );
}

async fn rejected_operation_changes_nothing(db: TestDatabase) {
    let (ada, bob) = ada_and_bob(&db.store).await;
    ada.add("a/b.step").await.unwrap();
    ada.check_out("a/b.step").await.unwrap();
    let before = (
        db.store.heads(&ada.vault).await.unwrap(),
        ada.find("a/b.step").await,
    );
    assert!(matches!(
        bob.check_in("a/b.step", 9).await,
        Err(VaultError::NotLockHolder { .. })
    ));
    assert!(matches!(
        bob.delete("a/b.step").await,
        Err(VaultError::LockedByOther { .. })
    ));
    // Rejected late: the counters have moved and folders exist when the name conflict shows.
    ada.add("x/y/z.step").await.unwrap();
    assert!(matches!(
        ada.add("x/y/z.step/deep.step").await,
        Err(VaultError::NameConflict { .. })
    ));
    assert!(matches!(
        bob.with_key("k", "f").check_in("a/b.step", 9).await,
        Err(VaultError::NotLockHolder { .. })
    ));
    assert_eq!(
        db.store.heads(&ada.vault).await.unwrap(),
        Heads {
            change: 2,
            event: before.0.event + 1
        }
    );
    assert_eq!(ada.find("a/b.step").await, before.1);
    let blobs = db.store.blobs(&ada.vault, None, 10).await.unwrap();
    assert_eq!(
        blobs,
        [blob(1)],
        "the content of a rejected check-in is not referenced"
    );
    let top = db.store.folder(&ada.vault, top_folder(10)).await.unwrap();
    assert_eq!(top.len(), 2);
    assert_no_gaps(&db.store, &ada.vault).await;
}

#[expect(clippy::too_many_lines, reason = "one story, step by step")]
async fn operations_record_one_event_and_revisions_one_change(db: TestDatabase) {
    let (ada, bob) = ada_and_bob(&db.store).await;
    let first = ada.add("a.step").await.unwrap().file;
    ada.check_out("a.step").await.unwrap();
    ada.check_in("a.step", 2).await.unwrap();
    ada.check_out("a.step").await.unwrap();
    bob.override_lock("a.step", AfterOverride::Take)
        .await
        .unwrap();
    bob.cancel("a.step").await.unwrap();
    bob.apply(
        "a.step",
        Operation::Describe {
            description: Some(user_text("a gear")),
        },
    )
    .await
    .unwrap();
    bob.move_to("a.step", "b.step").await.unwrap();
    bob.delete("b.step").await.unwrap();
    ada.restore(&first).await.unwrap();
    let events = db.store.events(&ada.vault, 0, 100).await.unwrap();
    let actions: Vec<_> = events.iter().map(|event| event.action).collect();
    {
        use EventAction::{
            Add, Cancel, CheckIn, CheckOut, Delete, Describe, Move, Override, Restore,
        };
        let all = [
            Add, CheckOut, CheckIn, CheckOut, Override, Cancel, Describe, Move, Delete, Restore,
        ];
        assert_eq!(actions, all);
    }
    assert_eq!(events[4].reason, Some(user_text("on holiday")));
    assert_eq!(
        (
            events[4].by.as_str(),
            events[4].file.holder().unwrap().as_str()
        ),
        ("bob", "bob")
    );
    assert_eq!(events[6].file.description, Some(user_text("a gear")));
    assert_eq!(
        (&events[7].moved_from, &events[7].file.name),
        (&Some(filename("a.step")), &filename("b.step"))
    );
    assert!(events[8].file.deleted && !events[9].file.deleted);
    let kinds: Vec<_> = db
        .store
        .changes(&ada.vault, 0, 9)
        .await
        .unwrap()
        .into_iter()
        .map(|it| it.kind)
        .collect();
    {
        use RevisionKind::{Added, CheckedIn, Deleted, Moved, Restored};
        assert_eq!(kinds, [Added, CheckedIn, Moved, Deleted, Restored]);
    }
    assert_no_gaps(&db.store, &ada.vault).await;
    assert_eq!(db.store.events(&ada.vault, 8, 1).await.unwrap()[0].id, 9);
}

async fn vaults_have_separate_files_and_change_numbers(db: TestDatabase) {
    let (ada, _) = ada_and_bob(&db.store).await;
    let other = User::new(&db.store, &new_vault(&db.store, "another").await, "ada");
    ada.add("a.step").await.unwrap();
    assert_eq!(other.find("a.step").await, None);
    assert_eq!(other.add("a.step").await.unwrap().change, Some(1));
    let twin = Realm {
        id: RealmId::new("twin"),
        name: RealmName::parse("main").unwrap(),
    };
    let refused = db
        .store
        .create_vault(twin, actor("ada"), timestamp(1))
        .await;
    assert!(matches!(refused, Err(VaultError::VaultExists { name }) if name.as_str() == "main"));
    let names: Vec<_> = db
        .store
        .vaults()
        .await
        .unwrap()
        .into_iter()
        .map(|vault| vault.name.to_string())
        .collect();
    assert_eq!(names, ["another", "main"]);
    assert_eq!(
        db.store.realms().await.unwrap(),
        db.store.vaults().await.unwrap()
    );
    let main = db
        .store
        .vault(&RealmName::parse("main").unwrap())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(main.id, ada.vault);
    assert_eq!(
        db.store
            .vault(&RealmName::parse("none").unwrap())
            .await
            .unwrap(),
        None
    );
}

async fn operations_in_unknown_vault_return_not_found(db: TestDatabase) {
    let lost = User::new(&db.store, &RealmId::new("nowhere"), "ada");
    assert!(matches!(
        lost.add("a.step").await,
        Err(VaultError::NotFound)
    ));
    assert!(matches!(
        lost.check_out("a.step").await,
        Err(VaultError::NotFound)
    ));
    assert_eq!(db.store.heads(&lost.vault).await.unwrap(), Heads::default());
    assert!(
        db.store
            .events(&lost.vault, 0, 10)
            .await
            .unwrap()
            .is_empty()
    );
}

//! Concurrent operations. PostgreSQL gives each its own connection; on SQLite they share the
//! writer's batches.

use futures_util::future::join_all;
use store::testing::TestDatabase;
use vault::{RevisionKind, VaultError, VaultStore as _, store::AfterOverride};

use crate::builders::{User, ada_and_bob, assert_no_gaps, top_folder};

crate::on_both_databases!(
    parallel_check_outs_in_store_succeed_once,
    check_in_racing_override_is_atomic,
    parallel_idempotency_key_uses_have_one_effect,
    change_and_event_numbers_have_no_gaps,
    parallel_adds_differing_in_case_succeed_once,
    file_racing_folder_of_same_name_succeeds_once,
    folder_survives_delete_racing_an_add,
    move_racing_delete_is_atomic,
    failed_operation_does_not_affect_parallel_operations,
    events_become_visible_in_order,
);

/// Runs all concurrently, each in its own task.
fn run_concurrently<T, F>(tasks: impl IntoIterator<Item = F>) -> impl Future<Output = Vec<T>> + Send
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let tasks: Vec<_> = tasks.into_iter().map(tokio::spawn).collect();
    async {
        join_all(tasks)
            .await
            .into_iter()
            .map(Result::unwrap)
            .collect()
    }
}

fn eight_users(ada: &User) -> Vec<User> {
    (0..8)
        .map(|n| User::new(&ada.store, &ada.vault, &format!("user{n}")))
        .collect()
}

async fn parallel_check_outs_in_store_succeed_once(db: TestDatabase) {
    let (ada, _) = ada_and_bob(&db.store).await;
    ada.add("a").await.unwrap();
    for round in 1..=40 {
        let done = run_concurrently(
            eight_users(&ada)
                .into_iter()
                .map(|user| async move { user.check_out("a").await }),
        )
        .await;
        let winners: Vec<_> = done.iter().filter_map(|done| done.as_ref().ok()).collect();
        assert_eq!(winners.len(), 1, "{done:?}");
        let lock = winners[0].file.lock.clone().unwrap();
        assert_eq!(lock.id, round, "a lock id is unique");
        for loser in done.iter().filter_map(|done| done.as_ref().err()) {
            assert!(
                matches!(loser, VaultError::Locked { holder } if *holder == lock.holder),
                "{loser:?}"
            );
        }
        User::new(&ada.store, &ada.vault, lock.holder.as_str())
            .cancel("a")
            .await
            .unwrap();
    }
    assert_eq!(db.store.heads(&ada.vault).await.unwrap().event, 81);
    assert_no_gaps(&db.store, &ada.vault).await;
}

async fn check_in_racing_override_is_atomic(db: TestDatabase) {
    let (ada, bob) = ada_and_bob(&db.store).await;
    let file = ada.add("a").await.unwrap().file;
    let mut revisions = 1;
    for round in 0..30 {
        ada.check_out("a").await.unwrap();
        let (holder, overrider) = (ada.clone(), bob.clone());
        let check_in = tokio::spawn(async move { holder.check_in("a", round + 2).await });
        let take =
            tokio::spawn(async move { overrider.override_lock("a", AfterOverride::Take).await });
        match (check_in.await.unwrap(), take.await.unwrap()) {
            (Ok(_), Err(VaultError::NothingToOverride)) => revisions += 1,
            (Err(VaultError::NotLockHolder { holder }), Ok(_)) if holder.as_str() == "bob" => {
                bob.cancel("a").await.unwrap();
            }
            other => panic!("{other:?}"),
        }
    }
    let history = db
        .store
        .history(&ada.vault, &file.id, None, 100)
        .await
        .unwrap();
    let numbers: Vec<i64> = history
        .iter()
        .rev()
        .map(|revision| revision.revision)
        .collect();
    assert_eq!(numbers, (1..=revisions).collect::<Vec<_>>());
    assert_no_gaps(&db.store, &ada.vault).await;
}

async fn parallel_idempotency_key_uses_have_one_effect(db: TestDatabase) {
    let (ada, _) = ada_and_bob(&db.store).await;
    for round in 0..10 {
        let file = format!("file{round}");
        let retrying = ada.with_key(&file, "the same request");
        let done = run_concurrently((0..8).map(|_| {
            let (retrying, file) = (retrying.clone(), file.clone());
            async move { retrying.add(&file).await.unwrap() }
        }));
        let done = done.await;
        assert_eq!(done.iter().filter(|outcome| !outcome.replayed).count(), 1);
        assert!(
            done.iter()
                .all(|outcome| outcome.file == done[0].file && outcome.event == done[0].event)
        );
    }
    assert_eq!(db.store.heads(&ada.vault).await.unwrap().event, 10);
}

async fn change_and_event_numbers_have_no_gaps(db: TestDatabase) {
    let (ada, _) = ada_and_bob(&db.store).await;
    let work = |user: User| async move {
        for n in 0..10 {
            let file = format!("shared/{}/{n}", user.name);
            user.add(&file).await.unwrap();
            user.check_out(&file).await.unwrap();
            // A rejected operation in between deleting no gap.
            let rejected = user.add(&file).await;
            assert!(
                matches!(rejected, Err(VaultError::Exists { .. })),
                "{rejected:?}"
            );
            user.check_in(&file, 7).await.unwrap();
            user.delete(&file).await.unwrap();
        }
    };
    run_concurrently(eight_users(&ada).into_iter().map(work)).await;
    let heads = db.store.heads(&ada.vault).await.unwrap();
    assert_eq!((heads.change, heads.event), (240, 320));
    assert_no_gaps(&db.store, &ada.vault).await;
    assert!(
        db.store
            .folder(&ada.vault, top_folder(10))
            .await
            .unwrap()
            .is_empty(),
        "no empty folder is left"
    );
}

async fn parallel_adds_differing_in_case_succeed_once(db: TestDatabase) {
    let (ada, _) = ada_and_bob(&db.store).await;
    let spellings = ["Deep/Gear", "Deep/gear", "Deep/GEAR", "Deep/gEAR"];
    for _ in 0..10 {
        let done = run_concurrently(spellings.map(|name| {
            let ada = ada.clone();
            async move { ada.add(name).await }
        }));
        let done = done.await;
        let winners: Vec<_> = done.iter().filter_map(|done| done.as_ref().ok()).collect();
        assert_eq!(winners.len(), 1, "{done:?}");
        for loser in done.iter().filter_map(|done| done.as_ref().err()) {
            assert!(
                matches!(loser, VaultError::Exists { name } if *name == winners[0].file.name),
                "{loser:?}"
            );
        }
        ada.delete("Deep/gear").await.unwrap();
    }
}

async fn file_racing_folder_of_same_name_succeeds_once(db: TestDatabase) {
    let (ada, _) = ada_and_bob(&db.store).await;
    for _ in 0..10 {
        let names = ["parts", "parts/gear", "Parts/wheel"];
        let done = run_concurrently(names.map(|name| {
            let ada = ada.clone();
            async move { ada.add(name).await }
        }));
        let done = done.await;
        let won: Vec<_> = done
            .iter()
            .flatten()
            .map(|outcome| outcome.file.name.clone())
            .collect();
        assert_eq!(won.len(), 1, "{done:?}");
        assert!(
            done.iter()
                .filter_map(|done| done.as_ref().err())
                .all(|e| matches!(e, VaultError::NameConflict { .. }))
        );
        ada.delete(won[0].as_str()).await.unwrap();
        assert!(
            db.store
                .folder(&ada.vault, top_folder(10))
                .await
                .unwrap()
                .is_empty()
        );
    }
}

async fn folder_survives_delete_racing_an_add(db: TestDatabase) {
    let (ada, bob) = ada_and_bob(&db.store).await;
    for round in 0..20 {
        ada.add("shared/one").await.unwrap();
        let (deleting, adding) = (ada.clone(), bob.clone());
        let deleting = tokio::spawn(async move { deleting.delete("shared/one").await });
        let adding = tokio::spawn(async move { adding.add("shared/two").await });
        deleting.await.unwrap().unwrap();
        adding.await.unwrap().unwrap();
        let top = db.store.folder(&ada.vault, top_folder(10)).await.unwrap();
        assert_eq!(
            top.len(),
            1,
            "round {round}: a file without its folder cannot be seen"
        );
        bob.delete("shared/two").await.unwrap();
    }
}

async fn move_racing_delete_is_atomic(db: TestDatabase) {
    let (ada, bob) = ada_and_bob(&db.store).await;
    for _ in 0..20 {
        let file = ada.add("from/a").await.unwrap().file;
        let (ada_too, bob_too) = (ada.clone(), bob.clone());
        let moved = tokio::spawn(async move { ada_too.move_to("from/a", "to/a").await });
        let deleted = tokio::spawn(async move { bob_too.delete("from/a").await });
        let (moved, deleted) = (moved.await.unwrap(), deleted.await.unwrap());
        let newest = db
            .store
            .history(&ada.vault, &file.id, None, 1)
            .await
            .unwrap()
            .remove(0);
        match (moved, deleted) {
            (Ok(_), Err(VaultError::NotFound)) => {
                assert_eq!(newest.kind, RevisionKind::Moved);
                ada.delete("to/a").await.unwrap();
            }
            (Err(VaultError::NotFound), Ok(_)) => assert_eq!(newest.kind, RevisionKind::Deleted),
            other => panic!("{other:?}"),
        }
        assert!(
            db.store
                .folder(&ada.vault, top_folder(10))
                .await
                .unwrap()
                .is_empty()
        );
    }
}

async fn failed_operation_does_not_affect_parallel_operations(db: TestDatabase) {
    let (ada, _) = ada_and_bob(&db.store).await;
    let tries = (0..100).map(|n| {
        let ada = ada.clone();
        // Every second one fails halfway: its folder `good/0` is a file.
        async move {
            ada.add(&if n % 2 == 0 {
                format!("good/{n}")
            } else {
                format!("good/0/{n}")
            })
            .await
        }
    });
    ada.add("good/0/1").await.map(|_| ()).unwrap();
    ada.delete("good/0/1").await.unwrap();
    ada.add("good/start").await.unwrap();
    ada.add("good/0").await.unwrap();
    let done = run_concurrently(tries.skip(1)).await;
    assert_eq!(done.iter().filter(|added| added.is_ok()).count(), 49);
    let conflicts = done
        .iter()
        .filter(|added| matches!(added, Err(VaultError::NameConflict { .. })));
    assert_eq!(conflicts.count(), 50);
    for n in (2..100).step_by(2) {
        assert!(ada.find(&format!("good/{n}")).await.is_some());
    }
    assert_no_gaps(&db.store, &ada.vault).await;
}

async fn events_become_visible_in_order(db: TestDatabase) {
    let (ada, _) = ada_and_bob(&db.store).await;
    let writers = tokio::spawn(run_concurrently(eight_users(&ada).into_iter().map(
        |user| async move {
            for n in 0..25 {
                user.add(&format!("{}-{n}", user.name)).await.unwrap();
            }
        },
    )));
    // Reads as a node does: an event that appears behind one already read would be lost.
    let (mut seen, mut idle) = (0, 0);
    while seen < 200 && idle < 100_000 {
        let events = db.store.events(&ada.vault, seen, 1_000).await.unwrap();
        idle = if events.is_empty() { idle + 1 } else { 0 };
        for event in events {
            assert_eq!(event.id, seen + 1);
            seen = event.id;
        }
        tokio::task::yield_now().await;
    }
    writers.await.unwrap();
    assert_eq!(seen, 200);
}

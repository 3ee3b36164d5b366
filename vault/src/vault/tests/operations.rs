//! Operations, their order and their events.

use super::Fixture;
use crate::testing::{actor, git, text};
use crate::vault::{core::Context, *};

#[tokio::test]
async fn main_vault_is_created_once() {
    let fixture = Fixture::new().await;
    assert_eq!(fixture.vault.name.as_str(), "main");
    let id = fixture.vault.id.clone();
    assert_eq!(fixture.again().await.vault.id, id);
}

#[tokio::test]
async fn file_life_cycle_is_recorded_in_git() {
    let fixture = Fixture::new().await;
    fixture
        .add("ada", "fixtures/vise.step", b"one")
        .await
        .unwrap();
    fixture
        .does(
            "ada",
            "fixtures/vise.step",
            Operation::CheckOut { note: None },
        )
        .await
        .unwrap();
    let refused = fixture.check_in("bob", "fixtures/vise.step", b"two").await;
    assert!(matches!(refused, Err(VaultError::NotLockHolder { .. })));
    assert_eq!(
        fixture
            .check_in("ada", "fixtures/vise.step", b"two")
            .await
            .unwrap()
            .revision,
        2
    );
    let to = Filename::parse("parts/vise.step").unwrap();
    fixture
        .does("bob", "fixtures/vise.step", Operation::Move { to })
        .await
        .unwrap();
    fixture
        .does(
            "ada",
            "parts/vise.step",
            Operation::Delete { comment: text("") },
        )
        .await
        .unwrap();
    let log = fixture.git(&["log", "--format=%an|%ae|%at|%s", "--reverse"]);
    assert_eq!(
        log.lines().collect::<Vec<_>>(),
        [
            "ada|ada@strongroom.invalid|1795000000|Add fixtures/vise.step",
            "ada|ada@strongroom.invalid|1795000000|Second cut",
            "bob|bob@strongroom.invalid|1795000000|Move fixtures/vise.step to parts/vise.step",
            "ada|ada@strongroom.invalid|1795000000|Delete parts/vise.step",
        ]
    );
    assert_eq!(
        fixture.git(&["ls-tree", "-r", "--name-only", "HEAD"]),
        ".gitattributes\n"
    );
    assert!(matches!(
        fixture.read("parts/vise.step", None).await,
        Err(VaultError::NotFound)
    ));
    assert_eq!(
        fixture.read("parts/vise.step", Some(1)).await.unwrap(),
        b"one"
    );
}

#[tokio::test]
async fn retry_with_idempotency_key_sends_no_event() {
    let fixture = Fixture::new().await;
    fixture.add("ada", "a.step", b"one").await.unwrap();
    let (ada, name) = (actor("ada"), Filename::parse("a.step").unwrap());
    let key = || {
        Some(IdempotencyKey {
            key: "k".into(),
            fingerprint: "f".into(),
        })
    };
    let check_out = || {
        let by = Context {
            vault: &fixture.vault,
            actor: &ada,
        };
        fixture
            .core
            .apply(by, &name, Operation::CheckOut { note: None }, key())
    };
    let mut ticks = fixture.core.recorded.subscribe();
    let first = check_out().await.unwrap();
    assert_eq!(ticks.try_recv().unwrap(), fixture.vault.id);
    assert_eq!(check_out().await.unwrap(), first);
    assert_eq!(
        ticks.try_recv(),
        Err(tokio::sync::broadcast::error::TryRecvError::Empty)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parallel_check_outs_in_vault_succeed_once() {
    let fixture = std::sync::Arc::new(Fixture::new().await);
    fixture.add("ada", "a.step", b"one").await.unwrap();
    for _ in 0..50 {
        let racers: Vec<_> = (0..8)
            .map(|n| (n, fixture.clone()))
            .map(|(n, fixture)| {
                tokio::spawn(async move {
                    fixture
                        .does(
                            &format!("user{n}"),
                            "a.step",
                            Operation::CheckOut { note: None },
                        )
                        .await
                })
            })
            .collect();
        let (mut winners, mut losers) = (Vec::new(), Vec::new());
        for racer in racers {
            match racer.await.unwrap() {
                Ok(file) => winners.push(file),
                Err(error) => losers.push(error),
            }
        }
        assert_eq!((winners.len(), losers.len()), (1, 7));
        let winner = winners[0].holder().unwrap();
        for loser in &losers {
            assert!(
                matches!(loser, VaultError::Locked { holder } if holder == winner),
                "{loser:?}"
            );
        }
        fixture
            .does(winner.as_str(), "a.step", Operation::Cancel)
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn second_vault_has_its_own_repository_and_changes() {
    let fixture = Fixture::new().await;
    let (operator, name) = (actor("ada"), VaultName::parse("moulds").unwrap());
    let moulds = fixture
        .core
        .create_vault(&operator, name.clone())
        .await
        .unwrap();
    git(
        &fixture.data.path().join("moulds.git"),
        &["fsck", "--strict"],
    );
    let taken = fixture.core.create_vault(&operator, name).await;
    assert!(matches!(taken, Err(VaultError::VaultExists { .. })));
    fixture.add("ada", "a.step", b"one").await.unwrap();
    let a = Filename::parse("a.step").unwrap();
    assert!(matches!(
        fixture.core.file(&moulds, &a).await,
        Err(VaultError::NotFound)
    ));
    let (id, blob) = (
        FileId::random(&fixture.core.rng),
        fixture.blob(b"mould").await,
    );
    let by = Context {
        vault: &moulds,
        actor: &operator,
    };
    let added = fixture
        .core
        .apply(
            by,
            &a,
            Operation::Add {
                id,
                blob,
                comment: text(""),
            },
            None,
        )
        .await
        .unwrap();
    assert_eq!(added.change, 1);
    assert_eq!(
        git(
            &fixture.data.path().join("moulds.git"),
            &["rev-list", "--count", "main"]
        ),
        "1\n"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn dropped_call_still_completes_its_operation() {
    let fixture = Fixture::new().await;
    let mut ticks = fixture.core.recorded.subscribe();
    let operation = Operation::Add {
        id: FileId::random(&fixture.core.rng),
        blob: fixture.blob(b"one").await,
        comment: text(""),
    };
    {
        let mut asked = Box::pin(fixture.does("ada", "a.step", operation));
        // Polled once, which starts the request, and dropped.
        assert!(
            std::future::poll_fn(|context| std::task::Poll::Ready(asked.as_mut().poll(context)))
                .await
                .is_pending()
        );
    }
    assert_eq!(ticks.recv().await.unwrap(), fixture.vault.id);
    let change = fixture.add("ada", "b.step", b"two").await.unwrap().change;
    assert_eq!(
        (
            change,
            fixture.git(&["rev-list", "--count", "main"]).as_str()
        ),
        (2, "2\n")
    );
}

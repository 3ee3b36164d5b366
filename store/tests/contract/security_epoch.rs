//! A new security epoch of an account voids every flow that an older one started.

use auth::{
    AccountChange, AccountStatus, AuthStore as _, EmailAddress, Factor, FactorId, FactorKind,
    SecurityEpoch, SessionKind, TokenHash,
    audit::{AuditAction, NewAuditEntry},
    store::{
        EmailConfirmation, EmailLinkStore as _, EndAllSessions, EndReason, FactorChange,
        FactorStore as _, MinimumFactors, OneTimeKind, OneTimeToken, PasswordReset, PasswordWrite,
        PersonalTokenPolicy, Removal, ResetConditions, ResetStore as _,
    },
};
use serde_json::json;
use store::{Store, testing::TestDatabase};

use crate::builders::{
    actor, epoch_of, register, session, session_end, start_session, timestamp, user,
};

crate::on_both_databases!(
    ending_all_sessions_bumps_the_security_epoch,
    rehash_or_single_sign_out_keeps_security_epoch,
    session_from_older_security_epoch_cannot_start,
    security_epoch_increases_despite_clock_set_back,
    ending_sessions_during_sign_ins_leaves_no_session,
    email_link_works_once_in_its_security_epoch,
);

/// Each way to start a new security epoch.
const REVOCATIONS: [&str; 9] = [
    "a new password",
    "a new password that keeps sessions",
    "a reset link",
    "others ended",
    "all ended",
    "everybody's ended",
    "other factors",
    "disabled and enabled",
    "a reset required",
];

#[expect(clippy::too_many_lines, reason = "one story, step by step")]
async fn start_new_epoch(store: &Store, way: &str, n: i64) {
    let (ada, root, at) = (user("ada"), actor("root"), timestamp(n));
    let change = async |change| {
        drop(
            store
                .change_account(&ada, change, root.clone(), at)
                .await
                .unwrap(),
        );
    };
    match way {
        "a new password" => {
            replace_password(
                store,
                PasswordWrite::Change {
                    keep: None,
                    epoch: epoch_of(store, "ada").await,
                },
                n,
            )
            .await;
        }
        "a new password that keeps sessions" => {
            replace_password(
                store,
                PasswordWrite::ChangeKeepingSessions {
                    epoch: epoch_of(store, "ada").await,
                },
                n,
            )
            .await;
        }
        "a reset link" => {
            let account = store.credentials(&ada).await.unwrap().unwrap().account;
            let terms = serde_json::to_string(&ResetConditions::of(&account, None)).unwrap();
            let link = one_time_token(OneTimeKind::Reset, &format!("reset {n}"), &terms);
            let made = NewAuditEntry::new(&root, AuditAction::ResetCreated, at).subject("ada");
            assert!(store.insert_reset(link.clone(), made, None).await.unwrap());
            let password = auth::PasswordHash::from_stored(&format!("reset {n}"));
            let reset = PasswordReset {
                link: link.hash,
                password,
                by: actor("ada"),
                at,
            };
            store.reset_password(reset).await.unwrap().unwrap();
        }
        "others ended" | "all ended" => {
            let keep = start_session(store, "ada", &format!("current {n}")).await;
            let keep = (way == "others ended").then_some(&keep);
            store
                .end_sessions(&ada, keep, session_end(EndReason::EndedByOwner, "ada", n))
                .await
                .unwrap();
        }
        "everybody's ended" => {
            let (end, tokens) = (
                session_end(EndReason::EndedByAdministrator, "root", n),
                PersonalTokenPolicy::Keep,
            );
            let keep = Some(start_session(store, "ada", &format!("current {n}")).await);
            store
                .end_all_sessions(EndAllSessions {
                    keep,
                    tokens,
                    end,
                    reason: String::new(),
                })
                .await
                .unwrap();
        }
        "other factors" => store.change_factors(enrolled_totp(n)).await.unwrap(),
        "disabled and enabled" => {
            for standing in [AccountStatus::Disabled, AccountStatus::Active] {
                change(AccountChange {
                    status: Some(standing),
                    ..AccountChange::default()
                })
                .await;
            }
        }
        "a reset required" => {
            change(AccountChange {
                must_change_password: Some(true),
                ..AccountChange::default()
            })
            .await;
        }
        other => panic!("{other}"),
    }
}

async fn replace_password(store: &Store, why: PasswordWrite, n: i64) {
    let old = store
        .credentials(&user("ada"))
        .await
        .unwrap()
        .unwrap()
        .password;
    let new = auth::PasswordHash::from_stored(&format!("password {n}"));
    assert!(
        store
            .replace_password(&user("ada"), &old, new, why, actor("ada"), timestamp(n))
            .await
            .unwrap()
    );
}

fn enrolled_totp(n: i64) -> FactorChange {
    let factor = Factor {
        id: FactorId::new(&format!("app {n}")),
        username: user("ada"),
        kind: FactorKind::Totp,
        name: "app".to_owned(),
        body: String::new(),
        counter: 0,
        created_at: timestamp(n),
        last_used_at: None,
        used_at: None,
    };
    FactorChange {
        username: user("ada"),
        remove: Removal::Kind(FactorKind::Totp),
        add: vec![factor],
        minimum: MinimumFactors::None,
        keep: None,
        unlink_identities: false,
        by: actor("ada"),
        action: AuditAction::FactorAdded,
        detail: json!({}),
        at: timestamp(n),
    }
}

fn one_time_token(kind: OneTimeKind, hash: &str, body: &str) -> OneTimeToken {
    let (hash, body) = (TokenHash::new(hash), body.to_owned());
    OneTimeToken {
        kind,
        hash,
        username: Some(user("ada")),
        body,
        created_at: timestamp(0),
        expires_at: timestamp(10_000),
    }
}

async fn ending_all_sessions_bumps_the_security_epoch(db: TestDatabase) {
    register(&db.store, &["ada"]).await;
    for (n, way) in (1..).zip(REVOCATIONS) {
        let (before, heard) = (
            epoch_of(&db.store, "ada").await,
            db.store.last_account_event().await.unwrap(),
        );
        start_new_epoch(&db.store, way, n).await;
        assert!(epoch_of(&db.store, "ada").await > before, "{way}");
        assert!(
            db.store.last_account_event().await.unwrap() > heard,
            "{way}: other nodes hear of it"
        );
        let member = db.store.member(&user("ada")).await.unwrap().unwrap();
        assert_eq!(
            member.account.epoch,
            epoch_of(&db.store, "ada").await,
            "{way}"
        );
    }
}

async fn rehash_or_single_sign_out_keeps_security_epoch(db: TestDatabase) {
    register(&db.store, &["ada"]).await;
    let before = epoch_of(&db.store, "ada").await;
    replace_password(&db.store, PasswordWrite::Rehash, 1).await;
    let id = start_session(&db.store, "ada", "one").await;
    assert!(
        db.store
            .end_session(
                &user("ada"),
                &id,
                session_end(EndReason::SignedOut, "ada", 2)
            )
            .await
            .unwrap()
    );
    let renamed = AccountChange {
        display_name: Some(None),
        ..AccountChange::default()
    };
    db.store
        .change_account(&user("ada"), renamed, actor("ada"), timestamp(3))
        .await
        .unwrap();
    assert_eq!(epoch_of(&db.store, "ada").await, before);
}

async fn session_from_older_security_epoch_cannot_start(db: TestDatabase) {
    register(&db.store, &["ada"]).await;
    for (n, way) in (1..).zip(REVOCATIONS) {
        let proved = epoch_of(&db.store, "ada").await;
        start_new_epoch(&db.store, way, n).await;
        for kind in [SessionKind::Web, SessionKind::OAuth, SessionKind::Personal] {
            let late = session(&format!("late {n} {}", kind.as_str()), "ada", kind);
            let secret = TokenHash::new(late.id.as_str());
            assert_eq!(
                db.store
                    .start_session(late.clone(), secret, proved)
                    .await
                    .unwrap(),
                None,
                "{way}"
            );
            assert_eq!(db.store.session(&late.id).await.unwrap(), None, "{way}");
        }
    }
}

async fn security_epoch_increases_despite_clock_set_back(db: TestDatabase) {
    register(&db.store, &["ada"]).await;
    let mut before = SecurityEpoch::default();
    for n in [1_000, 10, 10, 1_000, 1_000, 2_000] {
        let ended = session_end(EndReason::EndedByOwner, "ada", n);
        db.store
            .end_sessions(&user("ada"), None, ended.clone())
            .await
            .unwrap();
        let now = epoch_of(&db.store, "ada").await;
        assert!(now > before, "{n}");
        assert_eq!(now, before.bump(ended.at), "as it is said in `Era`");
        before = now;
    }
}

async fn ending_sessions_during_sign_ins_leaves_no_session(db: TestDatabase) {
    register(&db.store, &["ada"]).await;
    for round in 0..30 {
        let known = epoch_of(&db.store, "ada").await;
        let sign_ins = (0..4).map(|n| {
            let (store, new) = (
                db.store.clone(),
                session(&format!("{round} {n}"), "ada", SessionKind::OAuth),
            );
            tokio::spawn(async move {
                store
                    .start_session(new.clone(), TokenHash::new(new.id.as_str()), known)
                    .await
            })
        });
        let sign_ins: Vec<_> = sign_ins.collect();
        let store = db.store.clone();
        let ended = tokio::spawn(async move {
            store
                .end_sessions(
                    &user("ada"),
                    None,
                    session_end(EndReason::EndedByOwner, "ada", 2),
                )
                .await
                .unwrap()
        });
        let mut began = 0;
        for sign_in in sign_ins {
            began += u64::from(sign_in.await.unwrap().unwrap().is_some());
        }
        assert_eq!(ended.await.unwrap(), began, "round {round}");
        let left = db
            .store
            .sessions_of(&user("ada"), timestamp(3))
            .await
            .unwrap();
        assert!(left.is_empty(), "round {round}: {left:?}");
    }
}

#[expect(clippy::too_many_lines, reason = "one story, step by step")]
async fn email_link_works_once_in_its_security_epoch(db: TestDatabase) {
    register(&db.store, &["ada"]).await;
    let asked = async |n: i64| {
        let link = one_time_token(OneTimeKind::EmailLink, &format!("link {n}"), "{}");
        let record = NewAuditEntry::new(
            &actor("ada"),
            AuditAction::EmailChangeRequested,
            timestamp(n),
        )
        .subject("ada");
        db.store
            .insert_email_link(link.clone(), record)
            .await
            .unwrap();
        let account = db
            .store
            .credentials(&user("ada"))
            .await
            .unwrap()
            .unwrap()
            .account;
        let email = EmailAddress::parse(&format!("ada{n}@example.org")).unwrap();
        EmailConfirmation {
            link: link.hash,
            epoch: account.epoch,
            previous: account.email,
            email,
            by: actor("ada"),
            at: timestamp(n),
        }
    };
    let first = asked(100).await;
    let second_one = asked(101).await;
    assert_eq!(
        db.store.confirm_email(first).await.unwrap(),
        None,
        "a newer link exists"
    );
    let tries = (0..8).map(|_| {
        let (store, link) = (db.store.clone(), second_one.clone());
        tokio::spawn(async move { store.confirm_email(link).await.unwrap().is_some() })
    });
    let mut followed = 0;
    for one in tries.collect::<Vec<_>>() {
        followed += u32::from(one.await.unwrap());
    }
    assert_eq!(followed, 1);
    let account = db
        .store
        .credentials(&user("ada"))
        .await
        .unwrap()
        .unwrap()
        .account;
    assert_eq!(
        (account.email, account.email_verified),
        (Some(second_one.email), true)
    );
    for (n, way) in (200..).zip(REVOCATIONS) {
        let link = asked(n).await;
        start_new_epoch(&db.store, way, n).await;
        assert_eq!(db.store.confirm_email(link).await.unwrap(), None, "{way}");
    }
    let stolen = EmailConfirmation {
        previous: None,
        ..asked(300).await
    };
    assert_eq!(
        db.store.confirm_email(stolen).await.unwrap(),
        None,
        "the link is for another previous address"
    );
}

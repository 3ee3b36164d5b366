//! Accounts, roles, passwords, administrators.

use auth::{
    AccountChange, AccountStatus, AuthStore as _, DisplayName, EmailAddress, NewAccount,
    PasswordHash, RealmId, Role, SessionId, SessionKind, TokenHash,
    store::{
        AccountQuery, ChangeRejected, IdentityStore as _, InsertResult, LinkResult, PasswordWrite,
    },
};
use futures_util::future::join_all;
use store::{Store, testing::TestDatabase};

use crate::builders::{
    account, actor, administrator, epoch_of, identity, new_vault, register, session,
    signed_in_with, start_session, timestamp, user,
};

crate::on_both_databases!(
    parallel_account_creations_with_one_username_succeed_once,
    console_username_is_reserved,
    account_round_trips_through_the_store,
    deleted_account_is_unlisted_and_reserves_its_username,
    deleted_account_cannot_be_reactivated,
    deleted_account_keeps_only_its_username,
    account_search_is_case_insensitive_and_partial,
    accounts_are_paged_by_username,
    parallel_first_administrator_creations_succeed_once,
    parallel_demotions_keep_the_last_administrator,
    disabling_an_account_ends_its_sessions,
    disabled_account_cannot_start_a_session,
    role_changes_are_stored_with_an_event,
    disabled_account_is_not_a_realm_member,
    password_replacement_is_compare_and_swap,
    stored_password_change_ends_the_other_sessions,
    hash_samples_cover_each_stored_profile,
    account_event_numbers_have_no_gaps_under_concurrency,
    vault_creator_with_account_becomes_manager,
);

async fn parallel_account_creations_with_one_username_succeed_once(db: TestDatabase) {
    let tries = (0..8).map(|_| {
        db.store
            .create_account(account("ada"), Vec::new(), actor("ada"))
    });
    let made = join_all(tries).await;
    assert_eq!(
        made.iter()
            .filter(|made| matches!(made, Ok(InsertResult::Inserted)))
            .count(),
        1
    );
    assert_eq!(
        made.iter()
            .filter(|made| matches!(made, Ok(InsertResult::Duplicate)))
            .count(),
        7
    );
}

async fn console_username_is_reserved(db: TestDatabase) {
    let console = || account("console");
    let made = db
        .store
        .create_account(console(), Vec::new(), actor("root"))
        .await
        .unwrap();
    assert_eq!(
        made,
        InsertResult::Duplicate,
        "the username is reserved for imported and added accounts"
    );
    let linked = db
        .store
        .create_linked_account(console(), Vec::new(), identity("17"), actor("console"))
        .await
        .unwrap();
    assert_eq!(
        linked,
        LinkResult::UsernameTaken,
        "the username is reserved for accounts of a provider"
    );
    let first = db
        .store
        .create_first_administrator(console(), actor("console"))
        .await
        .unwrap();
    assert_eq!(
        first,
        Some(InsertResult::Duplicate),
        "by the first administrator's link"
    );
    assert!(
        db.store
            .credentials(&user("console"))
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        db.store
            .identity("https://id.example", "17")
            .await
            .unwrap()
            .is_none()
    );
}

async fn account_round_trips_through_the_store(db: TestDatabase) {
    let new = NewAccount {
        display_name: Some(DisplayName::parse("Ada Ləvləys 🛠").unwrap()),
        email: Some(EmailAddress::parse("ada@example.org").unwrap()),
        ..account("ada")
    };
    let vault = new_vault(&db.store, "main").await;
    db.store
        .create_account(
            new.clone(),
            vec![(vault.clone(), Role::Editor)],
            actor("ada"),
        )
        .await
        .unwrap();
    let member = db.store.member(&user("ada")).await.unwrap().unwrap();
    assert_eq!(member.account.display_name, new.display_name);
    assert_eq!(member.account.email, new.email);
    assert_eq!(member.account.created_at, new.created_at);
    assert_eq!(
        (member.account.status, member.account.administrator),
        (AccountStatus::Active, false)
    );
    assert_eq!(
        (member.roles, member.last_seen),
        (vec![(vault, Role::Editor)], None)
    );
    let credentials = db.store.credentials(&user("ada")).await.unwrap().unwrap();
    assert!(credentials.password == new.password);
    assert!(db.store.credentials(&user("bob")).await.unwrap().is_none());
}

async fn deleted_account_cannot_be_reactivated(db: TestDatabase) {
    register(&db.store, &["ada"]).await;
    db.store
        .change_account(
            &user("ada"),
            status_change(AccountStatus::Deleted),
            actor("root"),
            timestamp(1),
        )
        .await
        .unwrap();
    for status in [
        AccountStatus::Active,
        AccountStatus::Disabled,
        AccountStatus::Deleted,
    ] {
        let back = db
            .store
            .change_account(
                &user("ada"),
                status_change(status),
                actor("root"),
                timestamp(2),
            )
            .await;
        assert!(
            matches!(back, Err(ChangeRejected::NoSuchAccount)),
            "{back:?}"
        );
    }
    assert!(
        db.store
            .credentials(&user("ada"))
            .await
            .unwrap()
            .is_none_or(|found| found.account.status == AccountStatus::Deleted)
    );
}

fn status_change(status: AccountStatus) -> AccountChange {
    AccountChange {
        status: Some(status),
        ..AccountChange::default()
    }
}

/// The secrets of the sessions begin with `prefix`.
async fn one_session_of_each_kind(store: &Store, name: &str, prefix: &str) -> Vec<SessionId> {
    let mut ids = Vec::new();
    for (secret, kind) in [
        ("tokens", SessionKind::OAuth),
        ("web", SessionKind::Web),
        ("personal", SessionKind::Personal),
    ] {
        ids.push(signed_in_with(store, name, &format!("{prefix}{secret}"), kind).await);
    }
    ids
}

fn promotion() -> AccountChange {
    AccountChange {
        administrator: Some(true),
        ..AccountChange::default()
    }
}

fn demotion() -> AccountChange {
    AccountChange {
        administrator: Some(false),
        ..AccountChange::default()
    }
}

async fn deleted_account_keeps_only_its_username(db: TestDatabase) {
    register(&db.store, &["root", "ada", "bob"]).await;
    for name in ["ada", "bob"] {
        let email = Some(EmailAddress::parse(&format!("{name}@example.org")).unwrap());
        let change = AccountChange {
            email: Some(email),
            ..AccountChange::default()
        };
        db.store
            .change_account(&user(name), change, actor("root"), timestamp(1))
            .await
            .unwrap();
        db.store
            .link_identity(
                actor(name),
                epoch_of(&db.store, name).await,
                identity(name),
                timestamp(2),
            )
            .await
            .unwrap();
    }
    db.store
        .change_account(
            &user("ada"),
            status_change(AccountStatus::Deleted),
            actor("root"),
            timestamp(3),
        )
        .await
        .unwrap();
    let left = db.store.credentials(&user("ada")).await.unwrap().unwrap();
    assert_eq!(
        (
            left.account.email,
            left.account.display_name,
            left.password.as_str()
        ),
        (None, None, "")
    );
    assert_eq!(
        db.store.identities_of(&user("ada")).await.unwrap().len(),
        1,
        "the identity stays linked, so that it creates no new account"
    );
    let bob = db.store.credentials(&user("bob")).await.unwrap().unwrap();
    assert!(bob.account.email.is_some() && !bob.password.as_str().is_empty());
}

async fn deleted_account_is_unlisted_and_reserves_its_username(db: TestDatabase) {
    register(&db.store, &["ada", "bob"]).await;
    db.store
        .change_account(
            &user("ada"),
            status_change(AccountStatus::Deleted),
            actor("root"),
            timestamp(1),
        )
        .await
        .unwrap();
    let names: Vec<_> = list_usernames(&db, None, None).await;
    assert_eq!(names, ["bob"]);
    let again = db
        .store
        .create_account(account("ada"), Vec::new(), actor("ada"))
        .await
        .unwrap();
    assert_eq!(again, InsertResult::Duplicate);
    let member = db.store.member(&user("ada")).await.unwrap().unwrap();
    assert_eq!(member.account.status, AccountStatus::Deleted);
}

async fn list_usernames(
    db: &TestDatabase,
    search: Option<&str>,
    after: Option<&str>,
) -> Vec<String> {
    let query = AccountQuery {
        search: search.map(str::to_owned),
        after: after.map(user),
        limit: 2,
        filter: None,
    };
    let members = db.store.members(query).await.unwrap();
    members
        .iter()
        .map(|member| member.account.username.to_string())
        .collect()
}

async fn account_search_is_case_insensitive_and_partial(db: TestDatabase) {
    let new = NewAccount {
        display_name: Some(DisplayName::parse("Ärztin 100%").unwrap()),
        email: Some(EmailAddress::parse("Ada@Example.org").unwrap()),
        ..account("ada")
    };
    db.store
        .create_account(new, Vec::new(), actor("ada"))
        .await
        .unwrap();
    register(&db.store, &["bob"]).await;
    for found in ["AD", "äRZ", "0%", "example.ORG"] {
        assert_eq!(
            list_usernames(&db, Some(found), None).await,
            ["ada"],
            "{found}"
        );
    }
    for lost in ["a_a", "%z", "\\", "\0", "'"] {
        assert!(
            list_usernames(&db, Some(lost), None).await.is_empty(),
            "{lost}"
        );
    }
}

async fn accounts_are_paged_by_username(db: TestDatabase) {
    register(&db.store, &["d", "b-1", "b", "a", "b.1"]).await;
    let vault = new_vault(&db.store, "main").await;
    db.store
        .set_role(
            &user("b.1"),
            &vault,
            Some(Role::Viewer),
            actor("root"),
            timestamp(1),
        )
        .await
        .unwrap();
    assert_eq!(list_usernames(&db, None, None).await, ["a", "b"]);
    assert_eq!(list_usernames(&db, None, Some("b")).await, ["b-1", "b.1"]);
    assert_eq!(list_usernames(&db, None, Some("b.1")).await, ["d"]);
    let page = AccountQuery {
        after: Some(user("b")),
        limit: 2,
        ..AccountQuery::default()
    };
    let roles: Vec<_> = db
        .store
        .members(page)
        .await
        .unwrap()
        .into_iter()
        .map(|member| member.roles.len())
        .collect();
    assert_eq!(roles, [0, 1]);
}

async fn parallel_first_administrator_creations_succeed_once(db: TestDatabase) {
    assert!(!db.store.has_administrator().await.unwrap());
    let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let made = join_all(names.map(|name| {
        db.store
            .create_first_administrator(account(name), actor(name))
    }))
    .await;
    assert_eq!(
        made.iter()
            .filter(|made| matches!(made, Ok(Some(InsertResult::Inserted))))
            .count(),
        1
    );
    assert_eq!(
        made.iter().filter(|made| matches!(made, Ok(None))).count(),
        7
    );
    assert!(db.store.has_administrator().await.unwrap());
    let everyone = AccountQuery {
        limit: 100,
        ..AccountQuery::default()
    };
    let everyone = db.store.members(everyone).await.unwrap();
    assert!(everyone.len() == 1 && everyone[0].account.administrator);
}

async fn parallel_demotions_keep_the_last_administrator(db: TestDatabase) {
    let names = ["ada", "bob", "cyd", "dan"];
    for round in 0..5 {
        for name in names {
            if round == 0 {
                administrator(&db.store, name).await;
            }
            db.store
                .change_account(&user(name), promotion(), actor("root"), timestamp(1))
                .await
                .unwrap();
            db.store
                .change_account(
                    &user(name),
                    status_change(AccountStatus::Active),
                    actor("root"),
                    timestamp(1),
                )
                .await
                .unwrap();
        }
        // A deleted account cannot return, so only the last round deletes one.
        let gone = if round == 4 {
            AccountStatus::Deleted
        } else {
            AccountStatus::Disabled
        };
        let takes = [
            demotion(),
            status_change(AccountStatus::Disabled),
            status_change(gone),
            demotion(),
        ];
        let tries = names.iter().zip(takes).map(async |(name, take)| {
            db.store
                .change_account(&user(name), take, actor("root"), timestamp(2))
                .await
        });
        let done = join_all(tries).await;
        let refused = |done: &&Result<_, _>| matches!(done, Err(ChangeRejected::LastAdministrator));
        assert_eq!(done.iter().filter(refused).count(), 1, "{done:?}");
        assert_eq!(
            done.iter().filter(|done| done.is_ok()).count(),
            3,
            "{done:?}"
        );
        assert!(db.store.has_administrator().await.unwrap());
    }
}

async fn disabling_an_account_ends_its_sessions(db: TestDatabase) {
    register(&db.store, &["ada"]).await;
    let ids = one_session_of_each_kind(&db.store, "ada", "").await;
    let before = db.store.last_account_event().await.unwrap();
    let change = status_change(AccountStatus::Disabled);
    let account = db
        .store
        .change_account(&user("ada"), change, actor("root"), timestamp(5))
        .await
        .unwrap();
    assert_eq!(account.status, AccountStatus::Disabled);
    for id in &ids {
        let session = db.store.session(id).await.unwrap().unwrap();
        assert_eq!(session.ended_at, Some(timestamp(5)), "{:?}", session.kind);
    }
    assert!(
        db.store
            .sessions_of(&user("ada"), timestamp(6))
            .await
            .unwrap()
            .is_empty()
    );
    let events = db.store.account_events_after(before).await.unwrap();
    assert!(events.len() == 1 && events[0].username == user("ada"));
    let unknown = db
        .store
        .change_account(&user("bob"), promotion(), actor("root"), timestamp(5))
        .await;
    assert!(matches!(unknown, Err(ChangeRejected::NoSuchAccount)));
}

async fn disabled_account_cannot_start_a_session(db: TestDatabase) {
    register(&db.store, &["ada"]).await;
    db.store
        .change_account(
            &user("ada"),
            status_change(AccountStatus::Disabled),
            actor("root"),
            timestamp(5),
        )
        .await
        .unwrap();
    let late = session("late", "ada", SessionKind::Web);
    let epoch = epoch_of(&db.store, "ada").await;
    assert_eq!(
        db.store
            .start_session(late, TokenHash::new("cookie"), epoch)
            .await
            .unwrap(),
        None
    );
    assert_eq!(
        db.store
            .session_by_cookie(&TokenHash::new("cookie"))
            .await
            .unwrap(),
        None
    );
    assert!(
        db.store
            .sessions_of(&user("ada"), timestamp(1))
            .await
            .unwrap()
            .is_empty()
    );
}

async fn role_changes_are_stored_with_an_event(db: TestDatabase) {
    register(&db.store, &["ada"]).await;
    let vault = new_vault(&db.store, "main").await;
    for role in [Some(Role::Viewer), Some(Role::Manager), None] {
        let before = db.store.last_account_event().await.unwrap();
        db.store
            .set_role(&user("ada"), &vault, role, actor("root"), timestamp(1))
            .await
            .unwrap();
        let roles = db.store.member(&user("ada")).await.unwrap().unwrap().roles;
        assert_eq!(
            roles,
            role.map(|role| (vault.clone(), role))
                .into_iter()
                .collect::<Vec<_>>()
        );
        let events = db.store.account_events_after(before).await.unwrap();
        assert!(
            events.len() == 1 && events[0].seq == before + 1 && events[0].username == user("ada")
        );
    }
    let absent = db
        .store
        .set_role(
            &user("eve"),
            &vault,
            Some(Role::Viewer),
            actor("root"),
            timestamp(1),
        )
        .await;
    assert!(matches!(absent, Err(ChangeRejected::NoSuchAccount)));
}

async fn disabled_account_is_not_a_realm_member(db: TestDatabase) {
    register(&db.store, &["cyd", "ada", "bob"]).await;
    let vault = new_vault(&db.store, "main").await;
    for (name, role) in [
        ("cyd", Role::Editor),
        ("ada", Role::Manager),
        ("bob", Role::Viewer),
    ] {
        db.store
            .set_role(&user(name), &vault, Some(role), actor("root"), timestamp(1))
            .await
            .unwrap();
    }
    db.store
        .change_account(
            &user("bob"),
            status_change(AccountStatus::Disabled),
            actor("root"),
            timestamp(2),
        )
        .await
        .unwrap();
    let members = db.store.members_of(&vault).await.unwrap();
    let members: Vec<_> = members
        .iter()
        .map(|(account, role)| (account.username.as_str(), *role))
        .collect();
    assert_eq!(members, [("ada", Role::Manager), ("cyd", Role::Editor)]);
    assert!(
        db.store
            .members_of(&RealmId::new("elsewhere"))
            .await
            .unwrap()
            .is_empty()
    );
}

async fn password_replacement_is_compare_and_swap(db: TestDatabase) {
    register(&db.store, &["ada"]).await;
    let old = PasswordHash::from_stored("$argon2id$old");
    let tries = (0..8).map(|n| {
        let new = PasswordHash::from_stored(&format!("new {n}"));
        let (store, old) = (&db.store, &old);
        async move {
            store
                .replace_password(
                    &user("ada"),
                    old,
                    new,
                    PasswordWrite::Rehash,
                    actor("ada"),
                    timestamp(1),
                )
                .await
                .unwrap()
        }
    });
    assert_eq!(
        join_all(tries)
            .await
            .into_iter()
            .filter(|replaced| *replaced)
            .count(),
        1
    );
    assert_eq!(
        db.store.last_account_event().await.unwrap(),
        0,
        "a rehash ends nothing"
    );
}

async fn stored_password_change_ends_the_other_sessions(db: TestDatabase) {
    register(&db.store, &["ada", "bob"]).await;
    let current = start_session(&db.store, "ada", "current").await;
    let others = one_session_of_each_kind(&db.store, "ada", "").await;
    let foreign = start_session(&db.store, "bob", "three").await;
    let (old, new) = (
        PasswordHash::from_stored("$argon2id$old"),
        PasswordHash::from_stored("new"),
    );
    let why = PasswordWrite::Change {
        keep: Some(current.clone()),
        epoch: epoch_of(&db.store, "ada").await,
    };
    assert!(
        db.store
            .replace_password(
                &user("ada"),
                &old,
                new.clone(),
                why,
                actor("ada"),
                timestamp(3)
            )
            .await
            .unwrap()
    );
    let ended = async |id| db.store.session(id).await.unwrap().unwrap().ended_at;
    assert_eq!((ended(&current).await, ended(&foreign).await), (None, None));
    for other in &others {
        assert_eq!(ended(other).await, Some(timestamp(3)));
    }
    assert_eq!(db.store.last_account_event().await.unwrap(), 1);
    let others = one_session_of_each_kind(&db.store, "ada", "new ").await;
    let newer = PasswordHash::from_stored("newer");
    let keeping = PasswordWrite::ChangeKeepingSessions {
        epoch: epoch_of(&db.store, "ada").await,
    };
    assert!(
        db.store
            .replace_password(
                &user("ada"),
                &new,
                newer,
                keeping,
                actor("ada"),
                timestamp(4)
            )
            .await
            .unwrap()
    );
    for id in others.iter().chain([&current]) {
        assert_eq!(ended(id).await, None);
    }
}

async fn account_event_numbers_have_no_gaps_under_concurrency(db: TestDatabase) {
    let names: Vec<String> = (0..20).map(|n| format!("user{n}")).collect();
    register(
        &db.store,
        &names.iter().map(String::as_str).collect::<Vec<_>>(),
    )
    .await;
    let vault = new_vault(&db.store, "main").await;
    let tries = names.iter().map(async |name| {
        db.store
            .set_role(
                &user(name),
                &vault,
                Some(Role::Editor),
                actor("root"),
                timestamp(1),
            )
            .await
    });
    for done in join_all(tries).await {
        done.unwrap();
    }
    let numbers: Vec<i64> = db
        .store
        .account_events_after(0)
        .await
        .unwrap()
        .iter()
        .map(|event| event.seq)
        .collect();
    assert_eq!(numbers, (1..=20).collect::<Vec<_>>());
}

async fn vault_creator_with_account_becomes_manager(db: TestDatabase) {
    // `root` has no account yet.
    let made_early = new_vault(&db.store, "early").await;
    register(&db.store, &["root"]).await;
    let made_late = new_vault(&db.store, "late").await;
    let roles = db.store.member(&user("root")).await.unwrap().unwrap().roles;
    assert_eq!(roles, [(made_late, Role::Manager)]);
    assert!(db.store.members_of(&made_early).await.unwrap().is_empty());
}

#[expect(clippy::too_many_lines, reason = "one story, step by step")]
async fn hash_samples_cover_each_stored_profile(db: TestDatabase) {
    let (salt, tag) = (
        "c2FsdHNhbHRzYWx0c2FsdA",
        "dGFndGFndGFndGFndGFndGFndGFndGFndGFndGFndGE",
    );
    let argon =
        |cost: &str, n: usize| format!("$argon2id$v=19${cost}$c2{:02}{}${tag}", n, &salt[4..]);
    let bcrypt = |cost: &str, n: usize| {
        format!("$2b${cost}$EixZaYVK1fsbw1ZfbX3OXePaWxn96p36WQoeG6Lruj3vjPGga3{n:02}")
    };
    let mut hashes = Vec::new();
    for n in 0..20 {
        hashes.push(bcrypt("12", n));
        hashes.push(bcrypt("04", n));
        hashes.push(argon("m=65536,t=3,p=1", n));
        hashes.push(format!("$sr1$0a1b2c3d{}", argon("m=65536,t=3,p=1", n)));
        hashes.push(format!("$sr1$0a1b2c3d{}", argon("m=19456,t=2,p=1", n)));
    }
    // Salt and output are shorter here.
    hashes.push("$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$dGFndGFndGFndGFndGFndA".to_owned());
    for (n, hash) in hashes.iter().enumerate() {
        let new = NewAccount {
            password: PasswordHash::from_stored(hash),
            ..account(&format!("user{n}"))
        };
        assert_eq!(
            db.store
                .create_account(new, Vec::new(), actor("root"))
                .await
                .unwrap(),
            InsertResult::Inserted
        );
    }
    let gone = NewAccount {
        password: PasswordHash::from_stored(&bcrypt("10", 1)),
        ..account("gone")
    };
    db.store
        .create_account(gone, Vec::new(), actor("root"))
        .await
        .unwrap();
    db.store
        .change_account(
            &user("gone"),
            status_change(AccountStatus::Disabled),
            actor("root"),
            timestamp(1),
        )
        .await
        .unwrap();
    let samples = db.store.hash_samples().await.unwrap();
    assert_eq!(samples.len(), 6);
    for kind in [
        "$2b$12$",
        "$2b$04$",
        "$argon2id$v=19$m=65536,",
        "$argon2id$v=19$m=8,",
        "$sr1$0a1b2c3d$argon2id$v=19$m=65536,",
        "$sr1$0a1b2c3d$argon2id$v=19$m=19456,",
    ] {
        assert!(
            samples.iter().any(|hash| hash.as_str().starts_with(kind)),
            "{kind}"
        );
    }
}

//! Builders of test data.

use auth::{
    Actor, AuthMethod, AuthMethods, AuthStore as _, NewAccount, Origin, PasswordHash, Realm,
    RealmId, RealmName, Scopes, SecurityEpoch, Session, SessionId, SessionKind, TokenHash,
    Username,
    store::{EndReason, InsertResult, NewIdentity, SessionEnd},
};
use jiff::Timestamp;
use store::Store;
use vault::{
    Blob, BlobId, Command, File, FileId, Filename, Operation, Outcome, UserText, VaultError,
    VaultId, VaultStore as _,
    store::{AfterCheckIn, AfterOverride, IdempotencyKey},
};

/// `after` seconds after a fixed moment.
pub(crate) fn timestamp(after: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + after).unwrap()
}

pub(crate) fn user(name: &str) -> Username {
    Username::parse(name).unwrap()
}

pub(crate) fn actor(name: &str) -> Actor {
    Actor::new(user(name))
}

pub(crate) fn session_end(why: EndReason, by: &str, at: i64) -> SessionEnd {
    SessionEnd {
        reason: why,
        by: actor(by),
        at: timestamp(at),
    }
}

pub(crate) fn account(name: &str) -> NewAccount {
    NewAccount {
        username: user(name),
        display_name: None,
        email: None,
        email_verified: false,
        password: PasswordHash::from_stored("$argon2id$old"),
        administrator: false,
        created_at: timestamp(0),
    }
}

pub(crate) fn identity(subject: &str) -> NewIdentity {
    NewIdentity {
        issuer: "https://id.example".to_owned(),
        subject: subject.to_owned(),
        provider: "work".to_owned(),
        display_hint: Some("Ada".to_owned()),
    }
}

pub(crate) async fn register(store: &Store, names: &[&str]) {
    for name in names {
        let made = store
            .create_account(account(name), Vec::new(), actor(name))
            .await
            .unwrap();
        assert_eq!(made, InsertResult::Inserted);
    }
}

pub(crate) async fn administrator(store: &Store, name: &str) {
    let new = NewAccount {
        administrator: true,
        ..account(name)
    };
    assert_eq!(
        store
            .create_account(new, Vec::new(), actor("root"))
            .await
            .unwrap(),
        InsertResult::Inserted
    );
}

pub(crate) fn session(id: &str, of: &str, kind: SessionKind) -> Session {
    Session {
        id: SessionId::new(id),
        username: user(of),
        kind,
        started_at: timestamp(0),
        persistence: auth::session::model::Persistence::Persistent,
        auth_time: timestamp(0),
        last_seen: timestamp(0),
        expires_at: timestamp(1_000_000),
        origin: Origin {
            address: "2001:db8::1".parse().unwrap(),
            user_agent: Some("curl/8".to_owned()),
            device: None,
        },
        ended_at: None,
        methods: AuthMethods::of(&[AuthMethod::Password]),
        scopes: Scopes::ALL,
        realms: None,
        label: None,
        client: None,
    }
}

/// Starts an OAuth session of `name`, whose refresh token hashes to `secret`.
pub(crate) async fn start_session(store: &Store, name: &str, secret: &str) -> SessionId {
    signed_in_with(store, name, secret, SessionKind::OAuth).await
}

/// As [`signed_in`], with a session of any kind.
pub(crate) async fn signed_in_with(
    store: &Store,
    name: &str,
    secret: &str,
    kind: SessionKind,
) -> SessionId {
    let new = session(&format!("session-{secret}"), name, kind);
    let id = new.id.clone();
    store
        .start_session(new, TokenHash::new(secret), epoch_of(store, name).await)
        .await
        .unwrap()
        .unwrap();
    id
}

/// The present security epoch of an account.
pub(crate) async fn epoch_of(store: &Store, name: &str) -> SecurityEpoch {
    store
        .credentials(&user(name))
        .await
        .unwrap()
        .unwrap()
        .account
        .epoch
}

pub(crate) async fn new_vault(store: &Store, name: &str) -> VaultId {
    let id = RealmId::new(&format!("{name:0<32}"));
    let realm = Realm {
        id: id.clone(),
        name: RealmName::parse(name).unwrap(),
    };
    store
        .create_vault(realm, actor("root"), timestamp(0))
        .await
        .unwrap();
    id
}

pub(crate) fn filename(raw: &str) -> Filename {
    Filename::parse(raw).unwrap()
}

/// The blob with content number `n`.
pub(crate) fn blob(n: u64) -> Blob {
    Blob {
        id: BlobId::parse(&format!("{n:064x}")).unwrap(),
        size: n,
    }
}

pub(crate) fn user_text(raw: &str) -> UserText {
    UserText::parse(raw, 10_000).unwrap()
}

/// One user in one vault.
#[derive(Clone)]
pub(crate) struct User {
    pub(crate) store: Store,
    pub(crate) vault: VaultId,
    pub(crate) name: String,
    pub(crate) key: Option<IdempotencyKey>,
}

impl User {
    pub(crate) fn new(store: &Store, vault: &VaultId, name: &str) -> Self {
        Self {
            store: store.clone(),
            vault: vault.clone(),
            name: name.to_owned(),
            key: None,
        }
    }

    /// The same user, whose requests carry this idempotency key.
    pub(crate) fn with_key(&self, key: &str, fingerprint: &str) -> Self {
        let key = IdempotencyKey {
            key: key.to_owned(),
            fingerprint: fingerprint.to_owned(),
        };
        Self {
            key: Some(key),
            ..self.clone()
        }
    }

    pub(crate) async fn apply(
        &self,
        file: &str,
        operation: Operation,
    ) -> Result<Outcome, VaultError> {
        let (vault, by, key) = (self.vault.clone(), actor(&self.name), self.key.clone());
        let at = timestamp(60);
        self.store
            .apply(Command {
                vault,
                file: filename(file),
                operation,
                by,
                at,
                key,
            })
            .await
    }

    pub(crate) async fn add(&self, file: &str) -> Result<Outcome, VaultError> {
        let id = FileId::random(&auth::SecureRandom::system());
        self.apply(
            file,
            Operation::Add {
                id,
                blob: blob(1),
                comment: user_text("first"),
            },
        )
        .await
    }

    pub(crate) async fn check_out(&self, file: &str) -> Result<Outcome, VaultError> {
        self.apply(
            file,
            Operation::CheckOut {
                note: Some(user_text("on it")),
            },
        )
        .await
    }

    pub(crate) async fn cancel(&self, file: &str) -> Result<Outcome, VaultError> {
        self.apply(file, Operation::Cancel).await
    }

    pub(crate) async fn check_in(&self, file: &str, content: u64) -> Result<Outcome, VaultError> {
        let (blob, comment, then) = (blob(content), user_text("better"), AfterCheckIn::Release);
        self.apply(
            file,
            Operation::CheckIn {
                blob,
                comment,
                then,
                base: None,
                unchanged: vault::store::UnchangedContent::Accept,
            },
        )
        .await
    }

    pub(crate) async fn override_lock(
        &self,
        file: &str,
        then: AfterOverride,
    ) -> Result<Outcome, VaultError> {
        self.apply(
            file,
            Operation::Override {
                reason: user_text("on holiday"),
                then,
            },
        )
        .await
    }

    pub(crate) async fn move_to(&self, file: &str, to: &str) -> Result<Outcome, VaultError> {
        self.apply(file, Operation::Move { to: filename(to) }).await
    }

    pub(crate) async fn delete(&self, file: &str) -> Result<Outcome, VaultError> {
        self.apply(
            file,
            Operation::Delete {
                comment: user_text("gone"),
            },
        )
        .await
    }

    pub(crate) async fn restore(&self, file: &File) -> Result<Outcome, VaultError> {
        let (id, blob) = (file.id.clone(), file.blob.clone());
        self.apply(
            file.name.as_str(),
            Operation::Restore {
                file: id,
                revision: 1,
                blob,
            },
        )
        .await
    }

    pub(crate) async fn find(&self, file: &str) -> Option<File> {
        self.store.file(&self.vault, &filename(file)).await.unwrap()
    }
}

/// A vault `main` with two users.
pub(crate) async fn ada_and_bob(store: &Store) -> (User, User) {
    let vault = new_vault(store, "main").await;
    (
        User::new(store, &vault, "ada"),
        User::new(store, &vault, "bob"),
    )
}

/// Changes and events of a vault are numbered from 1 to its counters, without gaps.
pub(crate) async fn assert_no_gaps(store: &Store, vault: &VaultId) {
    let heads = store.heads(vault).await.unwrap();
    let changes = store.changes(vault, 0, 1_000_000).await.unwrap();
    let events = store.events(vault, 0, 1_000_000).await.unwrap();
    let numbers: Vec<i64> = changes.iter().map(|revision| revision.change).collect();
    assert_eq!(numbers, (1..=heads.change).collect::<Vec<_>>(), "changes");
    let numbers: Vec<i64> = events.iter().map(|event| event.id).collect();
    assert_eq!(numbers, (1..=heads.event).collect::<Vec<_>>(), "events");
}

/// The first entries at the top.
pub(crate) fn top_folder(limit: u32) -> vault::store::FolderQuery {
    vault::store::FolderQuery {
        limit,
        ..vault::store::FolderQuery::default()
    }
}

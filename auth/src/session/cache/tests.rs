//! What the directory forgets, and that it stays small.

use super::*;
use crate::{
    AccountStatus, AuthMethod, AuthMethods, Scopes, SecureRandom, SessionKind, tests::origin,
};

fn name(raw: &str) -> Username {
    Username::parse(raw).unwrap()
}

fn session(username: &str, id: &str) -> Session {
    let at = Timestamp::from_second(1_800_000_000).unwrap();
    Session {
        id: SessionId::new(id),
        username: name(username),
        kind: SessionKind::Web,
        auth_time: at,
        last_seen: at,
        expires_at: at,
        origin: origin(),
        ended_at: None,
        methods: AuthMethods::of(&[AuthMethod::Password]),
        scopes: Scopes::ALL,
        realms: None,
        label: None,
        client: None,
    }
}

fn rights(username: &str) -> Rights {
    let account = Account {
        username: name(username),
        display_name: None,
        email: None,
        email_verified: false,
        status: AccountStatus::Active,
        administrator: true,
        must_change_password: false,
        epoch: crate::SecurityEpoch::default(),
        created_at: Timestamp::UNIX_EPOCH,
    };
    Rights {
        account,
        roles: HashMap::new(),
        factors: crate::FactorKinds::NONE,
    }
}

#[test]
fn session_loaded_before_invalidation_is_not_cached() {
    let directory = SessionCache::new();
    let mark = directory.version();
    directory.invalidate([&name("ada")]);
    directory.insert_session(mark, session("ada", "1"));
    directory.insert_rights(mark, rights("ada"));
    directory.insert_session(mark, session("bob", "2"));
    assert!(matches!(
        directory.look_up(&name("ada"), &SessionId::new("1")),
        (None, None)
    ));
    assert!(
        directory
            .look_up(&name("bob"), &SessionId::new("2"))
            .0
            .is_some()
    );
}

#[test]
fn session_loaded_beyond_invalidation_log_is_not_cached() {
    let directory = SessionCache::new();
    let mark = directory.version();
    for n in 0..=INVALIDATION_LOG {
        directory.invalidate([&name(&format!("x{n}"))]);
    }
    directory.insert_session(mark, session("ada", "1"));
    assert!(
        directory
            .look_up(&name("ada"), &SessionId::new("1"))
            .0
            .is_none()
    );
    directory.insert_session(directory.version(), session("ada", "1"));
    assert!(
        directory
            .look_up(&name("ada"), &SessionId::new("1"))
            .0
            .is_some()
    );
}

#[test]
fn cache_invalidation_removes_one_account_only() {
    let directory = SessionCache::new();
    let mark = directory.version();
    directory.insert_session(mark, session("ada", "1"));
    directory.insert_ended(mark, &name("ada"), SessionId::new("2"));
    directory.insert_rights(mark, rights("ada"));
    directory.insert_rights(mark, rights("bob"));
    directory.invalidate([&name("ada")]);
    assert!(matches!(
        directory.look_up(&name("ada"), &SessionId::new("1")),
        (None, None)
    ));
    assert!(
        directory
            .look_up(&name("ada"), &SessionId::new("2"))
            .0
            .is_none()
    );
    assert!(
        directory
            .look_up(&name("bob"), &SessionId::new("1"))
            .1
            .is_some()
    );
    assert_eq!(directory.read().sessions, 0);
}

#[test]
fn session_cache_size_is_bounded() {
    let directory = SessionCache::new();
    let mark = directory.version();
    for n in 0..MAX_SESSIONS + 10_000 {
        directory.insert_ended(
            mark,
            &name(&format!("x{}", n % 60_000)),
            SessionId::new(&n.to_string()),
        );
    }
    let chance = SecureRandom::system();
    for _ in 0..MAX_COOKIES + 1_000 {
        let token = crate::Token::random(crate::TokenKind::Ticket, &chance);
        directory.insert_cookie(token.hash(), SecretOwner::None);
    }
    let book = directory.read();
    assert!(book.sessions <= MAX_SESSIONS && book.accounts.len() <= MAX_SESSIONS);
    assert_eq!(
        book.sessions,
        book.accounts
            .values()
            .map(|person| person.sessions.len())
            .sum::<usize>()
    );
    assert!(book.cookies.len() <= MAX_COOKIES);
}

#[test]
fn session_rate_allows_a_burst_then_refills() {
    let held = CachedSession::new(session("ada", "1"));
    let at = |seconds: i64| Timestamp::from_second(1_800_000_000 + seconds).unwrap();
    let spent = |now| {
        (0..200)
            .take_while(|_| held.consume_rate(now, 60).is_ok())
            .count()
    };
    assert_eq!(spent(at(0)), 60);
    assert_eq!(held.consume_rate(at(0), 60), Err(Duration::from_secs(1)));
    assert_eq!((spent(at(1)), spent(at(11)), spent(at(1_000))), (1, 10, 60));
    // A clock that was set back shuts nobody out for longer than a minute.
    assert_eq!(held.consume_rate(at(0), 60), Err(Duration::from_secs(1)));
    assert_eq!(spent(at(60)), 60);
}

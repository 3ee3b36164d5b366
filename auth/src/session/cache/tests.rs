//! Invalidation of the session cache, and its size limits.

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
        started_at: at,
        persistence: crate::session::model::Persistence::Persistent,
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
    let cache = SessionCache::new();
    let version = cache.version();
    cache.invalidate([&name("ada")]);
    cache.insert_session(version, session("ada", "1"));
    cache.insert_rights(version, rights("ada"));
    cache.insert_session(version, session("bob", "2"));
    assert!(matches!(
        cache.look_up(&name("ada"), &SessionId::new("1")),
        (None, None)
    ));
    assert!(
        cache
            .look_up(&name("bob"), &SessionId::new("2"))
            .0
            .is_some()
    );
}

#[test]
fn session_loaded_beyond_invalidation_log_is_not_cached() {
    let cache = SessionCache::new();
    let version = cache.version();
    for n in 0..=INVALIDATION_LOG {
        cache.invalidate([&name(&format!("x{n}"))]);
    }
    cache.insert_session(version, session("ada", "1"));
    assert!(
        cache
            .look_up(&name("ada"), &SessionId::new("1"))
            .0
            .is_none()
    );
    cache.insert_session(cache.version(), session("ada", "1"));
    assert!(
        cache
            .look_up(&name("ada"), &SessionId::new("1"))
            .0
            .is_some()
    );
}

#[test]
fn cache_invalidation_removes_one_account_only() {
    let cache = SessionCache::new();
    let version = cache.version();
    cache.insert_session(version, session("ada", "1"));
    cache.insert_ended(version, &name("ada"), SessionId::new("2"));
    cache.insert_rights(version, rights("ada"));
    cache.insert_rights(version, rights("bob"));
    cache.invalidate([&name("ada")]);
    assert!(matches!(
        cache.look_up(&name("ada"), &SessionId::new("1")),
        (None, None)
    ));
    assert!(
        cache
            .look_up(&name("ada"), &SessionId::new("2"))
            .0
            .is_none()
    );
    assert!(
        cache
            .look_up(&name("bob"), &SessionId::new("1"))
            .1
            .is_some()
    );
    assert_eq!(cache.read().sessions, 0);
}

#[test]
fn session_cache_size_is_bounded() {
    let cache = SessionCache::new();
    let version = cache.version();
    for n in 0..MAX_SESSIONS + 10_000 {
        cache.insert_ended(
            version,
            &name(&format!("x{}", n % 60_000)),
            SessionId::new(&n.to_string()),
        );
    }
    let rng = SecureRandom::system();
    for _ in 0..MAX_COOKIES + 1_000 {
        let token = crate::Token::random(crate::TokenKind::Ticket, &rng);
        cache.insert_cookie(token.hash(), SecretOwner::None);
    }
    let state = cache.read();
    assert!(state.sessions <= MAX_SESSIONS && state.accounts.len() <= MAX_SESSIONS);
    assert_eq!(
        state.sessions,
        state
            .accounts
            .values()
            .map(|account| account.sessions.len())
            .sum::<usize>()
    );
    assert!(state.cookies.len() <= MAX_COOKIES);
}

#[test]
fn session_rate_allows_a_burst_then_refills() {
    let cached = CachedSession::new(session("ada", "1"));
    let at = |seconds: i64| Timestamp::from_second(1_800_000_000 + seconds).unwrap();
    let spent = |now| {
        (0..200)
            .take_while(|_| cached.consume_rate(now, 60).is_ok())
            .count()
    };
    assert_eq!(spent(at(0)), 60);
    assert_eq!(cached.consume_rate(at(0), 60), Err(Duration::from_secs(1)));
    assert_eq!((spent(at(1)), spent(at(11)), spent(at(1_000))), (1, 10, 60));
    // A clock that is set back blocks requests for at most a minute.
    assert_eq!(cached.consume_rate(at(0), 60), Err(Duration::from_secs(1)));
    assert_eq!(spent(at(60)), 60);
}

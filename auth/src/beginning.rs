//! Every way in ends here: a session begins for somebody who has proved who they are.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;

use crate::{
    Account, Auth, AuthError, AuthStore, Caller, Scopes, AuthMethods, SecurityNotice, Origin, RealmId, Session,
    SessionId, SessionKind, Token, TokenKind,
    access::LEEWAY,
    clock,
    directory::Rights,
    policy::{AuthAge, Assurance, Restriction, AuthVia},
    store::{SignInContext, SourceFamiliarity},
};

/// A session about to begin.
#[derive(Clone, Debug)]
pub(crate) struct NewSession {
    /// Unless it is a new one.
    pub(crate) id: Option<SessionId>,
    pub(crate) kind: SessionKind,
    /// When its owner proved who they are, unless that is now.
    pub(crate) auth_time: Option<Timestamp>,
    pub(crate) methods: AuthMethods,
    pub(crate) grants: Scopes,
    /// Where it is good; `None` for everywhere.
    pub(crate) realms: Option<Arc<[RealmId]>>,
    pub(crate) label: Option<String>,
    pub(crate) client: Option<String>,
    /// Unless it is as long as that of any session.
    pub(crate) lifetime: Option<Duration>,
    pub(crate) from: Origin,
}

impl NewSession {
    /// Of somebody who signed in themself, for everything they may do.
    pub(crate) fn interactive(kind: SessionKind, methods: AuthMethods, from: Origin) -> Self {
        Self {
            id: None,
            kind,
            auth_time: None,
            methods,
            grants: Scopes::ALL,
            realms: None,
            label: None,
            client: None,
            lifetime: None,
            from,
        }
    }
}

/// One letter a sign-in, about what is strangest.
fn sign_in_notice(arrival: &SignInContext) -> Option<SecurityNotice> {
    match arrival {
        _ if arrival.is_after_many_refusals() => Some(SecurityNotice::SignInAfterFailures),
        SignInContext {
            place: SourceFamiliarity::New,
            ..
        } => Some(SecurityNotice::NewDevice),
        _ => arrival.is_after_long().then_some(SecurityNotice::SignInAfterLongAbsence),
    }
}

impl<S: AuthStore> Auth<S> {
    /// The secret is a refresh token or a cookie, by the session's kind. `account` is as it was read before anything was
    /// proved: where it was disabled since, or everything of it was thrown out, nothing begins.
    pub(crate) async fn create_session(
        &self,
        account: &Account,
        beginning: NewSession,
    ) -> Result<Option<(Session, Token)>, AuthError> {
        let now = self.0.clock.now();
        let kind = match beginning.kind {
            SessionKind::OAuth => TokenKind::Refresh,
            SessionKind::Web => TokenKind::Cookie,
            SessionKind::Personal => TokenKind::Personal,
        };
        let secret = Token::random(kind, &self.0.rng);
        let user_agent = beginning
            .from
            .user_agent
            .as_deref()
            .map(|agent| agent.chars().take(256).collect());
        let session = Session {
            id: beginning
                .id
                .unwrap_or_else(|| SessionId::random(&self.0.rng)),
            username: account.username.clone(),
            kind: beginning.kind,
            auth_time: beginning.auth_time.unwrap_or(now),
            last_seen: now,
            expires_at: clock::add(now, beginning.lifetime.unwrap_or(self.0.settings.absolute)),
            origin: Origin {
                user_agent,
                ..beginning.from
            },
            ended_at: None,
            methods: beginning.methods,
            grants: beginning.grants,
            realms: beginning.realms,
            label: beginning.label,
            client: beginning.client,
        };
        let mark = self.0.session_cache.version();
        let started = self
            .0
            .store
            .start_session(session.clone(), secret.hash(), account.epoch)
            .await?;
        let Some(arrival) = started else {
            return Ok(None);
        };
        let (kind, method) = (session.kind.as_str(), session.methods.to_string());
        metrics::counter!("strongroom_sessions_begun_total", "kind" => kind, "method" => method)
            .increment(1);
        if let Some(notice) = sign_in_notice(&arrival) {
            self.notify(account, notice, &session.origin);
        }
        self.0.session_cache.learn_session(mark, session.clone());
        Ok(Some((session, secret)))
    }

    /// Whoever a live session makes of a request.
    pub(crate) fn caller_for(&self, rights: Arc<Rights>, session: Arc<Session>, via: AuthVia) -> Caller {
        let rules = self.0.settings.step_up;
        let now = self.0.clock.now();
        // A clock that was set back must not lengthen it by as much.
        let is_recent = now < clock::add(session.auth_time, rules.within)
            && session.auth_time <= clock::add(now, LEEWAY);
        // Who has a second factor has shown it, or is none to change how one signs in.
        let is_whole = !rights.factors.is_enrolled() || session.methods.is_multi_factor();
        let age = if is_recent && is_whole {
            AuthAge::Recent
        } else {
            AuthAge::Old
        };
        let restriction = self.restriction(&rights, &session);
        Caller::new(
            rights,
            session,
            via,
            Assurance {
                age,
                rules,
                restriction,
            },
        )
    }

    /// What is due where the installation asks this account for a second factor. A personal access token stands for
    /// a session that had one; it is good again once its owner has.
    fn restriction(&self, rights: &Rights, session: &Session) -> Option<Restriction> {
        let has_one = match session.kind {
            SessionKind::Personal => rights.factors.is_enrolled(),
            SessionKind::OAuth | SessionKind::Web => session.methods.is_multi_factor(),
        };
        (self.enforces_second_factor(&rights.account) && !has_one).then_some(Restriction::EnrollFactor)
    }
}

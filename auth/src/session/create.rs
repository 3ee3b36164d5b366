//! Every way in ends here: a session begins for somebody who has proved who they are.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;

use crate::{
    Account, Auth, AuthError, AuthMethods, AuthStore, Caller, Origin, RealmId, Scopes,
    SecurityNotice, Session, SessionId, SessionKind, Token, TokenKind,
    access::policy::{Assurance, AuthAge, AuthVia, Restriction},
    clock,
    oauth::access_token::CLOCK_SKEW,
    session::cache::Rights,
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
    pub(crate) scopes: Scopes,
    /// Where it is good; `None` for everywhere.
    pub(crate) realms: Option<Arc<[RealmId]>>,
    pub(crate) label: Option<String>,
    pub(crate) client: Option<String>,
    /// Unless it is as long as that of any session.
    pub(crate) lifetime: Option<Duration>,
    pub(crate) origin: Origin,
}

impl NewSession {
    /// Of somebody who signed in themself, for everything they may do.
    pub(crate) fn interactive(kind: SessionKind, methods: AuthMethods, origin: Origin) -> Self {
        Self {
            id: None,
            kind,
            auth_time: None,
            methods,
            scopes: Scopes::ALL,
            realms: None,
            label: None,
            client: None,
            lifetime: None,
            origin,
        }
    }
}

/// One letter a sign-in, about what is strangest.
fn sign_in_notice(context: &SignInContext) -> Option<SecurityNotice> {
    match context {
        _ if context.is_after_many_failures() => Some(SecurityNotice::SignInAfterFailures),
        SignInContext {
            source: SourceFamiliarity::New,
            ..
        } => Some(SecurityNotice::NewDevice),
        _ => context
            .is_after_long_absence()
            .then_some(SecurityNotice::SignInAfterLongAbsence),
    }
}

impl<S: AuthStore> Auth<S> {
    /// The secret is a refresh token or a cookie, by the session's kind. `account` is as it was read before anything was
    /// proved: where it was disabled since, or everything of it was thrown out, nothing begins.
    pub(crate) async fn create_session(
        &self,
        account: &Account,
        new_session: NewSession,
    ) -> Result<Option<(Session, Token)>, AuthError> {
        let now = self.0.clock.now();
        let kind = match new_session.kind {
            SessionKind::OAuth => TokenKind::Refresh,
            SessionKind::Web => TokenKind::Cookie,
            SessionKind::Personal => TokenKind::Personal,
        };
        let secret = Token::random(kind, &self.0.rng);
        let user_agent = new_session
            .origin
            .user_agent
            .as_deref()
            .map(|agent| agent.chars().take(256).collect());
        let session = Session {
            id: new_session
                .id
                .unwrap_or_else(|| SessionId::random(&self.0.rng)),
            username: account.username.clone(),
            kind: new_session.kind,
            auth_time: new_session.auth_time.unwrap_or(now),
            last_seen: now,
            expires_at: clock::add(
                now,
                new_session
                    .lifetime
                    .unwrap_or(self.0.settings.absolute_timeout),
            ),
            origin: Origin {
                user_agent,
                ..new_session.origin
            },
            ended_at: None,
            methods: new_session.methods,
            scopes: new_session.scopes,
            realms: new_session.realms,
            label: new_session.label,
            client: new_session.client,
        };
        let version = self.0.session_cache.version();
        let started = self
            .0
            .store
            .start_session(session.clone(), secret.hash(), account.epoch)
            .await?;
        let Some(context) = started else {
            return Ok(None);
        };
        let (kind, method) = (session.kind.as_str(), session.methods.to_string());
        metrics::counter!("strongroom_sessions_begun_total", "kind" => kind, "method" => method)
            .increment(1);
        if let Some(notice) = sign_in_notice(&context) {
            self.notify(account, notice, &session.origin);
        }
        self.0
            .session_cache
            .insert_session(version, session.clone());
        Ok(Some((session, secret)))
    }

    /// Whoever a live session makes of a request.
    pub(crate) fn caller_for(
        &self,
        rights: Arc<Rights>,
        session: Arc<Session>,
        via: AuthVia,
    ) -> Caller {
        let rules = self.0.settings.step_up;
        let now = self.0.clock.now();
        // A clock that was set back must not lengthen it by as much.
        let is_recent = now < clock::add(session.auth_time, rules.max_age)
            && session.auth_time <= clock::add(now, CLOCK_SKEW);
        // Who has a second factor has shown it, or is none to change how one signs in.
        let has_required_factors =
            !rights.factors.is_enrolled() || session.methods.is_multi_factor();
        let age = if is_recent && has_required_factors {
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
        let has_second_factor = match session.kind {
            SessionKind::Personal => rights.factors.is_enrolled(),
            SessionKind::OAuth | SessionKind::Web => session.methods.is_multi_factor(),
        };
        (self.enforces_second_factor(&rights.account) && !has_second_factor)
            .then_some(Restriction::EnrollFactor)
    }
}

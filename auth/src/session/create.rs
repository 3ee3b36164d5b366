//! Session creation. Every sign-in flow ends here, after the account has authenticated.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;

use crate::OAuthError;
use crate::{
    Account, AuthError, AuthMethods, AuthStore, Caller, Origin, RealmId, Scopes, SecurityNotice,
    Session, SessionId, SessionKind, Sessions, Token, TokenKind,
    access::policy::{Assurance, AuthAge, AuthVia, Restriction},
    clock,
    model::visible_text::without_hidden,
    session::{cache::Rights, model::Persistence},
    store::{SignInContext, SourceFamiliarity},
};

/// A successful sign-in.
#[derive(Debug)]
pub struct SignedIn {
    pub caller: Caller,
    /// The refresh token or cookie, by [`SessionKind`](crate::SessionKind).
    pub secret: Token,
}

/// The parameters of a new session.
#[derive(Clone, Debug)]
pub(crate) struct NewSession {
    /// `None` generates a new id.
    pub(crate) id: Option<SessionId>,
    pub(crate) kind: SessionKind,
    /// Authentication time; `None` is now.
    pub(crate) auth_time: Option<Timestamp>,
    pub(crate) methods: AuthMethods,
    pub(crate) scopes: Scopes,
    /// The realms in which the session is valid; `None` for all.
    pub(crate) realms: Option<Arc<[RealmId]>>,
    pub(crate) label: Option<String>,
    pub(crate) client: Option<String>,
    /// `None` applies the absolute session timeout.
    pub(crate) lifetime: Option<Duration>,
    pub(crate) origin: Origin,
}

impl NewSession {
    /// An interactive sign-in, with all scopes.
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

/// At most one notice per sign-in, about the most unusual circumstance.
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

impl<S: AuthStore> Sessions<'_, S> {
    /// Signs in to `account`, which was read before authentication. Returns `None` if it was
    /// disabled or its security epoch changed since.
    pub(crate) async fn start(
        self,
        account: &Account,
        new_session: NewSession,
    ) -> Result<Option<SignedIn>, AuthError> {
        let Some((session, secret)) = self.create_session(account, new_session).await? else {
            return Ok(None);
        };
        let via = match session.kind {
            SessionKind::Web => AuthVia::Cookie,
            SessionKind::OAuth | SessionKind::Personal => AuthVia::Bearer,
        };
        let rights = self.rights(&account.username).await?;
        Ok(rights.map(|rights| SignedIn {
            caller: self.caller_for(rights, Arc::new(session), via),
            secret,
        }))
    }

    /// Lets a browser session that has just begun live as long as the installation allows.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn stay_signed_in(self, signed_in: &SignedIn) -> Result<(), AuthError> {
        let (id, owner) = (
            &signed_in.caller.session().id,
            &signed_in.caller.account().username,
        );
        self.0.core.store.persist_session(id).await?;
        self.0.invalidate(owner);
        Ok(())
    }

    /// Returns the session and its secret: a refresh token, cookie or personal token, by its kind.
    /// `account` was read before authentication. Returns `None` if it was disabled or its security
    /// epoch changed since.
    pub(crate) async fn create_session(
        self,
        account: &Account,
        new_session: NewSession,
    ) -> Result<Option<(Session, Token)>, AuthError> {
        let now = self.0.core.clock.now();
        let secret = Token::random(secret_kind(new_session.kind), &self.0.core.rng);
        let scopes = self.grantable_scopes(account, &new_session).await?;
        let user_agent = new_session
            .origin
            .user_agent
            .as_deref()
            .map(|agent| without_hidden(agent).chars().take(256).collect());
        let session = Session {
            id: new_session
                .id
                .unwrap_or_else(|| SessionId::random(&self.0.core.rng)),
            username: account.username.clone(),
            kind: new_session.kind,
            started_at: now,
            persistence: first_persistence(new_session.kind),
            auth_time: new_session.auth_time.unwrap_or(now),
            last_seen: now,
            expires_at: clock::add(
                now,
                new_session
                    .lifetime
                    .unwrap_or(self.0.core.settings.absolute_timeout),
            ),
            origin: Origin {
                user_agent,
                ..new_session.origin
            },
            ended_at: None,
            methods: new_session.methods,
            scopes,
            realms: new_session.realms,
            label: new_session.label,
            client: new_session.client,
        };
        let version = self.0.sessions.cache.version();
        let started = self
            .0
            .core
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
            self.0.mail().notify(account, notice, &session.origin);
        }
        self.0
            .sessions
            .cache
            .insert_session(version, session.clone());
        Ok(Some((session, secret)))
    }

    /// A token keeps only scopes that its owner has a right for, so that a later promotion does not
    /// widen it. A browser session follows the rights of its account.
    async fn grantable_scopes(
        self,
        account: &Account,
        new_session: &NewSession,
    ) -> Result<Scopes, AuthError> {
        if new_session.kind == SessionKind::Web {
            return Ok(new_session.scopes);
        }
        let requested = new_session.scopes;
        let rights = self.rights(&account.username).await?;
        let granted = rights.map_or(requested, |rights| rights.grantable(requested));
        if granted.is_empty() && !requested.is_empty() {
            return Err(OAuthError::ScopeExceedsCaller.into());
        }
        Ok(granted)
    }

    /// Builds the [`Caller`] of a request from a live session.
    pub(crate) fn caller_for(
        self,
        rights: Arc<Rights>,
        session: Arc<Session>,
        via: AuthVia,
    ) -> Caller {
        let rules = self.0.core.settings.step_up;
        let now = self.0.core.clock.now();
        // A clock that was set back must not extend the step-up window.
        let is_recent = now < clock::add(session.auth_time, rules.max_age)
            && !clock::is_ahead(session.auth_time, now);
        // An account with a second factor needs a multi-factor session for sensitive actions.
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

    /// The restriction of a session without a second factor, where the installation requires one. A
    /// personal access token was created in a multi-factor session. It is restricted only while its
    /// owner has no second factor.
    fn restriction(self, rights: &Rights, session: &Session) -> Option<Restriction> {
        let has_second_factor = match session.kind {
            SessionKind::Personal => rights.factors.is_enrolled(),
            SessionKind::OAuth | SessionKind::Web => session.methods.is_multi_factor(),
        };
        (self.0.factors().enforces_second_factor(&rights.account) && !has_second_factor)
            .then_some(Restriction::EnrollFactor)
    }
}

/// How long a new session may be idle. A browser's becomes persistent with `stay_signed_in`.
fn first_persistence(kind: SessionKind) -> Persistence {
    match kind {
        SessionKind::Web => Persistence::Transient,
        SessionKind::OAuth | SessionKind::Personal => Persistence::Persistent,
    }
}

/// The kind of secret that a session of this kind has.
fn secret_kind(kind: SessionKind) -> TokenKind {
    match kind {
        SessionKind::OAuth => TokenKind::Refresh,
        SessionKind::Web => TokenKind::Cookie,
        SessionKind::Personal => TokenKind::Personal,
    }
}

//! User consent, which the device flow (RFC 8628) and the code flow (RFC 6749 §4.1) share.
//!
//! The client's session inherits the `auth_time` of the approving session. It does not start if the
//! approving session has ended, or if the account's security epoch has changed.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use crate::error::OAuthError;
use crate::{
    Account, AccountStatus, Actor, AuthError, AuthMethods, AuthStore, Caller, OAuth, Origin,
    Scopes, SecurityEpoch, SessionId, SessionKind, Username,
    access::policy::AuthVia,
    audit::{AuditAction, AuditDetail, NewAuditEntry},
    oauth::token::TokenResponse,
    session::{authenticate::Activity, create::NewSession},
    store::{EndReason, SessionEnd},
};

/// The user's answer to a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    Approve,
    Deny,
}

/// The approving account and session, with the methods and time of its authentication.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Consent {
    username: String,
    session: String,
    methods: String,
    auth_time: Timestamp,
    /// The account's security epoch at the time of consent.
    #[serde(default)]
    era: SecurityEpoch,
}

impl Consent {
    /// The only constructor. The scopes must be within the caller's own, or a narrow token could
    /// obtain a wide one through a client.
    ///
    /// # Errors
    /// [`OAuthError::ScopeExceedsCaller`].
    pub(crate) fn from_caller(caller: &Caller, scopes: Scopes) -> Result<Self, OAuthError> {
        let session = caller.session();
        if !scopes.is_subset(session.scopes) || session.realms.is_some() {
            return Err(OAuthError::ScopeExceedsCaller);
        }
        Ok(Self {
            username: caller.account().username.to_string(),
            session: session.id.to_string(),
            methods: session.methods.to_string(),
            auth_time: session.auth_time,
            era: caller.account().epoch,
        })
    }
}

/// The session that a client will receive.
#[derive(Debug)]
pub(crate) struct ClientSession {
    pub(crate) consent: Consent,
    pub(crate) id: SessionId,
    pub(crate) scopes: Scopes,
    pub(crate) client: String,
    pub(crate) client_name: String,
    pub(crate) origin: Origin,
}

impl<S: AuthStore> OAuth<'_, S> {
    /// Starts the client's session and issues its tokens.
    ///
    /// # Errors
    /// [`OAuthError::AccessDenied`] if the approving session has ended, its account is not active,
    /// or the account's security epoch has changed.
    pub(crate) async fn start_client_session(
        self,
        client_session: ClientSession,
    ) -> Result<TokenResponse, AuthError> {
        let ClientSession {
            consent,
            id,
            scopes,
            client,
            client_name,
            origin: from,
        } = client_session;
        let username = Username::parse(&consent.username)
            .map_err(|_| AuthError::Internal("stored username could not be parsed"))?;
        let approver = SessionId::new(&consent.session);
        let member = self.0.core.store.member(&username).await?;
        let account = member
            .map(|member| member.account)
            .filter(|account| account.status == AccountStatus::Active);
        let account = Account {
            epoch: consent.era,
            ..account.ok_or(OAuthError::AccessDenied)?
        };
        let new_session = NewSession {
            id: Some(id),
            auth_time: Some(consent.auth_time),
            scopes,
            label: Some(client_name),
            client: Some(client),
            ..NewSession::interactive(
                SessionKind::OAuth,
                AuthMethods::parse(&consent.methods),
                from,
            )
        };
        let (session, secret) = self
            .0
            .sessions()
            .create_session(&account, new_session)
            .await?
            .ok_or(OAuthError::AccessDenied)?;
        // Checked after the session began: an end of all sessions from here on ends this one too.
        if !self.is_active(&approver).await? {
            self.end_client_session(&username, &session.id, EndReason::EndedByOwner)
                .await?;
            return Err(OAuthError::AccessDenied.into());
        }
        let caller = self
            .0
            .sessions()
            .load_caller((username, session.id), AuthVia::Bearer, Activity::Unmetered)
            .await?;
        self.token_response(&caller, secret)
    }

    pub(crate) async fn end_client_session(
        self,
        username: &Username,
        id: &SessionId,
        reason: EndReason,
    ) -> Result<(), AuthError> {
        let end = SessionEnd {
            reason,
            by: Actor::new(username.clone()),
            at: self.0.core.clock.now(),
        };
        self.0.core.store.end_session(username, id, end).await?;
        self.0.invalidate(username);
        Ok(())
    }

    pub(crate) async fn is_active(self, id: &SessionId) -> Result<bool, AuthError> {
        let (session, now) = (
            self.0.core.store.session(id).await?,
            self.0.core.clock.now(),
        );
        Ok(session.is_some_and(|session| session.ended_at.is_none() && now < session.expires_at))
    }

    /// Appends the user's decision to the audit chain.
    pub(crate) async fn audit_decision(
        self,
        caller: &Caller,
        action: AuditAction,
        add_detail: impl FnOnce(AuditDetail) -> AuditDetail,
    ) -> Result<(), AuthError> {
        self.0
            .mail()
            .record(
                NewAuditEntry::new(&caller.actor(), action, self.0.core.clock.now())
                    .with_detail(add_detail),
            )
            .await
    }
}

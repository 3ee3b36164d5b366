//! Personal access tokens: long-lived tokens for scripts, with a name, scopes, realms and an
//! expiry.
//!
//! Each token is a session, so every operation that ends sessions ends tokens too. Its secret is
//! looked up in the session cache, as a cookie is.

use std::{collections::HashSet, sync::Arc, time::Duration};

pub use crate::{error::PersonalTokenError, settings::PersonalTokenRules};

use crate::{
    AuthError, AuthStore, Caller, Origin, PersonalTokens, RealmName, Scope, Scopes, SecurityNotice,
    Session, SessionId, SessionKind, Token, TokenHash, TokenKind, Username,
    access::policy::AuthVia,
    error::{AccessError, TokenError},
    model::visible_text::has_hidden,
    session::{
        authenticate::Activity,
        cache::{CacheEntry, SecretOwner},
        create::NewSession,
    },
    store::EndReason,
    throttle::CredentialKind,
};

const DAY: Duration = Duration::from_hours(24);
/// Live tokens per account.
const MAX_TOKENS: usize = 100;
const MAX_LABEL_CHARS: usize = 64;

/// The facts of a new token.
#[derive(Clone, Debug)]
pub struct NewPersonalToken {
    /// The name that the owner chose.
    pub label: String,
    pub scopes: Scopes,
    /// Realms where the token applies; `None` for all realms of its owner.
    pub realms: Option<Vec<RealmName>>,
    pub lifetime: Option<Duration>,
}

impl<S: AuthStore> PersonalTokens<'_, S> {
    /// Creates a token of the caller. The secret is returned here only.
    ///
    /// # Errors
    /// `TokenError::PersonalToken`.
    pub async fn create_personal_token(
        self,
        caller: &Caller,
        new: NewPersonalToken,
        from: Origin,
    ) -> Result<(Session, Token), AuthError> {
        let label = parse_label(&new.label)?;
        let lifetime = self.checked_lifetime(new.lifetime)?;
        check_scopes(new.scopes, caller)?;
        let realms = self.resolve_realms(caller, new.realms).await?;
        if self.personal_tokens(caller).await?.len() >= MAX_TOKENS {
            return Err(PersonalTokenError::TooMany { max: MAX_TOKENS }.into());
        }
        let new_session = NewSession {
            scopes: new.scopes,
            realms,
            label: Some(label.clone()),
            lifetime,
            ..NewSession::interactive(
                SessionKind::Personal,
                caller.session().methods,
                from.clone(),
            )
        };
        let (session, secret) = self
            .0
            .sessions()
            .create_session(caller.account(), new_session)
            .await?
            .ok_or(AuthError::Access(AccessError::InvalidToken))?;
        self.revalidate_creator(caller, &session).await?;
        self.0
            .mail()
            .audit_and_notify_about(
                caller.account(),
                SecurityNotice::PersonalTokenCreated,
                &label,
                &from,
            )
            .await?;
        Ok((session, secret))
    }

    /// Live tokens, newest first.
    pub async fn personal_tokens(self, caller: &Caller) -> Result<Vec<Session>, AuthError> {
        let username = &caller.account().username;
        let mut tokens = self
            .0
            .core
            .store
            .sessions_of(username, self.0.core.clock.now())
            .await?;
        tokens.retain(|session| session.kind == SessionKind::Personal);
        for token in &mut tokens {
            self.merge_last_seen(username, token);
        }
        tokens.sort_by_key(|token| std::cmp::Reverse(token.auth_time));
        Ok(tokens)
    }

    /// # Errors
    /// `TokenError::NoSuchToken` if the token has ended, belongs to another account, or is no
    /// personal token.
    pub async fn end_personal_token(
        self,
        caller: &Caller,
        id: &SessionId,
    ) -> Result<(), AuthError> {
        let found = self.0.core.store.session(id).await?;
        if found.is_none_or(|session| session.kind != SessionKind::Personal) {
            return Err(AuthError::Token(TokenError::NoSuchToken));
        }
        self.0
            .sessions()
            .end_session(caller, id)
            .await
            .map_err(|error| match error {
                AuthError::Token(TokenError::NoSuchSession) => {
                    AuthError::Token(TokenError::NoSuchToken)
                }
                other => other,
            })
    }

    /// Authenticates `Authorization: Bearer`, or `Authorization: Basic` with a username, which must
    /// be the owner's.
    ///
    /// The session cache answers for tokens that it knows. Only a token that needs a look-up counts
    /// as an attempt, and a repetition of the same wrong token does not count again.
    ///
    /// # Errors
    /// `AccessError::InvalidToken`, `ThrottleError::Throttled`.
    pub async fn authenticate_personal_token(
        self,
        token: &str,
        name: Option<&str>,
        from: &Origin,
    ) -> Result<Caller, AuthError> {
        let token = Token::parse(TokenKind::Personal, token)
            .ok_or(AuthError::Access(AccessError::InvalidToken))?
            .hash();
        let owner = match self.0.sessions.cache.cookie(&token) {
            Some(owner) => owner,
            None => {
                self.lookup_personal_token(
                    token,
                    if name.is_some() {
                        CredentialKind::Basic
                    } else {
                        CredentialKind::Personal
                    },
                    from,
                )
                .await?
            }
        };
        let SecretOwner::Session(session_ref) = owner else {
            return Err(AuthError::Access(AccessError::InvalidToken));
        };
        let via = match name {
            // Parsing folds the case of the name, as everywhere.
            Some(name) if Username::parse(name).ok().as_ref() != Some(&session_ref.0) => {
                return Err(AuthError::Access(AccessError::InvalidToken));
            }
            Some(_) => AuthVia::Basic,
            None => AuthVia::Bearer,
        };
        self.0
            .sessions()
            .load_caller(session_ref, via, Activity::Counted)
            .await
    }

    async fn lookup_personal_token(
        self,
        token: TokenHash,
        secret: CredentialKind,
        from: &Origin,
    ) -> Result<SecretOwner, AuthError> {
        let look_up = self
            .0
            .sessions()
            .lookup_secret(&token, SessionKind::Personal);
        if let Some(session_ref) = self
            .0
            .throttling()
            .lookup_or_penalize(secret, from, look_up)
            .await?
        {
            return Ok(SecretOwner::Session(session_ref));
        }
        // Cached only here: a throttled token must not fill the cache.
        self.0
            .sessions
            .cache
            .insert_cookie(token, SecretOwner::None);
        Ok(SecretOwner::None)
    }

    /// The store receives `last_seen` a few minutes late. The session cache has the current value.
    pub(crate) fn merge_last_seen(self, username: &Username, session: &mut Session) {
        if let (Some(CacheEntry::Live(held)), _) =
            self.0.sessions.cache.look_up(username, &session.id)
        {
            session.last_seen = session.last_seen.max(held.last_seen());
        }
    }

    fn checked_lifetime(
        self,
        requested: Option<Duration>,
    ) -> Result<Option<Duration>, PersonalTokenError> {
        let rules = self.0.core.settings.personal;
        let lifetime = requested.unwrap_or(rules.default_lifetime);
        if lifetime < DAY || lifetime > rules.max_lifetime {
            return Err(PersonalTokenError::InvalidLifetime(
                rules.max_lifetime.as_secs() / DAY.as_secs(),
            ));
        }
        Ok(Some(lifetime))
    }

    async fn resolve_realms(
        self,
        caller: &Caller,
        requested: Option<Vec<RealmName>>,
    ) -> Result<Option<Arc<[crate::RealmId]>>, AuthError> {
        let Some(requested) = requested else {
            return Ok(caller.session().realms.clone());
        };
        if requested.is_empty() {
            return Err(PersonalTokenError::NoRealm.into());
        }
        let own = self.0.sessions().realms_of(caller).await?;
        let mut ids = Vec::new();
        for name in requested.into_iter().collect::<HashSet<_>>() {
            let found = own.iter().find(|(realm, _)| realm.name == name);
            let (realm, _) = found.ok_or(PersonalTokenError::UnknownRealm(name))?;
            ids.push(realm.id.clone());
        }
        ids.sort();
        Ok(Some(ids.into()))
    }

    /// All sessions of the creator may have ended while the token was created. The token must not
    /// survive them.
    async fn revalidate_creator(self, caller: &Caller, created: &Session) -> Result<(), AuthError> {
        if self.0.oauth().is_active(&caller.session().id).await? {
            return Ok(());
        }
        let end = self
            .0
            .sessions()
            .session_end(caller, EndReason::EndedByOwner);
        self.0
            .core
            .store
            .end_session(&created.username, &created.id, end)
            .await?;
        self.0.invalidate(&created.username);
        Err(AuthError::Access(AccessError::InvalidToken))
    }
}

fn parse_label(raw: &str) -> Result<String, PersonalTokenError> {
    let label = raw.trim();
    let is_valid =
        !label.is_empty() && label.chars().count() <= MAX_LABEL_CHARS && !has_hidden(label);
    if is_valid {
        Ok(label.to_owned())
    } else {
        Err(PersonalTokenError::InvalidLabel)
    }
}

/// The scopes must be delegable and within the caller's own. `account` is not delegable.
fn check_scopes(scopes: Scopes, caller: &Caller) -> Result<(), PersonalTokenError> {
    if scopes.is_empty() {
        return Err(PersonalTokenError::NoScope);
    }
    if caller.grantable(scopes).is_empty() {
        return Err(PersonalTokenError::ScopeNotAllowed(Scope::Administer));
    }
    let allowed = Scopes::DELEGABLE.intersection(caller.session().scopes);
    scopes
        .iter()
        .find(|grant| !allowed.contains(*grant))
        .map_or(Ok(()), |grant| {
            Err(PersonalTokenError::ScopeNotAllowed(grant))
        })
}

//! Personal access tokens: what a person hands to a script, named, bounded and with an end. Each is a session of its
//! own, so that everything that ends sessions ends it too; its secret is looked up in memory, as a cookie is.

use std::{collections::HashSet, sync::Arc, time::Duration};

use crate::{
    Auth, AuthError, AuthStore, Caller, Grant, Grants, Notice, Origin, RealmName, Session,
    SessionId, SessionKind, Token, TokenHash, TokenKind, Username,
    asking::Sign,
    beginning::Beginning,
    directory::{Known, Owner},
    guessing::Secret,
    policy::Via,
    store::EndReason,
};

const DAY: Duration = Duration::from_hours(24);
/// Live ones of one account.
const MOST: usize = 100;
const MOST_CHARACTERS: usize = 64;

/// How long personal access tokens live.
#[derive(Clone, Copy, Debug)]
pub struct PersonalRules {
    /// Unless somebody says otherwise.
    pub usual: Duration,
    pub longest: Duration,
}

impl Default for PersonalRules {
    fn default() -> Self {
        Self {
            usual: DAY * 90,
            longest: DAY * 365,
        }
    }
}

/// A token to be made.
#[derive(Clone, Debug)]
pub struct NewPersonal {
    /// What its owner knows it by.
    pub label: String,
    pub grants: Grants,
    /// Where it is good; `None` for wherever its owner has a role.
    pub realms: Option<Vec<RealmName>>,
    pub lifetime: Option<Duration>,
}

/// Why a token was not made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PersonalRefused {
    #[error("A token name must have 1 to 64 characters.")]
    Label,
    #[error("Choose at least one scope: files:read, files:write, locks:override, admin.")]
    NoScope,
    #[error("You cannot give a token the scope {0}: it exceeds your own rights.")]
    Scope(Grant),
    #[error("Choose at least one vault, or omit vaults for all of yours.")]
    NoRealm,
    #[error("You have no vault named {0}.")]
    Realm(RealmName),
    #[error("The lifetime of a token must be 1 to {0} days.")]
    Lifetime(u64),
    #[error("You already have {MOST} tokens. Revoke some of them first.")]
    TooMany,
}

impl<S: AuthStore> Auth<S> {
    /// Makes a token of `caller`'s. It is handed out here and never again.
    ///
    /// # Errors
    /// [`AuthError::PersonalRefused`].
    pub async fn make_personal(
        &self,
        caller: &Caller,
        wanted: NewPersonal,
        from: Origin,
    ) -> Result<(Session, Token), AuthError> {
        let label = label(&wanted.label)?;
        let lifetime = self.lifetime(wanted.lifetime)?;
        within(wanted.grants, caller)?;
        let realms = self.own_realms(caller, wanted.realms).await?;
        if self.personal_tokens(caller).await?.len() >= MOST {
            return Err(PersonalRefused::TooMany.into());
        }
        let beginning = Beginning {
            grants: wanted.grants,
            realms,
            label: Some(label),
            lifetime,
            ..Beginning::in_person(
                SessionKind::Personal,
                caller.session().methods,
                from.clone(),
            )
        };
        let (session, secret) = self
            .begin(caller.account(), beginning)
            .await?
            .ok_or(AuthError::InvalidToken)?;
        self.confirm_maker(caller, &session).await?;
        self.tell(caller.account(), Notice::PersonalTokenMade, &from)
            .await?;
        Ok((session, secret))
    }

    /// Live ones, newest first.
    pub async fn personal_tokens(&self, caller: &Caller) -> Result<Vec<Session>, AuthError> {
        let username = &caller.account().username;
        let mut tokens = self
            .0
            .store
            .sessions_of(username, self.0.clock.now())
            .await?;
        tokens.retain(|session| session.kind == SessionKind::Personal);
        for token in &mut tokens {
            self.hear_of_life(username, token);
        }
        tokens.sort_by_key(|token| std::cmp::Reverse(token.auth_time));
        Ok(tokens)
    }

    /// # Errors
    /// [`AuthError::NoSuchToken`] for one that is over, somebody else's, or no personal token.
    pub async fn end_personal(&self, caller: &Caller, id: &SessionId) -> Result<(), AuthError> {
        let found = self.0.store.session(id).await?;
        if found.is_none_or(|session| session.kind != SessionKind::Personal) {
            return Err(AuthError::NoSuchToken);
        }
        self.end_session(caller, id)
            .await
            .map_err(|error| match error {
                AuthError::NoSuchSession => AuthError::NoSuchToken,
                other => other,
            })
    }

    /// By `Authorization: Bearer`, or with the name that came beside it by `Authorization: Basic`, which must be its
    /// owner's. Memory answers for tokens that it knows; only a token that has to be looked up is a guess, and the
    /// same wrong token again is no further one.
    ///
    /// # Errors
    /// [`AuthError::InvalidToken`], [`AuthError::Throttled`].
    pub async fn by_personal(
        &self,
        token: &str,
        name: Option<&str>,
        from: &Origin,
    ) -> Result<Caller, AuthError> {
        let token = Token::parse(TokenKind::Personal, token)
            .ok_or(AuthError::InvalidToken)?
            .hash();
        let owner = match self.0.directory.cookie(&token) {
            Some(owner) => owner,
            None => {
                self.guess_personal(
                    token,
                    if name.is_some() {
                        Secret::Basic
                    } else {
                        Secret::Personal
                    },
                    from,
                )
                .await?
            }
        };
        let Owner::Session(whose) = owner else {
            return Err(AuthError::InvalidToken);
        };
        let via = match name {
            // Folded, as everywhere.
            Some(name) if Username::parse(name).ok().as_ref() != Some(&whose.0) => {
                return Err(AuthError::InvalidToken);
            }
            Some(_) => Via::Basic,
            None => Via::Bearer,
        };
        self.caller(whose, via, Sign::OfLife).await
    }

    async fn guess_personal(
        &self,
        token: TokenHash,
        secret: Secret,
        from: &Origin,
    ) -> Result<Owner, AuthError> {
        let look_up = self.find_owner(&token, SessionKind::Personal);
        if let Some(whose) = self.found_or_charged(secret, from, look_up).await? {
            return Ok(Owner::Session(whose));
        }
        // Only now: what was refused as too much is not to fill the memory either.
        self.0.directory.learn_cookie(token, Owner::Nobody);
        Ok(Owner::Nobody)
    }

    /// The store hears of signs of life a few minutes late.
    pub(crate) fn hear_of_life(&self, username: &Username, session: &mut Session) {
        if let (Some(Known::Alive(held)), _) = self.0.directory.look_up(username, &session.id) {
            session.last_seen = session.last_seen.max(held.last_seen());
        }
    }

    fn lifetime(&self, wanted: Option<Duration>) -> Result<Option<Duration>, PersonalRefused> {
        let rules = self.0.settings.personal;
        let lifetime = wanted.unwrap_or(rules.usual);
        if lifetime < DAY || lifetime > rules.longest {
            return Err(PersonalRefused::Lifetime(
                rules.longest.as_secs() / DAY.as_secs(),
            ));
        }
        Ok(Some(lifetime))
    }

    async fn own_realms(
        &self,
        caller: &Caller,
        wanted: Option<Vec<RealmName>>,
    ) -> Result<Option<Arc<[crate::RealmId]>>, AuthError> {
        let Some(wanted) = wanted else {
            return Ok(caller.session().realms.clone());
        };
        if wanted.is_empty() {
            return Err(PersonalRefused::NoRealm.into());
        }
        let own = self.realms_of(caller).await?;
        let mut ids = Vec::new();
        for name in wanted.into_iter().collect::<HashSet<_>>() {
            let found = own.iter().find(|(realm, _)| realm.name == name);
            let (realm, _) = found.ok_or(PersonalRefused::Realm(name))?;
            ids.push(realm.id.clone());
        }
        ids.sort();
        Ok(Some(ids.into()))
    }

    /// While the token was made, all sessions of its owner may have been ended: then it must not survive them.
    async fn confirm_maker(&self, caller: &Caller, made: &Session) -> Result<(), AuthError> {
        if self.is_alive(&caller.session().id).await? {
            return Ok(());
        }
        let end = self.end(caller, EndReason::EndedByOwner);
        self.0
            .store
            .end_session(&made.username, &made.id, end)
            .await?;
        self.changed(&made.username);
        Err(AuthError::InvalidToken)
    }
}

fn label(raw: &str) -> Result<String, PersonalRefused> {
    let label = raw.trim();
    let fits = !label.is_empty()
        && label.chars().count() <= MOST_CHARACTERS
        && !label.contains(char::is_control);
    if fits {
        Ok(label.to_owned())
    } else {
        Err(PersonalRefused::Label)
    }
}

/// One's own account is not to be given away, nor is more than one has.
fn within(grants: Grants, caller: &Caller) -> Result<(), PersonalRefused> {
    if grants.is_empty() {
        return Err(PersonalRefused::NoScope);
    }
    let given = Grants::DELEGABLE.and(caller.session().grants);
    grants
        .iter()
        .find(|grant| !given.contains(*grant))
        .map_or(Ok(()), |grant| Err(PersonalRefused::Scope(grant)))
}

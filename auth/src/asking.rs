//! Who is it? Tokens, cookies and tickets become callers, out of memory wherever possible.
//!
//! What memory does not know is loaded in a box of its own: the future of a request that needs none of that stays small,
//! and a future is moved several times on its way through the layers.

use std::{sync::Arc, time::Duration};

use crate::{
    Auth, AuthError, AuthStore, Caller, Realm, RealmName, Role, Session, SessionId, SessionKind,
    Standing, Token, TokenHash, TokenKind, Username, clock,
    directory::{Held, Known, Owner, Rights, Ticket, Whose},
    policy::Via,
};

/// How often the store hears of a session's last sign of life, at most.
const TOUCH: Duration = Duration::from_mins(5);
const TICKET_LIFETIME: Duration = Duration::from_secs(30);

/// Whether a look-up counts as use of the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sign {
    OfLife,
    /// And it counts for nothing else: what was done for it cannot be taken back, so it is not slowed down any more.
    OfLifeAtAnyPace,
    None,
}

impl<S: AuthStore> Auth<S> {
    /// # Errors
    /// [`AuthError::InvalidToken`] for a token that is not ours, out of time, or of a session that is over.
    pub async fn by_bearer(&self, token: &str) -> Result<Caller, AuthError> {
        let shown = self.shown(token).await?.ok_or(AuthError::InvalidToken)?;
        let whose = (shown.username, shown.session);
        Ok(self
            .caller(whose, Via::Bearer, Sign::OfLife)
            .await?
            .within(shown.scope))
    }

    /// # Errors
    /// [`AuthError::InvalidToken`] for a cookie that is nobody's, or of a session that is over.
    pub async fn by_cookie(&self, cookie: &str) -> Result<Caller, AuthError> {
        let cookie = Token::parse(TokenKind::Cookie, cookie)
            .ok_or(AuthError::InvalidToken)?
            .hash();
        let owner = match self.0.directory.cookie(&cookie) {
            Some(owner) => owner,
            None => Box::pin(self.load_secret(cookie, SessionKind::Web)).await?,
        };
        match owner {
            Owner::Session(whose) => self.caller(whose, Via::Cookie, Sign::OfLife).await,
            Owner::Nobody => Err(AuthError::InvalidToken),
        }
    }

    /// Takes the ticket, so that it opens nothing a second time.
    ///
    /// # Errors
    /// [`AuthError::InvalidToken`] for a ticket that is unknown, used, or older than 30 s.
    pub async fn by_ticket(&self, ticket: &str) -> Result<Caller, AuthError> {
        let ticket = Token::parse(TokenKind::Ticket, ticket)
            .ok_or(AuthError::InvalidToken)?
            .hash();
        let ticket = self
            .0
            .directory
            .take_ticket(&ticket, self.0.clock.now())
            .ok_or(AuthError::InvalidToken)?;
        Ok(self
            .caller(ticket.whose, Via::Ticket, Sign::OfLife)
            .await?
            .within(ticket.grants))
    }

    /// A single-use, 30 s ticket for a WebSocket.
    pub fn ticket(&self, caller: &Caller) -> Token {
        let (ticket, now) = (
            Token::random(TokenKind::Ticket, &self.0.chance),
            self.0.clock.now(),
        );
        let (grants, until) = (caller.session().grants, clock::after(now, TICKET_LIFETIME));
        self.0.directory.add_ticket(
            ticket.hash(),
            Ticket {
                whose: whose(caller),
                grants,
                until,
            },
            now,
        );
        ticket
    }

    /// The same caller as of now: an error if its session has ended, else with its present rights. An open socket
    /// that asks is no sign of life.
    pub async fn still(&self, caller: &Caller) -> Result<Caller, AuthError> {
        Ok(self
            .caller(whose(caller), caller.via(), Sign::None)
            .await?
            .within(caller.session().grants))
    }

    pub async fn realm(&self, name: &RealmName) -> Result<Option<Realm>, AuthError> {
        if let Some(realm) = self.0.directory.realm(name) {
            return Ok(Some(realm));
        }
        Box::pin(self.load_realm(name)).await
    }

    async fn load_realm(&self, name: &RealmName) -> Result<Option<Realm>, AuthError> {
        let _one_loads = self.0.directory.lane(name).lock().await;
        if let Some(realm) = self.0.directory.realm(name) {
            return Ok(Some(realm));
        }
        Ok(self
            .load_realms()
            .await?
            .into_iter()
            .find(|realm| realm.name == *name))
    }

    /// Realms in which the caller has a role, by name.
    pub async fn realms_of(&self, caller: &Caller) -> Result<Vec<(Realm, Role)>, AuthError> {
        let mut realms = self.load_realms().await?;
        realms.sort_by(|a, b| a.name.cmp(&b.name));
        let with_role = |realm: Realm| caller.role_in(&realm.id).map(|role| (realm, role));
        Ok(realms.into_iter().filter_map(with_role).collect())
    }

    async fn load_realms(&self) -> Result<Vec<Realm>, AuthError> {
        let realms = self.0.store.realms().await?;
        self.0.directory.learn_realms(&realms);
        Ok(realms)
    }

    pub(crate) async fn caller(
        &self,
        (username, id): Whose,
        via: Via,
        sign: Sign,
    ) -> Result<Caller, AuthError> {
        let (held, rights) = self.present(&username, &id).await?;
        // What was given to a program that is registered no longer is over with it.
        if held
            .session
            .client
            .as_ref()
            .is_some_and(|client| self.0.settings.clients.find(client).is_none())
        {
            return Err(AuthError::InvalidToken);
        }
        if let (Sign::OfLife, Some(most)) = (sign, self.0.settings.requests_per_minute) {
            held.spend(self.0.clock.now(), most).map_err(slower)?;
        }
        if sign != Sign::None {
            self.note_life(&held);
        }
        Ok(self.caller_of(rights, Arc::clone(&held.session), via))
    }

    /// The live session `id` of the active account `username`.
    pub(crate) async fn present(
        &self,
        username: &Username,
        id: &SessionId,
    ) -> Result<(Arc<Held>, Arc<Rights>), AuthError> {
        let (known, rights) = self.0.directory.look_up(username, id);
        let (session, rights) = match (self.decided(known)?, rights) {
            (Some(session), Some(rights)) => (session, rights),
            _ => Box::pin(self.load(username, id)).await?,
        };
        if rights.account.standing == Standing::Active {
            Ok((session, rights))
        } else {
            Err(AuthError::InvalidToken)
        }
    }

    /// What memory says: an idle session is looked up once more, since another node may have seen it.
    fn decided(&self, session: Option<Known>) -> Result<Option<Arc<Held>>, AuthError> {
        match session {
            Some(Known::Over) => Err(AuthError::InvalidToken),
            Some(Known::Alive(held)) if held.is_alive(self.0.settings.idle, self.0.clock.now()) => {
                Ok(Some(held))
            }
            _ => Ok(None),
        }
    }

    async fn load(
        &self,
        username: &Username,
        id: &SessionId,
    ) -> Result<(Arc<Held>, Arc<Rights>), AuthError> {
        let _one_loads = self.0.directory.lane(username).lock().await;
        let (known, rights) = self.0.directory.look_up(username, id);
        let session = match self.decided(known)? {
            Some(session) => session,
            None => self.load_session(username, id).await?,
        };
        let rights = match rights {
            Some(rights) => rights,
            None => self
                .rights(username)
                .await?
                .ok_or(AuthError::InvalidToken)?,
        };
        Ok((session, rights))
    }

    async fn load_session(
        &self,
        username: &Username,
        id: &SessionId,
    ) -> Result<Arc<Held>, AuthError> {
        let mark = self.0.directory.mark();
        let found = self.0.store.session(id).await?;
        let ours =
            found.filter(|session| session.username == *username && session.ended_at.is_none());
        let held = ours.map(|session| self.0.directory.learn_session(mark, session));
        match held {
            Some(held) if held.is_alive(self.0.settings.idle, self.0.clock.now()) => Ok(held),
            _ => {
                self.0.directory.learn_over(mark, username, id.clone());
                Err(AuthError::InvalidToken)
            }
        }
    }

    /// Loads them, whatever memory says.
    pub(crate) async fn rights(
        &self,
        username: &Username,
    ) -> Result<Option<Arc<Rights>>, AuthError> {
        let mark = self.0.directory.mark();
        let Some(member) = self.0.store.member(username).await? else {
            return Ok(None);
        };
        let roles = member.rights();
        let rights = Rights {
            account: member.account,
            roles,
            factors: member.factors,
        };
        Ok(Some(self.0.directory.learn_rights(mark, rights)))
    }

    /// Whose cookie or personal access token it is.
    pub(crate) async fn load_secret(
        &self,
        secret: TokenHash,
        kind: SessionKind,
    ) -> Result<Owner, AuthError> {
        if let Some(whose) = self.find_owner(&secret, kind).await? {
            return Ok(Owner::Session(whose));
        }
        self.0.directory.learn_cookie(secret, Owner::Nobody);
        Ok(Owner::Nobody)
    }

    /// As [`load_secret`](Self::load_secret), without remembering what is nobody's.
    pub(crate) async fn find_owner(
        &self,
        secret: &TokenHash,
        kind: SessionKind,
    ) -> Result<Option<Whose>, AuthError> {
        let _one_loads = self.0.directory.lane(secret).lock().await;
        match self.0.directory.cookie(secret) {
            Some(Owner::Session(whose)) => return Ok(Some(whose)),
            Some(Owner::Nobody) => return Ok(None),
            None => {}
        }
        let found = self
            .0
            .store
            .session_by_cookie(secret)
            .await?
            .filter(|session| session.kind == kind);
        let Some(Session { username, id, .. }) = found else {
            return Ok(None);
        };
        self.0.directory.learn_cookie(
            secret.clone(),
            Owner::Session((username.clone(), id.clone())),
        );
        Ok(Some((username, id)))
    }

    /// The request does not wait for the store to hear of it.
    fn note_life(&self, held: &Held) {
        let now = self.0.clock.now();
        if !held.touch(now, TOUCH.min(self.0.settings.idle / 4)) {
            return;
        }
        let (store, id) = (self.0.store.clone(), held.session.id.clone());
        tokio::spawn(async move {
            if let Err(error) = store.touch_session(&id, now).await {
                tracing::warn!(session.id = %id, %error, "a session's last sign of life was not stored");
            }
        });
    }
}

fn slower(retry_after: Duration) -> AuthError {
    metrics::counter!("strongroom_requests_slowed_total").increment(1);
    AuthError::TooFast { retry_after }
}

fn whose(caller: &Caller) -> Whose {
    (
        caller.account().username.clone(),
        caller.session().id.clone(),
    )
}

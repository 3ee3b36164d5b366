//! Signing in and out. An unknown user, a wrong password and a disabled account fail alike, in words and in time.

use std::sync::Arc;

use crate::{
    Account, Actor, Auth, AuthError, AuthStore, Caller, Method, Methods, Origin, Password, PasswordHash, Session,
    SessionKind, Standing, Username,
    audit::{Deed, Record},
    auth::{SignedIn, Tokens},
    beginning::Beginning,
    guessing::{Secret, Trial},
    policy::Via,
    store::{Credentials, End, EndReason, Replacement},
};

/// One attempt, with the name as it parses, if it does.
struct Attempt {
    username: Option<Username>,
    password: Arc<Password>,
    kind: SessionKind,
    from: Origin,
}

impl<S: AuthStore> Auth<S> {
    /// Throttle, account, hash (a dummy one for unknown users), upgrade, session, audit, in this order.
    /// `username` is as typed: one that does not parse costs the same and fails the same.
    ///
    /// # Errors
    /// [`AuthError::BadCredentials`], [`AuthError::Throttled`], [`AuthError::Busy`]; after the right password
    /// [`AuthError::ResetRequired`].
    pub async fn sign_in(
        &self,
        username: &str,
        password: Password,
        kind: SessionKind,
        from: Origin,
    ) -> Result<SignedIn, AuthError> {
        let attempt = Attempt { username: Username::parse(username).ok(), password: Arc::new(password), kind, from };
        // By itself, so that whoever hangs up is charged all the same.
        let auth = self.clone();
        let done = tokio::spawn(async move { auth.attempt(attempt).await }).await;
        let answer = done.unwrap_or(Err(AuthError::Internal("a sign-in panicked")));
        metrics::counter!("strongroom_sign_ins_total", "outcome" => outcome(&answer)).increment(1);
        answer
    }

    /// [`sign_in`](Self::sign_in) for `POST /auth/token`, with the access token made.
    pub async fn token(&self, username: &str, password: Password, from: Origin) -> Result<Tokens, AuthError> {
        let SignedIn { caller, secret } = self.sign_in(username, password, SessionKind::Tokens, from).await?;
        self.tokens(&caller, secret)
    }

    /// Ends the whole session: its access tokens, refresh token, cookie and sockets.
    pub async fn sign_out(&self, caller: &Caller) -> Result<(), AuthError> {
        let (username, id) = (&caller.account().username, &caller.session().id);
        self.0.store.end_session(username, id, self.end(caller, EndReason::SignedOut)).await?;
        self.changed(username);
        Ok(())
    }

    async fn attempt(&self, attempt: Attempt) -> Result<SignedIn, AuthError> {
        let name = attempt.username.as_ref();
        let trial = Trial { secret: Secret::Password, account: name, from: &attempt.from };
        let pass = self.may_try(&trial).await?;
        let known = match name {
            Some(name) => self.active(name).await?,
            None => None,
        };
        let fits = self.0.hasher.verify(&attempt.password, known.as_ref().map(|known| &known.password)).await?;
        let Some(Credentials { account, password }) = known.filter(|_| fits) else {
            self.failed(pass).await?;
            return Err(AuthError::BadCredentials);
        };
        self.succeeded(pass).await?;
        if account.reset_required {
            let record = Record::tried(Some(&account.username), &attempt.from, Deed::SignInRefused, self.0.clock.now());
            self.record(record.detailed(|detail| detail.because("reset_required"))).await?;
            return Err(AuthError::ResetRequired);
        }
        let password = self.upgrade(&account, &attempt, password).await;
        let methods = Methods::of(&[Method::Password]);
        let beginning = Beginning::in_person(attempt.kind, methods, attempt.from.clone());
        let (session, secret) = self.begin(&account, beginning).await?;
        self.confirm(&attempt, &session, &password).await?;
        let via = if attempt.kind == SessionKind::Web { Via::Cookie } else { Via::Bearer };
        let rights = self.rights(&account.username).await?.ok_or(AuthError::BadCredentials)?;
        Ok(SignedIn { caller: self.caller_of(rights, Arc::new(session), via), secret })
    }

    async fn active(&self, username: &Username) -> Result<Option<Credentials>, AuthError> {
        let known = self.0.store.credentials(username).await?;
        Ok(known.filter(|known| known.account.standing == Standing::Active))
    }

    /// A better hash of the same password, by compare-and-swap; or the old one. Whatever goes wrong is no reason not
    /// to sign in.
    async fn upgrade(&self, account: &Account, attempt: &Attempt, old: PasswordHash) -> PasswordHash {
        if !self.0.hasher.is_outdated(&old) {
            return old;
        }
        let Ok(new) = self.0.hasher.hash(&attempt.password).await else { return old };
        let (username, why, now) = (&account.username, Replacement::Upgrade, self.0.clock.now());
        let by = Actor::owner(account).coming_from(&attempt.from);
        match self.0.store.replace_password(username, &old, new.clone(), why, by, now).await {
            Ok(true) => new,
            Ok(false) => old,
            Err(error) => {
                tracing::warn!(%username, %error, "a password hash was not upgraded");
                old
            }
        }
    }

    /// While we were hashing, the password may have been changed or the account disabled, and all sessions ended before
    /// this one began. From here on, whoever does so ends this one too.
    async fn confirm(&self, attempt: &Attempt, session: &Session, verified: &PasswordHash) -> Result<(), AuthError> {
        let good = match self.active(&session.username).await? {
            Some(now) if now.account.reset_required => false,
            Some(now) if now.password == *verified => true,
            // Upgraded by another sign-in, or changed.
            Some(now) => self.0.hasher.verify(&attempt.password, Some(&now.password)).await?,
            None => false,
        };
        if good {
            return Ok(());
        }
        let by = Actor::named(session.username.clone()).coming_from(&attempt.from);
        let end = End { why: EndReason::PasswordChanged, by, at: self.0.clock.now() };
        self.0.store.end_session(&session.username, &session.id, end).await?;
        self.changed(&session.username);
        Err(AuthError::BadCredentials)
    }
}

fn outcome(answer: &Result<SignedIn, AuthError>) -> &'static str {
    match answer {
        Ok(_) => "signed_in",
        Err(AuthError::BadCredentials) => "bad_credentials",
        Err(AuthError::ResetRequired) => "reset_required",
        Err(AuthError::Throttled { .. } | AuthError::LockedOut) => "throttled",
        Err(AuthError::Busy { .. }) => "busy",
        Err(_) => "failed",
    }
}

//! Signing in and out. An unknown user, a wrong password and a disabled account fail alike, in words and in time.

use std::sync::Arc;

use crate::{
    Account, Actor, Auth, AuthError, AuthStore, Caller, Grants, Method, Methods, Notice,
    OneTimeCode, Origin, Password, PasswordHash, SessionKind, Standing, Username,
    audit::{Deed, Record},
    auth::{SignedIn, Tokens},
    beginning::Beginning,
    guessing::{Secret, Trial},
    policy::Via,
    second_step::Step,
    store::{Credentials, EndReason, Familiarity, Replacement},
};

/// Somebody whose password was right.
enum Known {
    /// With everything that the account asks for.
    Whole(Credentials, Methods),
    /// The second factor is due.
    Half(Credentials),
}

/// What somebody shows to sign in.
#[derive(Debug)]
pub struct Proofs {
    pub password: Password,
    /// Of the second factor, where the account has one; not looked at where it has none, or the password is wrong.
    pub code: Option<OneTimeCode>,
}

impl From<Password> for Proofs {
    fn from(password: Password) -> Self {
        Self {
            password,
            code: None,
        }
    }
}

/// One attempt, with the name as it parses, if it does.
struct Attempt {
    username: Option<Username>,
    password: Arc<Password>,
    code: Option<OneTimeCode>,
    kind: SessionKind,
    /// What the session may do at most.
    grants: Grants,
    from: Origin,
}

impl Attempt {
    fn new(username: &str, proofs: Proofs, kind: SessionKind, from: Origin) -> Self {
        let Proofs { password, code } = proofs;
        let (username, password) = (Username::parse(username).ok(), Arc::new(password));
        Self {
            username,
            password,
            code,
            kind,
            grants: Grants::ALL,
            from,
        }
    }
}

impl<S: AuthStore> Auth<S> {
    /// Throttle, account, hash (a dummy one for unknown users), upgrade, second factor, session, audit, in this order.
    /// `username` is as typed: one that does not parse costs the same and fails the same.
    ///
    /// # Errors
    /// [`AuthError::BadCredentials`], [`AuthError::Throttled`], [`AuthError::Busy`]; after a right password only,
    /// [`AuthError::ResetRequired`], [`AuthError::SecondFactorNeeded`] and [`AuthError::SecondFactorWrong`].
    pub async fn sign_in(
        &self,
        username: &str,
        proofs: impl Into<Proofs> + Send,
        kind: SessionKind,
        from: Origin,
    ) -> Result<SignedIn, AuthError> {
        whole(
            self.run(Attempt::new(username, proofs.into(), kind, from))
                .await?,
        )
    }

    /// [`sign_in`](Self::sign_in) for the page: where a second factor is due, the sign-in waits for it.
    ///
    /// # Errors
    /// As there, but for [`AuthError::SecondFactorNeeded`].
    pub async fn first_step(
        &self,
        username: &str,
        password: Password,
        from: Origin,
    ) -> Result<Step, AuthError> {
        self.run(Attempt::new(
            username,
            password.into(),
            SessionKind::Web,
            from,
        ))
        .await
    }

    async fn run(&self, attempt: Attempt) -> Result<Step, AuthError> {
        // By itself, so that whoever hangs up is charged all the same.
        let auth = self.clone();
        let done = tokio::spawn(async move {
            match auth.attempt(&attempt).await? {
                Known::Whole(known, methods) => auth
                    .complete(&attempt, known, methods)
                    .await
                    .map(Step::SignedIn),
                Known::Half(known) if attempt.kind == SessionKind::Web => auth
                    .wait(&known, Methods::of(&[Method::Password]))
                    .await
                    .map(Step::HalfWay),
                Known::Half(_) => Err(AuthError::SecondFactorNeeded),
            }
        });
        let answer = done
            .await
            .unwrap_or(Err(AuthError::Internal("a sign-in panicked")));
        metrics::counter!("strongroom_sign_ins_total", "outcome" => outcome(&answer)).increment(1);
        answer
    }

    /// [`sign_in`](Self::sign_in) for `POST /auth/token`, with the access token made, for everything one may do.
    pub async fn token(
        &self,
        username: &str,
        proofs: impl Into<Proofs> + Send,
        from: Origin,
    ) -> Result<Tokens, AuthError> {
        self.token_within(Grants::ALL, username, proofs, from).await
    }

    /// [`token`](Self::token) of a session that never may more than `grants` (RFC 6749 §3.3), however often it is
    /// refreshed.
    pub async fn token_within(
        &self,
        grants: Grants,
        username: &str,
        proofs: impl Into<Proofs> + Send,
        from: Origin,
    ) -> Result<Tokens, AuthError> {
        let attempt = Attempt {
            grants,
            ..Attempt::new(username, proofs.into(), SessionKind::Tokens, from)
        };
        let SignedIn { caller, secret } = whole(self.run(attempt).await?)?;
        self.tokens(&caller, secret)
    }

    /// Ends the whole session: its access tokens, refresh token, cookie and sockets.
    pub async fn sign_out(&self, caller: &Caller) -> Result<(), AuthError> {
        let (username, id) = (&caller.account().username, &caller.session().id);
        self.0
            .store
            .end_session(username, id, self.end(caller, EndReason::SignedOut))
            .await?;
        self.changed(username);
        Ok(())
    }

    async fn attempt(&self, attempt: &Attempt) -> Result<Known, AuthError> {
        let name = attempt.username.as_ref();
        let trial = Trial {
            secret: Secret::Password,
            account: name,
            from: &attempt.from,
        };
        let pass = self.may_try(&trial).await?;
        let known = match name {
            Some(name) => self.active(name).await?,
            None => None,
        };
        let fits = self
            .0
            .hasher
            .verify_anybody(
                &attempt.password,
                known.as_ref().map(|known| &known.password),
            )
            .await?;
        let Some(Credentials { account, password }) = known.filter(|_| fits) else {
            self.failed(pass).await?;
            return Err(AuthError::BadCredentials);
        };
        self.succeeded(pass).await?;
        if account.reset_required {
            let record = Record::tried(
                Some(&account.username),
                &attempt.from,
                Deed::SignInRefused,
                self.0.clock.now(),
            );
            self.record(record.detailed(|detail| detail.because("reset_required")))
                .await?;
            return Err(AuthError::ResetRequired);
        }
        let password = self.upgrade(&account, attempt, password).await;
        self.second_factor(attempt, Credentials { account, password })
            .await
    }

    async fn second_factor(
        &self,
        attempt: &Attempt,
        known: Credentials,
    ) -> Result<Known, AuthError> {
        let first = Methods::of(&[Method::Password]);
        if !self
            .factor_kinds(&known.account.username)
            .await?
            .is_enrolled()
        {
            return Ok(Known::Whole(known, first));
        }
        let Some(code) = &attempt.code else {
            self.tell_half_way(&known.account, &attempt.from).await?;
            return Ok(Known::Half(known));
        };
        match self.check_code(&known.account, code, &attempt.from).await? {
            Some(second) => Ok(Known::Whole(known, first.with(second))),
            None => Err(AuthError::SecondFactorWrong),
        }
    }

    /// Worth knowing: somebody has the password, and so far nothing else. At a place of the owner's it is mostly the
    /// owner; at another one they get a letter, but not one for each try.
    async fn tell_half_way(&self, owner: &Account, from: &Origin) -> Result<(), AuthError> {
        let now = self.0.clock.now();
        let is_new = self.0.store.familiarity(&owner.username, from).await? == Familiarity::New;
        if is_new && self.0.half_way.due(&owner.username, now).is_some() {
            self.notify(owner, Notice::HalfWay, from);
        }
        let record = Record::new(
            &Actor::owner(owner).coming_from(from),
            Deed::SignInHalfWay,
            now,
        );
        self.record(record.detailed(|detail| detail.fact("new_device", is_new.then_some(true))))
            .await
    }

    async fn complete(
        &self,
        attempt: &Attempt,
        known: Credentials,
        methods: Methods,
    ) -> Result<SignedIn, AuthError> {
        let whole = Beginning::in_person(attempt.kind, methods, attempt.from.clone());
        let beginning = Beginning {
            grants: attempt.grants,
            ..whole
        };
        let begun = self.begin(&known.account, beginning).await?;
        // While we were hashing, the password was changed, a second factor was set up, or all sessions were ended.
        let (session, secret) = begun.ok_or(AuthError::BadCredentials)?;
        let rights = self
            .rights(&known.account.username)
            .await?
            .ok_or(AuthError::BadCredentials)?;
        let via = if attempt.kind == SessionKind::Web {
            Via::Cookie
        } else {
            Via::Bearer
        };
        Ok(SignedIn {
            caller: self.caller_of(rights, Arc::new(session), via),
            secret,
        })
    }

    pub(crate) async fn active(
        &self,
        username: &Username,
    ) -> Result<Option<Credentials>, AuthError> {
        let known = self.0.store.credentials(username).await?;
        Ok(known.filter(|known| known.account.standing == Standing::Active))
    }

    /// A better hash of the same password, by compare-and-swap; or the old one. Whatever goes wrong is no reason not
    /// to sign in.
    async fn upgrade(
        &self,
        account: &Account,
        attempt: &Attempt,
        old: PasswordHash,
    ) -> PasswordHash {
        if !self.0.hasher.is_outdated(&old) {
            return old;
        }
        let Ok(new) = self.0.hasher.hash(&attempt.password).await else {
            return old;
        };
        let (username, why, now) = (&account.username, Replacement::Upgrade, self.0.clock.now());
        let by = Actor::owner(account).coming_from(&attempt.from);
        match self
            .0
            .store
            .replace_password(username, &old, new.clone(), why, by, now)
            .await
        {
            Ok(true) => new,
            Ok(false) => old,
            Err(error) => {
                tracing::warn!(%username, %error, "a password hash was not upgraded");
                old
            }
        }
    }
}

/// For those who cannot wait for a second step.
fn whole(step: Step) -> Result<SignedIn, AuthError> {
    match step {
        Step::SignedIn(signed_in) => Ok(signed_in),
        Step::HalfWay(_) => Err(AuthError::SecondFactorNeeded),
    }
}

fn outcome(answer: &Result<Step, AuthError>) -> &'static str {
    match answer {
        Ok(Step::SignedIn(_)) => "signed_in",
        Err(AuthError::BadCredentials) => "bad_credentials",
        Ok(Step::HalfWay(_)) | Err(AuthError::SecondFactorNeeded) => "second_factor_due",
        Err(AuthError::SecondFactorWrong) => "bad_second_factor",
        Err(AuthError::ResetRequired) => "reset_required",
        Err(AuthError::Throttled { .. } | AuthError::LockedOut) => "throttled",
        Err(AuthError::Busy { .. }) => "busy",
        Err(_) => "failed",
    }
}

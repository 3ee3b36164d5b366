//! Signing in and out. An unknown user, a wrong password and a disabled account fail alike, in words and in time.

use std::sync::Arc;

use crate::{
    Account, AccountStatus, Actor, Auth, AuthError, AuthMethod, AuthMethods, AuthStore, Caller,
    OneTimeCode, Origin, Password, PasswordHash, Scopes, SecurityNotice, SessionKind, Username,
    access::policy::AuthVia,
    audit::{AuditAction, NewAuditEntry},
    service::{SignedIn, TokenResponse},
    session::{create::NewSession, mfa_challenge::SignInOutcome},
    store::{Credentials, EndReason, PasswordWrite, SourceFamiliarity},
    throttle::{Attempt, CredentialKind},
};

/// Somebody whose password was right.
enum PasswordResult {
    /// With everything that the account asks for.
    Complete(Credentials, AuthMethods),
    /// The second factor is due.
    NeedsMfa(Credentials),
}

/// What somebody shows to sign in.
#[derive(Debug)]
pub struct SignInProof {
    pub password: Password,
    /// Of the second factor, where the account has one; not looked at where it has none, or the password is wrong.
    pub code: Option<OneTimeCode>,
}

impl From<Password> for SignInProof {
    fn from(password: Password) -> Self {
        Self {
            password,
            code: None,
        }
    }
}

/// One attempt, with the name as it parses, if it does.
struct SignInRequest {
    username: Option<Username>,
    password: Arc<Password>,
    code: Option<OneTimeCode>,
    kind: SessionKind,
    /// What the session may do at most.
    scopes: Scopes,
    from: Origin,
}

impl SignInRequest {
    fn new(username: &str, proof: SignInProof, kind: SessionKind, from: Origin) -> Self {
        let SignInProof { password, code } = proof;
        let (username, password) = (Username::parse(username).ok(), Arc::new(password));
        Self {
            username,
            password,
            code,
            kind,
            scopes: Scopes::ALL,
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
        proof: impl Into<SignInProof> + Send,
        kind: SessionKind,
        from: Origin,
    ) -> Result<SignedIn, AuthError> {
        require_complete(
            self.run_detached(SignInRequest::new(username, proof.into(), kind, from))
                .await?,
        )
    }

    /// [`sign_in`](Self::sign_in) for the page: where a second factor is due, the sign-in waits for it.
    ///
    /// # Errors
    /// As there, but for [`AuthError::SecondFactorNeeded`].
    pub async fn sign_in_on_page(
        &self,
        username: &str,
        password: Password,
        from: Origin,
    ) -> Result<SignInOutcome, AuthError> {
        self.run_detached(SignInRequest::new(
            username,
            password.into(),
            SessionKind::Web,
            from,
        ))
        .await
    }

    async fn run_detached(&self, request: SignInRequest) -> Result<SignInOutcome, AuthError> {
        // By itself, so that whoever hangs up is charged all the same.
        let auth = self.clone();
        let done = tokio::spawn(async move {
            match auth.verify_password(&request).await? {
                PasswordResult::Complete(known, methods) => auth
                    .finish_sign_in(&request, known, methods)
                    .await
                    .map(SignInOutcome::Complete),
                PasswordResult::NeedsMfa(known) if request.kind == SessionKind::Web => auth
                    .start_mfa(&known, AuthMethods::of(&[AuthMethod::Password]))
                    .await
                    .map(SignInOutcome::MfaRequired),
                PasswordResult::NeedsMfa(_) => Err(AuthError::SecondFactorRequired),
            }
        });
        let result = done
            .await
            .unwrap_or(Err(AuthError::Internal("a sign-in panicked")));
        metrics::counter!("strongroom_sign_ins_total", "outcome" => metric_label(&result))
            .increment(1);
        result
    }

    /// [`sign_in`](Self::sign_in) for `POST /auth/token`, with the access token made, for everything one may do.
    pub async fn token(
        &self,
        username: &str,
        proof: impl Into<SignInProof> + Send,
        from: Origin,
    ) -> Result<TokenResponse, AuthError> {
        self.token_with_scopes(Scopes::ALL, username, proof, from)
            .await
    }

    /// [`token`](Self::token) of a session that never may more than `grants` (RFC 6749 §3.3), however often it is
    /// refreshed.
    pub async fn token_with_scopes(
        &self,
        scopes: Scopes,
        username: &str,
        proof: impl Into<SignInProof> + Send,
        from: Origin,
    ) -> Result<TokenResponse, AuthError> {
        let request = SignInRequest {
            scopes,
            ..SignInRequest::new(username, proof.into(), SessionKind::OAuth, from)
        };
        let SignedIn { caller, secret } = require_complete(self.run_detached(request).await?)?;
        self.token_response(&caller, secret)
    }

    /// Ends the whole session: its access tokens, refresh token, cookie and sockets.
    pub async fn sign_out(&self, caller: &Caller) -> Result<(), AuthError> {
        let (username, id) = (&caller.account().username, &caller.session().id);
        self.0
            .store
            .end_session(username, id, self.session_end(caller, EndReason::SignedOut))
            .await?;
        self.invalidate(username);
        Ok(())
    }

    async fn verify_password(&self, request: &SignInRequest) -> Result<PasswordResult, AuthError> {
        let name = request.username.as_ref();
        let trial = Attempt {
            kind: CredentialKind::Password,
            account: name,
            from: &request.from,
        };
        let guard = self.begin_attempt(&trial).await?;
        let known = match name {
            Some(name) => self.active_credentials(name).await?,
            None => None,
        };
        let is_correct = self
            .0
            .hasher
            .verify_or_dummy(
                &request.password,
                known.as_ref().map(|known| &known.password),
            )
            .await?;
        let Some(Credentials { account, password }) = known.filter(|_| is_correct) else {
            self.failed(guard).await?;
            return Err(AuthError::InvalidCredentials);
        };
        self.succeeded(guard).await?;
        if account.must_change_password {
            let record = NewAuditEntry::attempt(
                Some(&account.username),
                &request.from,
                AuditAction::SignInFailed,
                self.0.clock.now(),
            );
            self.record(record.with_detail(|detail| detail.reason("reset_required")))
                .await?;
            return Err(AuthError::PasswordChangeRequired);
        }
        let password = self.rehash_if_outdated(&account, request, password).await;
        self.check_second_factor(request, Credentials { account, password })
            .await
    }

    async fn check_second_factor(
        &self,
        request: &SignInRequest,
        known: Credentials,
    ) -> Result<PasswordResult, AuthError> {
        let first = AuthMethods::of(&[AuthMethod::Password]);
        if !self
            .factor_kinds(&known.account.username)
            .await?
            .is_enrolled()
        {
            return Ok(PasswordResult::Complete(known, first));
        }
        let Some(code) = &request.code else {
            self.notify_mfa_pending(&known.account, &request.from)
                .await?;
            return Ok(PasswordResult::NeedsMfa(known));
        };
        match self
            .verify_code(&known.account, code, &request.from)
            .await?
        {
            Some(second) => Ok(PasswordResult::Complete(known, first.with(second))),
            None => Err(AuthError::SecondFactorInvalid),
        }
    }

    /// Worth knowing: somebody has the password, and so far nothing else. At a place of the owner's it is mostly the
    /// owner; at another one they get a letter, but not one for each try.
    async fn notify_mfa_pending(&self, owner: &Account, from: &Origin) -> Result<(), AuthError> {
        let now = self.0.clock.now();
        let is_new =
            self.0.store.is_known_source(&owner.username, from).await? == SourceFamiliarity::New;
        if is_new
            && self
                .0
                .mfa_notices
                .should_report(&owner.username, now)
                .is_some()
        {
            self.notify(owner, SecurityNotice::MfaPending, from);
        }
        let record = NewAuditEntry::new(
            &Actor::owner(owner).with_origin(from),
            AuditAction::SignInMfaPending,
            now,
        );
        self.record(record.with_detail(|detail| detail.with("new_device", is_new.then_some(true))))
            .await
    }

    async fn finish_sign_in(
        &self,
        request: &SignInRequest,
        known: Credentials,
        methods: AuthMethods,
    ) -> Result<SignedIn, AuthError> {
        let full = NewSession::interactive(request.kind, methods, request.from.clone());
        let new_session = NewSession {
            scopes: request.scopes,
            ..full
        };
        let created = self.create_session(&known.account, new_session).await?;
        // While we were hashing, the password was changed, a second factor was set up, or all sessions were ended.
        let (session, secret) = created.ok_or(AuthError::InvalidCredentials)?;
        let rights = self
            .rights(&known.account.username)
            .await?
            .ok_or(AuthError::InvalidCredentials)?;
        let via = if request.kind == SessionKind::Web {
            AuthVia::Cookie
        } else {
            AuthVia::Bearer
        };
        Ok(SignedIn {
            caller: self.caller_for(rights, Arc::new(session), via),
            secret,
        })
    }

    pub(crate) async fn active_credentials(
        &self,
        username: &Username,
    ) -> Result<Option<Credentials>, AuthError> {
        let known = self.0.store.credentials(username).await?;
        Ok(known.filter(|known| known.account.status == AccountStatus::Active))
    }

    /// A better hash of the same password, by compare-and-swap; or the old one. Whatever goes wrong is no reason not
    /// to sign in.
    async fn rehash_if_outdated(
        &self,
        account: &Account,
        request: &SignInRequest,
        old: PasswordHash,
    ) -> PasswordHash {
        if !self.0.hasher.needs_rehash(&old) {
            return old;
        }
        let Ok(new) = self.0.hasher.hash(&request.password).await else {
            return old;
        };
        let (username, write, now) = (&account.username, PasswordWrite::Rehash, self.0.clock.now());
        let by = Actor::owner(account).with_origin(&request.from);
        match self
            .0
            .store
            .replace_password(username, &old, new.clone(), write, by, now)
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
fn require_complete(step: SignInOutcome) -> Result<SignedIn, AuthError> {
    match step {
        SignInOutcome::Complete(signed_in) => Ok(signed_in),
        SignInOutcome::MfaRequired(_) => Err(AuthError::SecondFactorRequired),
    }
}

fn metric_label(answer: &Result<SignInOutcome, AuthError>) -> &'static str {
    match answer {
        Ok(SignInOutcome::Complete(_)) => "signed_in",
        Err(AuthError::InvalidCredentials) => "bad_credentials",
        Ok(SignInOutcome::MfaRequired(_)) | Err(AuthError::SecondFactorRequired) => {
            "second_factor_due"
        }
        Err(AuthError::SecondFactorInvalid) => "bad_second_factor",
        Err(AuthError::PasswordChangeRequired) => "reset_required",
        Err(AuthError::Throttled { .. } | AuthError::LockedOut) => "throttled",
        Err(AuthError::HasherBusy { .. }) => "busy",
        Err(_) => "failed",
    }
}

//! Sign-in and sign-out. Unknown user, wrong password and disabled account fail with the same
//! answer and timing.

use std::sync::Arc;

use crate::{
    Account, AccountStatus, Actor, AuthError, AuthMethod, AuthMethods, AuthStore, Caller,
    OneTimeCode, Origin, Password, PasswordHash, Passwords, Scopes, SessionKind, Sessions,
    Username,
    audit::{AuditAction, NewAuditEntry},
    detached::detached,
    error::{SignInError, ThrottleError},
    password::hashing::HashPriority,
    session::{
        create::{NewSession, SignedIn},
        mfa_challenge::SignInOutcome,
    },
    store::{Credentials, EndReason, PasswordWrite, SourceFamiliarity},
    throttle::{Attempt, CredentialKind},
};

/// The result of a correct password.
enum PasswordResult {
    /// All factors that the account requires were verified.
    Complete(Credentials, AuthMethods),
    /// The account has a second factor, and no code was sent.
    NeedsMfa(Credentials),
}

/// The credentials of a sign-in.
#[derive(Debug)]
pub struct SignInProof {
    pub password: Password,
    /// The second-factor code. Ignored if the account has no second factor or the password is
    /// wrong.
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

/// One sign-in attempt. `username` is `None` if it does not parse.
struct SignInRequest {
    username: Option<Username>,
    password: Arc<Password>,
    code: Option<OneTimeCode>,
    kind: SessionKind,
    /// The upper bound of what the session may do.
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

impl<S: AuthStore> Passwords<'_, S> {
    /// Order: throttle, account, hash (a dummy for unknown users), rehash, second factor, session,
    /// audit. `username` is raw input: one that does not parse takes the same time and fails alike.
    ///
    /// # Errors
    /// `SignInError::InvalidCredentials`, `ThrottleError::Throttled`, `ThrottleError::HasherBusy`. Only
    /// after a correct password: `SignInError::PasswordChangeRequired`,
    /// `SignInError::SecondFactorRequired` and `SignInError::SecondFactorInvalid`.
    pub async fn sign_in(
        self,
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

    /// As `sign_in`, for the page: if a second factor is required, returns an MFA challenge.
    ///
    /// # Errors
    /// As `sign_in`, without `SignInError::SecondFactorRequired`.
    pub async fn sign_in_on_page(
        self,
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

    /// As `sign_in`, for an API client, limited to `scopes`.
    pub(crate) async fn sign_in_client(
        self,
        scopes: Scopes,
        username: &str,
        proof: SignInProof,
        from: Origin,
    ) -> Result<SignedIn, AuthError> {
        let request = SignInRequest {
            scopes,
            ..SignInRequest::new(username, proof, SessionKind::OAuth, from)
        };
        require_complete(self.run_detached(request).await?)
    }

    async fn run_detached(self, request: SignInRequest) -> Result<SignInOutcome, AuthError> {
        let auth = self.0.auth();
        let result = detached(async move {
            match auth.passwords().verify_password(&request).await? {
                PasswordResult::Complete(known, methods) => auth
                    .passwords()
                    .finish_sign_in(&request, known, methods)
                    .await
                    .map(SignInOutcome::Complete),
                PasswordResult::NeedsMfa(known) if request.kind == SessionKind::Web => auth
                    .factors()
                    .start_mfa(&known, AuthMethods::of(&[AuthMethod::Password]))
                    .await
                    .map(SignInOutcome::MfaRequired),
                PasswordResult::NeedsMfa(_) => {
                    Err(AuthError::SignIn(SignInError::SecondFactorRequired))
                }
            }
        })
        .await;
        metrics::counter!("strongroom_sign_ins_total", "outcome" => metric_label(&result))
            .increment(1);
        result
    }
}

impl<S: AuthStore> Sessions<'_, S> {
    /// Ends the session with its access tokens, refresh token, cookie and sockets.
    pub async fn sign_out(self, caller: &Caller) -> Result<(), AuthError> {
        let (username, id) = (&caller.account().username, &caller.session().id);
        self.0
            .core
            .store
            .end_session(username, id, self.session_end(caller, EndReason::SignedOut))
            .await?;
        self.0.invalidate(username);
        Ok(())
    }
}

impl<S: AuthStore> Passwords<'_, S> {
    async fn verify_password(self, request: &SignInRequest) -> Result<PasswordResult, AuthError> {
        let name = request.username.as_ref();
        let attempt = Attempt {
            kind: CredentialKind::Password,
            account: name,
            from: &request.from,
        };
        let guard = self.0.throttling().begin_attempt(&attempt).await?;
        let known = match name {
            Some(name) => self.active_credentials(name).await?,
            None => None,
        };
        let priority = if guard.is_familiar() {
            HashPriority::Familiar
        } else {
            HashPriority::Unfamiliar
        };
        let is_correct = self
            .0
            .hasher
            .queued_as(priority)
            .verify_or_dummy(
                &request.password,
                known.as_ref().map(|known| &known.password),
            )
            .await?;
        let Some(Credentials { account, password }) = known.filter(|_| is_correct) else {
            self.0.throttling().failed(guard).await?;
            return Err(AuthError::SignIn(SignInError::InvalidCredentials));
        };
        self.0.throttling().succeeded(guard).await?;
        if account.must_change_password {
            let record = NewAuditEntry::attempt(
                Some(&account.username),
                &request.from,
                AuditAction::SignInFailed,
                self.0.core.clock.now(),
            );
            self.0
                .mail()
                .record(record.with_detail(|detail| detail.reason("reset_required")))
                .await?;
            return Err(AuthError::SignIn(SignInError::PasswordChangeRequired));
        }
        let password = self.rehash_if_outdated(&account, request, password).await;
        self.check_second_factor(request, Credentials { account, password })
            .await
    }

    async fn check_second_factor(
        self,
        request: &SignInRequest,
        known: Credentials,
    ) -> Result<PasswordResult, AuthError> {
        let first = AuthMethods::of(&[AuthMethod::Password]);
        if !self
            .0
            .factors()
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
            .0
            .factors()
            .verify_code(&known.account, code, &request.from)
            .await?
        {
            Some(second) => Ok(PasswordResult::Complete(known, first.with(second))),
            None => Err(AuthError::SignIn(SignInError::SecondFactorInvalid)),
        }
    }

    /// Audits a correct password without a second factor. From a new source it also notifies the
    /// owner by mail, rate-limited, unless the sign-in is completed.
    async fn notify_mfa_pending(self, owner: &Account, from: &Origin) -> Result<(), AuthError> {
        let now = self.0.core.clock.now();
        let is_new = self
            .0
            .core
            .store
            .is_known_source(&owner.username, from)
            .await?
            == SourceFamiliarity::New;
        if is_new {
            self.0.mail.pending_mfa.add(&owner.username, from, now);
        }
        let record = NewAuditEntry::new(
            &Actor::owner(owner).with_origin(from),
            AuditAction::SignInMfaPending,
            now,
        );
        self.0
            .mail()
            .record(record.with_detail(|detail| detail.with("new_device", is_new.then_some(true))))
            .await
    }

    async fn finish_sign_in(
        self,
        request: &SignInRequest,
        known: Credentials,
        methods: AuthMethods,
    ) -> Result<SignedIn, AuthError> {
        let full = NewSession::interactive(request.kind, methods, request.from.clone());
        let new_session = NewSession {
            scopes: request.scopes,
            ..full
        };
        let signed_in = self.0.sessions().start(&known.account, new_session).await?;
        // `None`: the password, the second factors or the security epoch changed during hashing.
        Ok(signed_in.ok_or(SignInError::InvalidCredentials)?)
    }

    pub(crate) async fn active_credentials(
        self,
        username: &Username,
    ) -> Result<Option<Credentials>, AuthError> {
        let known = self.0.core.store.credentials(username).await?;
        Ok(known.filter(|known| known.account.status == AccountStatus::Active))
    }

    /// Replaces an outdated hash by compare-and-swap. A failure keeps the old hash and does not
    /// fail the sign-in.
    async fn rehash_if_outdated(
        self,
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
        let (username, write, now) = (
            &account.username,
            PasswordWrite::Rehash,
            self.0.core.clock.now(),
        );
        let by = Actor::owner(account).with_origin(&request.from);
        match self
            .0
            .core
            .store
            .replace_password(username, &old, new.clone(), write, by, now)
            .await
        {
            Ok(true) => new,
            Ok(false) => old,
            Err(error) => {
                tracing::warn!(%username, %error, "could not store an upgraded password hash");
                old
            }
        }
    }
}

/// For API clients, which send password and code in one request.
fn require_complete(outcome: SignInOutcome) -> Result<SignedIn, AuthError> {
    match outcome {
        SignInOutcome::Complete(signed_in) => Ok(signed_in),
        SignInOutcome::MfaRequired(_) => Err(AuthError::SignIn(SignInError::SecondFactorRequired)),
    }
}

fn metric_label(result: &Result<SignInOutcome, AuthError>) -> &'static str {
    match result {
        Ok(SignInOutcome::Complete(_)) => "signed_in",
        Err(AuthError::SignIn(SignInError::InvalidCredentials)) => "bad_credentials",
        Ok(SignInOutcome::MfaRequired(_))
        | Err(AuthError::SignIn(SignInError::SecondFactorRequired)) => "second_factor_due",
        Err(AuthError::SignIn(SignInError::SecondFactorInvalid)) => "bad_second_factor",
        Err(AuthError::SignIn(SignInError::PasswordChangeRequired)) => "reset_required",
        Err(AuthError::Throttle(ThrottleError::Throttled { .. } | ThrottleError::LockedOut)) => {
            "throttled"
        }
        Err(AuthError::Throttle(ThrottleError::HasherBusy { .. })) => "busy",
        Err(_) => "failed",
    }
}

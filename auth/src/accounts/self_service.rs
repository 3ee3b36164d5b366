//! Account self-service: change the password, list and end sessions.

use std::sync::Arc;

use crate::{
    AuthError, AuthStore, Caller, Origin, Password, Passwords, SecurityNotice, Session, SessionId,
    SessionKind, Sessions, clock,
    error::{AccessError, SignInError, TokenError},
    password::UserInputs,
    password::hashing::HashPriority,
    store::{Credentials, EndReason, PasswordWrite, SessionEnd},
    throttle::{Attempt, CredentialKind},
};

/// The treatment of the other sessions on a password change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OtherSessions {
    End,
    Keep,
}

impl<S: AuthStore> Passwords<'_, S> {
    /// Changes the password. The current password is verified, throttled like a sign-in.
    ///
    /// # Errors
    /// `SignInError::WrongCurrentPassword`, also if the password or the security epoch changed
    /// meanwhile; `AccountError::PasswordRejected`.
    #[expect(
        clippy::too_many_arguments,
        reason = "two passwords that must not be confused, the caller, the policy and the origin"
    )]
    pub async fn change_password(
        self,
        caller: &Caller,
        current: Password,
        new: Password,
        others: OtherSessions,
        from: &Origin,
    ) -> Result<(), AuthError> {
        let known = self.verify_current_password(caller, current, from).await?;
        let new = Arc::new(new);
        let account = caller.account();
        let username = &account.username;
        self.check_new_password(
            &new,
            UserInputs::from_account(account),
            self.factor_context(Some(account)),
            HashPriority::Familiar,
        )
        .await?;
        let hash = self.0.hasher.hash(&new).await?;
        let write = match others {
            OtherSessions::End => PasswordWrite::Change {
                keep: Some(caller.session().id.clone()),
                epoch: account.epoch,
            },
            OtherSessions::Keep => PasswordWrite::ChangeKeepingSessions {
                epoch: account.epoch,
            },
        };
        let (by, now) = (caller.actor().with_origin(from), self.0.core.clock.now());
        let replaced = self
            .0
            .core
            .store
            .replace_password(username, &known.password, hash, write, by, now)
            .await?;
        self.0.invalidate(username);
        if !replaced {
            return Err(AuthError::SignIn(SignInError::WrongCurrentPassword));
        }
        self.0
            .throttling()
            .reset_for_new_secret(username, CredentialKind::Password)
            .await?;
        self.0
            .mail()
            .notify(caller.account(), SecurityNotice::PasswordChanged, from);
        Ok(())
    }

    async fn verify_current_password(
        self,
        caller: &Caller,
        current: Password,
        from: &Origin,
    ) -> Result<Credentials, AuthError> {
        let username = &caller.account().username;
        let attempt = Attempt {
            kind: CredentialKind::Password,
            account: Some(username),
            from,
        };
        let guard = self.0.throttling().begin_attempt(&attempt).await?;
        let known = self
            .0
            .core
            .store
            .credentials(username)
            .await?
            .ok_or(AuthError::Access(AccessError::InvalidToken))?;
        if !self
            .0
            .hasher
            .verify(&Arc::new(current), &known.password)
            .await?
        {
            self.0.throttling().failed(guard).await?;
            return Err(AuthError::SignIn(SignInError::WrongCurrentPassword));
        }
        self.0.throttling().succeeded(guard).await?;
        Ok(known)
    }
}

impl<S: AuthStore> Sessions<'_, S> {
    /// Lists live sessions, most recently active first, without personal tokens.
    pub async fn sessions(self, caller: &Caller) -> Result<Vec<Session>, AuthError> {
        let (username, now) = (&caller.account().username, self.0.core.clock.now());
        let mut sessions = self.0.core.store.sessions_of(username, now).await?;
        for session in &mut sessions {
            self.0.personal_tokens().merge_last_seen(username, session);
        }
        sessions.retain(|session| {
            session.kind != SessionKind::Personal
                && now
                    < clock::add(
                        session.last_seen.min(now),
                        session
                            .persistence
                            .idle_timeout(self.0.core.settings.idle_timeout),
                    )
        });
        sessions.sort_by_key(|session| std::cmp::Reverse(session.last_seen));
        Ok(sessions)
    }

    /// # Errors
    /// `TokenError::NoSuchSession` for an ended session or one of another account.
    pub async fn end_session(self, caller: &Caller, id: &SessionId) -> Result<(), AuthError> {
        let username = &caller.account().username;
        let ended = self
            .0
            .core
            .store
            .end_session(
                username,
                id,
                self.session_end(caller, EndReason::EndedByOwner),
            )
            .await?;
        self.0.invalidate(username);
        if ended {
            Ok(())
        } else {
            Err(AuthError::Token(TokenError::NoSuchSession))
        }
    }

    /// Ends all other sessions, including personal tokens. Returns their number.
    pub async fn end_other_sessions(self, caller: &Caller) -> Result<u64, AuthError> {
        let (username, keep) = (&caller.account().username, Some(&caller.session().id));
        let ended = self
            .0
            .core
            .store
            .end_sessions(
                username,
                keep,
                self.session_end(caller, EndReason::EndedByOwner),
            )
            .await?;
        self.0.invalidate(username);
        Ok(ended)
    }

    /// A session end by the caller, now.
    pub(crate) fn session_end(self, caller: &Caller, reason: EndReason) -> SessionEnd {
        SessionEnd {
            reason,
            by: caller.actor(),
            at: self.0.core.clock.now(),
        }
    }
}

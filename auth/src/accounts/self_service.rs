//! What people do with their own account: change the password, see and end sessions.

use std::sync::Arc;

use crate::{
    Auth, AuthError, AuthStore, Caller, Origin, Password, SecurityNotice, Session, SessionId,
    SessionKind, clock,
    password::UserInputs,
    service::OtherSessions,
    store::{EndReason, PasswordWrite, SessionEnd},
    throttle::{Attempt, CredentialKind},
};

impl<S: AuthStore> Auth<S> {
    /// The current password is asked for again, and guessing it is throttled like signing in.
    ///
    /// # Errors
    /// [`AuthError::WrongCurrentPassword`], also where it was changed or everything thrown out meanwhile;
    /// [`AuthError::PasswordRefused`].
    #[expect(
        clippy::too_many_arguments,
        reason = "two passwords that must not be mixed up, and who, what and whence"
    )]
    pub async fn change_password(
        &self,
        caller: &Caller,
        current: Password,
        new: Password,
        others: OtherSessions,
        from: &Origin,
    ) -> Result<(), AuthError> {
        let username = &caller.account().username;
        let attempt = Attempt {
            kind: CredentialKind::Password,
            account: Some(username),
            from,
        };
        let guard = self.begin_attempt(&attempt).await?;
        let known = self
            .0
            .store
            .credentials(username)
            .await?
            .ok_or(AuthError::InvalidToken)?;
        if !self
            .0
            .hasher
            .verify(&Arc::new(current), &known.password)
            .await?
        {
            self.failed(guard).await?;
            return Err(AuthError::WrongCurrentPassword);
        }
        self.succeeded(guard).await?;
        let new = Arc::new(new);
        let account = caller.account();
        self.check_new_password(
            &new,
            UserInputs::from_account(account),
            self.factor_context(Some(account)),
        )
        .await?;
        let hash = self.0.hasher.hash(&new).await?;
        let why = match others {
            OtherSessions::End => PasswordWrite::Change {
                keep: Some(caller.session().id.clone()),
                epoch: account.epoch,
            },
            OtherSessions::Keep => PasswordWrite::ChangeKeepingSessions {
                epoch: account.epoch,
            },
        };
        let (by, now) = (caller.actor().with_origin(from), self.0.clock.now());
        let replaced = self
            .0
            .store
            .replace_password(username, &known.password, hash, why, by, now)
            .await?;
        self.invalidate(username);
        if !replaced {
            return Err(AuthError::WrongCurrentPassword);
        }
        self.reset_for_new_secret(username, CredentialKind::Password)
            .await?;
        self.notify(caller.account(), SecurityNotice::PasswordChanged, from);
        Ok(())
    }

    /// Live ones, newest sign of life first, without [personal tokens](Self::personal_tokens).
    pub async fn sessions(&self, caller: &Caller) -> Result<Vec<Session>, AuthError> {
        let (username, now) = (&caller.account().username, self.0.clock.now());
        let mut sessions = self.0.store.sessions_of(username, now).await?;
        for session in &mut sessions {
            self.merge_last_seen(username, session);
        }
        sessions.retain(|session| {
            session.kind != SessionKind::Personal
                && now < clock::add(session.last_seen, self.0.settings.idle_timeout)
        });
        sessions.sort_by_key(|session| std::cmp::Reverse(session.last_seen));
        Ok(sessions)
    }

    /// # Errors
    /// [`AuthError::NoSuchSession`] for one that is over or somebody else's.
    pub async fn end_session(&self, caller: &Caller, id: &SessionId) -> Result<(), AuthError> {
        let username = &caller.account().username;
        let ended = self
            .0
            .store
            .end_session(
                username,
                id,
                self.session_end(caller, EndReason::EndedByOwner),
            )
            .await?;
        self.invalidate(username);
        if ended {
            Ok(())
        } else {
            Err(AuthError::NoSuchSession)
        }
    }

    /// Ends personal tokens too. Says how many there were.
    pub async fn end_other_sessions(&self, caller: &Caller) -> Result<u64, AuthError> {
        let (username, keep) = (&caller.account().username, Some(&caller.session().id));
        let ended = self
            .0
            .store
            .end_sessions(
                username,
                keep,
                self.session_end(caller, EndReason::EndedByOwner),
            )
            .await?;
        self.invalidate(username);
        Ok(ended)
    }

    /// As the caller brings it about, now.
    pub(crate) fn session_end(&self, caller: &Caller, reason: EndReason) -> SessionEnd {
        SessionEnd {
            reason: reason,
            by: caller.actor(),
            at: self.0.clock.now(),
        }
    }
}

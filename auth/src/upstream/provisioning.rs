//! Provisioning: creates an account for an unknown identity where the operator allows it.

use std::sync::Arc;

use super::{
    UnknownUsers, callback::VerifiedLogin, identity_of, provider::Provider, user::UpstreamUser,
};
use crate::{
    Actor, AuthError, AuthStore, DisplayName, EmailAddress, NewAccount, Password, PasswordHash,
    SecureRandom, Token, TokenKind, Username,
    error::{AccountError, UpstreamError},
    handles::Upstream,
    session::mfa_challenge::SignInOutcome,
    store::LinkResult,
};

/// Numbered usernames that are tried before a random one.
const MAX_SUFFIX: u32 = 9;

impl<S: AuthStore> Upstream<'_, S> {
    pub(crate) async fn provision_account(
        self,
        provider: &Provider,
        user: &UpstreamUser,
        login: VerifiedLogin,
    ) -> Result<SignInOutcome, AuthError> {
        if provider.unknown_users == UnknownUsers::Reject {
            return Err(AuthError::Upstream(UpstreamError::IdentityNotLinked));
        }
        let (identity, roles) = (
            identity_of(provider, user),
            self.0.accounts().default_roles().await?,
        );
        // Hashed once: a common name must not cost more than a rare one.
        let password = self.unusable_password().await?;
        for username in username_candidates(user, &self.0.core.rng) {
            let new = self.create_provisioned_account(username, user, password.clone());
            let by = Actor::self_registered(&new).with_origin(&login.from);
            match self
                .0
                .core
                .store
                .create_linked_account(new.clone(), roles.clone(), identity.clone(), by)
                .await?
            {
                LinkResult::Linked => {
                    self.0.invalidate(&new.username);
                    let known = self
                        .0
                        .core
                        .store
                        .credentials(&new.username)
                        .await?
                        .ok_or(AuthError::Upstream(UpstreamError::IdentityNotLinked))?;
                    return self
                        .complete_sign_in(&known.account, login)
                        .await
                        .map(SignInOutcome::Complete);
                }
                LinkResult::UsernameTaken => {}
                // A parallel login of the same identity created the account first.
                LinkResult::IdentityTaken => {
                    let identity = self
                        .0
                        .core
                        .store
                        .identity(&identity.issuer, &identity.subject)
                        .await?;
                    return self
                        .sign_in_linked(
                            &identity
                                .ok_or(AuthError::Upstream(UpstreamError::IdentityNotLinked))?,
                            login,
                        )
                        .await;
                }
            }
        }
        Err(AuthError::Account(AccountError::UsernameTaken))
    }

    /// A random password. A reset link sets a real one.
    async fn unusable_password(self) -> Result<PasswordHash, AuthError> {
        let unknown = Token::random(TokenKind::Flow, &self.0.core.rng);
        self.0
            .hasher
            .hash(&Arc::new(Password::new(unknown.expose().to_owned())))
            .await
    }

    fn create_provisioned_account(
        self,
        username: Username,
        user: &UpstreamUser,
        password: PasswordHash,
    ) -> NewAccount {
        let email = user
            .profile
            .email
            .as_deref()
            .and_then(|email| EmailAddress::parse(email).ok());
        NewAccount {
            username,
            display_name: user
                .profile
                .name
                .as_deref()
                .and_then(|name| DisplayName::parse(name).ok()),
            // The provider verified the address. Unverified ones are dropped earlier.
            email_verified: email.is_some(),
            email,
            password,
            administrator: false,
            created_at: self.0.core.clock.now(),
        }
    }
}

/// Candidate usernames: the user's name at the provider, then numbered, then with a random suffix.
/// A taken name is never reused, because it is another user's account.
fn username_candidates(user: &UpstreamUser, rng: &SecureRandom) -> impl Iterator<Item = Username> {
    let mailbox = user
        .profile
        .email
        .as_deref()
        .and_then(|email| email.split('@').next());
    let preferred = user
        .profile
        .username
        .as_deref()
        .or(mailbox)
        .unwrap_or("user");
    let plain: String = preferred
        .chars()
        .map(|c| c.to_ascii_lowercase())
        .filter(|c| c.is_ascii_alphanumeric() || ".-_".contains(*c))
        .take(48)
        .collect();
    let plain = if Username::parse(&plain).is_ok() {
        plain
    } else {
        "user".to_owned()
    };
    let random_name = format!("{plain}-{}", hex::encode(rng.bytes::<4>()));
    let numbered: Vec<_> = (2..=MAX_SUFFIX).map(|n| format!("{plain}{n}")).collect();
    std::iter::once(plain)
        .chain(numbered)
        .chain([random_name])
        .filter_map(|name| Username::parse(&name).ok())
}

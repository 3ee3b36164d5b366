//! People whom a provider knows and we don't: where the operator allows it, they get an account.

use std::sync::Arc;

use super::{Person, Provider, Strangers, arriving::Arriving, identity_of};
use crate::{
    Actor, Auth, AuthError, AuthStore, Chance, DisplayName, EmailAddress, NewAccount, Password,
    PasswordHash, Token, TokenKind, Username, second_step::Step, store::Linked,
};

/// So many names with numbers are tried before one is made up.
const NUMBERED: u32 = 9;

impl<S: AuthStore> Auth<S> {
    pub(super) async fn stranger(
        &self,
        provider: &Provider,
        person: &Person,
        arriving: Arriving,
    ) -> Result<Step, AuthError> {
        if provider.strangers == Strangers::Refuse {
            return Err(AuthError::NotLinked);
        }
        let (identity, roles) = (identity_of(provider, person), self.first_roles().await?);
        // Once: whoever is called like many others costs no more than anybody.
        let password = self.nobody_knows().await?;
        for username in usernames(person, &self.0.chance) {
            let new = self.new_stranger(username, person, password.clone());
            let by = Actor::itself(&new).coming_from(&arriving.from);
            match self
                .0
                .store
                .create_linked(new.clone(), roles.clone(), identity.clone(), by)
                .await?
            {
                Linked::Done => {
                    self.changed(&new.username);
                    let known = self
                        .0
                        .store
                        .credentials(&new.username)
                        .await?
                        .ok_or(AuthError::NotLinked)?;
                    return self
                        .enter(&known.account, arriving)
                        .await
                        .map(Step::SignedIn);
                }
                Linked::NameTaken => {}
                // The same person in another window was quicker, and has an account now.
                Linked::IdentityTaken => {
                    let identity = self
                        .0
                        .store
                        .identity(&identity.issuer, &identity.subject)
                        .await?;
                    return self
                        .known_there(&identity.ok_or(AuthError::NotLinked)?, arriving)
                        .await;
                }
            }
        }
        Err(AuthError::UsernameTaken)
    }

    /// Whoever wants a password sets one by a reset link.
    async fn nobody_knows(&self) -> Result<PasswordHash, AuthError> {
        let unknown = Token::random(TokenKind::Pending, &self.0.chance);
        self.0
            .hasher
            .hash(&Arc::new(Password::new(unknown.expose().to_owned())))
            .await
    }

    fn new_stranger(
        &self,
        username: Username,
        person: &Person,
        password: PasswordHash,
    ) -> NewAccount {
        let email = person
            .email
            .as_deref()
            .and_then(|email| EmailAddress::parse(email).ok());
        NewAccount {
            username,
            display_name: person
                .name
                .as_deref()
                .and_then(|name| DisplayName::parse(name).ok()),
            // By the provider; others are not taken from there.
            email_verified: email.is_some(),
            email,
            password,
            administrator: false,
            created_at: self.0.clock.now(),
        }
    }
}

/// What a new account could be called: as the person is called there, then with numbers, then with chance. Never a name
/// that is taken: that would be somebody else's account.
fn usernames(person: &Person, chance: &Chance) -> impl Iterator<Item = Username> {
    let mail = person
        .email
        .as_deref()
        .and_then(|email| email.split('@').next());
    let wish = person.username.as_deref().or(mail).unwrap_or("user");
    let plain: String = wish
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
    let made_up = format!("{plain}-{}", hex::encode(chance.bytes::<4>()));
    let numbered: Vec<_> = (2..=NUMBERED).map(|n| format!("{plain}{n}")).collect();
    std::iter::once(plain)
        .chain(numbered)
        .chain([made_up])
        .filter_map(|name| Username::parse(&name).ok())
}

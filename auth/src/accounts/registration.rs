//! How accounts come to be: people register, administrators and the console add them, other programs' are imported,
//! and a printed link makes the first administrator.

use std::{
    sync::{Arc, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use subtle::ConstantTimeEq as _;

use crate::{
    Account, AccountStatus, Actor, Auth, AuthError, AuthStore, NewAccount, Origin, PasswordHash,
    RealmId, RealmName, Role, SecurityEpoch, Token, TokenHash, TokenKind,
    access::permit::Administrator,
    clock,
    password::UserInputs,
    service::{ImportedAccount, Registration, RegistrationRequest},
    store::InsertResult,
    throttle::{Attempt, CredentialKind},
};

/// How long the first administrator's link is good.
const SETUP_LIFETIME: Duration = Duration::from_mins(30);
/// Where everybody begins.
const DEFAULT_REALM: &str = "main";

/// The link that was printed last.
pub(crate) struct SetupLink {
    token: TokenHash,
    expires_at: Timestamp,
}

impl<S: AuthStore> Auth<S> {
    /// Without an invitation. An address tries only so often in a while, whatever comes of it.
    ///
    /// # Errors
    /// [`AuthError::RegistrationClosed`], [`AuthError::InviteNeeded`] before anything else is looked at;
    /// [`AuthError::PasswordRefused`]; [`AuthError::UsernameTaken`] for a name that is or was somebody's.
    pub async fn register(
        &self,
        request: RegistrationRequest,
        from: &Origin,
    ) -> Result<Account, AuthError> {
        match self.0.settings.registration {
            Registration::Open => {}
            Registration::Invite => return Err(AuthError::InvitationRequired),
            Registration::Closed => return Err(AuthError::RegistrationClosed),
        }
        let attempt = Attempt {
            kind: CredentialKind::Registration,
            account: None,
            from,
        };
        let guard = self.begin_attempt(&attempt).await?;
        // Whatever comes of it: a name that is taken and a password that is refused are work as well.
        self.count(guard).await?;
        let new = self.prepare_account(request).await?;
        let account = self
            .create_account(new, |new| Actor::self_registered(new).with_origin(from))
            .await?;
        self.send_first_verification(&account, from).await;
        tracing::info!(username = %account.username, address = %from.address, "an account was registered");
        Ok(account)
    }

    /// By an administrator or the operator's console: registration settings do not matter. With `Some`, the new
    /// account is an administrator.
    ///
    /// # Errors
    /// As [`register`](Self::register).
    pub async fn add_account(
        &self,
        request: RegistrationRequest,
        administrator: Option<Administrator>,
    ) -> Result<Account, AuthError> {
        let new = self.prepare_account(request).await?;
        self.create_account(
            NewAccount {
                administrator: administrator.is_some(),
                ..new
            },
            |_| Actor::console(),
        )
        .await
    }

    /// # Errors
    /// [`AuthError::UsernameTaken`]. The password rules do not apply: nobody knows the password.
    pub async fn import_account(&self, account: ImportedAccount) -> Result<Account, AuthError> {
        let new = NewAccount {
            username: account.username,
            display_name: None,
            email: None,
            email_verified: false,
            password: account.password,
            administrator: account.administrator,
            created_at: self.0.clock.now(),
        };
        self.0.hasher.profiles().observe(&new.password);
        self.create_account(new, |_| Actor::console()).await
    }

    /// The token of the one-time link, good for 30 minutes, kept in memory; `None` once there is an administrator.
    /// A new one replaces the one before.
    pub async fn setup_token(&self) -> Result<Option<Token>, AuthError> {
        if self.0.store.has_administrator().await? {
            return Ok(None);
        }
        let token = Token::random(TokenKind::Setup, &self.0.rng);
        let expires_at = clock::add(self.0.clock.now(), SETUP_LIFETIME);
        *self.setup_link() = Some(SetupLink {
            token: token.hash(),
            expires_at,
        });
        Ok(Some(token))
    }

    /// Whether there is nobody yet who administers. Unlike asking for a token, asking this changes nothing.
    pub async fn needs_administrator(&self) -> Result<bool, AuthError> {
        Ok(!self.0.store.has_administrator().await?)
    }

    /// Whether the link is still good, for the page to say so early.
    pub fn is_setup_token_valid(&self, token: &str) -> bool {
        let Some(token) = Token::parse(TokenKind::Setup, token) else {
            return false;
        };
        let now = self.0.clock.now();
        self.setup_link().as_ref().is_some_and(|link| {
            now < link.expires_at
                && bool::from(
                    link.token
                        .as_str()
                        .as_bytes()
                        .ct_eq(token.hash().as_str().as_bytes()),
                )
        })
    }

    /// # Errors
    /// [`AuthError::SetupOver`] for a link that is used or expired, or once there is an administrator. A password or
    /// a name that is refused leaves the link good.
    pub async fn create_first_administrator(
        &self,
        token: &str,
        request: RegistrationRequest,
        from: &Origin,
    ) -> Result<Account, AuthError> {
        if !self.is_setup_token_valid(token) {
            self.penalize(CredentialKind::Setup, from, None).await?;
            return Err(AuthError::SetupLinkInvalid);
        }
        let new = NewAccount {
            administrator: true,
            ..self.prepare_account(request).await?
        };
        // Two who follow the link at once: the store lets one of them in.
        match self
            .0
            .store
            .create_first_administrator(new.clone(), Actor::self_registered(&new).with_origin(from))
            .await?
        {
            Some(InsertResult::Inserted) => {
                *self.setup_link() = None;
                self.invalidate(&new.username);
                Ok(created_account(new))
            }
            Some(InsertResult::Duplicate) => Err(AuthError::UsernameTaken),
            None => Err(AuthError::SetupLinkInvalid),
        }
    }

    pub(crate) async fn prepare_account(
        &self,
        request: RegistrationRequest,
    ) -> Result<NewAccount, AuthError> {
        // The console acts under this name.
        if request.username == Actor::console().username {
            return Err(AuthError::UsernameTaken);
        }
        // It is told in any case: before anything is weighed and hashed for nothing.
        if self.0.store.credentials(&request.username).await?.is_some() {
            return Err(AuthError::UsernameTaken);
        }
        let inputs = UserInputs {
            username: Some(request.username.clone()),
            display_name: request.display_name.clone(),
            email: request.email.clone(),
        };
        let password = Arc::new(request.password);
        self.check_new_password(&password, inputs, self.factor_context(None))
            .await?;
        let password = self.0.hasher.hash(&password).await?;
        Ok(NewAccount {
            username: request.username,
            display_name: request.display_name,
            email: request.email,
            email_verified: false,
            password,
            administrator: false,
            created_at: self.0.clock.now(),
        })
    }

    async fn create_account(
        &self,
        new: NewAccount,
        by: impl FnOnce(&NewAccount) -> Actor,
    ) -> Result<Account, AuthError> {
        let by = by(&new);
        match self
            .0
            .store
            .create_account(new.clone(), self.default_roles().await?, by)
            .await?
        {
            InsertResult::Inserted => {
                self.invalidate(&new.username);
                Ok(created_account(new))
            }
            InsertResult::Duplicate => Err(AuthError::UsernameTaken),
        }
    }

    pub(crate) async fn default_roles(&self) -> Result<Vec<(RealmId, Role)>, AuthError> {
        let (Some(role), Ok(name)) = (
            self.0.settings.default_role,
            RealmName::parse(DEFAULT_REALM),
        ) else {
            return Ok(Vec::new());
        };
        Ok(self
            .realm(&name)
            .await?
            .map(|realm| (realm.id, role))
            .into_iter()
            .collect())
    }

    fn setup_link(&self) -> MutexGuard<'_, Option<SetupLink>> {
        self.0
            .setup_link
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) fn created_account(new: NewAccount) -> Account {
    // Taken apart by name, so that the hash is left behind on purpose.
    let NewAccount {
        username,
        display_name,
        email,
        email_verified,
        password,
        administrator,
        created_at,
    } = new;
    drop::<PasswordHash>(password);
    Account {
        username,
        display_name,
        email,
        email_verified,
        status: AccountStatus::Active,
        administrator,
        created_at,
        must_change_password: false,
        epoch: SecurityEpoch::default(),
    }
}

//! Account creation: self-registration, creation by administrators or the console, import, and the
//! setup link of the first administrator.

use std::{
    sync::{Arc, MutexGuard, PoisonError},
    time::Duration,
};

use subtle::ConstantTimeEq as _;

use crate::{
    Account, AccountStatus, Actor, AuthError, AuthStore, DisplayName, EmailAddress, NewAccount,
    Origin, Password, PasswordHash, RealmId, RealmName, Role, SecurityEpoch, Token, TokenKind,
    Username,
    access::permit::Administrator,
    accounts::setup_link::SetupLink,
    clock,
    error::AccountError,
    handles::Accounts,
    password::UserInputs,
    password::hashing::HashPriority,
    settings::Registration,
    store::InsertResult,
    throttle::{Attempt, CredentialKind},
};

/// The input of a registration. It contains no rights, which the server decides.
#[derive(Debug)]
pub struct RegistrationRequest {
    pub username: Username,
    pub display_name: Option<DisplayName>,
    pub email: Option<EmailAddress>,
    pub password: Password,
}

impl RegistrationRequest {
    /// A request with only the required fields.
    #[must_use]
    pub fn new(username: Username, password: Password) -> Self {
        Self {
            username,
            display_name: None,
            email: None,
            password,
        }
    }
}

/// An account imported from another program.
#[derive(Debug)]
pub struct ImportedAccount {
    pub username: Username,
    pub password: PasswordHash,
    pub administrator: bool,
}

/// Lifetime of the setup link.
const SETUP_LIFETIME: Duration = Duration::from_mins(30);
/// The realm in which new accounts get the default role.
const DEFAULT_REALM: &str = "main";

impl<'a, S: AuthStore> Accounts<'a, S> {
    /// Registers without an invitation. Rate-limited per address, regardless of the result.
    ///
    /// # Errors
    /// `AccountError::RegistrationClosed` and `AccountError::InvitationRequired` before any other
    /// check; `AccountError::PasswordRejected`; `AccountError::UsernameTaken` for a name that is or
    /// was in use.
    pub async fn register(
        self,
        request: RegistrationRequest,
        from: &Origin,
    ) -> Result<Account, AuthError> {
        match self.0.core.settings.registration {
            Registration::Open => {}
            Registration::Invite => {
                return Err(AuthError::Account(AccountError::InvitationRequired));
            }
            Registration::Closed => {
                return Err(AuthError::Account(AccountError::RegistrationClosed));
            }
        }
        let attempt = Attempt {
            kind: CredentialKind::Registration,
            account: None,
            from,
        };
        let guard = self.0.throttling().begin_attempt(&attempt).await?;
        // Failures count too: a taken name and a rejected password also cost work.
        self.0.throttling().count(guard).await?;
        let new = self.prepare_account(request).await?;
        let account = self
            .create_account(new, |new| Actor::self_registered(new).with_origin(from))
            .await?;
        self.send_first_verification(&account, from).await;
        tracing::info!(username = %account.username, address = %from.address, "account registered");
        Ok(account)
    }

    /// Creates an account for an administrator or the console, regardless of the registration
    /// settings. With `Some`, the new account is an administrator.
    ///
    /// # Errors
    /// As [`register`](Self::register).
    pub async fn add_account(
        self,
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
    /// `AccountError::UsernameTaken`. The password rules do not apply: only the hash is known.
    pub async fn import_account(self, account: ImportedAccount) -> Result<Account, AuthError> {
        let new = NewAccount {
            username: account.username,
            display_name: None,
            email: None,
            email_verified: false,
            password: account.password,
            administrator: account.administrator,
            created_at: self.0.core.clock.now(),
        };
        self.0.hasher.profiles().observe(&new.password);
        self.create_account(new, |_| Actor::console()).await
    }

    /// Creates the token of the setup link, valid for 30 minutes and kept in memory. It replaces an
    /// earlier one. Returns `None` once there is an administrator.
    pub async fn setup_token(self) -> Result<Option<Token>, AuthError> {
        if self.0.core.store.has_administrator().await? {
            return Ok(None);
        }
        let token = Token::random(TokenKind::Setup, &self.0.core.rng);
        let expires_at = clock::add(self.0.core.clock.now(), SETUP_LIFETIME);
        *self.setup_link() = Some(SetupLink {
            token: token.hash(),
            expires_at,
        });
        Ok(Some(token))
    }

    /// Whether the installation has no administrator. Unlike `setup_token`, this creates no link.
    pub async fn needs_administrator(self) -> Result<bool, AuthError> {
        Ok(!self.0.core.store.has_administrator().await?)
    }

    /// Whether the link is valid, so that the page can report an invalid one early.
    pub fn is_setup_token_valid(self, token: &str) -> bool {
        let Some(token) = Token::parse(TokenKind::Setup, token) else {
            return false;
        };
        let now = self.0.core.clock.now();
        self.setup_link().as_ref().is_some_and(|link| {
            clock::is_within(
                clock::sub(link.expires_at, SETUP_LIFETIME),
                SETUP_LIFETIME,
                now,
            ) && bool::from(
                link.token
                    .as_str()
                    .as_bytes()
                    .ct_eq(token.hash().as_str().as_bytes()),
            )
        })
    }

    /// # Errors
    /// `AccountError::SetupLinkInvalid` for a used or expired link, or once there is an
    /// administrator. A rejected password or name leaves the link valid.
    pub async fn create_first_administrator(
        self,
        token: &str,
        request: RegistrationRequest,
        from: &Origin,
    ) -> Result<Account, AuthError> {
        if !self.is_setup_token_valid(token) {
            self.0
                .throttling()
                .penalize(CredentialKind::Setup, from, None)
                .await?;
            return Err(AuthError::Account(AccountError::SetupLinkInvalid));
        }
        let new = NewAccount {
            administrator: true,
            ..self.0.accounts().prepare_account(request).await?
        };
        // The store accepts only one of several concurrent uses of the link.
        match self
            .0
            .core
            .store
            .create_first_administrator(new.clone(), Actor::self_registered(&new).with_origin(from))
            .await?
        {
            Some(InsertResult::Inserted) => {
                *self.setup_link() = None;
                self.0.invalidate(&new.username);
                Ok(created_account(new))
            }
            Some(InsertResult::Duplicate) => Err(AuthError::Account(AccountError::UsernameTaken)),
            None => Err(AuthError::Account(AccountError::SetupLinkInvalid)),
        }
    }

    pub(crate) async fn prepare_account(
        self,
        request: RegistrationRequest,
    ) -> Result<NewAccount, AuthError> {
        // Reserved for the console.
        if request.username == Actor::console().username {
            return Err(AuthError::Account(AccountError::UsernameTaken));
        }
        // Before the costly checks: the answer reveals a taken name in any case.
        if self
            .0
            .core
            .store
            .credentials(&request.username)
            .await?
            .is_some()
        {
            return Err(AuthError::Account(AccountError::UsernameTaken));
        }
        let inputs = UserInputs {
            username: Some(request.username.clone()),
            display_name: request.display_name.clone(),
            email: request.email.clone(),
        };
        let password = Arc::new(request.password);
        self.0
            .passwords()
            .check_new_password(
                &password,
                inputs,
                self.0.passwords().factor_context(None),
                HashPriority::Unfamiliar,
            )
            .await?;
        let hasher = self.0.hasher.queued_as(HashPriority::Unfamiliar);
        let password = hasher.hash(&password).await?;
        Ok(NewAccount {
            username: request.username,
            display_name: request.display_name,
            email: request.email,
            email_verified: false,
            password,
            administrator: false,
            created_at: self.0.core.clock.now(),
        })
    }

    async fn create_account(
        self,
        new: NewAccount,
        by: impl FnOnce(&NewAccount) -> Actor,
    ) -> Result<Account, AuthError> {
        let by = by(&new);
        match self
            .0
            .core
            .store
            .create_account(new.clone(), self.default_roles().await?, by)
            .await?
        {
            InsertResult::Inserted => {
                self.0.invalidate(&new.username);
                Ok(created_account(new))
            }
            InsertResult::Duplicate => Err(AuthError::Account(AccountError::UsernameTaken)),
        }
    }

    pub(crate) async fn default_roles(self) -> Result<Vec<(RealmId, Role)>, AuthError> {
        let (Some(role), Ok(name)) = (
            self.0.core.settings.default_role,
            RealmName::parse(DEFAULT_REALM),
        ) else {
            return Ok(Vec::new());
        };
        Ok(self
            .0
            .sessions()
            .realm(&name)
            .await?
            .map(|realm| (realm.id, role))
            .into_iter()
            .collect())
    }

    fn setup_link(self) -> MutexGuard<'a, Option<SetupLink>> {
        self.0
            .setup_link
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) fn created_account(new: NewAccount) -> Account {
    // Destructured by name, so that dropping the hash is explicit.
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

//! `strongroom user reset`: prints a link that sets a new password, once.

use auth::{AccountChange, AccountStatus, Username};
use secrecy::ExposeSecret as _;
use server::{Config, state::Auth};

use crate::console::operator_permit;

/// Option of `user reset`: the current password is rejected at once.
pub(super) struct RejectCurrentPassword;

pub(super) async fn reset(
    auth: &Auth,
    config: &Config,
    name: &str,
    required: Option<RejectCurrentPassword>,
) -> anyhow::Result<()> {
    let username = Username::parse(name)?;
    // Check before the first change.
    if auth
        .admin()
        .member(&operator_permit(), &username)
        .await?
        .account
        .status
        != AccountStatus::Active
    {
        return Err(auth::AuthError::Account(auth::error::AccountError::AccountDisabled).into());
    }
    if required.is_some() {
        let change = AccountChange {
            must_change_password: Some(true),
            ..AccountChange::default()
        };
        auth.admin()
            .change_account(&operator_permit(), &username, change)
            .await?;
        out!("{username} is signed out everywhere, and the current password is rejected.");
    }
    let made = auth
        .passwords()
        .reset_link(&operator_permit(), &username)
        .await?;
    out!(
        "Give this link to {username}. It sets a new password, once, until {}:",
        made.expires_at.strftime("%H:%M UTC")
    );
    out!("  {}", made.link.expose_secret());
    super::warn_if_url_is_guessed(config);
    Ok(())
}

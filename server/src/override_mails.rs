//! Mails the holder of a lock that another user has broken. The store keeps what is not claimed yet,
//! so a restart goes on with it. A claim comes before its mail, so no holder gets two mails; a crash in
//! between loses the mail, and the notice on the holder's pages stays.

use std::time::Duration;

use auth::{AuthError, HostNotice, Realm};
use tokio::sync::broadcast::error::RecvError;
use vault::{LockOverride, VaultStore as _};

use crate::state::{Auth, Store, Vault};

/// For overrides of a process that ended before it mailed them.
const SWEEP_INTERVAL: Duration = Duration::from_mins(10);

/// Runs until the vault service ends.
pub(crate) async fn run(auth: Auth, vault: Vault, store: Store) {
    let mut overridden = vault.subscribe_overridden();
    let mut sweep = tokio::time::interval(SWEEP_INTERVAL);
    loop {
        tokio::select! {
            _ = sweep.tick() => {}
            holder = overridden.recv() => if matches!(holder, Err(RecvError::Closed)) {
                return;
            }
        }
        if let Err(error) = mail_pending(&auth, &store).await {
            tracing::warn!(%error, "notices of overridden locks were not mailed");
        }
    }
}

async fn mail_pending(auth: &Auth, store: &Store) -> Result<(), AuthError> {
    loop {
        let pending = store.claim_override_mails(auth.now()).await?;
        if pending.is_empty() {
            return Ok(());
        }
        let vaults = store.vaults().await?;
        for notice in pending {
            let Some(vault) = vaults.iter().find(|vault| vault.id == notice.vault) else {
                continue;
            };
            // The others of the batch are claimed too.
            if let Err(error) = mail_one(auth, vault, notice).await {
                tracing::warn!(%error, "a notice of an overridden lock was not mailed");
            }
        }
    }
}

async fn mail_one(auth: &Auth, vault: &Realm, notice: LockOverride) -> Result<(), AuthError> {
    let event = HostNotice {
        realm: vault.name.clone(),
        subject: Some(notice.name.to_string()),
        by: notice.by,
        reason: Some(notice.reason.to_string()),
        at: notice.at,
    };
    auth.mail()
        .notify_of_host_event(&notice.holder, event)
        .await
}

//! Accounts, roles, passwords, administrators.

mod creation;
mod deletion;
mod listing;
mod passwords;
mod status;

use auth::{
    AccountChange, AccountStatus, AuthStore as _, SessionId, SessionKind, store::AccountQuery,
};
use store::{Store, testing::TestDatabase};

use crate::builders::{signed_in_with, user};

fn status_change(status: AccountStatus) -> AccountChange {
    AccountChange {
        status: Some(status),
        ..AccountChange::default()
    }
}

/// The secrets of the sessions begin with `prefix`.
async fn one_session_of_each_kind(store: &Store, name: &str, prefix: &str) -> Vec<SessionId> {
    let mut ids = Vec::new();
    for (secret, kind) in [
        ("tokens", SessionKind::OAuth),
        ("web", SessionKind::Web),
        ("personal", SessionKind::Personal),
    ] {
        ids.push(signed_in_with(store, name, &format!("{prefix}{secret}"), kind).await);
    }
    ids
}

async fn list_usernames(
    db: &TestDatabase,
    search: Option<&str>,
    after: Option<&str>,
) -> Vec<String> {
    let query = AccountQuery {
        search: search.map(str::to_owned),
        after: after.map(user),
        limit: 2,
        filter: None,
    };
    let members = db.store.members(query).await.unwrap();
    members
        .iter()
        .map(|member| member.account.username.to_string())
        .collect()
}

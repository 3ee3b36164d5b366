//! The audit log: of the accounts, of a vault, and of the caller.

pub mod list;
pub mod of_one_vault;
pub mod own;

use auth::audit::{AuditCursor, AuditEntry, AuditQuery, Chain};
use http::{HeaderMap, Uri};
use jiff::Timestamp;
use serde::Deserialize;
use vault::VaultStore;
use wire::{AuditActor, AuditOrigin};

use crate::{api::paging, error::Problem, state::Store};

#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AuditListQuery {
    /// The exact username of the actor.
    actor: Option<String>,
    /// The exact subject: a username, a group or a filename.
    subject: Option<String>,
    /// An action such as `role.changed`, or its prefix up to a dot such as `factor`.
    action: Option<String>,
    /// RFC 3339. Entries at or after this time.
    #[param(value_type = Option<String>, format = DateTime)]
    since: Option<Timestamp>,
    /// RFC 3339. Entries before this time.
    #[param(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// The cursor from the `Link` header of the previous page.
    after: Option<i64>,
}

impl AuditListQuery {
    /// From the members of the page's form: actor, subject, action.
    pub(crate) fn from_form(
        [actor, subject, action]: [&str; 3],
        since: Option<Timestamp>,
        until: Option<Timestamp>,
        after: Option<i64>,
    ) -> Self {
        let trimmed = |text: &str| Some(text.trim().to_owned());
        Self {
            actor: trimmed(actor),
            subject: trimmed(subject),
            action: trimmed(action),
            since,
            until,
            limit: None,
            after,
        }
    }

    /// Reads one entry more than a page, which shows whether a next page exists.
    pub(crate) fn to_audit_query(&self, chain: Chain) -> Result<(AuditQuery, usize), Problem> {
        let limit = paging::parse_limit(self.limit)?;
        let non_empty = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
        let query = AuditQuery {
            actor: non_empty(&self.actor),
            subject: non_empty(&self.subject),
            action: non_empty(&self.action),
            since: self.since,
            until: self.until,
            cursor: AuditCursor::Before(self.after.unwrap_or(i64::MAX)),
            ..AuditQuery::newest(chain, limit + 1)
        };
        Ok((query, limit as usize))
    }
}

/// One page of entries, with the `Link` header of the next page.
pub(crate) fn page(
    uri: &Uri,
    mut entries: Vec<AuditEntry>,
    limit: usize,
) -> (HeaderMap, Vec<AuditEntry>) {
    let more = entries.len() > limit;
    entries.truncate(limit);
    let last = entries.last().filter(|_| more);
    (
        last.map_or_else(HeaderMap::new, |last| {
            paging::next_link(uri, &last.seq.to_string())
        }),
        entries,
    )
}

/// The wire form of entries, with the names of vaults beside their ids.
pub async fn wire_entries(
    store: &Store,
    entries: Vec<AuditEntry>,
) -> Result<Vec<wire::AuditEntry>, Problem> {
    let vaults = store.vaults().await.map_err(vault::VaultError::Store)?;
    let name = |id: &str| {
        vaults
            .iter()
            .find(|vault| vault.id.as_str() == id)
            .map(|vault| vault.name.to_string())
    };
    Ok(entries
        .into_iter()
        .map(|entry| {
            let realm = entry
                .detail
                .facts
                .get("realm")
                .and_then(|realm| realm.as_str())
                .and_then(name);
            wire::AuditEntry {
                vault: name(&entry.chain).or(realm),
                ..wire_entry(entry)
            }
        })
        .collect())
}

/// The wire form of one entry, without the name of a vault.
#[must_use]
pub fn wire_entry(entry: AuditEntry) -> wire::AuditEntry {
    let AuditEntry {
        chain,
        seq: n,
        at,
        actor,
        action,
        subject,
        detail,
        hash,
        prev_hash,
    } = entry;
    wire::AuditEntry {
        chain,
        vault: None,
        n,
        at,
        actor,
        action,
        subject,
        by: detail.for_actor.map(|by| AuditActor {
            kind: by.kind,
            session: by.session,
            label: by.label,
        }),
        from: detail.from.map(|from| AuditOrigin {
            address: from.address,
            user_agent: from.user_agent,
        }),
        before: detail.before,
        after: detail.after,
        reason: detail.reason,
        facts: detail.facts,
        hash,
        prev_hash,
    }
}

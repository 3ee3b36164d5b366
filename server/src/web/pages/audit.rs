//! `GET /admin/audit`, `GET /v/{vault}/audit`

use askama::Template;
use auth::{
    Caller, Permitted,
    audit::{
        AuditEntry, AuditQuery, Chain,
        query::{ReadAudit, ReadRealmAudit},
    },
};
use axum::{
    extract::{OriginalUri, State},
    response::Response,
};
use http::{HeaderMap, StatusCode, header};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde::Deserialize;
use wire::SessionInfo;

use crate::{
    api::audit::{self, AuditListQuery, list::AuditFilterQuery},
    error::Problem,
    extract::Query,
    state::AppState,
    web::{
        Shell,
        activity::ActivityEntry,
        format,
        pages::{send, shell},
    },
};

/// `GET /admin/audit`, and `GET /v/{vault}/audit` for the vault's managers. The handler supplies a
/// page of `GET /api/audit` or `GET /api/vaults/{vault}/audit` under the same filters, and the
/// address of the next.
#[derive(Debug, Template)]
#[template(path = "audit.html")]
pub struct AuditPage {
    /// Names a vault on the activity page of that vault.
    pub shell: Shell,
    /// The target of the filter form.
    pub url: String,
    pub vault: String,
    pub actor: String,
    pub subject: String,
    pub action: String,
    pub address: String,
    pub since: String,
    pub until: String,
    pub activity: Vec<ActivityEntry>,
    pub next: Option<String>,
}

impl AuditPage {
    /// The vault, on the activity page of a vault.
    pub fn of_vault(&self) -> Option<&str> {
        self.shell.vault.as_deref()
    }

    /// All actions of the chosen log: of accounts or of files.
    pub fn actions(&self) -> Vec<&'static str> {
        const OF_FILES: [&str; 9] = [
            "file.add",
            "file.cancel",
            "file.checkin",
            "file.checkout",
            "file.delete",
            "file.describe",
            "file.move",
            "file.override",
            "file.restore",
        ];
        if self.vault.is_empty() && self.of_vault().is_none() {
            auth::audit::AuditAction::ALL
                .iter()
                .map(|action| action.as_str())
                .collect()
        } else {
            OF_FILES.to_vec()
        }
    }

    pub fn is_vault(&self, name: &str) -> bool {
        self.vault == name
    }
}

/// `GET /account/security`. The handler supplies a page of `GET /auth/audit`, and how many sessions
/// are live.
#[derive(Debug, Template)]
#[template(path = "security.html")]
pub struct SecurityPage {
    pub shell: Shell,
    pub activity: Vec<ActivityEntry>,
    pub sessions: Vec<SessionInfo>,
    pub next: Option<String>,
}

impl SecurityPage {
    /// The number of alerts on this page.
    pub fn alert_count(&self) -> usize {
        self.activity
            .iter()
            .filter(|entry| entry.badge.is_some_and(|badge| badge.is_alert))
            .count()
    }

    pub fn time(&self, at: &Timestamp) -> String {
        format::time(at)
    }

    pub fn current(&self) -> Option<&SessionInfo> {
        self.sessions.iter().find(|session| session.current)
    }
}

/// The filter fields as entered. An empty field does not filter.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct AuditForm {
    #[serde(default)]
    vault: String,
    #[serde(default)]
    actor: String,
    #[serde(default)]
    subject: String,
    #[serde(default)]
    action: String,
    #[serde(default)]
    address: String,
    /// Days, in UTC.
    #[serde(default)]
    since: String,
    #[serde(default)]
    until: String,
    after: Option<i64>,
}

impl AuditForm {
    fn to_query(&self) -> AuditListQuery {
        let filters = [&*self.actor, &*self.subject, &*self.action];
        AuditListQuery::from_form(
            filters,
            parse_day(&self.since, 0),
            parse_day(&self.until, 1),
            self.after,
        )
    }
}

pub(crate) async fn page(
    Permitted(permit): Permitted<ReadAudit>,
    caller: Caller,
    State(state): State<AppState>,
    OriginalUri(uri): OriginalUri,
    Query(form): Query<AuditForm>,
) -> Result<Response, Problem> {
    let filter = AuditFilterQuery {
        vault: Some(form.vault.clone()),
        address: form.address.trim().parse().ok(),
    };
    let (query, limit) = form
        .to_query()
        .to_audit_query(audit::list::parse_chain(&state.auth, &filter).await?)?;
    let query = AuditQuery {
        address: filter.address,
        ..query
    };
    let page_of_entries = audit::page(&uri, state.auth.admin().audit(&permit, query).await?, limit);
    render(&state, &caller, form, None, page_of_entries).await
}

/// The activity of one vault, for its managers.
pub(crate) async fn of_vault(
    Permitted(permit): Permitted<ReadRealmAudit>,
    caller: Caller,
    State(state): State<AppState>,
    OriginalUri(uri): OriginalUri,
    Query(form): Query<AuditForm>,
) -> Result<Response, Problem> {
    let (query, limit) = form
        .to_query()
        .to_audit_query(Chain::Realm(permit.realm().id.clone()))?;
    let page_of_entries = audit::page(
        &uri,
        state
            .auth
            .admin()
            .realm_audit(&permit, &caller, query)
            .await?,
        limit,
    );
    render(
        &state,
        &caller,
        form,
        Some(permit.realm().name.as_str()),
        page_of_entries,
    )
    .await
}

async fn render(
    state: &AppState,
    caller: &Caller,
    form: AuditForm,
    vault_name: Option<&str>,
    (headers, entries): (HeaderMap, Vec<AuditEntry>),
) -> Result<Response, Problem> {
    let shell = shell(&state.auth, &state.store, caller, vault_name).await?;
    let viewer = caller.account().username.as_str();
    let entries = audit::wire_entries(&state.store, entries).await?;
    let activity = ActivityEntry::describe_all(entries, viewer);
    let AuditForm {
        vault,
        actor,
        subject,
        action,
        address,
        since,
        until,
        ..
    } = form;
    let (url, next) = (
        vault_name.map_or_else(
            || "/admin/audit".to_owned(),
            |vault_name| format!("/v/{vault_name}/audit"),
        ),
        next_link(&headers),
    );
    send(
        StatusCode::OK,
        &AuditPage {
            shell,
            url,
            vault,
            actor,
            subject,
            action,
            address,
            since,
            until,
            activity,
            next,
        },
    )
}

/// The start of the entered day plus `later` days. Invalid input does not filter.
fn parse_day(text: &str, days: i64) -> Option<Timestamp> {
    let day: Date = text.trim().parse().ok()?;
    let day = day
        .checked_add(jiff::Span::new().try_days(days).ok()?)
        .ok()?;
    Some(day.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

/// The URL in a `Link` header.
pub(crate) fn next_link(headers: &HeaderMap) -> Option<String> {
    let link = headers.get(header::LINK)?.to_str().ok()?;
    Some(link.strip_prefix('<')?.split_once('>')?.0.to_owned())
}

//! `GET /admin/audit`

use auth::{Caller, Permitted, auditing::SeeAudit};
use axum::{
    extract::{OriginalUri, State},
    response::Response,
};
use http::{HeaderMap, StatusCode, header};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde::Deserialize;

use super::{send, shell};
use crate::{
    api::audit::{self, Asked, all::Which},
    error::Problem,
    extract::Query,
    state::AppState,
    web::{AuditPage, Happening},
};

/// The form's fields, as they were typed: a field that is empty asks for nothing.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Form {
    #[serde(default)]
    vault: String,
    #[serde(default)]
    actor: String,
    #[serde(default)]
    subject: String,
    #[serde(default)]
    action: String,
    /// Days, in UTC.
    #[serde(default)]
    since: String,
    #[serde(default)]
    until: String,
    after: Option<i64>,
}

pub(crate) async fn page(
    Permitted(permit): Permitted<SeeAudit>,
    caller: Caller,
    State(state): State<AppState>,
    OriginalUri(uri): OriginalUri,
    Query(form): Query<Form>,
) -> Result<Response, Problem> {
    let shell = shell(&state.auth, &caller, None).await?;
    let asked =
        Asked::typed([&form.actor, &form.subject, &form.action], day(&form.since, 0), day(&form.until, 1), form.after);
    let which = Which { vault: Some(form.vault.clone()) };
    let (query, limit) = asked.query(audit::all::chain(&state.auth, &which).await?)?;
    let (headers, entries) = audit::page(&uri, state.auth.audit(&permit, query).await?, limit);
    let viewer = caller.account().username.as_str();
    let entries = audit::shapes(&state.store, entries).await?;
    let happenings = entries.into_iter().map(|entry| Happening::told(entry, viewer)).collect();
    let Form { vault, actor, subject, action, since, until, .. } = form;
    let next = next(&headers);
    send(StatusCode::OK, &AuditPage { shell, vault, actor, subject, action, since, until, happenings, next })
}

/// The beginning of the day that is so many days after the one that was typed; nonsense asks for nothing.
fn day(typed: &str, later: i64) -> Option<Timestamp> {
    let day: Date = typed.trim().parse().ok()?;
    let day = day.checked_add(jiff::Span::new().try_days(later).ok()?).ok()?;
    Some(day.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

/// The address in a `Link`.
pub(crate) fn next(headers: &HeaderMap) -> Option<String> {
    let link = headers.get(header::LINK)?.to_str().ok()?;
    Some(link.strip_prefix('<')?.split_once('>')?.0.to_owned())
}

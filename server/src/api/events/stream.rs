//! `GET /api/events`

use axum::response::Response;

use super::{EventsQuery, OriginCheck, PermittedStream};
use crate::{
    error::Problem,
    extract::Query,
    live::{self, VaultViewer},
};

/// Stream the live events of a vault as server-sent events.
///
/// Each `data:` line is an `Event`. `Last-Event-ID` resumes without a gap. A client too far behind
/// gets `{"event":"resync"}`.
#[utoipa::path(get, path = "/api/vaults/{vault}/events", tag = "Events",
    params(("vault" = String, Path), EventsQuery, ("Last-Event-ID" = Option<String>, Header)),
    responses((status = 200, description = "The event stream.", body = wire::Event, content_type = "text/event-stream")))]
pub async fn handle(
    PermittedStream { caller, permit }: PermittedStream,
    Query(query): Query<EventsQuery>,
    own: OriginCheck,
) -> Result<Response, Problem> {
    live::check_stream_origin(&caller, &own.parts.headers, |origin| own.is_own(origin))
        .inspect_err(|error| own.audit_denial(&caller, error))?;
    let (auth, hub) = (own.state.auth.clone(), own.state.hub.clone());
    let slot = own.open_stream(&caller)?;
    let viewer = VaultViewer::new(auth, caller, &permit, slot);
    Ok(live::events(&own.parts.headers, hub, viewer, query.since)
        .await
        .map_err(auth::AuthError::Store)?)
}

//! `GET /api/events`

use axum::response::Response;

use super::{Asked, OwnOrigin, Watching};
use crate::{
    error::Problem,
    extract::Query,
    live::{self, Viewer},
};

/// Stream the live events of a vault as server-sent events.
///
/// Each `data:` line is an `Event`. `Last-Event-ID` resumes without a gap. A client too far behind gets
/// `{"event":"resync"}`.
#[utoipa::path(get, path = "/api/vaults/{vault}/events", tag = "Events",
    params(("vault" = String, Path), Asked, ("Last-Event-ID" = Option<String>, Header)),
    responses((status = 200, description = "The event stream.", body = String, content_type = "text/event-stream")))]
pub async fn handle(
    Watching { caller, permit }: Watching,
    Query(asked): Query<Asked>,
    own: OwnOrigin,
) -> Result<Response, Problem> {
    live::refuse_foreign_stream(&caller, &own.parts.headers, |origin| own.is(origin))
        .inspect_err(|why| own.note_refusal(&caller, why))?;
    let (auth, hub) = (own.state.auth.clone(), own.state.hub.clone());
    let viewer = Viewer::new(auth, caller, &permit);
    Ok(live::events(&own.parts.headers, hub, viewer, asked.since)
        .await
        .map_err(auth::AuthError::Store)?)
}

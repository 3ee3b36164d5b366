//! `GET /ws`

use axum::{
    extract::{State, WebSocketUpgrade, ws::rejection::WebSocketUpgradeRejection},
    response::Response,
};

use super::{Asked, OwnOrigin, Watching};
use crate::{
    error::Problem,
    extract::Query,
    live::{self, Hub, Viewer},
    state::Auth,
};

/// The events of one vault (`?vault=`, `main` unless said) as a WebSocket.
pub async fn handle(
    Watching { caller, permit }: Watching,
    State(auth): State<Auth>,
    State(hub): State<Hub>,
    Query(asked): Query<Asked>,
    own: OwnOrigin,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    live::refuse_foreign_socket(&caller, &own.parts.headers, |origin| own.is(origin))?;
    let upgrade = upgrade.map_err(|_| Problem::NotASocket)?;
    let viewer = Viewer::new(auth, caller, &permit);
    Ok(live::ws(upgrade, hub, viewer, asked.since).await.map_err(auth::AuthError::Store)?)
}

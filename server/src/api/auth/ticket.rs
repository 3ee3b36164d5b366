//! `POST /auth/ws-ticket`

use auth::Caller;
use axum::{Json, extract::State};
use wire::Ticket;

use crate::state::Auth;

/// A ticket for `/ws` or `/api/events`, for clients that cannot send headers there. Once, within 30 seconds.
#[utoipa::path(post, path = "/auth/ws-ticket", tag = "Events",
    responses((status = 200, description = "Use it as `?ticket=`.", body = Ticket)))]
pub async fn handle(caller: Caller, State(auth): State<Auth>) -> Json<Ticket> {
    Json(Ticket {
        ticket: auth.issue_ticket(&caller).expose().to_owned(),
        expires_in: 30,
    })
}

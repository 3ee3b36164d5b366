//! `POST /auth/ws-ticket`

use auth::Caller;
use axum::{Json, extract::State};
use wire::Ticket;

use crate::state::Auth;

/// Issue a ticket for `/ws` or `/api/events`.
///
/// It is for clients that cannot send headers there. It works once, within 30 seconds.
#[utoipa::path(post, path = "/auth/ws-ticket", tag = "Events",
    responses((status = 200, description = "The ticket, for the query parameter `ticket`.", body = Ticket)))]
pub async fn handle(caller: Caller, State(auth): State<Auth>) -> Json<Ticket> {
    Json(Ticket {
        ticket: auth.sessions().issue_ticket(&caller).expose().to_owned(),
        expires_in: 30,
    })
}

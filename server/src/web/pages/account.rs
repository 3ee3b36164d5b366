//! `GET /account`

use std::sync::Arc;

use askama::Template;
use auth::{AnySession, Interactive};
use axum::{Json, extract::State, response::Response};
use http::StatusCode;
use jiff::Timestamp;
use wire::{Me, SessionInfo};

use crate::{
    api::auth::{me, sessions},
    error::Problem,
    state::{Auth, SiteInfo, Store},
    web::{
        Shell, device, format,
        pages::{send, shell},
    },
};

/// `GET /account`. The handler supplies the answers of `GET /auth/me` and `GET /auth/sessions`.
#[derive(Debug, Template)]
#[template(path = "account.html")]
pub struct AccountPage {
    pub shell: Shell,
    pub me: Me,
    pub sessions: Vec<SessionInfo>,
    /// Minimum length of a password, in characters.
    pub min_length: usize,
    /// Whether the installation sends e-mail.
    pub sends_mail: bool,
}

impl AccountPage {
    pub fn time(&self, at: &Timestamp) -> String {
        format::time(at)
    }

    /// The authentication methods of a session, in words.
    pub fn sign_in_methods(&self, session: &SessionInfo) -> String {
        let word = |method: &String| match method.as_str() {
            "pwd" => "password",
            "otp" => "one-time code",
            "recovery" => "recovery code",
            "pop" => "passkey",
            "upstream" => "a provider",
            _ => "",
        };
        let words: Vec<&str> = session
            .methods
            .iter()
            .map(word)
            .filter(|word| !word.is_empty())
            .collect();
        words.join(" and ")
    }

    /// `Firefox on Linux`, short enough to recognise a device. The `title` attribute has the whole
    /// header.
    pub fn device_label(&self, session: &SessionInfo) -> String {
        if let Some(label) = &session.label {
            return label.clone();
        }
        let Some(agent) = session.user_agent.as_deref() else {
            return "Unknown program".to_owned();
        };
        device::browser_label(agent).unwrap_or_else(|| agent.chars().take(60).collect())
    }
}

pub(crate) async fn page(
    Interactive(caller): Interactive,
    State(auth): State<Auth>,
    State(store): State<Store>,
    State(site): State<Arc<SiteInfo>>,
) -> Result<Response, Problem> {
    let shell = shell(&auth, &store, &caller, None).await?;
    let min_length = auth.passwords().min_password_length(Some(caller.account()));
    let Json(me) = me::handle(AnySession(caller.clone())).await;
    let sessions = sessions::list::list_all(&auth, &caller).await?;
    send(
        StatusCode::OK,
        &AccountPage {
            shell,
            me,
            sessions,
            min_length,
            sends_mail: site.config.mail.is_some(),
        },
    )
}

//! `POST /auth/register`

use auth::{
    Anyone, DisplayName, EmailAddress, Password, Username,
    accounts::registration::RegistrationRequest,
};
use axum::{Json, extract::State};
use http::StatusCode;
use wire::{Register, Registered};

use crate::{
    error::Problem,
    extract::{ClientOrigin, JsonBody},
    state::Auth,
};

/// Register an account.
///
/// If registration is by invitation, `invite` is required.
#[utoipa::path(post, path = "/auth/register", tag = "Accounts", request_body = Register, responses(
    (status = 201, description = "The account.", body = Registered),
))]
pub async fn handle(
    _: Anyone,
    State(auth): State<Auth>,
    ClientOrigin(origin): ClientOrigin,
    JsonBody(body): JsonBody<Register>,
) -> Result<(StatusCode, Json<Registered>), Problem> {
    let invite = body.invite.clone().filter(|invite| !invite.is_empty());
    let request = registration_request(body)?;
    let account = match invite {
        Some(invite) => {
            auth.invitations()
                .accept_invitation(request, &invite, &origin)
                .await?
        }
        None => auth.accounts().register(request, &origin).await?,
    };
    let registered = Registered {
        username: account.username.to_string(),
        display_name: account.display_name.map(|name| name.as_str().to_owned()),
        is_admin: account.administrator,
    };
    Ok((StatusCode::CREATED, Json(registered)))
}

fn registration_request(body: Register) -> Result<RegistrationRequest, Problem> {
    let username =
        Username::parse(&body.username).map_err(|error| Problem::invalid("/username", error))?;
    Ok(RegistrationRequest {
        username,
        display_name: parse_optional(body.display_name, "/display_name", DisplayName::parse)?,
        email: parse_optional(body.email, "/email", EmailAddress::parse)?,
        password: Password::new(body.password),
    })
}

/// A blank value counts as absent.
pub(crate) fn parse_optional<T, E: std::fmt::Display>(
    raw: Option<String>,
    pointer: &str,
    parse: impl Fn(&str) -> Result<T, E>,
) -> Result<Option<T>, Problem> {
    let raw = raw.filter(|raw| !raw.trim().is_empty());
    raw.map(|raw| parse(&raw).map_err(|error| Problem::invalid(pointer, error)))
        .transpose()
}

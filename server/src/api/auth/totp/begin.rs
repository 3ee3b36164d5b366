//! `POST /auth/totp`

use auth::EnrollmentSession;
use axum::{Json, extract::State};
use qrcode::{EcLevel, QrCode, render::svg};
use secrecy::ExposeSecret as _;
use wire::{NewTotp, ProblemBody};

use crate::{error::Problem, state::Auth};

/// Begin to set up an authenticator app. Nothing has changed until its first code is confirmed.
#[utoipa::path(post, path = "/auth/totp", tag = "Second factors", responses(
    (status = 200, description = "The secret, shown this once, good for 15 minutes.", body = NewTotp),
    (status = 409, description = "There is an app already.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub async fn handle(
    EnrollmentSession(caller): EnrollmentSession,
    State(auth): State<Auth>,
) -> Result<Json<NewTotp>, Problem> {
    let new = auth.start_totp(&caller).await?;
    let uri = new.uri.expose_secret().to_owned();
    Ok(Json(NewTotp {
        secret: new.secret.expose_secret().to_owned(),
        qr: picture(&uri)?,
        uri,
    }))
}

/// Dark on light whatever the page looks like: cameras read nothing else well.
fn picture(uri: &str) -> Result<String, Problem> {
    let code = QrCode::with_error_correction_level(uri, EcLevel::M);
    let code = code.map_err(|error| Problem::Internal(format!("a QR code: {error}")))?;
    let mut image = code.render::<svg::Color<'_>>();
    image
        .min_dimensions(240, 240)
        .dark_color(svg::Color("#000"))
        .light_color(svg::Color("#fff"));
    Ok(image.build())
}

//! `POST /auth/totp`

use auth::EnrollmentSession;
use axum::{Json, extract::State};
use qrcode::{EcLevel, QrCode, render::svg};
use secrecy::ExposeSecret as _;
use wire::NewTotp;

use crate::{error::Problem, state::Auth};

/// Start the enrollment of an authenticator app (RFC 6238).
///
/// The enrollment takes effect when its first code is confirmed.
#[utoipa::path(post, path = "/auth/totp", tag = "Second factors", responses(
    (status = 200, description = "The secret. It is not shown again, and the enrollment expires after 15 minutes.", body = NewTotp),
))]
pub async fn handle(
    EnrollmentSession(caller): EnrollmentSession,
    State(auth): State<Auth>,
) -> Result<Json<NewTotp>, Problem> {
    let new = auth.factors().start_totp(&caller).await?;
    let uri = new.uri.expose_secret().to_owned();
    Ok(Json(NewTotp {
        secret: new.secret.expose_secret().to_owned(),
        qr: qr_svg(&uri)?,
        uri,
    }))
}

/// Dark on light in every colour scheme, because cameras read other combinations badly.
fn qr_svg(uri: &str) -> Result<String, Problem> {
    let code = QrCode::with_error_correction_level(uri, EcLevel::M);
    let code = code.map_err(|error| {
        Problem::Internal(format!("the QR code could not be rendered: {error}"))
    })?;
    let mut image = code.render::<svg::Color<'_>>();
    image
        .min_dimensions(240, 240)
        .dark_color(svg::Color("#000"))
        .light_color(svg::Color("#fff"));
    Ok(image.build())
}

//! `GET /metrics`

use std::sync::Arc;

use auth::{AuthError, access::extract::OptionalCaller, error::AccessError};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::extract::{FromRequestParts, State};
use http::{HeaderMap, header, request::Parts};
use secrecy::{ExposeSecret as _, SecretString};

use crate::{
    door::{AccessRule, Door},
    error::Problem,
    state::{AppState, SiteInfo},
};

/// The metrics token of the settings, or an administrator. The address of the peer opens nothing: a
/// proxy on this machine forwards requests of others.
#[derive(Debug)]
pub struct MetricsReader;

impl Door for MetricsReader {
    const ACCESS: AccessRule = AccessRule::Anyone;
}

impl FromRequestParts<AppState> for MetricsReader {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let token = state.site.config.metrics_token.as_ref();
        if token.is_some_and(|token| carries(&parts.headers, token)) {
            return Ok(Self);
        }
        let OptionalCaller(caller) = OptionalCaller::from_request_parts(parts, state).await?;
        match caller {
            None => Err(AuthError::Access(AccessError::Unauthenticated).into()),
            Some(caller) if caller.require_unrestricted().is_ok() && caller.may_administer() => {
                Ok(Self)
            }
            Some(_) => Err(Problem::MetricsTokenRequired),
        }
    }
}

/// Whether the request has one `Authorization`, and it is this bearer token (RFC 6750 §2.1).
fn carries(headers: &HeaderMap, token: &SecretString) -> bool {
    let mut authorization = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(only), None) = (authorization.next(), authorization.next()) else {
        return false;
    };
    let presented = only.to_str().ok().and_then(|value| value.split_once(' '));
    presented.is_some_and(|(scheme, presented)| {
        let token = token.expose_secret().as_bytes();
        scheme.eq_ignore_ascii_case("bearer")
            && verify_slices_are_equal(presented.trim().as_bytes(), token).is_ok()
    })
}

/// Show metrics in the Prometheus text format.
///
/// With the bearer token of the setting `metrics_token`, or with an administrator's token that has
/// the scope `admin`.
#[utoipa::path(get, path = "/metrics", tag = "Service",
    responses(
        (status = 200, description = "Metrics.", content_type = "text/plain", body = String),
    ))]
pub async fn handle(_: MetricsReader, State(site): State<Arc<SiteInfo>>) -> String {
    site.metrics.render()
}

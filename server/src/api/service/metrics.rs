//! `GET /metrics`

use std::{net::SocketAddr, sync::Arc};

use auth::access::extract::OptionalCaller;
use axum::extract::{ConnectInfo, State};

use crate::{error::Problem, state::SiteInfo};

/// Headers by which proxies mark a forwarded request.
const FORWARDED_HEADERS: [&str; 7] = [
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-forwarded-host",
    "x-forwarded-server",
    "x-real-ip",
    "forwarded",
    "via",
];

/// Show metrics in the Prometheus text format.
///
/// Only from the machine that runs the server, or with an administrator's token that has the scope
/// `admin`.
#[utoipa::path(get, path = "/metrics", tag = "Service",
    responses(
        (status = 200, description = "Metrics.", content_type = "text/plain", body = String),
    ))]
pub async fn handle(
    OptionalCaller(caller): OptionalCaller,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    State(site): State<Arc<SiteInfo>>,
    headers: http::HeaderMap,
) -> Result<String, Problem> {
    let administrator = caller
        .is_some_and(|caller| caller.require_unrestricted().is_ok() && caller.may_administer());
    // A proxy on this machine forwards requests of other machines: those are not local.
    let forwarded = FORWARDED_HEADERS
        .iter()
        .any(|name| headers.contains_key(*name));
    let is_local = peer.ip().to_canonical().is_loopback() && !forwarded;
    if is_local || administrator {
        Ok(site.metrics.render())
    } else {
        Err(Problem::LoopbackOnly)
    }
}

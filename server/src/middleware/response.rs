//! The outermost layer: request id, header size limit, log line, metrics, security headers, and the
//! rendering of errors.

use std::time::Instant;

use auth::{AuthError, access::policy::Restriction, error::AccessError};
use axum::{
    body::Body,
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Version, header, request::Parts};
use tracing::Instrument;
use uuid::Uuid;

use crate::{
    error::{ErrorFormat, PendingProblem, Problem},
    host,
    middleware::problem_body::{oauth_body, problem_body},
    site::SiteInfo,
    state::AppState,
    web::{self, Shell, device_cookie::DeviceCookie},
};

/// Bytes of URL and headers. A larger request is 431.
const MAX_HEADER_BYTES: usize = 16 * 1024;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id of a request, in the log and in the response.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

/// The outermost layer.
pub async fn finish_response(
    State(state): State<AppState>,
    mut request: Request,
    next: Next,
) -> Response {
    let id = request_id(request.headers());
    request.extensions_mut().insert(RequestId(id.clone()));
    let device_cookie = DeviceCookie::from_headers(request.headers(), &state.site);
    request.extensions_mut().insert(device_cookie.clone());
    let info = RequestInfo::from_request(&request, &state.site);
    let (request, page_parts) = keep_page_parts(request, &info);
    let span =
        tracing::info_span!("request", id = %id, method = %request.method(), route = info.route);
    let started = Instant::now();
    let response = if header_bytes(&request) > MAX_HEADER_BYTES {
        Problem::HeadersTooLarge.into_response()
    } else if request.version() > Version::HTTP_11 {
        // HTTP/2 ends at the proxy. Cleartext HTTP/2 here is a sign of request smuggling.
        Problem::HttpVersion.into_response()
    } else if !host::is_allowed_host(&request, &state.site) {
        Problem::Misdirected(state.site.config.public_url.clone()).into_response()
    } else {
        next.run(request).instrument(span.clone()).await
    };
    let shell = match page_parts.filter(|_| is_page_with_menu(&response)) {
        Some(parts) => web::error_shell(&state, parts).await,
        None => Shell::default(),
    };
    let mut response = span.in_scope(|| render_problem(response, &info, shell, &id));
    set_security_headers(response.headers_mut(), &state.site);
    device_cookie.set_on_sign_in(response.headers_mut(), &state.site);
    if let Ok(id) = HeaderValue::try_from(id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    let (status, took) = (response.status(), started.elapsed());
    metrics::histogram!("strongroom_request_seconds", "route" => info.route, "status" => status_class(status))
        .record(took.as_secs_f64());
    let status = status.as_u16();
    span.in_scope(|| tracing::debug!(status, took_ms = took.as_secs_f64() * 1e3, "answered"));
    response
}

/// One time series for each route and class keeps the number of series small.
fn status_class(status: StatusCode) -> &'static str {
    match status.as_u16() / 100 {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    }
}

/// The facts of a request that its response needs.
struct RequestInfo {
    route: String,
    /// Whether a 401 offers Basic: to a client that used it, or is no browser. A browser would show
    /// its own dialog.
    offers_basic_auth: bool,
    /// Path and query, if a browser requests a page.
    page_url: Option<String>,
    /// Whether the browser can return to it after sign-in: a form submission cannot.
    is_safe_method: bool,
    /// Where the installation is, if the request came to another address.
    proper_url: Option<String>,
}

/// Routes with OAuth errors (RFC 6749 §5.2) for every rejection, also by a layer.
const OAUTH_ENDPOINTS: [&str; 3] = ["/auth/token", "/auth/revoke", "/auth/introspect"];

impl RequestInfo {
    fn from_request(request: &Request, site: &SiteInfo) -> Self {
        let route = request
            .extensions()
            .get::<MatchedPath>()
            .map_or("(none)", MatchedPath::as_str)
            .to_owned();
        let accept = request
            .headers()
            .get(header::ACCEPT)
            .and_then(|value| value.to_str().ok())
            .unwrap_or("");
        let path = request.uri().path();
        let is_api = ["/api/", "/auth/", "/.well-known/", "/health/"]
            .iter()
            .any(|prefix| path.starts_with(prefix));
        let page_url = (!is_api && accept.contains("text/html")).then(|| request.uri().to_string());
        let scheme = request
            .headers()
            .get(header::AUTHORIZATION)
            .map_or(&[][..], HeaderValue::as_bytes);
        let uses_basic_auth = scheme
            .get(..6)
            .is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"basic "));
        Self {
            route,
            offers_basic_auth: uses_basic_auth
                || (path != "/auth/token" && !is_browser(request.headers())),
            page_url,
            is_safe_method: request.method().is_safe(),
            proper_url: host::proper_url(request.headers(), request.extensions(), site)
                .map(ToOwned::to_owned),
        }
    }
}

impl RequestInfo {
    /// Where the user must go, if the problem is the address.
    fn url_for(&self, problem: &Problem) -> Option<&str> {
        let is_of_the_address = matches!(
            problem,
            Problem::Misdirected(_) | Problem::Auth(AuthError::Access(AccessError::CrossSite))
        );
        self.proper_url.as_deref().filter(|_| is_of_the_address)
    }
}

/// Fetch Metadata and `Origin` are of browsers, and so is a request for a page. `PowerShell` alone
/// says Mozilla too.
fn is_browser(headers: &HeaderMap) -> bool {
    let text = |name| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    };
    let agent = text(header::USER_AGENT);
    headers.contains_key("sec-fetch-site")
        || headers.contains_key(header::ORIGIN)
        || text(header::ACCEPT).contains("text/html")
        || (agent.starts_with("Mozilla/") && !agent.contains("PowerShell"))
}

/// The client's own id if it is short and plain, so that it can stand in a log line, or a new one.
/// Not the layer of tower-http: it keeps whatever the client sends.
fn request_id(headers: &HeaderMap) -> String {
    let is_plain = |id: &&str| {
        (1..=64).contains(&id.len())
            && id
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    };
    let given = headers
        .get(REQUEST_ID)
        .and_then(|value| value.to_str().ok())
        .filter(is_plain);
    given.map_or_else(|| Uuid::new_v4().simple().to_string(), ToOwned::to_owned)
}

fn header_bytes(request: &Request) -> usize {
    let headers: usize = request
        .headers()
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + 4)
        .sum();
    headers + request.uri().path().len() + request.uri().query().map_or(0, str::len)
}

/// For the menu of an error page: who requested it.
fn keep_page_parts(request: Request, info: &RequestInfo) -> (Request, Option<Parts>) {
    if info.page_url.is_none() {
        return (request, None);
    }
    let (parts, body) = request.into_parts();
    let kept = parts.clone();
    (Request::from_parts(parts, body), Some(kept))
}

/// Whether the response becomes an error page with a menu. A busy or failing server asks nothing
/// more of its store.
fn is_page_with_menu(response: &Response) -> bool {
    let status = response.status();
    response.extensions().get::<PendingProblem>().is_some()
        && status.is_client_error()
        && status != StatusCode::TOO_MANY_REQUESTS
        && status != StatusCode::UNAUTHORIZED
}

fn render_problem(mut response: Response, info: &RequestInfo, shell: Shell, id: &str) -> Response {
    let Some(PendingProblem { problem, format }) = response.extensions_mut().remove() else {
        return response;
    };
    let status = problem.status();
    if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
        let code = problem.oauth_code().unwrap_or("other");
        metrics::counter!("strongroom_refusals_total", "status" => status.as_u16().to_string(), "code" => code)
            .increment(1);
    }
    // 505 is a client error despite its class.
    if status.is_server_error() && status != StatusCode::HTTP_VERSION_NOT_SUPPORTED {
        tracing::error!(status = status.as_u16(), problem = %problem, "failed");
    }
    let format = if OAUTH_ENDPOINTS.contains(&info.route.trim_end_matches('/')) {
        ErrorFormat::OAuth
    } else {
        format
    };
    let url = info.url_for(&problem);
    let detail = url.map_or_else(|| problem.detail(), wrong_address);
    let shell = Shell {
        proper_url: url.map(ToOwned::to_owned),
        ..shell
    };
    let (kind, body) = match (&info.page_url, format) {
        (Some(_), ErrorFormat::Problem) if is_restricted(&problem) => {
            return Redirect::to("/account/factors").into_response();
        }
        (Some(page), ErrorFormat::Problem) if needs_sign_in(&problem) => {
            return redirect_to_sign_in(if info.is_safe_method { page } else { "/" });
        }
        (Some(_), ErrorFormat::Problem) => (
            "text/html; charset=utf-8",
            web::error_page(shell, status, &detail, id),
        ),
        (_, ErrorFormat::OAuth) => ("application/json", oauth_body(&problem, status, id)),
        (None, ErrorFormat::Problem) => (
            "application/problem+json",
            problem_body(&problem, status, id, detail),
        ),
    };
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response.headers_mut().remove(header::CONTENT_LENGTH);
    if format == ErrorFormat::OAuth {
        response
            .headers_mut()
            .insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    }
    if status == StatusCode::UNAUTHORIZED && info.offers_basic_auth {
        // After the Bearer challenge (RFC 7617 §2): some clients send credentials only then.
        let challenge = HeaderValue::from_static("Basic realm=\"Strongroom\", charset=\"UTF-8\"");
        response
            .headers_mut()
            .append(header::WWW_AUTHENTICATE, challenge);
    }
    if kind.starts_with("text/html") {
        web::allow_page(response.headers_mut());
    }
    *response.body_mut() = Body::from(body);
    response
}

fn wrong_address(url: &str) -> String {
    format!("This server is at {url}. Pages that are opened at another address cannot send forms.")
}

fn needs_sign_in(problem: &Problem) -> bool {
    matches!(
        problem,
        Problem::Auth(AuthError::Access(
            AccessError::Unauthenticated | AccessError::InvalidToken
        ))
    )
}

/// The session must enroll a second factor first, and one page does that.
fn is_restricted(problem: &Problem) -> bool {
    matches!(
        problem,
        Problem::Auth(AuthError::Access(AccessError::Restricted(
            Restriction::EnrollFactor
        )))
    )
}

fn redirect_to_sign_in(page: &str) -> Response {
    let next = percent_encoding::utf8_percent_encode(page, percent_encoding::NON_ALPHANUMERIC);
    let target = if page == "/" {
        "/sign-in".to_owned()
    } else {
        format!("/sign-in?next={next}")
    };
    Redirect::to(&target).into_response()
}

/// Sets the security headers of every response. Headers that the handler set stay. One function
/// and not ten layers of tower-http, which every request would pass.
fn set_security_headers(headers: &mut HeaderMap, site: &SiteInfo) {
    let defaults = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
        ),
        (header::X_FRAME_OPTIONS, "DENY"),
        // Not `no-referrer`: with it, browsers send `Origin: null` with this server's own forms.
        (header::REFERRER_POLICY, "same-origin"),
        (header::CACHE_CONTROL, "no-store"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-embedder-policy"),
            "require-corp",
        ),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("permissions-policy"),
            "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        ),
    ];
    headers.reserve(defaults.len() + 2);
    for (name, value) in defaults {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    if site.is_https() {
        let year = HeaderValue::from_static("max-age=31536000; includeSubDomains");
        headers
            .entry(header::STRICT_TRANSPORT_SECURITY)
            .or_insert(year);
    }
}

//! The only mapping from errors to HTTP statuses.
//!
//! A handler returns a [`Problem`]. [`crate::middleware::response`] renders it, because only that layer has the
//! request id.

use std::{io, sync::Arc, time::Duration};

use auth::{
    AuthError,
    access::policy::Restriction,
    error::{
        AccessError, ErrorKind, FactorError, SignInError, ThrottleError, TokenError, UpstreamError,
    },
    factor::passkey::PasskeyError,
};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use vault::VaultError;
use wire::FieldError;

#[derive(Debug, thiserror::Error)]
pub enum Problem {
    #[error(transparent)]
    Auth(#[from] AuthError),
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// Well-formed input with invalid values: JSON, a form or a parameter.
    #[error("{}", summary(.0))]
    Invalid(Vec<FieldError>),
    /// RFC 6749 §5.2 codes of the token endpoint.
    #[error("{detail}")]
    OAuth { code: &'static str, detail: String },
    #[error("The media type of the body is not supported. Send {0}.")]
    MediaType(&'static str),
    #[error("The request body is too large.")]
    BodyTooLarge,
    /// The rest of the body did not arrive in time.
    #[error("The request body took too long to arrive.")]
    BodyTooSlow,
    #[error("The request headers are too large.")]
    HeadersTooLarge,
    /// The `Host` is not one of this server.
    #[error("This server does not serve that host name. Its public_url is {0}.")]
    Misdirected(String),
    #[error("This server supports HTTP/1.1 only. A proxy can offer HTTP/2 and HTTP/3.")]
    HttpVersion,
    #[error("The requested range is outside the {size} bytes of the file.")]
    Range { size: u64 },
    #[error("No resource exists at this URL.")]
    NoRoute,
    #[error("This URL does not support that method.")]
    MethodNotAllowed,
    /// `/ws` without an upgrade (RFC 6455 §4.2.1).
    #[error("This URL accepts WebSocket connections only.")]
    WebSocketRequired,
    #[error("This URL needs the metrics token or an administrator's token.")]
    MetricsTokenRequired,
    /// The disk or the database refuses reads or writes, or the server is stopping.
    #[error("Not ready.")]
    NotReady,
    /// The caller has too many sockets, event streams or transfers open.
    #[error(
        "This {subject} has {limit} streams of this kind open, which is the limit. Close some first."
    )]
    TooManyStreams { subject: &'static str, limit: usize },
    /// All callers together do.
    #[error(
        "The server has no free connection for this. Nothing has changed. Try again in a moment."
    )]
    NoFreeStream,
    /// A bug. The message goes to the log only.
    #[error("internal: {0}")]
    Internal(String),
}

fn summary(errors: &[FieldError]) -> String {
    errors.first().map_or_else(
        || "The input is invalid.".to_owned(),
        |first| first.detail.clone(),
    )
}

impl Problem {
    /// One invalid member. `pointer` is a JSON pointer, or `#name` for a parameter.
    pub fn invalid(pointer: impl Into<String>, detail: impl std::fmt::Display) -> Self {
        Self::Invalid(vec![FieldError {
            pointer: pointer.into(),
            detail: detail.to_string(),
        }])
    }

    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Auth(error) => kind_status(error.kind()),
            Self::Vault(error) => vault_status(error),
            Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::OAuth { .. } => StatusCode::BAD_REQUEST,
            Self::MediaType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BodyTooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::HeadersTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::Misdirected(_) => StatusCode::MISDIRECTED_REQUEST,
            Self::HttpVersion => StatusCode::HTTP_VERSION_NOT_SUPPORTED,
            Self::Range { .. } => StatusCode::RANGE_NOT_SATISFIABLE,
            Self::NoRoute => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::WebSocketRequired => StatusCode::UPGRADE_REQUIRED,
            Self::MetricsTokenRequired => StatusCode::FORBIDDEN,
            Self::TooManyStreams { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::NotReady | Self::NoFreeStream => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The OAuth error code, if a client may look for one (RFC 6749 §5.2, RFC 6750 §3.1).
    #[must_use]
    pub fn oauth_code(&self) -> Option<&'static str> {
        match self {
            Self::Auth(
                AuthError::SignIn(
                    SignInError::InvalidCredentials
                    | SignInError::SecondFactorInvalid
                    | SignInError::SignInExpired,
                )
                | AuthError::Token(TokenError::InvalidGrant),
            ) => Some("invalid_grant"),
            Self::Auth(AuthError::SignIn(SignInError::SecondFactorRequired)) => {
                Some("mfa_required")
            }
            Self::Auth(AuthError::Token(TokenError::ScopeWidened)) => Some("invalid_scope"),
            Self::Auth(AuthError::Access(AccessError::InvalidToken)) => Some("invalid_token"),
            Self::Auth(AuthError::Access(
                AccessError::NotAllowed { .. }
                | AccessError::InsufficientScope { .. }
                | AccessError::InteractiveSessionRequired,
            )) => Some("insufficient_scope"),
            Self::Auth(AuthError::SignIn(SignInError::PasswordChangeRequired)) => {
                Some("password_reset_required")
            }
            Self::Auth(AuthError::Access(AccessError::StepUpRequired { .. })) => {
                Some("insufficient_user_authentication")
            }
            Self::Auth(AuthError::Access(AccessError::Restricted(Restriction::EnrollFactor))) => {
                Some("mfa_enrolment_required")
            }
            Self::Auth(AuthError::Throttle(
                ThrottleError::Throttled { .. }
                | ThrottleError::RateLimited { .. }
                | ThrottleError::LockedOut
                | ThrottleError::HasherBusy { .. },
            )) => Some("temporarily_unavailable"),
            Self::Auth(AuthError::Token(TokenError::OAuth(refused))) => Some(refused.code()),
            Self::OAuth { code, .. } => Some(code),
            Self::Auth(AuthError::Access(AccessError::AmbiguousCredentials))
            | Self::Invalid(_)
            | Self::MediaType(_)
            | Self::BodyTooLarge
            | Self::BodyTooSlow => Some("invalid_request"),
            _ => None,
        }
    }

    /// RFC 6750 §3: no code when no credentials were sent.
    #[must_use]
    pub fn challenge(&self) -> Option<HeaderValue> {
        match self {
            Self::Auth(
                AuthError::Access(AccessError::Unauthenticated)
                | AuthError::SignIn(
                    SignInError::InvalidCredentials
                    | SignInError::SecondFactorRequired
                    | SignInError::SecondFactorInvalid
                    | SignInError::SignInExpired,
                )
                | AuthError::Factor(FactorError::Passkey(PasskeyError::Rejected)),
            ) => Some(HeaderValue::from_static("Bearer")),
            Self::Auth(AuthError::Access(AccessError::InvalidToken)) => {
                Some(HeaderValue::from_static("Bearer error=\"invalid_token\""))
            }
            Self::Auth(AuthError::Access(AccessError::StepUpRequired { max_age })) => {
                let challenge = format!(
                    "Bearer error=\"insufficient_user_authentication\", max_age={}",
                    max_age.as_secs()
                );
                HeaderValue::try_from(challenge).ok()
            }
            Self::Auth(AuthError::Access(AccessError::InsufficientScope { scope })) => {
                HeaderValue::try_from(format!(
                    "Bearer error=\"insufficient_scope\", scope=\"{scope}\""
                ))
                .ok()
            }
            Self::Auth(AuthError::Access(
                AccessError::NotAllowed { .. } | AccessError::InteractiveSessionRequired,
            )) => Some(HeaderValue::from_static(
                "Bearer error=\"insufficient_scope\"",
            )),
            _ => None,
        }
    }

    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Auth(AuthError::Throttle(
                ThrottleError::Throttled { retry_after }
                | ThrottleError::RateLimited { retry_after }
                | ThrottleError::HasherBusy { retry_after },
            )) => Some(*retry_after),
            // The end is unknown, but clients of RFC 6585 §4 expect a number.
            Self::Auth(AuthError::Throttle(ThrottleError::LockedOut)) => {
                Some(Duration::from_hours(24))
            }
            Self::TooManyStreams { .. } | Self::NoFreeStream => Some(Duration::from_secs(1)),
            Self::Auth(AuthError::Store(_)) | Self::Vault(_) | Self::NotReady
                if self.status() == StatusCode::SERVICE_UNAVAILABLE =>
            {
                Some(Duration::from_secs(1))
            }
            _ => None,
        }
    }

    /// The sentence for the caller. A 5xx does not reveal its cause.
    #[must_use]
    pub fn detail(&self) -> String {
        let is_public = matches!(
            self,
            Self::Auth(
                AuthError::Throttle(ThrottleError::HasherBusy { .. })
                    | AuthError::Upstream(
                        UpstreamError::ProviderUnavailable
                            | UpstreamError::ProviderResponseUnusable
                    )
            ) | Self::NotReady
                | Self::HttpVersion
                | Self::NoFreeStream
                | Self::Vault(VaultError::TooManyOpenFiles)
        );
        if self.status() == StatusCode::INSUFFICIENT_STORAGE {
            return VaultError::DiskFull.to_string();
        }
        if self.status().is_server_error() && !is_public {
            return "The server failed to process the request. Nothing has changed. Try again, and give the \
                    operator the request id if the error persists."
                .to_owned();
        }
        self.to_string()
    }
}

/// Has no `_` arm, so that the compiler reports a missing kind.
fn kind_status(kind: ErrorKind) -> StatusCode {
    match kind {
        ErrorKind::BadRequest => StatusCode::BAD_REQUEST,
        ErrorKind::Unauthenticated => StatusCode::UNAUTHORIZED,
        ErrorKind::Forbidden => StatusCode::FORBIDDEN,
        ErrorKind::NotFound => StatusCode::NOT_FOUND,
        ErrorKind::Conflict => StatusCode::CONFLICT,
        ErrorKind::Gone => StatusCode::GONE,
        ErrorKind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
        ErrorKind::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        ErrorKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        ErrorKind::StorageFull => StatusCode::INSUFFICIENT_STORAGE,
        ErrorKind::BadGateway => StatusCode::BAD_GATEWAY,
        ErrorKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn vault_status(error: &VaultError) -> StatusCode {
    match error {
        VaultError::NotFound | VaultError::NoSuchRevision { .. } => StatusCode::NOT_FOUND,
        VaultError::Locked { .. }
        | VaultError::LockedByOther { .. }
        | VaultError::NotLocked
        | VaultError::NotCheckedOut
        | VaultError::NothingToOverride
        | VaultError::Unchanged { .. }
        | VaultError::Exists { .. }
        | VaultError::NameConflict { .. }
        | VaultError::VaultExists { .. } => StatusCode::CONFLICT,
        VaultError::NotLockHolder { .. } => StatusCode::FORBIDDEN,
        VaultError::StaleBase => StatusCode::PRECONDITION_FAILED,
        VaultError::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        VaultError::Incomplete | VaultError::BadUpload { .. } | VaultError::KeyReused => {
            StatusCode::UNPROCESSABLE_ENTITY
        }
        VaultError::DiskFull => StatusCode::INSUFFICIENT_STORAGE,
        VaultError::Store(error) if error.is_disk_full() => StatusCode::INSUFFICIENT_STORAGE,
        VaultError::Io(error) if error.kind() == io::ErrorKind::ReadOnlyFilesystem => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        VaultError::Io(_) => StatusCode::INTERNAL_SERVER_ERROR,
        VaultError::TooManyOpenFiles | VaultError::Store(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// The format of an error response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorFormat {
    /// RFC 9457.
    Problem,
    /// `application/json`, RFC 6749 §5.2.
    OAuth,
}

/// A problem for [`crate::middleware::response`] to render, in the extensions of an empty response.
#[derive(Clone, Debug)]
pub struct PendingProblem {
    pub problem: Arc<Problem>,
    pub format: ErrorFormat,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        into_pending(self, ErrorFormat::Problem)
    }
}

/// A [`Problem`] of an OAuth endpoint.
#[derive(Debug)]
pub struct OAuthProblem(pub Problem);

impl<E: Into<Problem>> From<E> for OAuthProblem {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for OAuthProblem {
    fn into_response(self) -> Response {
        into_pending(self.0, ErrorFormat::OAuth)
    }
}

/// Whole seconds, rounded up, so that a retry after them succeeds.
pub(crate) fn retry_after(wait: Duration) -> HeaderValue {
    HeaderValue::from((wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1))
}

fn into_pending(problem: Problem, dress: ErrorFormat) -> Response {
    let mut response = problem.status().into_response();
    if let Some(challenge) = problem
        .challenge()
        .filter(|_| problem.status() != StatusCode::OK)
    {
        response
            .headers_mut()
            .insert(header::WWW_AUTHENTICATE, challenge);
    }
    if let Some(wait) = problem.retry_after() {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, retry_after(wait));
    }
    if let Problem::Range { size } = problem
        && let Ok(range) = HeaderValue::try_from(format!("bytes */{size}"))
    {
        response.headers_mut().insert(header::CONTENT_RANGE, range);
    }
    response.extensions_mut().insert(PendingProblem {
        problem: Arc::new(problem),
        format: dress,
    });
    response
}

#[cfg(test)]
mod tests;

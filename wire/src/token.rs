//! OAuth shapes: RFC 6749, 7009, 7662, 8414.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A successful token response (RFC 6749 §5.1).
#[derive(Deserialize, Serialize, ToSchema)]
pub struct TokenResponse {
    pub access_token: String,
    /// Always `bearer`.
    pub token_type: String,
    /// Seconds.
    pub expires_in: u64,
    pub refresh_token: String,
    pub scope: String,
}

/// An OAuth error (RFC 6749 §5.2), together with the members of a problem.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub struct TokenError {
    pub error: String,
    pub error_description: String,
    /// The same sentence: FastAPI clients read this member.
    pub detail: String,
    pub status: u16,
    pub request_id: String,
}

/// The form of `POST /auth/token` (RFC 6749 §4.3.2, §6), for the API document. The form is parsed
/// by hand, because a repeated member is an error.
#[derive(Deserialize, Serialize, ToSchema)]
pub struct TokenRequest {
    /// Default: `password`.
    #[serde(default)]
    #[schema(example = "password")]
    pub grant_type: Option<String>,
    #[serde(default)]
    pub username: Option<String>,
    #[serde(default)]
    #[schema(format = Password)]
    pub password: Option<String>,
    /// For an account with a second factor: the code of an app, or a recovery code. Without it the
    /// response is 401 `mfa_required`.
    #[serde(default)]
    #[schema(example = "123456")]
    pub otp: Option<String>,
    #[serde(default)]
    pub refresh_token: Option<String>,
    /// RFC 8628 §3.4.
    #[serde(default)]
    pub device_code: Option<String>,
    /// RFC 6749 §4.1.3, with `redirect_uri`, `client_id` and `code_verifier` (RFC 7636 §4.5).
    #[serde(default)]
    pub code: Option<String>,
    #[serde(default)]
    pub redirect_uri: Option<String>,
    #[serde(default)]
    pub client_id: Option<String>,
    #[serde(default)]
    pub code_verifier: Option<String>,
    #[serde(default)]
    pub scope: Option<String>,
}

/// The form of `POST /auth/revoke` and `POST /auth/introspect`.
#[derive(Deserialize, Serialize, ToSchema)]
pub struct TokenReference {
    pub token: String,
    #[serde(default)]
    pub token_type_hint: Option<String>,
}

/// RFC 7662 §2.2.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub struct IntrospectionResponse {
    pub active: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exp: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iat: Option<i64>,
}

/// RFC 8414 §2.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub struct AuthorizationServer {
    pub issuer: String,
    pub authorization_endpoint: String,
    /// RFC 8628 §4.
    pub device_authorization_endpoint: String,
    pub token_endpoint: String,
    pub revocation_endpoint: String,
    pub introspection_endpoint: String,
    pub jwks_uri: String,
    pub response_types_supported: Vec<String>,
    /// Explicit, because the default also includes `fragment`.
    pub response_modes_supported: Vec<String>,
    pub grant_types_supported: Vec<String>,
    pub code_challenge_methods_supported: Vec<String>,
    pub scopes_supported: Vec<String>,
    /// RFC 9207 §3.
    pub authorization_response_iss_parameter_supported: bool,
    pub token_endpoint_auth_methods_supported: Vec<String>,
    pub revocation_endpoint_auth_methods_supported: Vec<String>,
    /// The type of access token, because the caller must be signed in.
    pub introspection_endpoint_auth_methods_supported: Vec<String>,
    pub service_documentation: String,
}

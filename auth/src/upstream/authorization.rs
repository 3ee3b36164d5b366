//! The authorization request (`OpenID` Connect Core §3.1.2.1), with PKCE (RFC 7636).

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use super::{discovery::Metadata, login_state::LoginState, provider::Provider};
use crate::SecureRandom;

/// The secrets of one login.
pub(super) struct LoginSecrets {
    pub(super) nonce: String,
    /// RFC 7636 §4.1: 43 unreserved characters.
    pub(super) verifier: String,
}

impl LoginSecrets {
    pub(super) fn new(rng: &SecureRandom) -> Self {
        let random = || BASE64URL.encode(rng.bytes::<32>());
        Self {
            nonce: random(),
            verifier: random(),
        }
    }
}

/// The `prompt` parameter: whether the provider may reuse its session or must authenticate again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Prompt {
    #[serde(rename = "IfUnknown")]
    Default,
    #[serde(rename = "Again")]
    Login,
}

/// The authorization URL, for the browser.
pub(super) fn authorization_url(
    provider: &Provider,
    metadata: &Metadata,
    login: &LoginState,
    state: &SecretString,
) -> SecretString {
    let mut url = metadata.authorization_endpoint.clone();
    let scope = std::iter::once("openid")
        .chain(provider.scopes.iter().map(String::as_str))
        .collect::<Vec<_>>()
        .join(" ");
    let challenge = BASE64URL.encode(digest(&SHA256, login.verifier.as_bytes()));
    let mut query = url.query_pairs_mut();
    query
        .append_pair("response_type", "code")
        .append_pair("client_id", &provider.client_id)
        .append_pair("redirect_uri", &provider.redirect_uri)
        .append_pair("scope", &scope)
        .append_pair("state", state.expose_secret())
        .append_pair("nonce", &login.nonce)
        .append_pair("code_challenge", &challenge)
        .append_pair("code_challenge_method", "S256");
    if login.ask == Prompt::Login {
        // With `max_age`, the provider must send `auth_time`.
        query
            .append_pair("prompt", "login")
            .append_pair("max_age", "0");
    }
    drop(query);
    String::from(url).into()
}

//! A provider as the operator configures it.

use secrecy::SecretString;

use super::http::HttpClient;

/// One provider, from the operator's configuration.
#[derive(Clone, Debug)]
pub struct Provider {
    /// Part of URLs: `a-z`, `0-9`, `-`.
    pub id: String,
    /// The label of the sign-in button.
    pub name: String,
    pub issuer: String,
    pub client_id: String,
    pub client_secret: Option<SecretString>,
    /// Requested in addition to `openid`.
    pub scopes: Vec<String>,
    /// Our redirect URI at the provider.
    pub redirect_uri: String,
    pub unknown_users: UnknownUsers,
}

/// The policy for identities without an account here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownUsers {
    /// They are rejected: the account must exist first, and its owner links the identity.
    Reject,
    /// An account is created.
    Provision,
}

#[derive(Clone, Debug, Default)]
pub struct UpstreamSettings {
    pub providers: Vec<Provider>,
    pub http: Option<HttpClient>,
}

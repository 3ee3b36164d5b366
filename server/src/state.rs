//! The shared state of all handlers. A handler extracts the parts it needs.

use std::sync::Arc;

use auth::{
    Account, AuthError, HasAuth, RealmName, access::extract::CookieNames, error::AccessError,
};
use axum::extract::FromRef;
use http::request::Parts;
use tokio::sync::watch;
use vault::LocalBlobs;

use crate::{error::Problem, extract, live::Hub, open_streams::OpenStreams, web::page_account};

pub use crate::site::SiteInfo;

pub type Store = store::Store;
pub type Auth = auth::Auth<Store>;
pub type Vault = vault::Vault<Store, LocalBlobs>;

/// A single `Arc`, because axum clones the state for every layer of every request.
#[derive(Clone, Debug)]
pub struct AppState(Arc<Shared>);

#[derive(Debug)]
pub struct Shared {
    pub auth: Auth,
    pub vault: Vault,
    pub store: Store,
    pub hub: Hub,
    pub site: Arc<SiteInfo>,
    pub streams: OpenStreams,
    /// Becomes true when the server starts to shut down.
    pub stopping: watch::Receiver<bool>,
}

impl AppState {
    #[must_use]
    pub fn new(shared: Shared) -> Self {
        Self(Arc::new(shared))
    }
}

impl std::ops::Deref for AppState {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl HasAuth for AppState {
    type Store = Store;
    type Rejection = Problem;

    fn auth(&self) -> &Auth {
        &self.auth
    }

    fn cookie_names(&self) -> CookieNames<'_> {
        CookieNames {
            current: &self.site.session_cookie,
            former: self.site.former_session_cookie.as_slice(),
        }
    }

    fn realm_of(&self, parts: &Parts) -> Result<RealmName, AuthError> {
        let path = parts.uri.path();
        let named = ["/api/vaults/", "/v/"]
            .iter()
            .find_map(|prefix| path.strip_prefix(prefix))
            .and_then(|rest| rest.split('/').next())
            .or_else(|| vault_of_stream(parts));
        RealmName::parse(named.unwrap_or("main"))
            .map_err(|_| AuthError::Access(AccessError::RealmNotFound))
    }

    fn origin_of(&self, parts: &Parts) -> Result<auth::Origin, AuthError> {
        extract::client_origin(parts, self).ok_or(AuthError::Internal("no peer address"))
    }

    fn is_page_of(&self, parts: &Parts, account: &Account) -> bool {
        page_account::is_page_of(parts, &account.username)
    }

    fn is_own_origin(&self, parts: &Parts, origin: &str) -> bool {
        if origin.eq_ignore_ascii_case(&self.site.config.public_url) {
            return true;
        }
        // A page may be opened under any allowed host name, so its own origin is the requested
        // `Host`.
        let host = parts
            .headers
            .get(http::header::HOST)
            .and_then(|host| host.to_str().ok());
        !self.site.is_https()
            && host.is_some_and(|host| origin.strip_prefix("http://") == Some(host))
    }
}

/// Event streams name the vault in the query. Vault names contain no encoded characters, so the
/// value needs no decoding.
fn vault_of_stream(parts: &Parts) -> Option<&str> {
    let is_stream = matches!(parts.uri.path(), "/ws" | "/api/events");
    parts
        .uri
        .query()
        .filter(|_| is_stream)?
        .split('&')
        .find_map(|pair| pair.strip_prefix("vault="))
}

impl FromRef<AppState> for Auth {
    fn from_ref(state: &AppState) -> Self {
        state.auth.clone()
    }
}

impl FromRef<AppState> for Vault {
    fn from_ref(state: &AppState) -> Self {
        state.vault.clone()
    }
}

impl FromRef<AppState> for Store {
    fn from_ref(state: &AppState) -> Self {
        state.store.clone()
    }
}

impl FromRef<AppState> for Hub {
    fn from_ref(state: &AppState) -> Self {
        state.hub.clone()
    }
}

impl FromRef<AppState> for Arc<SiteInfo> {
    fn from_ref(state: &AppState) -> Self {
        state.site.clone()
    }
}

//! Doors for axum: a handler's first argument says who may enter.

use crate::{Action, Auth, AuthError, AuthStore, Caller, Origin, Permit, RealmName};
use axum::{extract::FromRequestParts, response::IntoResponse};
use http::request::Parts;

/// This route is open to the world, on purpose.
#[derive(Clone, Copy, Debug)]
pub struct Anyone;

/// The request may go on, and here is the proof.
#[derive(Debug)]
pub struct Permitted<A: Action>(pub Permit<A>);

/// The host's axum state says where its [`Auth`] is, what a request is about, and how a refusal is answered.
pub trait HasAuth: Send + Sync {
    type Store: AuthStore;
    type Refusal: From<AuthError> + IntoResponse;
    fn auth(&self) -> &Auth<Self::Store>;
    /// The name of the session cookie (RFC 6265bis §4.1.3 prefixes included).
    fn cookie_name(&self) -> &str;
    /// The realm that this request is about; `Err` where the name cannot be one.
    fn realm_of(&self, parts: &Parts) -> Result<RealmName, AuthError>;
    /// The `Origin` (scheme, host, port) that our own pages have: writes by cookie must come from it.
    fn is_own_origin(&self, parts: &Parts, origin: &str) -> bool;
}

impl<S: Send + Sync> FromRequestParts<S> for Anyone {
    type Rejection = std::convert::Infallible;
    async fn from_request_parts(_: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self)
    }
}

impl<S: HasAuth> FromRequestParts<S> for Caller {
    type Rejection = S::Refusal;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, S::Refusal> {
        todo!()
    }
}

impl<S: HasAuth, A: Action> FromRequestParts<S> for Permitted<A> {
    type Rejection = S::Refusal;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, S::Refusal> {
        let caller = Caller::from_request_parts(parts, state).await?;
        let name = state.realm_of(parts)?;
        let realm = state.auth().realm(&name).await?;
        Ok(Self(caller.permit(realm.as_ref())?))
    }
}

//! Doors for axum: a handler's first argument declares its access rule.

mod credentials;

use std::{convert::Infallible, sync::Arc};

use axum::{extract::FromRequestParts, response::IntoResponse};
use http::{HeaderName, Method, header::ORIGIN, request::Parts};

pub use self::credentials::{CookieNames, cookie_values};
use self::credentials::{RequestCredentials, credentials};
use crate::{
    Account, Action, Auth, AuthError, AuthStore, Caller, Origin, Permit, RealmName, TokenKind,
    access::{
        denied::{DeniedRequest, OWN_ACCOUNT},
        permit::RealmTarget,
    },
    error::AccessError,
};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Characters of method and path in an audit entry.
const MAX_AUDITED_PATH: usize = 200;

/// This route is intentionally public.
#[derive(Clone, Copy, Debug)]
pub struct Anyone;

/// A public route that depends on the caller: `None` without credentials and with invalid ones.
#[derive(Clone, Debug)]
pub struct OptionalCaller(pub Option<Caller>);

/// A form of our own pages, open to everyone but only with same-origin proof (login CSRF is an
/// attack too): `AccessError::CrossSite` otherwise.
#[derive(Clone, Copy, Debug)]
pub struct SameOriginForm;

/// The policy allowed the request. Holds the permit.
#[derive(Debug)]
pub struct Permitted<A: Action>(pub Permit<A>);

/// [`Permitted`] for long operations, such as an upload of minutes, during which the session may
/// end.
#[derive(Debug)]
pub struct Revalidating<A: Action> {
    /// Valid until the next `await`; afterwards, call `revalidate`.
    pub permit: Permit<A>,
    caller: Caller,
}

/// An interactive session, for the user's own account: `AccessError::InteractiveSessionRequired`
/// for a personal access token or one without the scope `account`.
#[derive(Clone, Debug)]
pub struct Interactive(pub Caller);

/// [`Interactive`], with a recent sign-in (RFC 9470): `AccessError::StepUpRequired`.
#[derive(Clone, Debug)]
pub struct RecentlyAuthenticated(pub Caller);

/// [`Interactive`], also for a restricted session: for operations that lift the restriction.
#[derive(Clone, Debug)]
pub struct AllowRestricted(pub Caller);

/// Any authenticated caller, also with a restricted session: for one's own profile and sign-out.
#[derive(Clone, Debug)]
pub struct AnySession(pub Caller);

/// [`AllowRestricted`], with a recent sign-in: for enrolling the required factor.
#[derive(Clone, Debug)]
pub struct EnrollmentSession(pub Caller);

/// Implemented by the host's axum state: provides the [`Auth`], the realm of a request, and the
/// response to a rejection.
pub trait HasAuth: Send + Sync {
    type Store: AuthStore;
    type Rejection: From<AuthError> + IntoResponse;
    fn auth(&self) -> &Auth<Self::Store>;
    /// The names of the session cookie (RFC 6265bis §4.1.3 prefixes included).
    fn cookie_names(&self) -> CookieNames<'_>;
    /// The realm of the request; `Err` if the name is invalid.
    fn realm_of(&self, parts: &Parts) -> Result<RealmName, AuthError>;
    /// Address and user agent of the request, for throttle and audit.
    fn origin_of(&self, parts: &Parts) -> Result<Origin, AuthError>;
    /// Whether this `Origin` (scheme, host, port) is that of our own pages. Writes with a cookie
    /// must come from it.
    fn is_own_origin(&self, parts: &Parts, origin: &str) -> bool;
    /// Whether the page that sent the request was drawn for this account, as far as it says. Tabs
    /// share one cookie, so another account may have signed in since.
    fn is_page_of(&self, _parts: &Parts, _account: &Account) -> bool {
        true
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Anyone {
    type Rejection = Infallible;
    async fn from_request_parts(_: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self)
    }
}

/// The request's origin, for handlers that need it before authentication.
impl<S: HasAuth> FromRequestParts<S> for Origin {
    type Rejection = S::Rejection;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, S::Rejection> {
        Ok(state.origin_of(parts)?)
    }
}

impl<S: HasAuth> FromRequestParts<S> for Caller {
    type Rejection = S::Rejection;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, S::Rejection> {
        let caller = resolve(parts, state).await?;
        caller.require_unrestricted()?;
        Ok(caller)
    }
}

impl<S: HasAuth> FromRequestParts<S> for AllowRestricted {
    type Rejection = S::Rejection;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, S::Rejection> {
        let caller = resolve(parts, state).await?;
        if caller.is_interactive() {
            return Ok(Self(caller));
        }
        let denied = DeniedRequest::new(OWN_ACCOUNT, None, Some(request_of(parts)));
        state.auth().audit_denial(
            &caller,
            &denied,
            &AuthError::Access(AccessError::InteractiveSessionRequired),
        );
        Err(AuthError::Access(AccessError::InteractiveSessionRequired).into())
    }
}

impl<S: HasAuth> FromRequestParts<S> for Interactive {
    type Rejection = S::Rejection;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, S::Rejection> {
        let AllowRestricted(caller) = AllowRestricted::from_request_parts(parts, state).await?;
        caller.require_unrestricted()?;
        Ok(Self(caller))
    }
}

impl<S: HasAuth> FromRequestParts<S> for RecentlyAuthenticated {
    type Rejection = S::Rejection;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, S::Rejection> {
        let Interactive(caller) = Interactive::from_request_parts(parts, state).await?;
        caller.require_recent()?;
        Ok(Self(caller))
    }
}

impl<S: HasAuth> FromRequestParts<S> for AnySession {
    type Rejection = S::Rejection;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, S::Rejection> {
        Ok(Self(resolve(parts, state).await?))
    }
}

impl<S: HasAuth> FromRequestParts<S> for EnrollmentSession {
    type Rejection = S::Rejection;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, S::Rejection> {
        let AllowRestricted(caller) = AllowRestricted::from_request_parts(parts, state).await?;
        caller.require_recent()?;
        Ok(Self(caller))
    }
}

impl<S: HasAuth> FromRequestParts<S> for OptionalCaller {
    type Rejection = S::Rejection;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, S::Rejection> {
        match resolve(parts, state).await {
            Ok(caller) => Ok(Self(Some(caller))),
            Err(AuthError::Access(AccessError::Unauthenticated | AccessError::InvalidToken)) => {
                Ok(Self(None))
            }
            Err(error) => Err(error.into()),
        }
    }
}

impl<S: HasAuth> FromRequestParts<S> for SameOriginForm {
    type Rejection = S::Rejection;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, S::Rejection> {
        if is_same_origin(parts, state) {
            return Ok(Self);
        }
        if let Ok(RequestCredentials::Cookies(cookies)) =
            credentials(&parts.headers, state.cookie_names())
        {
            audit_cross_site(parts, state, &cookies);
        }
        Err(AuthError::Access(AccessError::CrossSite).into())
    }
}

impl<S: HasAuth, A: Action> FromRequestParts<S> for Permitted<A> {
    type Rejection = S::Rejection;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, S::Rejection> {
        let caller = Caller::from_request_parts(parts, state).await?;
        let name = state.realm_of(parts)?;
        let realm = state.auth().sessions().realm(&name).await?;
        Ok(Self(state.auth().permit(
            &caller,
            realm.as_ref(),
            Some(request_of(parts)),
        )?))
    }
}

impl<S: HasAuth, A: Action> FromRequestParts<S> for Revalidating<A> {
    type Rejection = S::Rejection;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, S::Rejection> {
        let Permitted(permit) = Permitted::from_request_parts(parts, state).await?;
        Ok(Self {
            permit,
            caller: Caller::from_request_parts(parts, state).await?,
        })
    }
}

impl<A: Action<Target = RealmTarget>> Revalidating<A> {
    /// For a stream that checks access for as long as it is open.
    #[must_use]
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Checks the permit again.
    ///
    /// # Errors
    /// As the door: `AccessError::InvalidToken` if the session has ended.
    pub async fn revalidate<S: AuthStore>(self, auth: &Auth<S>) -> Result<Permit<A>, AuthError> {
        let caller = auth.sessions().revalidate(&self.caller).await?;
        let caller = match self.caller.origin() {
            Some(origin) => caller.with_origin(Arc::clone(origin)),
            None => caller,
        };
        caller.permit(Some(self.permit.realm()))
    }
}

/// Authenticates once per request. The result stays in the request's extensions, where the log
/// finds the username too.
async fn resolve<S: HasAuth>(parts: &mut Parts, state: &S) -> Result<Caller, AuthError> {
    if let Some(caller) = parts.extensions.get::<Caller>() {
        return Ok(caller.clone());
    }
    let caller = match credentials(&parts.headers, state.cookie_names())? {
        RequestCredentials::Bearer(token) if token.starts_with(TokenKind::Personal.prefix()) => {
            Box::pin(state.auth().personal_tokens().authenticate_personal_token(
                token,
                None,
                &state.origin_of(parts)?,
            ))
            .await?
        }
        RequestCredentials::Bearer(token) => {
            state.auth().sessions().authenticate_bearer(token).await?
        }
        RequestCredentials::Basic(name, token) => {
            // A browser that stores `Authorization` credentials sends them with cross-site requests
            // too.
            if !is_safe(&parts.method) && is_browser(parts) && !is_same_origin(parts, state) {
                return Err(AuthError::Access(AccessError::CrossSite));
            }
            Box::pin(state.auth().personal_tokens().authenticate_personal_token(
                &token,
                Some(&name),
                &state.origin_of(parts)?,
            ))
            .await?
        }
        RequestCredentials::Cookies(cookies) => {
            if !is_safe(&parts.method) && !is_same_origin(parts, state) {
                audit_cross_site(parts, state, &cookies);
                return Err(AuthError::Access(AccessError::CrossSite));
            }
            let caller = authenticate_one_of(state, &cookies).await?;
            if !state.is_page_of(parts, caller.account()) {
                let current = caller.account().username.clone();
                return Err(AuthError::Access(AccessError::AccountChanged { current }));
            }
            caller
        }
    };
    let caller = caller.with_origin(Arc::new(state.origin_of(parts)?));
    parts.extensions.insert(caller.clone());
    Ok(caller)
}

/// The session of the only cookie that has one. Two such cookies are ambiguous: another host may have
/// planted one of them.
async fn authenticate_one_of<S: HasAuth>(state: &S, cookies: &[&str]) -> Result<Caller, AuthError> {
    let mut found: Option<Caller> = None;
    for cookie in cookies {
        match state.auth().sessions().authenticate_cookie(cookie).await {
            Ok(caller) if found.is_none() => found = Some(caller),
            Ok(_) => return Err(AuthError::Access(AccessError::AmbiguousCredentials)),
            Err(AuthError::Access(AccessError::InvalidToken)) => {}
            Err(error) => return Err(error),
        }
    }
    found.ok_or(AuthError::Access(AccessError::InvalidToken))
}

fn audit_cross_site<S: HasAuth>(parts: &Parts, state: &S, cookies: &[&str]) {
    let Ok(from) = state.origin_of(parts) else {
        return;
    };
    state.auth().audit_cross_site(
        cookies,
        from,
        DeniedRequest::cross_site(request_of(parts), site_of(parts)),
    );
}

/// Method and path, for the audit. The query is omitted, because it may contain a ticket.
#[must_use]
pub fn request_of(parts: &Parts) -> String {
    format!("{} {}", parts.method, parts.uri.path())
        .chars()
        .take(MAX_AUDITED_PATH)
        .collect()
}

/// The `Origin` or `Sec-Fetch-Site` of the request, for the audit.
#[must_use]
pub fn site_of(parts: &Parts) -> Option<String> {
    let origin = parts.headers.get(ORIGIN)?.to_str().ok()?;
    Some(origin.chars().take(MAX_AUDITED_PATH).collect())
}

/// Clients other than browsers send neither header.
fn is_browser(parts: &Parts) -> bool {
    parts.headers.contains_key(SEC_FETCH_SITE) || parts.headers.contains_key(ORIGIN)
}

/// Safe methods (RFC 9110 §9.2.1), of those that this installation serves.
fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// Browsers send these headers, and pages cannot forge them. A write from the address bar (`none`)
/// is never one of our pages.
fn is_same_origin<S: HasAuth>(parts: &Parts, state: &S) -> bool {
    let mut sites = parts.headers.get_all(SEC_FETCH_SITE).iter();
    let mut origins = parts.headers.get_all(ORIGIN).iter();
    match (sites.next(), sites.next()) {
        (Some(site), None) => site == "same-origin",
        (Some(_), Some(_)) => false,
        (None, _) => match (origins.next(), origins.next()) {
            (Some(origin), None) => origin
                .to_str()
                .is_ok_and(|origin| state.is_own_origin(parts, origin)),
            _ => false,
        },
    }
}

#[cfg(test)]
mod tests;

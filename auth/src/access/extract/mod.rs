//! Doors for axum: a handler's first argument says who may enter.

mod credentials;

use std::{convert::Infallible, sync::Arc};

use axum::{extract::FromRequestParts, response::IntoResponse};
use http::{HeaderName, Method, header::ORIGIN, request::Parts};

use self::credentials::{RequestCredentials, credentials};
use crate::{
    Action, Auth, AuthError, AuthStore, Caller, Origin, Permit, RealmName, TokenKind,
    access::{
        denied::{DeniedRequest, OWN_ACCOUNT},
        permit::RealmTarget,
    },
};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Characters of a request that go into the record.
const MAX_AUDITED_PATH: usize = 200;

/// This route is open to the world, on purpose.
#[derive(Clone, Copy, Debug)]
pub struct Anyone;

/// Open to the world, but it matters whether somebody is signed in: `None` also for credentials that are no good.
#[derive(Clone, Debug)]
pub struct OptionalCaller(pub Option<Caller>);

/// A form of our own pages: anyone may send it, but no other site may cause it (signing somebody in as somebody else
/// is an attack too). [`AuthError::CrossSite`] without same-origin proof.
#[derive(Clone, Copy, Debug)]
pub struct SameOriginForm;

/// The request may go on, and here is the proof.
#[derive(Debug)]
pub struct Permitted<A: Action>(pub Permit<A>);

/// [`Permitted`], for what takes its time after the door: content that is sent for minutes, while the session may end.
#[derive(Debug)]
pub struct Revalidating<A: Action> {
    /// Good for as long as nothing was waited for.
    pub permit: Permit<A>,
    caller: Caller,
}

/// The person themself, for what concerns their own account: [`AuthError::NotInPerson`] for a personal access token or
/// one without the scope `account`.
#[derive(Clone, Debug)]
pub struct Interactive(pub Caller);

/// [`InPerson`], with a recent sign-in (RFC 9470): [`AuthError::StepUpNeeded`].
#[derive(Clone, Debug)]
pub struct RecentlyAuthenticated(pub Caller);

/// [`InPerson`], also while something is due that the session is restricted to: for what leads out of there.
#[derive(Clone, Debug)]
pub struct AllowRestricted(pub Caller);

/// Somebody who is signed in, by whatever means, also while something is due: for who one is, and for leaving.
#[derive(Clone, Debug)]
pub struct AnySession(pub Caller);

/// [`EvenRestricted`], with a recent sign-in: for setting up what is due.
#[derive(Clone, Debug)]
pub struct EnrollmentSession(pub Caller);

/// The host's axum state says where its [`Auth`] is, what a request is about, and how a refusal is answered.
pub trait HasAuth: Send + Sync {
    type Store: AuthStore;
    type Rejection: From<AuthError> + IntoResponse;
    fn auth(&self) -> &Auth<Self::Store>;
    /// The name of the session cookie (RFC 6265bis §4.1.3 prefixes included).
    fn cookie_name(&self) -> &str;
    /// The realm that this request is about; `Err` where the name cannot be one.
    fn realm_of(&self, parts: &Parts) -> Result<RealmName, AuthError>;
    /// Where the request came from, for throttle and audit.
    fn origin_of(&self, parts: &Parts) -> Result<Origin, AuthError>;
    /// The `Origin` (scheme, host, port) that our own pages have: writes by cookie must come from it.
    fn is_own_origin(&self, parts: &Parts, origin: &str) -> bool;
}

impl<S: Send + Sync> FromRequestParts<S> for Anyone {
    type Rejection = Infallible;
    async fn from_request_parts(_: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self)
    }
}

/// Where the request came from, for what wants to know before there is a caller.
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
        let asked = DeniedRequest::new(OWN_ACCOUNT, None, Some(request_of(parts)));
        state
            .auth()
            .audit_denial(&caller, &asked, &AuthError::InteractiveSessionRequired);
        Err(AuthError::InteractiveSessionRequired.into())
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
            Err(AuthError::Unauthenticated | AuthError::InvalidToken) => Ok(Self(None)),
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
        if let Ok(RequestCredentials::Cookie(cookie)) =
            credentials(&parts.headers, state.cookie_name())
        {
            audit_cross_site(parts, state, cookie);
        }
        Err(AuthError::CrossSite.into())
    }
}

impl<S: HasAuth, A: Action> FromRequestParts<S> for Permitted<A> {
    type Rejection = S::Rejection;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, S::Rejection> {
        let caller = Caller::from_request_parts(parts, state).await?;
        let name = state.realm_of(parts)?;
        let realm = state.auth().realm(&name).await?;
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
    /// The permit as of now.
    ///
    /// # Errors
    /// What the door would say now: [`AuthError::InvalidToken`] for a session that has ended meanwhile.
    pub async fn revalidate<S: AuthStore>(self, auth: &Auth<S>) -> Result<Permit<A>, AuthError> {
        let caller = auth.revalidate(&self.caller).await?;
        let caller = match self.caller.origin() {
            Some(origin) => caller.with_origin(Arc::clone(origin)),
            None => caller,
        };
        caller.permit(Some(self.permit.realm()))
    }
}

/// Asks once a request: the answer stays in its extensions, where a log may find the name too.
async fn resolve<S: HasAuth>(parts: &mut Parts, state: &S) -> Result<Caller, AuthError> {
    if let Some(caller) = parts.extensions.get::<Caller>() {
        return Ok(caller.clone());
    }
    let caller = match credentials(&parts.headers, state.cookie_name())? {
        RequestCredentials::Bearer(token) if token.starts_with(TokenKind::Personal.prefix()) => {
            Box::pin(state.auth().authenticate_personal_token(
                token,
                None,
                &state.origin_of(parts)?,
            ))
            .await?
        }
        RequestCredentials::Bearer(token) => state.auth().authenticate_bearer(token).await?,
        RequestCredentials::Basic(name, token) => {
            // A browser that was told the token once would send it along with what another site causes.
            if !is_safe(&parts.method) && is_browser(parts) && !is_same_origin(parts, state) {
                return Err(AuthError::CrossSite);
            }
            Box::pin(state.auth().authenticate_personal_token(
                &token,
                Some(&name),
                &state.origin_of(parts)?,
            ))
            .await?
        }
        RequestCredentials::Cookie(cookie) => {
            if !is_safe(&parts.method) && !is_same_origin(parts, state) {
                audit_cross_site(parts, state, cookie);
                return Err(AuthError::CrossSite);
            }
            state.auth().authenticate_cookie(cookie).await?
        }
    };
    let caller = caller.with_origin(Arc::new(state.origin_of(parts)?));
    parts.extensions.insert(caller.clone());
    Ok(caller)
}

fn audit_cross_site<S: HasAuth>(parts: &Parts, state: &S, cookie: &str) {
    let Ok(from) = state.origin_of(parts) else {
        return;
    };
    state.auth().audit_cross_site(
        cookie,
        from,
        DeniedRequest::cross_site(request_of(parts), site_of(parts)),
    );
}

/// Method and path, for the record: no query, where a ticket may be.
#[must_use]
pub fn request_of(parts: &Parts) -> String {
    format!("{} {}", parts.method, parts.uri.path())
        .chars()
        .take(MAX_AUDITED_PATH)
        .collect()
}

/// What the browser says of where a request comes from.
#[must_use]
pub fn site_of(parts: &Parts) -> Option<String> {
    let origin = parts.headers.get(ORIGIN)?.to_str().ok()?;
    Some(origin.chars().take(MAX_AUDITED_PATH).collect())
}

/// Programs send neither.
fn is_browser(parts: &Parts) -> bool {
    parts.headers.contains_key(SEC_FETCH_SITE) || parts.headers.contains_key(ORIGIN)
}

/// RFC 9110 §9.2.1, of the methods that we serve.
fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// Browsers say where a request comes from, and pages cannot forge it. A write that somebody typed into the address
/// bar (`none`) is nothing that our pages do.
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

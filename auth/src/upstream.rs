//! Signing in through somebody else's `OpenID` provider (`OpenID` Connect Core 1.0 §3.1, code flow with PKCE).
//!
//! Who somebody is there is the pair of issuer and subject (§5.7), never a name or a mail address: those can be given to
//! somebody else. A provider's account is joined to ours by its owner, from a signed-in session, or by making a new
//! account where the operator allows that. The protocol is in `protocol`; HTTP is the host's.

mod protocol;
mod provider_key;
mod signed;
mod voyage;

use std::{collections::HashMap, fmt, sync::Arc, time::Duration};

use jiff::Timestamp;
use secrecy::SecretString;
use tokio::sync::Mutex;

use protocol::{Ask, Metadata, Redeem};
pub use protocol::{HttpClient, HttpError};
use voyage::Voyage;

use crate::{
    Account, Actor, Auth, AuthError, AuthStore, Caller, DisplayName, EmailAddress, Method, Methods, NewAccount, Notice,
    Origin, Password, SessionKind, Standing, Token, TokenHash, TokenKind, Username,
    auth::SignedIn,
    beginning::Beginning,
    clock,
    policy::Via,
    second_step::Step,
    store::{Identity, Inserted, NewIdentity},
};

/// How long somebody may take at the provider.
const LIFETIME: Duration = Duration::from_mins(10);
/// How long what a provider says of itself is believed.
const METADATA: Duration = Duration::from_hours(1);

/// One provider, as the operator set it up.
#[derive(Clone, Debug)]
pub struct Provider {
    /// In addresses: `a-z`, `0-9`, `-`.
    pub id: String,
    /// On the button.
    pub name: String,
    pub issuer: String,
    pub client_id: String,
    pub client_secret: Option<SecretString>,
    /// Besides `openid`.
    pub scopes: Vec<String>,
    /// Where the provider sends people back to.
    pub redirect_uri: String,
    pub strangers: Strangers,
}

/// What becomes of people whom the provider knows and we don't.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strangers {
    /// They need an account first, and join it to the provider's.
    Refuse,
    /// They get an account.
    Welcome,
}

#[derive(Clone, Debug, Default)]
pub struct Upstreams {
    pub providers: Vec<Provider>,
    pub http: Option<HttpClient>,
}

/// On the way to the provider.
#[derive(Debug)]
pub struct Departure {
    /// The provider's page. Holds `state`: for the browser only, not for logs.
    pub location: SecretString,
    /// For a cookie of the browser that leaves: only the same one may arrive.
    pub browser: Token,
}

/// What the provider sent the browser back with (RFC 6749 §4.1.2, RFC 9207).
#[derive(Debug)]
pub struct Callback {
    pub state: SecretString,
    /// The code, or the provider's error code.
    pub outcome: Result<SecretString, String>,
    pub issuer: Option<String>,
    /// The cookie of the browser that left.
    pub browser: Option<SecretString>,
}

/// What a departure was for.
#[derive(Debug)]
pub enum Arrival {
    /// In, or to our own second factor.
    Here {
        step: Step,
        next: String,
    },
    Linked {
        next: String,
    },
}

/// Why the way there.
#[derive(Debug)]
pub enum Errand<'a> {
    SignIn,
    /// As [`SignIn`](Self::SignIn), and the provider is to ask again who it is.
    SignInAgain,
    Link(&'a Caller),
}

/// Who it is, as a verified ID token says.
pub(crate) struct Person {
    pub(crate) subject: String,
    pub(crate) username: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) email: Option<String>,
}

/// What providers said of themselves, for a while.
#[derive(Default)]
pub(crate) struct Known(std::sync::Mutex<HashMap<String, Arc<Mutex<Option<Heard>>>>>);

/// What was heard, and when.
type Heard = (Arc<Metadata>, Timestamp);

impl Known {
    /// Of one provider: one that is slow holds up nobody who goes to another.
    fn of(&self, provider: &Provider) -> Arc<Mutex<Option<Heard>>> {
        let mut known = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        Arc::clone(known.entry(provider.id.clone()).or_default())
    }
}

impl fmt::Debug for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Known")
    }
}

impl<S: AuthStore> Auth<S> {
    pub fn providers(&self) -> &[Provider] {
        &self.0.settings.upstreams.providers
    }

    /// `next` is where the person wants to go afterwards; the host has checked it.
    ///
    /// # Errors
    /// [`AuthError::NoSuchProvider`]; [`AuthError::ProviderAway`] where it does not answer.
    pub async fn depart(&self, provider: &str, errand: Errand<'_>, next: String) -> Result<Departure, AuthError> {
        let provider = self.provider(provider)?;
        let metadata = self.metadata(provider).await?;
        let (state, browser) = (self.pending(), self.pending());
        let route = protocol::Route::new(&self.0.chance);
        let ask = if matches!(errand, Errand::SignIn) { Ask::IfUnknown } else { Ask::Again };
        let location = protocol::location(provider, &metadata, &route, state.expose(), ask)?;
        let link = match errand {
            Errand::Link(caller) => Some(caller.account().username.as_str().to_owned()),
            Errand::SignIn | Errand::SignInAgain => None,
        };
        let voyage = Voyage {
            provider: provider.id.clone(),
            browser: browser.hash().as_str().to_owned(),
            nonce: route.nonce,
            verifier: route.verifier,
            next,
            link,
        };
        self.keep_voyage(&state, &voyage).await?;
        Ok(Departure { location, browser })
    }

    /// # Errors
    /// [`AuthError::WrongBrowser`] for a state that is unknown, used, expired, another browser's, or joined to an
    /// account that the caller is not signed in to;
    /// [`AuthError::ProviderRefused`], [`AuthError::NotLinked`], [`AuthError::AlreadyLinked`],
    /// [`AuthError::ProviderAway`].
    pub async fn arrive(
        &self,
        provider: &str,
        callback: Callback,
        caller: Option<&Caller>,
        from: Origin,
    ) -> Result<Arrival, AuthError> {
        let provider = self.provider(provider)?;
        let voyage = self.take_voyage(&callback, provider).await?;
        let says_who =
            self.metadata(provider).await?.additional_metadata().authorization_response_iss_parameter_supported;
        // RFC 9207 §2.4: whoever always says it, and says nothing now, has not sent this.
        if callback.issuer.map_or(says_who, |issuer| issuer != provider.issuer) {
            return Err(AuthError::ProviderRefused("it is another provider".to_owned()));
        }
        // Whoever joins accounts is still signed in to the one that they began with.
        let same = |username: &String| caller.is_some_and(|caller| caller.account().username.as_str() == username);
        if voyage.link.as_ref().is_some_and(|username| !same(username)) {
            return Err(AuthError::WrongBrowser);
        }
        let code = callback.outcome.map_err(AuthError::ProviderRefused)?;
        let person = self.ask_provider(provider, &voyage, code).await?;
        let identity = self.0.store.identity(&provider.issuer, &person.subject).await?;
        match (&voyage.link, identity) {
            (None, Some(identity)) => {
                let step = self.known_there(provider, &identity, from).await?;
                Ok(Arrival::Here { step, next: voyage.next })
            }
            (None, None) => {
                let step = self.stranger(provider, person, from).await?;
                Ok(Arrival::Here { step, next: voyage.next })
            }
            (Some(username), None) => {
                self.join(provider, username, &person, &from).await?;
                Ok(Arrival::Linked { next: voyage.next })
            }
            (Some(username), Some(identity)) if identity.username.as_str() == username => {
                Ok(Arrival::Linked { next: voyage.next })
            }
            (Some(_), Some(_)) => Err(AuthError::AlreadyLinked),
        }
    }

    /// The providers' accounts that open this one.
    pub async fn identities(&self, caller: &Caller) -> Result<Vec<Identity>, AuthError> {
        Ok(self.0.store.identities_of(&caller.account().username).await?)
    }

    /// # Errors
    /// [`AuthError::NotLinked`].
    pub async fn unlink(&self, caller: &Caller, id: &str, from: &Origin) -> Result<(), AuthError> {
        let (by, at) = (caller.actor().coming_from(from), self.0.clock.now());
        if !self.0.store.unlink_identity(by, id, at).await? {
            return Err(AuthError::NotLinked);
        }
        self.tell(caller.account(), Notice::ProviderUnlinked, from).await
    }

    async fn known_there(&self, provider: &Provider, identity: &Identity, from: Origin) -> Result<Step, AuthError> {
        let known = self.0.store.credentials(&identity.username).await?;
        let known = known.filter(|known| known.account.standing == Standing::Active);
        let known = known.ok_or_else(|| AuthError::ProviderRefused("this account is not active".to_owned()))?;
        self.0.store.identity_used(&provider.issuer, &identity.subject, self.0.clock.now()).await?;
        let first = Methods::of(&[Method::Upstream]);
        // What the provider says of second factors of its own means something else everywhere: ours is asked for.
        if self.factor_kinds(&identity.username).await?.is_enrolled() {
            return self.wait(&known, first).await.map(Step::HalfWay);
        }
        self.enter(&known.account, from).await.map(Step::SignedIn)
    }

    async fn stranger(&self, provider: &Provider, person: Person, from: Origin) -> Result<Step, AuthError> {
        if provider.strangers == Strangers::Refuse {
            return Err(AuthError::NotLinked);
        }
        let identity = identity_of(provider, &person);
        for username in usernames(&person) {
            let new = self.new_stranger(username, &person).await?;
            let (roles, by) = (self.first_roles().await?, Actor::itself(&new).coming_from(&from));
            let made = self.0.store.create_linked(new.clone(), roles, identity.clone(), by).await?;
            if made == Inserted::Done {
                self.changed(&new.username);
                let known = self.0.store.credentials(&new.username).await?;
                let account = known.map(|known| known.account).ok_or(AuthError::NotLinked)?;
                return self.enter(&account, from).await.map(Step::SignedIn);
            }
        }
        Err(AuthError::UsernameTaken)
    }

    /// With a password that nobody knows: whoever wants one sets it by a reset link.
    async fn new_stranger(&self, username: Username, person: &Person) -> Result<NewAccount, AuthError> {
        let unknown = Token::random(TokenKind::Pending, &self.0.chance);
        let password = self.0.hasher.hash(&Arc::new(Password::new(unknown.expose().to_owned()))).await?;
        let email = person.email.as_deref().and_then(|email| EmailAddress::parse(email).ok());
        Ok(NewAccount {
            username,
            display_name: person.name.as_deref().and_then(|name| DisplayName::parse(name).ok()),
            // By the provider; others are not taken from there.
            email_verified: email.is_some(),
            email,
            password,
            administrator: false,
            created_at: self.0.clock.now(),
        })
    }

    async fn enter(&self, account: &Account, from: Origin) -> Result<SignedIn, AuthError> {
        let beginning = Beginning::in_person(SessionKind::Web, Methods::of(&[Method::Upstream]), from);
        let begun = self.begin(account, beginning).await?;
        let (session, secret) =
            begun.ok_or_else(|| AuthError::ProviderRefused("this account is not active".to_owned()))?;
        let rights = self.rights(&account.username).await?.ok_or(AuthError::NotLinked)?;
        Ok(SignedIn { caller: self.caller_of(rights, Arc::new(session), Via::Cookie), secret })
    }

    async fn join(&self, provider: &Provider, username: &str, person: &Person, from: &Origin) -> Result<(), AuthError> {
        let username = Username::parse(username).map_err(|_| AuthError::NotLinked)?;
        let known = self.0.store.credentials(&username).await?.ok_or(AuthError::NotLinked)?;
        let (identity, at) = (identity_of(provider, person), self.0.clock.now());
        let by = Actor::owner(&known.account).coming_from(from);
        match self.0.store.link_identity(by, identity, at).await? {
            Inserted::Done => self.tell(&known.account, Notice::ProviderLinked, from).await,
            Inserted::Taken => Err(AuthError::AlreadyLinked),
        }
    }

    async fn ask_provider(
        &self,
        provider: &Provider,
        voyage: &Voyage,
        code: SecretString,
    ) -> Result<Person, AuthError> {
        let metadata = self.metadata(provider).await?;
        let redeem = Redeem { voyage, code, now: self.0.clock.now() };
        let answer = protocol::redeem(self.http()?, provider, &metadata, redeem).await;
        if answer.is_err() {
            // Its keys may have changed since.
            *self.0.upstream.of(provider).lock().await = None;
        }
        answer
    }

    async fn metadata(&self, provider: &Provider) -> Result<Arc<Metadata>, AuthError> {
        let now = self.0.clock.now();
        // One asks, the others wait for what it hears.
        let known = self.0.upstream.of(provider);
        let mut heard = known.lock().await;
        if let Some((metadata, at)) = &*heard
            && now < clock::after(*at, METADATA)
        {
            return Ok(Arc::clone(metadata));
        }
        let metadata = Arc::new(protocol::discover(self.http()?, provider).await?);
        *heard = Some((Arc::clone(&metadata), now));
        Ok(metadata)
    }

    fn provider(&self, id: &str) -> Result<&Provider, AuthError> {
        self.providers().iter().find(|provider| provider.id == id).ok_or(AuthError::NoSuchProvider)
    }

    fn http(&self) -> Result<&HttpClient, AuthError> {
        self.0.settings.upstreams.http.as_ref().ok_or(AuthError::Internal("there is no HTTP client for providers"))
    }

    fn pending(&self) -> Token {
        Token::random(TokenKind::Pending, &self.0.chance)
    }
}

fn identity_of(provider: &Provider, person: &Person) -> NewIdentity {
    NewIdentity {
        issuer: provider.issuer.clone(),
        subject: person.subject.clone(),
        provider: provider.id.clone(),
        known_as: person.username.clone().or_else(|| person.email.clone()),
    }
}

/// What a new account could be called: as the person is called there, then with numbers. Never a name that is taken:
/// that would be somebody else's account.
fn usernames(person: &Person) -> impl Iterator<Item = Username> {
    let mail = person.email.as_deref().and_then(|email| email.split('@').next());
    let wish = person.username.as_deref().or(mail).unwrap_or("user");
    let plain: String = wish
        .chars()
        .map(|c| c.to_ascii_lowercase())
        .filter(|c| c.is_ascii_alphanumeric() || ".-_".contains(*c))
        .take(48)
        .collect();
    let plain = if plain.is_empty() { "user".to_owned() } else { plain };
    let numbered = (2..100).map({
        let plain = plain.clone();
        move |n| format!("{plain}{n}")
    });
    std::iter::once(plain).chain(numbered).filter_map(|name| Username::parse(&name).ok())
}

/// What an identity is called in addresses: says nothing about who it is.
#[must_use]
pub fn identity_id(issuer: &str, subject: &str) -> String {
    let whole = format!("{}:{issuer}{subject}", issuer.len());
    let hash = TokenHash::of(whole.as_bytes());
    hash.as_str().get(..32).unwrap_or_default().to_owned()
}

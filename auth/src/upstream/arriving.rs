//! Back from a provider, with somebody whom it vouches for.

use std::sync::Arc;

use jiff::Timestamp;

use super::{
    Arrival, Callback, Person, Provider, identity_of,
    protocol::Ask,
    voyage::{Joining, Voyage},
};
use crate::{
    Account, Auth, AuthError, AuthStore, Caller, Method, Methods, Notice, Origin, SessionKind,
    Standing,
    auth::SignedIn,
    beginning::Beginning,
    clock,
    policy::Via,
    second_step::Step,
    store::{Identity, Inserted},
};

/// How far a provider's clock may be behind ours.
const SKEW: std::time::Duration = std::time::Duration::from_mins(1);

/// A sign-in that a provider vouches for.
#[derive(Debug)]
pub(super) struct Arriving {
    /// When its owner proved to the provider who they are.
    pub(super) proved_at: Timestamp,
    /// When it began here.
    pub(super) departed_at: Timestamp,
    pub(super) from: Origin,
}

impl<S: AuthStore> Auth<S> {
    pub(super) async fn come_in(
        &self,
        provider: &str,
        callback: Callback,
        caller: Option<Caller>,
        from: Origin,
    ) -> Result<Arrival, AuthError> {
        let provider = self.provider(provider)?;
        let voyage = self.open_voyage(&callback, provider)?;
        let says_who = self
            .metadata(provider)
            .await?
            .additional_metadata()
            .authorization_response_iss_parameter_supported;
        // RFC 9207 §2.4: whoever always says it, and says nothing now, has not sent this.
        if callback
            .issuer
            .as_ref()
            .map_or(says_who, |issuer| *issuer != provider.issuer)
        {
            return Err(AuthError::ProviderRefused(
                "it is another provider".to_owned(),
            ));
        }
        // Whoever joins accounts is still signed in as when they began it, and has thrown nothing out meanwhile.
        let is = |caller: &Caller, joining: &Joining| Joining::of(caller) == *joining;
        if voyage
            .link
            .as_ref()
            .is_some_and(|joining| !caller.as_ref().is_some_and(|caller| is(caller, joining)))
        {
            return Err(AuthError::WrongBrowser);
        }
        let code = callback.outcome.map_err(AuthError::ProviderRefused)?;
        let person = self.ask_provider(provider, &voyage, code, &from).await?;
        self.finish_voyage(&voyage).await?;
        let (proved_at, departed_at) = (self.proved_at(&voyage, &person)?, voyage.departed_at);
        let arriving = Arriving {
            proved_at,
            departed_at,
            from,
        };
        if voyage.link.is_some() {
            let caller = caller.ok_or(AuthError::WrongBrowser)?;
            return self
                .join(provider, &caller, &person, &arriving.from)
                .await
                .map(|()| Arrival::Back(voyage.next));
        }
        let Some(identity) = self
            .0
            .store
            .identity(&provider.issuer, &person.subject)
            .await?
        else {
            let step = self.stranger(provider, &person, arriving).await?;
            return Ok(Arrival::Here {
                step,
                next: voyage.next,
            });
        };
        let own = caller.filter(|caller| {
            voyage.ask == Ask::Again && caller.account().username == identity.username
        });
        if let Some(caller) = own
            && self.go_on(&caller, &identity, departed_at).await?
        {
            return Ok(Arrival::Back(voyage.next));
        }
        let step = self.known_there(&identity, arriving).await?;
        Ok(Arrival::Here {
            step,
            next: voyage.next,
        })
    }

    /// A provider that was to ask again has to say that it did (`OpenID` Connect Core §3.1.2.1: with `max_age` it always
    /// says). One that was not may have known the browser from long ago: where it doesn't say, that is no recent sign-in.
    fn proved_at(&self, voyage: &Voyage, person: &Person) -> Result<Timestamp, AuthError> {
        let (now, refused) = (self.0.clock.now(), |why: &str| {
            Err(AuthError::ProviderRefused(why.to_owned()))
        });
        match (voyage.ask, person.auth_time) {
            (Ask::Again, Some(at)) if at < clock::before(voyage.departed_at, SKEW) => {
                refused("it did not ask again who you are")
            }
            (Ask::Again, None) => refused("it did not say when you signed in there"),
            (_, Some(at)) => Ok(at.min(now)),
            (Ask::IfUnknown, None) => Ok(clock::before(now, self.0.settings.step_up.within)),
        }
    }

    /// Whoever is signed in here has just shown the provider that it is still them: their session goes on, as after
    /// their password. Where they have a second factor, that is due as well: false.
    async fn go_on(
        &self,
        caller: &Caller,
        identity: &Identity,
        departed_at: Timestamp,
    ) -> Result<bool, AuthError> {
        let Ok(caller) = self.still(caller).await else {
            return Ok(false);
        };
        if caller
            .account()
            .era
            .began_within(departed_at, self.0.clock.now())
        {
            return Ok(false);
        }
        if caller.via() != Via::Cookie || self.factor_kinds(&identity.username).await?.is_enrolled()
        {
            return Ok(false);
        }
        self.0
            .store
            .identity_used(&identity.issuer, &identity.subject, self.0.clock.now())
            .await?;
        self.renew(&caller, Methods::of(&[Method::Upstream]))
            .await?;
        Ok(true)
    }

    pub(super) async fn known_there(
        &self,
        identity: &Identity,
        arriving: Arriving,
    ) -> Result<Step, AuthError> {
        let known = self.0.store.credentials(&identity.username).await?;
        let known = known.filter(|known| known.account.standing == Standing::Active);
        let known = known
            .ok_or_else(|| AuthError::ProviderRefused("this account is not active".to_owned()))?;
        // Joined it was when it was looked up; whoever takes it away from here on begins a new era.
        let joined = self
            .0
            .store
            .identity(&identity.issuer, &identity.subject)
            .await?;
        if joined.is_none_or(|joined| joined.username != identity.username) {
            return Err(AuthError::NotLinked);
        }
        // Nobody comes in before a link has set a new password, whatever way they come.
        if known.account.reset_required {
            return Err(AuthError::ResetRequired);
        }
        // What was begun before everything was thrown out is void.
        if known
            .account
            .era
            .began_within(arriving.departed_at, self.0.clock.now())
        {
            return Err(AuthError::SignInOver);
        }
        self.0
            .store
            .identity_used(&identity.issuer, &identity.subject, self.0.clock.now())
            .await?;
        // What the provider says of second factors of its own means something else everywhere: ours is asked for.
        if self.factor_kinds(&identity.username).await?.is_enrolled() {
            let first = Methods::of(&[Method::Upstream]);
            return self
                .wait_since(&known, first, Some(arriving.proved_at))
                .await
                .map(Step::HalfWay);
        }
        self.enter(&known.account, arriving)
            .await
            .map(Step::SignedIn)
    }

    pub(super) async fn enter(
        &self,
        account: &Account,
        arriving: Arriving,
    ) -> Result<SignedIn, AuthError> {
        let Arriving {
            proved_at, from, ..
        } = arriving;
        let methods = Methods::of(&[Method::Upstream]);
        let beginning = Beginning {
            auth_time: Some(proved_at),
            ..Beginning::in_person(SessionKind::Web, methods, from)
        };
        // While we were asking, a second factor was set up, or everything of the account was thrown out.
        let (session, secret) = self
            .begin(account, beginning)
            .await?
            .ok_or(AuthError::SignInOver)?;
        let rights = self
            .rights(&account.username)
            .await?
            .ok_or(AuthError::NotLinked)?;
        Ok(SignedIn {
            caller: self.caller_of(rights, Arc::new(session), Via::Cookie),
            secret,
        })
    }

    /// The provider took its time: whoever was signed out meanwhile joins nothing.
    async fn join(
        &self,
        provider: &Provider,
        caller: &Caller,
        person: &Person,
        from: &Origin,
    ) -> Result<(), AuthError> {
        let era = caller.account().era;
        let caller = self.still(caller).await.map_err(|error| match error {
            AuthError::InvalidToken => AuthError::WrongBrowser,
            other => other,
        })?;
        let (account, identity) = (caller.account(), identity_of(provider, person));
        let known = self
            .0
            .store
            .identity(&identity.issuer, &identity.subject)
            .await?;
        if known.is_some_and(|known| known.username == account.username) {
            return Ok(());
        }
        let by = caller.actor().coming_from(from);
        match self
            .0
            .store
            .link_identity(by, era, identity, self.0.clock.now())
            .await?
        {
            Some(Inserted::Done) => self.tell(account, Notice::ProviderLinked, from).await,
            Some(Inserted::Taken) => Err(AuthError::AlreadyLinked),
            None => Err(AuthError::WrongBrowser),
        }
    }
}

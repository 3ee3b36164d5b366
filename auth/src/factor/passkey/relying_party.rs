//! The relying party (`WebAuthn` §4) and every call to the webauthn crate. Deliberately absent:
//! accounts and the store.

use std::fmt;

use serde_json::Value;
use uuid::Uuid;
use webauthn_rs::{
    Webauthn, WebauthnBuilder,
    prelude::{
        AuthenticationResult, CredentialID, DiscoverableAuthentication, Passkey,
        PasskeyAuthentication, PasskeyRegistration, PublicKeyCredential,
        RegisterPublicKeyCredential, Url, WebauthnError,
    },
};

use super::{PasskeyError, shape};
use crate::{Account, AuthError, error::FactorError};

/// `WebAuthn` level 3 §7.1: longer ids are invalid.
const MAX_CREDENTIAL_ID: usize = 1023;

/// Options for `navigator.credentials`, in the JSON for `PublicKeyCredential.parse…FromJSON`
/// (§5.1.8).
pub(crate) type Options = Value;

pub(crate) struct RelyingParty {
    webauthn: Webauthn,
}

/// Why an assertion was rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AssertionError {
    /// The signature is invalid, or for another origin or ceremony.
    Invalid,
    /// The signature is valid, but the counter did not increase: the key may be cloned (§6.1.1).
    Cloned,
}

impl RelyingParty {
    /// `None` for a URL where browsers create no passkeys: without TLS unless it is this host, or
    /// with an IP address. A loopback address is replaced by `localhost`, which browsers accept.
    pub(crate) fn new(public_url: &str, name: &str) -> Option<Self> {
        let url = rp_url(public_url)?;
        let id = url.domain()?;
        let webauthn = WebauthnBuilder::new(id, &url)
            .ok()?
            .rp_name(name)
            .build()
            .ok()?;
        Some(Self { webauthn })
    }

    /// Requires a discoverable credential and user verification, so that each passkey can sign in
    /// alone.
    pub(crate) fn start_registration(
        &self,
        handle: Uuid,
        owner: &Account,
        known: Vec<CredentialID>,
    ) -> Result<(Options, PasskeyRegistration), AuthError> {
        let name = owner.username.as_str();
        let display_name = owner
            .display_name
            .as_ref()
            .map_or(name, |name| name.as_str());
        let started =
            self.webauthn
                .start_passkey_registration(handle, name, display_name, Some(known));
        let (options, state) =
            started.map_err(|_| AuthError::Internal("passkey options could not be created"))?;
        let mut options = public_key_options(&options)?;
        let choice = &mut options["authenticatorSelection"];
        choice["residentKey"] = "required".into();
        choice["requireResidentKey"] = true.into();
        Ok((options, state))
    }

    pub(crate) fn finish_registration(
        &self,
        response: &Value,
        state: &PasskeyRegistration,
    ) -> Result<Passkey, AuthError> {
        let credential: RegisterPublicKeyCredential = parse_credential(response)?;
        let is_well_formed = credential.raw_id.len() <= MAX_CREDENTIAL_ID
            && credential.type_ == "public-key"
            && shape::ids_agree(&credential.id, &credential.raw_id)
            && shape::is_plain_attestation(
                &credential.response.attestation_object,
                &credential.raw_id,
            )
            && shape::is_unframed(&credential.response.client_data_json);
        if !is_well_formed {
            return Err(PasskeyError::Malformed.into());
        }
        self.webauthn
            .finish_passkey_registration(&credential, state)
            .map_err(|_| AuthError::Factor(FactorError::Passkey(PasskeyError::Malformed)))
    }

    /// Options without a list of credentials: the browser offers its discoverable ones.
    pub(crate) fn start_discoverable(
        &self,
    ) -> Result<(Options, DiscoverableAuthentication), AuthError> {
        let started = self.webauthn.start_discoverable_authentication();
        let (options, state) =
            started.map_err(|_| AuthError::Internal("passkey options could not be created"))?;
        Ok((public_key_options(&options)?, state))
    }

    pub(crate) fn finish_discoverable(
        &self,
        assertion: &Assertion,
        state: DiscoverableAuthentication,
        passkey: &Passkey,
    ) -> Result<AuthenticationResult, AssertionError> {
        self.webauthn
            .finish_discoverable_authentication_v2(&assertion.0, state, passkey)
            .map_err(|error| to_assertion_error(&error))
    }

    /// Options for one of the given passkeys.
    pub(crate) fn start_authentication(
        &self,
        passkeys: &[Passkey],
    ) -> Result<(Options, PasskeyAuthentication), AuthError> {
        let started = self.webauthn.start_passkey_authentication(passkeys);
        let (options, state) =
            started.map_err(|_| AuthError::Internal("passkey options could not be created"))?;
        Ok((public_key_options(&options)?, state))
    }

    pub(crate) fn finish_authentication(
        &self,
        assertion: &Assertion,
        state: &PasskeyAuthentication,
    ) -> Result<AuthenticationResult, AssertionError> {
        self.webauthn
            .finish_passkey_authentication(&assertion.0, state)
            .map_err(|error| to_assertion_error(&error))
    }
}

impl fmt::Debug for RelyingParty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Party").finish_non_exhaustive()
    }
}

/// An unverified assertion.
#[derive(Debug)]
pub(crate) struct Assertion(PublicKeyCredential);

impl Assertion {
    /// # Errors
    /// [`PasskeyError::Malformed`].
    pub(crate) fn parse(response: &Value) -> Result<Self, AuthError> {
        let credential: PublicKeyCredential = parse_credential(response)?;
        let is_well_formed = credential.raw_id.len() <= MAX_CREDENTIAL_ID
            && credential.type_ == "public-key"
            && shape::ids_agree(&credential.id, &credential.raw_id)
            && shape::is_assertion_data(&credential.response.authenticator_data)
            && shape::is_unframed(&credential.response.client_data_json);
        if !is_well_formed {
            return Err(PasskeyError::Malformed.into());
        }
        Ok(Self(credential))
    }

    pub(crate) fn id(&self) -> &[u8] {
        &self.0.raw_id
    }

    /// Whether the user handle (§5.4.3) matches; `None` if the device sent none.
    pub(crate) fn user_handle_matches(&self, handle: Uuid) -> Option<bool> {
        self.0
            .get_user_unique_id()
            .map(|returned| returned == handle.as_bytes())
    }
}

fn parse_credential<T: serde::de::DeserializeOwned>(response: &Value) -> Result<T, AuthError> {
    T::deserialize(response)
        .map_err(|_| AuthError::Factor(FactorError::Passkey(PasskeyError::Malformed)))
}

fn to_assertion_error(error: &WebauthnError) -> AssertionError {
    match error {
        WebauthnError::CredentialPossibleCompromise => AssertionError::Cloned,
        _ => AssertionError::Invalid,
    }
}

fn public_key_options(options: &impl serde::Serialize) -> Result<Options, AuthError> {
    let json = serde_json::to_value(options).ok();
    let inner = json.and_then(|mut json| json.get_mut("publicKey").map(Value::take));
    inner.ok_or(AuthError::Internal(
        "passkey options could not be serialized",
    ))
}

/// The `WebAuthn` origin (scheme, host and port) of an installation at this public URL.
#[must_use]
pub fn webauthn_origin(public_url: &str) -> Option<String> {
    rp_url(public_url).map(|url| url.origin().ascii_serialization())
}

fn rp_url(public_url: &str) -> Option<Url> {
    let mut url = Url::parse(public_url).ok()?;
    let host = url.host_str()?.trim_matches(['[', ']']).to_owned();
    if host
        .parse()
        .is_ok_and(|address: std::net::IpAddr| address.to_canonical().is_loopback())
    {
        url.set_host(Some("localhost")).ok()?;
    }
    let name = url.domain()?;
    let is_own_machine = name == "localhost" || name.ends_with(".localhost");
    (url.scheme() == "https" || url.scheme() == "http" && is_own_machine).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passkeys_require_https_domain_or_localhost() {
        let origin = |url| RelyingParty::new(url, "Strongroom").and_then(|_| webauthn_origin(url));
        let works = [
            ("https://files.example.org", "https://files.example.org"),
            (
                "https://files.example.org:8443/",
                "https://files.example.org:8443",
            ),
            ("http://localhost:8000", "http://localhost:8000"),
            ("http://127.0.0.1:8000", "http://localhost:8000"),
            ("http://[::1]:8000", "http://localhost:8000"),
        ];
        for (url, at) in works {
            assert_eq!(origin(url).as_deref(), Some(at), "{url}");
        }
        for url in [
            "http://files.example.org",
            "http://192.0.2.7:8000",
            "https://192.0.2.7",
            "https://[2001:db8::1]",
            "x",
        ] {
            assert!(
                RelyingParty::new(url, "Strongroom").is_none() && webauthn_origin(url).is_none(),
                "{url}"
            );
        }
    }
}

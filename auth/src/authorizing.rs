//! Authorization codes (RFC 6749 §4.1) with PKCE (RFC 7636) for programs that have a browser at hand (RFC 8252): a person
//! is asked on our page, and the program gets a code that only it can turn into tokens, once, within a minute.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;

use crate::{
    Auth, AuthError, AuthStore, Caller, Client, DelegationRefused, Grants, Origin, SessionId,
    Token, TokenHash, TokenKind, Username,
    audit::{Deed, Detail},
    auth::Tokens,
    client::scope,
    clock,
    delegating::{Approval, Delegation},
    guessing::Secret,
    store::{EndReason, Slip, SlipKind},
};

/// How long a code is good (RFC 6749 §4.1.2: at most ten minutes).
const LIFETIME: Duration = Duration::from_mins(1);
/// For so long a second use is noticed.
const REMEMBERED: Duration = Duration::from_hours(24);

/// What a program asks for, as far as it was checked.
#[derive(Clone, Debug)]
pub struct Authorization {
    client: Client,
    redirect_uri: String,
    grants: Grants,
    challenge: Challenge,
}

/// Base64url of a SHA-256 (RFC 7636 §4.2).
#[derive(Clone, Debug)]
struct Challenge(String);

/// The answer to a program, on its way through the browser.
pub type Code = Token;

/// What comes back to be turned into tokens.
#[derive(Debug)]
pub struct Redemption {
    pub code: SecretString,
    pub client: String,
    pub redirect_uri: String,
    pub verifier: SecretString,
}

/// What is kept under the hash of a code.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Kept {
    client: String,
    redirect_uri: String,
    challenge: String,
    scope: String,
    expires_at: Timestamp,
    approval: Approval,
    /// The session that it was turned into.
    session: Option<String>,
    /// It was shown again since.
    replayed: bool,
    /// It was shown without what goes with it: nobody has it any longer.
    #[serde(default)]
    burnt: bool,
}

impl Authorization {
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    #[must_use]
    pub fn grants(&self) -> Grants {
        self.grants
    }

    #[must_use]
    pub fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }
}

impl Challenge {
    fn parse(challenge: Option<&str>, method: Option<&str>) -> Option<Self> {
        // Without a method it would be `plain` (RFC 7636 §4.3), which protects nothing here.
        let challenge = challenge.filter(|_| method == Some("S256"))?;
        let decoded = BASE64URL.decode(challenge).ok()?;
        (decoded.len() == 32).then(|| Self(challenge.to_owned()))
    }

    /// RFC 7636 §4.1 and §4.6.
    fn is_of(&self, verifier: &SecretString) -> bool {
        let verifier = verifier.expose_secret();
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
        let well_formed = (43..=128).contains(&verifier.len()) && verifier.bytes().all(plain);
        let shown = BASE64URL.encode(digest(&SHA256, verifier.as_bytes()));
        well_formed && bool::from(shown.as_bytes().ct_eq(self.0.as_bytes()))
    }
}

impl<S: AuthStore> Auth<S> {
    /// Who asks, and where an answer may be sent. An error here is answered on our own page: sending anything to an
    /// address that is not registered would lend our name to whoever wrote it (RFC 6749 §4.1.2.1).
    ///
    /// # Errors
    /// [`DelegationRefused::Client`], [`DelegationRefused::Redirect`].
    pub fn program(&self, client: &str, redirect_uri: &str) -> Result<&Client, DelegationRefused> {
        let client = self
            .0
            .settings
            .clients
            .find(client)
            .ok_or(DelegationRefused::Client)?;
        if client.may_redirect_to(redirect_uri) {
            Ok(client)
        } else {
            Err(DelegationRefused::Redirect)
        }
    }

    /// What a known program asks for. An error here is sent back to it. `challenge` is with its method,
    /// the response's type with its mode.
    ///
    /// # Errors
    /// [`DelegationRefused::ResponseType`], [`DelegationRefused::ResponseMode`], [`DelegationRefused::Scope`], [`DelegationRefused::Challenge`].
    #[expect(
        clippy::too_many_arguments,
        reason = "the parameters of RFC 6749 §4.1.1 and RFC 7636 §4.3"
    )]
    pub fn check_authorization(
        &self,
        client: &Client,
        redirect_uri: &str,
        (response_type, response_mode): (Option<&str>, Option<&str>),
        asked: Option<&str>,
        (challenge, method): (Option<&str>, Option<&str>),
    ) -> Result<Authorization, DelegationRefused> {
        if response_type != Some("code") {
            return Err(DelegationRefused::ResponseType);
        }
        if response_mode.is_some_and(|mode| mode != "query") {
            return Err(DelegationRefused::ResponseMode);
        }
        let challenge = Challenge::parse(challenge, method).ok_or(DelegationRefused::Challenge)?;
        let grants = scope(asked)?;
        Ok(Authorization {
            client: client.clone(),
            redirect_uri: redirect_uri.to_owned(),
            grants,
            challenge,
        })
    }

    /// The caller lets the program in.
    ///
    /// # Errors
    /// [`DelegationRefused::Beyond`].
    pub async fn authorize(
        &self,
        caller: &Caller,
        wanted: Authorization,
    ) -> Result<Code, AuthError> {
        let (code, now) = (
            Token::random(TokenKind::Code, &self.0.chance),
            self.0.clock.now(),
        );
        let kept = Kept {
            client: wanted.client.id().to_owned(),
            redirect_uri: wanted.redirect_uri,
            challenge: wanted.challenge.0,
            scope: wanted.grants.to_string(),
            expires_at: clock::after(now, LIFETIME),
            approval: Approval::by(caller, wanted.grants)?,
            session: None,
            replayed: false,
            burnt: false,
        };
        let slip = Slip {
            kind: SlipKind::Code,
            hash: code.hash(),
            username: Some(caller.account().username.clone()),
            body: write(&kept)?,
            created_at: now,
            expires_at: clock::after(now, REMEMBERED),
        };
        self.0.store.keep_slip(slip).await?;
        let told = |detail: Detail| detail.fact("client", kept.client).fact("scope", kept.scope);
        self.record_decision(caller, Deed::ProgramApproved, told)
            .await?;
        Ok(code)
    }

    /// One of any number of uses gets the tokens; a second one ends the session of the first, since then somebody else
    /// has seen the code (RFC 6749 §4.1.2).
    ///
    /// # Errors
    /// [`DelegationRefused::Code`], for whatever reason.
    pub async fn redeem(&self, redemption: Redemption, from: Origin) -> Result<Tokens, AuthError> {
        let code = Token::parse(TokenKind::Code, redemption.code.expose_secret())
            .ok_or(DelegationRefused::Code)?;
        let found = self
            .found_or_charged(Secret::Code, &from, self.kept(&code.hash()))
            .await?;
        let (slip, kept) = found.ok_or(DelegationRefused::Code)?;
        if kept.session.is_some() {
            self.end_replayed(slip, kept).await?;
            return Err(DelegationRefused::Code.into());
        }
        let now = self.0.clock.now();
        let ours = redemption.client == kept.client && redemption.redirect_uri == kept.redirect_uri;
        let proved = ours && Challenge(kept.challenge.clone()).is_of(&redemption.verifier);
        if kept.burnt || !proved || now >= kept.expires_at {
            // It stays on record: somebody may be turning it into tokens at this moment.
            if !self
                .0
                .store
                .revise_slip(
                    &slip,
                    write(&Kept {
                        burnt: true,
                        ..kept
                    })?,
                    now,
                )
                .await?
            {
                self.end_used_meanwhile(&slip.hash).await?;
            }
            self.charge_wrong(Secret::Code, &from, slip.username.as_ref())
                .await?;
            return Err(DelegationRefused::Code.into());
        }
        self.exchange(slip, kept, from).await
    }

    /// The session's name is written before it begins: whoever reads it there may end it.
    async fn exchange(&self, slip: Slip, kept: Kept, from: Origin) -> Result<Tokens, AuthError> {
        let id = SessionId::random(&self.0.chance);
        let used = Kept {
            session: Some(id.to_string()),
            ..kept.clone()
        };
        if !self
            .0
            .store
            .revise_slip(&slip, write(&used)?, self.0.clock.now())
            .await?
        {
            self.end_used_meanwhile(&slip.hash).await?;
            return Err(DelegationRefused::Code.into());
        }
        let program = self
            .0
            .settings
            .clients
            .find(&kept.client)
            .ok_or(DelegationRefused::Client)?
            .name()
            .to_owned();
        let grants =
            Grants::parse(&kept.scope).map_err(|_| AuthError::Internal("a stored scope"))?;
        let delegation = Delegation {
            approval: kept.approval,
            id,
            grants,
            client: kept.client,
            program,
            from,
        };
        let tokens = self
            .delegate(delegation)
            .await
            .map_err(|error| match error {
                AuthError::Delegation(_) | AuthError::InvalidToken => {
                    DelegationRefused::Code.into()
                }
                other => other,
            })?;
        // It may have been shown again while the session was not there yet to be ended.
        if let Some((slip, kept)) = self.kept(&slip.hash).await?
            && kept.replayed
        {
            self.end_replayed(slip, kept).await?;
            return Err(DelegationRefused::Code.into());
        }
        Ok(tokens)
    }

    /// Somebody else is using the code at this moment: that is a second use as well.
    async fn end_used_meanwhile(&self, code: &TokenHash) -> Result<(), AuthError> {
        match self.kept(code).await? {
            Some((slip, kept)) => self.end_replayed(slip, kept).await,
            None => Ok(()),
        }
    }

    async fn end_replayed(&self, slip: Slip, kept: Kept) -> Result<(), AuthError> {
        let now = self.0.clock.now();
        let (Some(id), Some(username)) = (&kept.session, &slip.username) else {
            return Ok(());
        };
        let (id, username): (SessionId, Username) = (SessionId::new(id), username.clone());
        self.0
            .store
            .revise_slip(
                &slip,
                write(&Kept {
                    replayed: true,
                    ..kept
                })?,
                now,
            )
            .await?;
        tracing::warn!(%username, session.id = %id, "an authorization code was used twice: its session was ended");
        self.end_delegated(&username, &id, EndReason::Replayed)
            .await
    }

    async fn kept(&self, hash: &TokenHash) -> Result<Option<(Slip, Kept)>, AuthError> {
        let slip = self
            .0
            .store
            .slip(SlipKind::Code, hash, self.0.clock.now())
            .await?;
        let read = |slip: Slip| match serde_json::from_str(&slip.body) {
            Ok(kept) => Ok((slip, kept)),
            Err(_) => Err(AuthError::Internal("a stored code")),
        };
        slip.map(read).transpose()
    }
}

fn write(kept: &Kept) -> Result<String, AuthError> {
    serde_json::to_string(kept).map_err(|_| AuthError::Internal("a code cannot be written"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7636, appendix B.
    #[test]
    fn pkce_challenge_matches_the_rfc_7636_example() {
        let challenge = Challenge::parse(
            Some("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
            Some("S256"),
        )
        .unwrap();
        assert!(challenge.is_of(&"dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".into()));
        assert!(!challenge.is_of(&"dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXl".into()));
    }

    #[test]
    fn pkce_verifier_has_43_to_128_unreserved_characters() {
        for (verifier, good) in [
            ("a".repeat(42), false),
            ("a".repeat(43), true),
            ("~".repeat(128), true),
            ("a".repeat(129), false),
            (" ".repeat(43), false),
            ("é".repeat(43), false),
        ] {
            let challenge = BASE64URL.encode(digest(&SHA256, verifier.as_bytes()));
            let challenge = Challenge::parse(Some(&challenge), Some("S256")).unwrap();
            assert_eq!(
                challenge.is_of(&verifier.clone().into()),
                good,
                "{verifier}"
            );
        }
    }

    #[test]
    fn pkce_challenge_other_than_s256_is_rejected() {
        let challenge = Some("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
        for (challenge, method) in [
            (challenge, None),
            (challenge, Some("plain")),
            (challenge, Some("s256")),
            (None, Some("S256")),
            (Some("short"), Some("S256")),
            (
                Some("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM="),
                Some("S256"),
            ),
        ] {
            assert!(
                Challenge::parse(challenge, method).is_none(),
                "{challenge:?} {method:?}"
            );
        }
    }
}

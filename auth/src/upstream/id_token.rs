//! Verification of ID tokens (`OpenID` Connect Core §3.1.3.7). Members that prove the identity must
//! be right. The others decide nothing, so their types do not matter.

use jiff::Timestamp;

use super::{
    discovery::Metadata,
    login_state::LoginState,
    members::{InvalidMember, Members},
    provider::Provider,
    signature::verified_payload,
    user::{Profile, UpstreamUser},
};
use crate::{AuthError, error::UpstreamError};

/// Seconds that a provider's clock may be ahead of ours.
const SKEW: i64 = 5 * 60;

/// The values that an ID token must match.
#[derive(Clone, Copy)]
pub(super) struct Expected<'a> {
    pub(super) login_state: &'a LoginState,
    pub(super) now: Timestamp,
}

/// Why an ID token was rejected.
#[derive(Debug, thiserror::Error)]
pub(super) enum IdTokenError {
    /// The provider may have rotated its keys since the last fetch.
    #[error("the signature matches no single key of the provider")]
    Signature,
    #[error("the payload is not a JSON object")]
    NotJson,
    #[error("the member {0}")]
    Member(#[from] InvalidMember),
}

impl IdTokenError {
    pub(super) fn into_auth_error(self, provider: &Provider) -> AuthError {
        tracing::warn!(provider = %provider.id, error = %self, "provider sent an invalid ID token");
        AuthError::Upstream(UpstreamError::IdTokenInvalid)
    }
}

/// Verifies the signature before any claim is read.
pub(super) fn verify_id_token(
    provider: &Provider,
    metadata: &Metadata,
    token: &str,
    expected: Expected<'_>,
) -> Result<UpstreamUser, IdTokenError> {
    let payload = verified_payload(token, &metadata.keys, &metadata.algorithms)
        .ok_or(IdTokenError::Signature)?;
    let claims = Members::parse(&payload).ok_or(IdTokenError::NotJson)?;
    Ok(verify_claims(provider, &claims, expected)?)
}

fn verify_claims(
    provider: &Provider,
    claims: &Members,
    Expected { login_state, now }: Expected<'_>,
) -> Result<UpstreamUser, InvalidMember> {
    if claims.text("iss")? != provider.issuer {
        return Err(InvalidMember::new("iss", "is another issuer"));
    }
    verify_audience(claims, &provider.client_id)?;
    if claims.time("exp")? <= now.as_second() {
        return Err(InvalidMember::new("exp", "is in the past"));
    }
    let latest = now.as_second() + SKEW;
    if claims.time("iat")? > latest {
        return Err(InvalidMember::new("iat", "is in the future"));
    }
    if claims
        .optional_time("nbf")
        .is_ok_and(|at| at > Some(latest))
    {
        return Err(InvalidMember::new("nbf", "is in the future"));
    }
    if claims.text("nonce")? != login_state.nonce {
        return Err(InvalidMember::new("nonce", "is of another sign-in"));
    }
    Ok(UpstreamUser {
        subject: subject(claims)?,
        auth_time: auth_time(claims, latest)?,
        profile: Profile::read(claims),
    })
}

/// Several audiences are accepted if `azp` is this client. An `azp` is always this client.
fn verify_audience(claims: &Members, client_id: &str) -> Result<(), InvalidMember> {
    let audiences = claims.texts("aud")?;
    if !audiences.contains(&client_id) {
        return Err(InvalidMember::new("aud", "is another client"));
    }
    match claims.optional_text("azp")? {
        Some(party) if party == client_id => Ok(()),
        Some(_) => Err(InvalidMember::new("azp", "is another client")),
        None if audiences.iter().all(|audience| *audience == client_id) => Ok(()),
        None => Err(InvalidMember::new(
            "azp",
            "is missing, and aud has several clients",
        )),
    }
}

/// §2: a subject has at most 255 ASCII characters. An empty subject, or one with control characters
/// or outer spaces, could match two identities.
fn subject(claims: &Members) -> Result<String, InvalidMember> {
    let subject = claims.text("sub")?;
    let printable = subject.chars().all(|c| c.is_ascii_graphic() || c == ' ');
    if (1..=255).contains(&subject.len()) && printable && subject.trim() == subject {
        Ok(subject.to_owned())
    } else {
        Err(InvalidMember::new(
            "sub",
            "is not 1 to 255 ASCII characters",
        ))
    }
}

fn auth_time(claims: &Members, latest: i64) -> Result<Option<Timestamp>, InvalidMember> {
    const MEMBER: &str = "auth_time";
    let Some(at) = claims.optional_time(MEMBER)? else {
        return Ok(None);
    };
    if at > latest {
        return Err(InvalidMember::new(MEMBER, "is in the future"));
    }
    Timestamp::from_second(at)
        .map(Some)
        .map_err(|_| InvalidMember::new(MEMBER, "is not a time"))
}

#[cfg(test)]
mod tests;

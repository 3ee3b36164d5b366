//! From the code of a callback to a verified user: token request, ID token, userinfo.

use secrecy::SecretString;

use super::{
    code_exchange::{self, Tokens},
    http::ProviderHttp,
    id_token::{Expected, IdTokenError, verify_id_token},
    login_state::LoginState,
    metadata_loading::REFETCH_AGE,
    provider::Provider,
    user::UpstreamUser,
    userinfo,
};
use crate::{
    AuthError, AuthStore, Origin,
    handles::Upstream,
    throttle::{Attempt, CredentialKind},
};

/// A verified user, and the access token that may ask for more of their names.
pub(super) struct VerifiedUser {
    pub(super) user: UpstreamUser,
    access_token: Option<SecretString>,
}

impl<S: AuthStore> Upstream<'_, S> {
    /// Exchanges the code and verifies the ID token. An invalid signature causes one new fetch of
    /// the keys, because providers rotate them at any time (`OpenID` Connect Core §10.1.1).
    pub(super) async fn exchange_and_verify(
        self,
        provider: &Provider,
        login_state: &LoginState,
        code: &SecretString,
        from: &Origin,
    ) -> Result<VerifiedUser, AuthError> {
        let Tokens {
            id_token,
            access_token,
        } = self
            .exchange_code(provider, login_state, code, from)
            .await?;
        let metadata = self.metadata(provider).await?;
        let expected = Expected {
            login_state,
            now: self.0.core.clock.now(),
        };
        let mut verified = verify_id_token(provider, &metadata, &id_token, expected);
        if let Err(IdTokenError::Signature) = verified {
            let newer = self.metadata_within(REFETCH_AGE, provider).await?;
            verified = verify_id_token(provider, &newer, &id_token, expected);
        }
        let user = verified.map_err(|error| error.into_auth_error(provider))?;
        Ok(VerifiedUser { user, access_token })
    }

    /// An invalid code costs a request to the provider, so attempts are throttled before it.
    async fn exchange_code(
        self,
        provider: &Provider,
        login_state: &LoginState,
        code: &SecretString,
        from: &Origin,
    ) -> Result<Tokens, AuthError> {
        let metadata = self.metadata(provider).await?;
        let attempt = Attempt {
            kind: CredentialKind::AuthorizationCode,
            account: None,
            from,
        };
        let guard = self.0.throttling().begin_attempt(&attempt).await?;
        let http = self.provider_http(provider)?;
        match code_exchange::exchange_code(http, &metadata, login_state, code).await {
            Ok(tokens) => Ok(tokens),
            Err(error) => {
                self.0.throttling().count(guard).await?;
                Err(error)
            }
        }
    }

    /// Adds names from the userinfo endpoint that the ID token omits. Only a new account or link
    /// needs them.
    pub(super) async fn complete_profile(
        self,
        provider: &Provider,
        VerifiedUser {
            mut user,
            access_token,
        }: VerifiedUser,
    ) -> Result<UpstreamUser, AuthError> {
        let Some(access_token) = access_token.filter(|_| user.profile.is_incomplete()) else {
            return Ok(user);
        };
        let metadata = self.metadata(provider).await?;
        let http = self.provider_http(provider)?;
        let more = userinfo::fetch_profile(http, &metadata, &user, &access_token).await?;
        user.profile = user.profile.or(more);
        Ok(user)
    }

    fn provider_http<'p>(self, provider: &'p Provider) -> Result<ProviderHttp<'p>, AuthError>
    where
        Self: 'p,
    {
        Ok(ProviderHttp {
            http: self.http()?,
            provider,
        })
    }
}

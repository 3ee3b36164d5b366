//! Sign-in through an `OpenID` provider: client secret, codes, states, nonces, verifiers, tokens.

use serde_json::json;

use super::recording_client::RecordingClient;
use crate::mock_provider::{MockProvider, UPSTREAM_ACCESS};

pub(super) const CLIENT_SECRET: &str = "between us and the provider alone";
const AUTHORIZATION_CODE: &str = "upstream-code-for-one-use";

/// `[[providers]]`
pub(super) fn provider_section(provider: &MockProvider) -> String {
    format!(
        "[[providers]]\nid = \"work\"\nname = \"Work\"\nissuer = \"{}\"\nclient_id = \"strongroom\"\n\
         client_secret = \"{CLIENT_SECRET}\"\nnew_accounts = true\n",
        provider.issuer
    )
}

pub(super) async fn run(client: &RecordingClient, provider: &MockProvider) {
    for (what, secret) in [
        ("a provider's client secret", CLIENT_SECRET),
        ("a provider's code", AUTHORIZATION_CODE),
        ("its token", UPSTREAM_ACCESS),
    ] {
        client.record(what, secret);
    }
    client.record(
        "the client's secret as Basic",
        &format!("strongroom:{CLIENT_SECRET}"),
    );
    // The first sign-in has a wrong nonce, the second one succeeds.
    for nonce in ["of another sign-in", ""] {
        provider.set_claims(json!({"sub": "17", "preferred_username": "dora"}));
        let left = client
            .expect(303, client.get("/auth/oidc/work?next=/account"))
            .await;
        let cookie = client.record_cookies(&left);
        let query = left.location().split_once('?').unwrap().1.to_owned();
        let member = |name| {
            form_urlencoded::parse(query.as_bytes())
                .find(|(key, _)| key == name)
                .unwrap()
                .1
                .into_owned()
        };
        let state = client.record("a state", &member("state"));
        let right = client.record("a nonce", &member("nonce"));
        *provider.nonce.lock().unwrap() = if nonce.is_empty() {
            right
        } else {
            nonce.to_owned()
        };
        let back = || {
            client.get(&format!(
                "/auth/oidc/work/callback?code={AUTHORIZATION_CODE}&state={state}"
            ))
        };
        client.expect(403, back()).await;
        let back = back().header("cookie", &cookie);
        if nonce.is_empty() {
            client.record_cookies(&client.expect(303, back).await);
        } else {
            client.expect(403, back).await;
        }
        client.record("an ID token", &provider.last_id_token.lock().unwrap());
        for form in provider.forms.lock().unwrap().drain(..) {
            let verifier = form
                .iter()
                .find(|(name, _)| name == "code_verifier")
                .unwrap();
            client.record("a verifier of ours", &verifier.1);
        }
    }
    let denied = format!(
        "/auth/oidc/work/callback?error=access_denied&error_description={AUTHORIZATION_CODE}&state={AUTHORIZATION_CODE}"
    );
    client.expect(403, client.get(&denied)).await;
}

//! Sign-in through an `OpenID` provider: client secret, codes, states, nonces, verifiers, tokens.

use serde_json::json;

use super::run_deployment::Drive;
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

pub(super) async fn run(drive: &Drive, provider: &MockProvider) {
    for (what, secret) in [
        ("a provider's client secret", CLIENT_SECRET),
        ("a provider's code", AUTHORIZATION_CODE),
        ("its token", UPSTREAM_ACCESS),
    ] {
        drive.record(what, secret);
    }
    drive.record(
        "the client's secret as Basic",
        &format!("strongroom:{CLIENT_SECRET}"),
    );
    // The first sign-in has a wrong nonce, the second one succeeds.
    for nonce in ["of another sign-in", ""] {
        provider.set_claims(json!({"sub": "17", "preferred_username": "dora"}));
        let left = drive
            .expect_success(drive.get("/auth/oidc/work?next=/account"))
            .await;
        let cookie = drive.record_cookies(&left);
        let query = left.location().split_once('?').unwrap().1.to_owned();
        let member = |name| {
            form_urlencoded::parse(query.as_bytes())
                .find(|(key, _)| key == name)
                .unwrap()
                .1
                .into_owned()
        };
        let state = drive.record("a state", &member("state"));
        let right = drive.record("a nonce", &member("nonce"));
        *provider.nonce.lock().unwrap() = if nonce.is_empty() {
            right
        } else {
            nonce.to_owned()
        };
        let back = || {
            drive.get(&format!(
                "/auth/oidc/work/callback?code={AUTHORIZATION_CODE}&state={state}"
            ))
        };
        drive.expect_rejection(back()).await;
        let back = back().header("cookie", &cookie);
        if nonce.is_empty() {
            drive.record_cookies(&drive.expect_success(back).await);
        } else {
            drive.expect_rejection(back).await;
        }
        drive.record("an ID token", &provider.last_id_token.lock().unwrap());
        for form in provider.forms.lock().unwrap().drain(..) {
            let verifier = form
                .iter()
                .find(|(name, _)| name == "code_verifier")
                .unwrap();
            drive.record("a verifier of ours", &verifier.1);
        }
    }
    let denied = format!(
        "/auth/oidc/work/callback?error=access_denied&error_description={AUTHORIZATION_CODE}&state={AUTHORIZATION_CODE}"
    );
    drive.expect_rejection(drive.get(&denied)).await;
}

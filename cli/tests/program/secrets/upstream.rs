//! Signing in through a provider: its client's secret, codes, states, nonces, verifiers and tokens.

use serde_json::json;

use super::drive::Drive;
use crate::provider::{Provider, UPSTREAM_ACCESS};

pub(super) const CLIENT_SECRET: &str = "between us and the provider alone";
const CODE: &str = "upstream-code-for-one-use";

/// `[[providers]]`
pub(super) fn section(provider: &Provider) -> String {
    format!(
        "[[providers]]\nid = \"work\"\nname = \"Work\"\nissuer = \"{}\"\nclient_id = \"strongroom\"\n\
         client_secret = \"{CLIENT_SECRET}\"\nnew_accounts = true\n",
        provider.issuer
    )
}

pub(super) async fn upstream(drive: &Drive, provider: &Provider) {
    for (what, secret) in [
        ("a provider's client secret", CLIENT_SECRET),
        ("a provider's code", CODE),
        ("its token", UPSTREAM_ACCESS),
    ] {
        drive.keep(what, secret);
    }
    drive.keep(
        "the client's secret as Basic",
        &format!("strongroom:{CLIENT_SECRET}"),
    );
    // Refused for the nonce, then let in.
    for nonce in ["of another sign-in", ""] {
        provider.says(json!({"sub": "17", "preferred_username": "dora"}));
        let left = drive.well(drive.get("/auth/oidc/work?next=/account")).await;
        let cookie = drive.keep_cookies(&left);
        let query = left.location().split_once('?').unwrap().1.to_owned();
        let member = |name| {
            form_urlencoded::parse(query.as_bytes())
                .find(|(key, _)| key == name)
                .unwrap()
                .1
                .into_owned()
        };
        let state = drive.keep("a state", &member("state"));
        let right = drive.keep("a nonce", &member("nonce"));
        *provider.nonce.lock().unwrap() = if nonce.is_empty() {
            right
        } else {
            nonce.to_owned()
        };
        let back = || {
            drive.get(&format!(
                "/auth/oidc/work/callback?code={CODE}&state={state}"
            ))
        };
        drive.refused(back()).await;
        let back = back().header("cookie", &cookie);
        if nonce.is_empty() {
            drive.keep_cookies(&drive.well(back).await);
        } else {
            drive.refused(back).await;
        }
        drive.keep("an ID token", &provider.told.lock().unwrap());
        for form in provider.forms.lock().unwrap().drain(..) {
            let verifier = form
                .iter()
                .find(|(name, _)| name == "code_verifier")
                .unwrap();
            drive.keep("a verifier of ours", &verifier.1);
        }
    }
    let denied = format!(
        "/auth/oidc/work/callback?error=access_denied&error_description={CODE}&state={CODE}"
    );
    drive.refused(drive.get(&denied)).await;
}

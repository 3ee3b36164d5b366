//! Input that no browser sends: a client error, never a server error.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{ORIGIN, PasskeyBrowser, editor_with_passkey, passkey_app};
use crate::{malformed_input::cases, passkey_device::TestAuthenticator};

/// Any JSON of limited depth.
pub(crate) fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        "[A-Za-z0-9_-]{0,80}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map("id|rawId|type|response|signature|[a-z]{1,6}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// A change to one member of a valid credential.
#[derive(Clone, Debug)]
enum Damage {
    Replace(Value),
    Remove,
    /// Changes, truncates or repeats bytes of a base64url value.
    Bytes {
        at: usize,
        xor: u8,
        keep: usize,
        repeat: usize,
    },
}

fn damage() -> impl Strategy<Value = Damage> {
    let bytes =
        (any::<usize>(), 1_u8.., any::<usize>(), 1_usize..4).prop_map(|(at, xor, keep, repeat)| {
            Damage::Bytes {
                at,
                xor,
                keep,
                repeat,
            }
        });
    prop_oneof![1 => any_json().prop_map(Damage::Replace), 1 => Just(Damage::Remove), 4 => bytes]
}

const MEMBERS: [&str; 12] = [
    "/id",
    "/rawId",
    "/type",
    "/response",
    "/clientExtensionResults",
    "/response/attestationObject",
    "/response/clientDataJSON",
    "/response/authenticatorData",
    "/response/signature",
    "/response/userHandle",
    "/response/transports",
    "",
];

fn apply(credential: &mut Value, member: &str, damage: Damage) {
    let Some(place) = credential.pointer_mut(member) else {
        return;
    };
    match damage {
        Damage::Replace(value) => *place = value,
        Damage::Remove => *place = Value::Null,
        Damage::Bytes {
            at,
            xor,
            keep,
            repeat,
        } => {
            let Some(text) = place.as_str() else { return };
            let Ok(mut bytes) =
                base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, text)
            else {
                return;
            };
            if bytes.is_empty() {
                return;
            }
            let length = bytes.len();
            bytes[at % length] ^= xor;
            bytes.truncate(length - (keep % 8).min(length - 1) * usize::from(keep % 3 == 0));
            *place = json!(crate::passkey_device::base64url(&bytes.repeat(repeat)));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_passkey_assertion_is_rejected() {
    let app = passkey_app().await;
    let (_, mut phone) = editor_with_passkey(&app, "ada").await;
    for (member, damage) in cases(&(prop::sample::select(&MEMBERS[..]), damage()), 300) {
        let browser = PasskeyBrowser::start_sign_in(&app).await;
        let mut credential = phone.get_assertion(&browser.options);
        let whole = credential.clone();
        apply(&mut credential, member, damage.clone());
        let answer = browser.finish_sign_in(&credential).await;
        let harmless = ["/id", "/clientExtensionResults"].contains(&member) || credential == whole;
        assert!(
            (400..500).contains(&answer.status()) || harmless && answer.status() == 204,
            "{member} {damage:?}: {} {}",
            answer.status(),
            answer.text
        );
        // Errors count against the address, and this test is not about throttling.
        app.advance_clock(std::time::Duration::from_hours(1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_passkey_registration_is_handled_or_rejected() {
    let app = passkey_app().await;
    let ada = app.editor("ada").await;
    for (member, damage) in cases(&(prop::sample::select(&MEMBERS[..]), damage()), 300) {
        let asked = ada
            .post("/auth/passkeys/options", Value::Null)
            .await
            .expect_status(200);
        let mut credential =
            TestAuthenticator::new(ORIGIN).create_credential(&asked.body["publicKey"]);
        apply(&mut credential, member, damage.clone());
        let body =
            json!({"ceremony": asked.body["ceremony"], "name": "Key", "credential": credential});
        let answer = ada.post("/auth/passkeys", body).await;
        if let Some(id) = answer.body["passkey"]["id"].as_str() {
            ada.send(ada.delete_request(&format!("/auth/passkeys/{id}")))
                .await
                .expect_status(204);
        }
        assert!(
            (400..500).contains(&answer.status()) || answer.status() == 201,
            "{member} {damage:?}: {} {}",
            answer.status(),
            answer.text
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn arbitrary_passkey_json_is_rejected() {
    let app = passkey_app().await;
    let ada = app.editor("ada").await;
    let browser = PasskeyBrowser::start_sign_in(&app).await;
    for body in cases(&any_json(), 200) {
        for path in ["/auth/passkeys", "/auth/passkeys/sign-in"] {
            let bodies = [
                body.clone(),
                json!({"ceremony": browser.ceremony, "name": "x", "credential": body}),
                json!({"ceremony": browser.ceremony, "credential": body}),
                json!({"ceremony": body, "name": body, "credential": {}}),
            ];
            for body in bodies {
                let request = browser
                    .client
                    .post_request(path)
                    .header("sec-fetch-site", "same-origin");
                let request = match path {
                    "/auth/passkeys" => ada.post_request(path),
                    _ => request.header("cookie", &browser.cookie),
                };
                let answer = ada.send(request.json(&body)).await;
                assert!(
                    (400..500).contains(&answer.status()),
                    "{path} {body}: {} {}",
                    answer.status(),
                    answer.text
                );
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn oversized_passkey_bodies_and_ids_are_rejected() {
    let app = passkey_app().await;
    let (ada, mut phone) = editor_with_passkey(&app, "ada").await;
    let browser = PasskeyBrowser::start_sign_in(&app).await;
    let mut credential = phone.get_assertion(&browser.options);
    credential["response"]["signature"] = json!("A".repeat(70_000));
    browser.finish_sign_in(&credential).await.expect_status(413);
    phone.id = vec![1; 1024];
    browser
        .finish_sign_in(&phone.get_assertion(&browser.options))
        .await
        .expect_status(422);
    ada.send(ada.delete_request(&format!("/auth/passkeys/{}", "A".repeat(5_000))))
        .await
        .expect_status(404);
    let deep = format!(
        "{{\"ceremony\":\"x\",\"credential\":{}1{}}}",
        "[".repeat(20_000),
        "]".repeat(20_000)
    );
    let request = browser
        .client
        .post_request("/auth/passkeys/sign-in")
        .header("sec-fetch-site", "same-origin");
    let request = request
        .header("cookie", &browser.cookie)
        .header("content-type", "application/json")
        .body(deep);
    browser.client.send(request).await.expect_status(422);
}

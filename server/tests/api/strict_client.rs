//! A strict OAuth client (RFC 8414, 7517, 9068).

use jsonwebtoken::{DecodingKey, Validation, jwk::JwkSet};
use serde_json::{Value, json};
use server::{
    ConfigSource,
    config::{KeysSection, keys::Algorithm},
};

use crate::{
    app::{Client, TestApp, TestResponse},
    both,
};

const METADATA: &str = "/.well-known/oauth-authorization-server";
const JWKS: &str = "/.well-known/jwks.json";

async fn fetch_metadata(client: &Client) -> Value {
    client.get(METADATA).await.expect_status(200).body
}

fn string_list(metadata: &Value, name: &str) -> Vec<String> {
    metadata[name]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item.as_str().unwrap().to_owned())
        .collect()
}

async fn request_grant(client: &Client, grant: &str) -> TestResponse {
    client
        .send(
            client
                .post_request("/auth/token")
                .form(&[("grant_type", grant)]),
        )
        .await
}

both! {
    async fn server_metadata_satisfies_a_strict_client(app: TestApp) {
        let client = app.anonymous();
        let answer = client.get(METADATA).await.expect_status(200);
        assert_eq!(answer.header("content-type"), Some("application/json"));
        let metadata = answer.body;
        let issuer = metadata["issuer"].as_str().unwrap();
        assert!(!issuer.ends_with('/') && !issuer.contains(['?', '#']), "RFC 8414 §2: {issuer}");
        for (name, value) in metadata.as_object().unwrap() {
            assert!(!value.is_null() && *value != json!([]) && *value != json!(""), "{name} would be left out: §3.2");
            if name.ends_with("_endpoint") || name == "jwks_uri" {
                let path = value.as_str().unwrap().strip_prefix(issuer).unwrap_or_else(|| panic!("{name}: {value}"));
                let posted = client.send(client.post_request(path)).await.status();
                let got = client.get(path).await.status();
                assert!(![404, 405].contains(&posted) || ![404, 405].contains(&got), "{name}: {posted} {got}");
            }
        }
        // Explicit, because the default value (§2) does not apply.
        assert_eq!(string_list(&metadata, "response_modes_supported"), ["query"]);
        assert_eq!(string_list(&metadata, "token_endpoint_auth_methods_supported"), ["none"]);
        assert_eq!(string_list(&metadata, "revocation_endpoint_auth_methods_supported"), ["none"]);
        assert_eq!(string_list(&metadata, "introspection_endpoint_auth_methods_supported"), ["Bearer"]);
        assert_eq!(string_list(&metadata, "code_challenge_methods_supported"), ["S256"]);
        client.get("/.well-known/openid-configuration").await.expect_status(404);
    }

    async fn grant_types_and_client_authentication_match_metadata(app: TestApp) {
        let (client, ada) = (app.anonymous(), app.editor("ada").await);
        let grants = string_list(&fetch_metadata(&client).await, "grant_types_supported");
        for name in &grants {
            let answer = request_grant(&client, name).await;
            // A parameter is missing or the user is unknown, but the grant type is supported.
            assert!((400..500).contains(&answer.status()) && answer.body["error"] != "unsupported_grant_type", "{name}: {answer:?}");
        }
        for name in ["implicit", "client_credentials", "urn:ietf:params:oauth:grant-type:jwt-bearer", "Password"] {
            assert!(!grants.contains(&name.to_owned()));
            assert_eq!(request_grant(&client, name).await.expect_status(400).body["error"], "unsupported_grant_type");
        }
        let form = [("token", ada.refresh.as_str())];
        let alone = client.send(client.post_request("/auth/introspect").form(&form)).await.expect_status(401);
        assert!(alone.header("www-authenticate").unwrap().starts_with("Bearer"), "{alone:?}");
        assert_eq!(ada.send(ada.post_request("/auth/introspect").form(&form)).await.expect_status(200).body["active"], true);
        client.send(client.post_request("/auth/revoke").form(&form)).await.expect_status(200);
    }
}

fn decoding_key(set: &JwkSet, kid: &str) -> DecodingKey {
    let named: Vec<_> = set
        .keys
        .iter()
        .filter(|key| key.common.key_id.as_deref() == Some(kid))
        .collect();
    assert_eq!(named.len(), 1, "each name is there once");
    DecodingKey::from_jwk(named[0]).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn access_token_verifies_with_published_jwks() {
    let keys = KeysSection {
        algorithm: Some(Algorithm::EdDsa),
        ..KeysSection::default()
    };
    let app = TestApp::with_settings(ConfigSource {
        keys: Some(keys),
        ..ConfigSource::default()
    })
    .await;
    let (client, ada) = (app.anonymous(), app.editor("ada").await);
    let token = ada.token.as_deref().unwrap();
    let answer = client.get(JWKS).await.expect_status(200);
    assert_eq!(
        (
            answer.header("content-type"),
            answer.header("cache-control")
        ),
        (Some("application/json"), Some("no-store"))
    );
    for jwk in answer.body["keys"].as_array().unwrap() {
        let mut members: Vec<_> = jwk
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        members.sort_unstable();
        assert_eq!(
            members,
            ["alg", "crv", "kid", "kty", "use", "x"],
            "public and complete keys"
        );
        assert_eq!(
            (&jwk["kty"], &jwk["crv"], &jwk["use"], &jwk["alg"]),
            (
                &json!("OKP"),
                &json!("Ed25519"),
                &json!("sig"),
                &json!("EdDSA")
            )
        );
    }
    let set: JwkSet = serde_json::from_value(answer.body).unwrap();
    let header = jsonwebtoken::decode_header(token).unwrap();
    assert_eq!(header.typ.as_deref(), Some("at+jwt"), "RFC 9068 §2.1");
    let mut rules = Validation::new(header.alg);
    rules.set_issuer(&[fetch_metadata(&client).await["issuer"].as_str().unwrap()]);
    rules.set_audience(&["strongroom"]);
    rules.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    let claims =
        jsonwebtoken::decode::<Value>(token, &decoding_key(&set, &header.kid.unwrap()), &rules)
            .unwrap()
            .claims;
    for name in ["iat", "jti", "sub"] {
        assert!(!claims[name].is_null(), "{name}: {claims}");
    }
}

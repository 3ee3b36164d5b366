//! A software authenticator (`WebAuthn` §6). It follows instructions, even those that no real
//! device would.

use aws_lc_rs::{
    digest::{SHA256, digest},
    rand::{SystemRandom, fill},
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use serde_json::{Value, json};

/// §6.1: user present, user verified, attested credential data included.
pub(crate) const USER_PRESENT: u8 = 0x01;
pub(crate) const USER_VERIFIED: u8 = 0x04;
const ATTESTED_CREDENTIAL_DATA: u8 = 0x40;

pub(crate) struct TestAuthenticator {
    key: EcdsaKeyPair,
    pub(crate) id: Vec<u8>,
    /// The user handle, as the server sent it at creation.
    pub(crate) handle: Vec<u8>,
    pub(crate) counter: u32,
    pub(crate) flags: u8,
    /// The origin that the browser reports.
    pub(crate) origin: String,
    pub(crate) cross_origin: bool,
}

impl TestAuthenticator {
    pub(crate) fn new(origin: &str) -> Self {
        let mut id = vec![0; 32];
        fill(&mut id).unwrap();
        Self {
            key: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap(),
            id,
            handle: Vec::new(),
            counter: 0,
            flags: USER_PRESENT | USER_VERIFIED,
            origin: origin.to_owned(),
            cross_origin: false,
        }
    }

    /// A device from a fixture: private key (PKCS #8), credential id, user handle and counter.
    pub(crate) fn from_json(stored: &Value, origin: &str) -> Self {
        let bytes = |name: &str| BASE64URL.decode(stored[name].as_str().unwrap()).unwrap();
        Self {
            key: EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &bytes("pkcs8"))
                .unwrap(),
            id: bytes("id"),
            handle: bytes("handle"),
            counter: u32::try_from(stored["counter"].as_u64().unwrap()).unwrap(),
            ..Self::new(origin)
        }
    }

    /// `navigator.credentials.create`.
    pub(crate) fn create_credential(&mut self, options: &Value) -> Value {
        self.handle = BASE64URL
            .decode(options["user"]["id"].as_str().unwrap())
            .unwrap();
        let client = self.client_data("webauthn.create", options);
        let data = self.attested_credential_data(options["rp"]["id"].as_str().unwrap());
        let mut attestation = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData".to_vec();
        attestation.extend([0x59]);
        attestation.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
        attestation.extend(data);
        json!({
            "id": base64url(&self.id),
            "rawId": base64url(&self.id),
            "type": "public-key",
            "clientExtensionResults": {"credProps": {"rk": true}},
            "response": {"attestationObject": base64url(&attestation), "clientDataJSON": base64url(client.as_bytes()), "transports": ["internal"]},
        })
    }

    /// `navigator.credentials.get`.
    pub(crate) fn get_assertion(&mut self, options: &Value) -> Value {
        let client = self.client_data("webauthn.get", options);
        self.counter = self.counter.saturating_add(1);
        let data = self.authenticator_data(options["rpId"].as_str().unwrap(), self.flags);
        let signed = [data.as_slice(), digest(&SHA256, client.as_bytes()).as_ref()].concat();
        let signature = self.key.sign(&SystemRandom::new(), &signed).unwrap();
        json!({
            "id": base64url(&self.id),
            "rawId": base64url(&self.id),
            "type": "public-key",
            "clientExtensionResults": {},
            "response": {
                "authenticatorData": base64url(&data),
                "clientDataJSON": base64url(client.as_bytes()),
                "signature": base64url(signature.as_ref()),
                "userHandle": base64url(&self.handle),
            },
        })
    }

    fn client_data(&self, kind: &str, options: &Value) -> String {
        let (challenge, origin) = (&options["challenge"], &self.origin);
        json!({"type": kind, "challenge": challenge, "origin": origin, "crossOrigin": self.cross_origin}).to_string()
    }

    fn authenticator_data(&self, rp: &str, flags: u8) -> Vec<u8> {
        let mut data = digest(&SHA256, rp.as_bytes()).as_ref().to_vec();
        data.push(flags);
        data.extend(self.counter.to_be_bytes());
        data
    }

    fn attested_credential_data(&self, rp: &str) -> Vec<u8> {
        let mut data = self.authenticator_data(rp, self.flags | ATTESTED_CREDENTIAL_DATA);
        data.extend([0; 16]);
        data.extend(u16::try_from(self.id.len()).unwrap().to_be_bytes());
        data.extend(&self.id);
        // COSE_Key (RFC 9053 §7.1): EC2, ES256, P-256, x, y
        let point = self.key.public_key().as_ref();
        data.extend(b"\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20");
        data.extend(&point[1..33]);
        data.extend(b"\x22\x58\x20");
        data.extend(&point[33..]);
        data
    }
}

pub(crate) fn base64url(bytes: &[u8]) -> String {
    BASE64URL.encode(bytes)
}

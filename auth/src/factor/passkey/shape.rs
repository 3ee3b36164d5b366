//! Checks of `WebAuthn` level 3 that the webauthn crate leaves out: the shape of a response, before
//! any signature is verified.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};

/// §6.1: hash of the RP id, flags, counter.
const AUTH_DATA_BYTES: usize = 37;
const FLAGS_AT: usize = 32;
const ATTESTED: u8 = 0x40;
const EXTENSIONS: u8 = 0x80;
/// AAGUID, before the length of the credential id (§6.5.1).
const AAGUID_BYTES: usize = 16;
/// Nesting of CBOR; CTAP 2.1 §8 allows four levels.
const MAX_DEPTH: u8 = 4;

/// §5.1: `id` is the base64url of `rawId`, which is not empty.
pub(super) fn ids_agree(id: &str, raw_id: &[u8]) -> bool {
    !raw_id.is_empty() && BASE64URL.encode(raw_id) == id
}

/// §7.1 step 10 and §7.2 step 13: pages of this installation are never framed, so `crossOrigin` is not
/// true, and `topOrigin` is absent (§5.8.1 allows it only beside `crossOrigin`).
pub(super) fn is_unframed(client_data: &[u8]) -> bool {
    serde_json::from_slice::<serde_json::Value>(client_data).is_ok_and(|data| {
        let cross_origin = data.get("crossOrigin");
        cross_origin.is_none_or(|value| *value == false) && data.get("topOrigin").is_none()
    })
}

/// The authenticator data of an assertion: no credential, and nothing after the extensions.
pub(super) fn is_assertion_data(data: &[u8]) -> bool {
    let Some(flags) = data.get(FLAGS_AT) else {
        return false;
    };
    flags & ATTESTED == 0 && is_end(data, AUTH_DATA_BYTES, *flags)
}

/// An attestation object (§6.5.4): its credential id is `raw_id`, nothing follows the authenticator
/// data, and the format `none` has an empty statement (§8.7).
pub(super) fn is_plain_attestation(object: &[u8], raw_id: &[u8]) -> bool {
    parse_attestation(object).is_some_and(|attestation| {
        let is_none = attestation.format == b"none";
        (!is_none || attestation.statement == [EMPTY_MAP])
            && credential_id(attestation.auth_data) == Some(raw_id)
    })
}

const EMPTY_MAP: u8 = 0xa0;

struct Attestation<'a> {
    format: &'a [u8],
    /// CBOR.
    statement: &'a [u8],
    auth_data: &'a [u8],
}

fn parse_attestation(object: &[u8]) -> Option<Attestation<'_>> {
    let head = head(object)?;
    let mut rest = object.get(head.bytes..)?;
    let mut format = None;
    let mut statement = None;
    let mut auth_data = None;
    for _ in 0..(head.major == 5 && head.argument == 3).then_some(3)? {
        let key = content(rest, 3)?;
        rest = rest.get(item_bytes(rest, 0)?..)?;
        let value = rest.get(..item_bytes(rest, 0)?)?;
        rest = rest.get(value.len()..)?;
        match key {
            b"fmt" => format = Some(content(value, 3)?),
            b"attStmt" => statement = Some(value),
            b"authData" => auth_data = Some(content(value, 2)?),
            _ => return None,
        }
    }
    rest.is_empty().then_some(Attestation {
        format: format?,
        statement: statement?,
        auth_data: auth_data?,
    })
}

/// The credential id, if the data ends after the key and the extensions.
fn credential_id(data: &[u8]) -> Option<&[u8]> {
    let flags = *data.get(FLAGS_AT)?;
    let length_at = AUTH_DATA_BYTES + AAGUID_BYTES;
    let length = data.get(length_at..length_at + 2)?;
    let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
    let id_at = length_at + 2;
    let id = data.get(id_at..id_at + length)?;
    let key_at = id_at + length;
    let end = key_at + item_bytes(data.get(key_at..)?, 0)?;
    (flags & ATTESTED != 0 && is_end(data, end, flags)).then_some(id)
}

/// Whether the data ends at `end`, or after one CBOR item there if the flags announce extensions.
fn is_end(data: &[u8], end: usize, flags: u8) -> bool {
    let Some(rest) = data.get(end..) else {
        return false;
    };
    if flags & EXTENSIONS == 0 {
        rest.is_empty()
    } else {
        item_bytes(rest, 0) == Some(rest.len())
    }
}

/// The head of a CBOR item (RFC 8949 §3).
struct Head {
    major: u8,
    argument: usize,
    bytes: usize,
}

/// `None` for an indefinite length, which CTAP does not allow.
fn head(cbor: &[u8]) -> Option<Head> {
    let first = *cbor.first()?;
    let size = match first & 0x1f {
        small @ 0..=23 => {
            return Some(Head {
                major: first >> 5,
                argument: usize::from(small),
                bytes: 1,
            });
        }
        24 => 1,
        25 => 2,
        26 => 4,
        27 => 8,
        _ => return None,
    };
    let argument = cbor.get(1..=size)?;
    let argument = argument.iter().try_fold(0_usize, |sum, byte| {
        Some(sum.checked_mul(256)? + usize::from(*byte))
    })?;
    Some(Head {
        major: first >> 5,
        argument,
        bytes: 1 + size,
    })
}

/// The bytes of the first CBOR item.
fn item_bytes(cbor: &[u8], depth: u8) -> Option<usize> {
    let head = head(cbor)?;
    let items = match head.major {
        0 | 1 | 7 => return Some(head.bytes),
        2 | 3 => {
            let end = head.bytes.checked_add(head.argument)?;
            return (end <= cbor.len()).then_some(end);
        }
        4 => head.argument,
        5 => head.argument.checked_mul(2)?,
        _ => 1,
    };
    if depth >= MAX_DEPTH {
        return None;
    }
    let mut end = head.bytes;
    for _ in 0..items {
        end += item_bytes(cbor.get(end..)?, depth + 1)?;
    }
    Some(end)
}

/// The content of a byte string (2) or text (3).
fn content(cbor: &[u8], major: u8) -> Option<&[u8]> {
    let head = head(cbor).filter(|head| head.major == major)?;
    cbor.get(head.bytes..head.bytes.checked_add(head.argument)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &[u8] = b"credential";

    fn auth_data(flags: u8, tail: &[u8]) -> Vec<u8> {
        let mut data = vec![7; AUTH_DATA_BYTES];
        data[FLAGS_AT] = flags;
        if flags & ATTESTED != 0 {
            data.extend([0; AAGUID_BYTES]);
            data.extend(u16::try_from(ID.len()).unwrap().to_be_bytes());
            data.extend(ID);
            // {1: 1, 3: -8}
            data.extend([0xa2, 1, 1, 3, 0x27]);
        }
        data.extend(tail);
        data
    }

    fn attestation(statement: &[u8], auth_data: &[u8]) -> Vec<u8> {
        let mut object = vec![0xa3, 0x63];
        object.extend(b"fmt");
        object.push(0x64);
        object.extend(b"none");
        object.push(0x67);
        object.extend(b"attStmt");
        object.extend(statement);
        object.push(0x68);
        object.extend(b"authData");
        object.extend([0x58, u8::try_from(auth_data.len()).unwrap()]);
        object.extend(auth_data);
        object
    }

    #[test]
    fn credential_ids_agree_and_are_not_empty() {
        assert!(ids_agree("Y3JlZGVudGlhbA", ID));
        for id in ["Y3JlZGVudGlhbA==", "Y3JlZGVudGlhbB", "", "credential"] {
            assert!(!ids_agree(id, ID), "{id}");
        }
        assert!(!ids_agree("", b""));
    }

    #[test]
    fn attestation_of_format_none_has_an_empty_statement() {
        let data = auth_data(ATTESTED, &[]);
        assert!(is_plain_attestation(&attestation(&[EMPTY_MAP], &data), ID));
        assert!(!is_plain_attestation(
            &attestation(&[0xa1, 0x61, b'x', 1], &data),
            ID
        ));
        assert!(!is_plain_attestation(
            &attestation(&[EMPTY_MAP], &data),
            b"another"
        ));
        let mut longer = attestation(&[EMPTY_MAP], &data);
        longer.push(0);
        assert!(!is_plain_attestation(&longer, ID));
    }

    #[test]
    fn bytes_after_authenticator_data_are_refused() {
        let accepts = |data: &[u8]| is_plain_attestation(&attestation(&[EMPTY_MAP], data), ID);
        let extensions = [0xa1, 0x61, b'x', 0xf5];
        assert!(accepts(&auth_data(ATTESTED | EXTENSIONS, &extensions)));
        assert!(is_assertion_data(&auth_data(0, &[])));
        assert!(is_assertion_data(&auth_data(EXTENSIONS, &extensions)));
        assert!(!accepts(&auth_data(ATTESTED, &[0])));
        assert!(!accepts(&auth_data(ATTESTED, &extensions)));
        assert!(!accepts(&auth_data(ATTESTED | EXTENSIONS, &[])));
        assert!(!accepts(&auth_data(0, &[])));
        assert!(!is_assertion_data(&auth_data(0, &[0])));
        assert!(!is_assertion_data(&auth_data(EXTENSIONS, &[0xa1, 0x61])));
        assert!(!is_assertion_data(&auth_data(ATTESTED, &[])));
        assert!(!is_assertion_data(&[0; 36]));
    }

    #[test]
    fn framed_client_data_is_refused() {
        for plain in [r#"{"type":"webauthn.get"}"#, r#"{"crossOrigin":false}"#] {
            assert!(is_unframed(plain.as_bytes()), "{plain}");
        }
        for framed in [
            r#"{"crossOrigin":true}"#,
            r#"{"topOrigin":"https://other.example"}"#,
            r#"{"crossOrigin":false,"topOrigin":"https://other.example"}"#,
            r#"{"crossOrigin":"false"}"#,
            "no json",
        ] {
            assert!(!is_unframed(framed.as_bytes()), "{framed}");
        }
    }
}

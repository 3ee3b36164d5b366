//! An independent authenticator app (RFC 4226 and 6238), to check the server's implementation.

use aws_lc_rs::hmac;

#[derive(Clone)]
pub(crate) struct TotpDevice {
    pub(crate) secret: Vec<u8>,
}

impl TotpDevice {
    /// From the Base32 secret (RFC 4648 §6) that users type.
    pub(crate) fn from_base32(secret: &str) -> Self {
        let value = |c: u8| match c {
            b'A'..=b'Z' => c - b'A',
            b'2'..=b'7' => c - b'2' + 26,
            other => panic!("{other} is not Base32"),
        };
        let bits = secret
            .bytes()
            .fold(String::new(), |bits, c| bits + &format!("{:05b}", value(c)));
        let bytes = bits
            .as_bytes()
            .chunks_exact(8)
            .map(|byte| std::str::from_utf8(byte).unwrap());
        Self {
            secret: bytes
                .map(|byte| u8::from_str_radix(byte, 2).unwrap())
                .collect(),
        }
    }

    /// The code at this Unix time.
    pub(crate) fn code_at(&self, second: i64) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &self.secret);
        let tag = hmac::sign(&key, &(second / 30).to_be_bytes());
        let at = usize::from(tag.as_ref()[19] & 15);
        let four: [u8; 4] = tag.as_ref()[at..at + 4].try_into().unwrap();
        format!(
            "{:06}",
            (u32::from_be_bytes(four) & 0x7fff_ffff) % 1_000_000
        )
    }
}

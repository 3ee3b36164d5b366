//! `docs/security/cryptography.md` is complete: it lists every purpose, use and crate of
//! cryptography, and no others.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

/// Prefixes of cryptographic crate names, or of a part of the name after `-` or `_`.
const CRYPTO_CRATE_PATTERNS: &str = "
    aead aes argon aws bcrypt blake cbc chacha cipher cmac crypto ctr curve25519 des dilithium digest dsa ecdsa ed25519
    ed448 elliptic gcm getrandom ghash hkdf hmac jose jsonwebtoken jwt kem md4 md5 native oauth2 openidconnect openssl p256
    p384 p521 pbkdf pem pkcs poly1305 polyval rand rfc6979 ring rsa rustls scrypt sec1 secp256k1 sha1 sha2 sha3 signature
    spki subtle tls totp universal uuid webauthn x25519 x509 zeroize
";
/// Matching names that are unrelated to cryptography.
const NOT_CRYPTOGRAPHIC: [&str; 1] = ["scoped-tls"];
const CRATES: [&str; 6] = ["auth", "vault", "store", "wire", "server", "cli"];

fn workspace_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

fn read(path: &str) -> String {
    std::fs::read_to_string(workspace_root().join(path)).unwrap()
}

fn cryptography_page() -> String {
    read("docs/security/cryptography.md")
}

/// The texts in backticks.
fn code_spans(text: &str) -> BTreeSet<String> {
    text.split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

fn section<'t>(page: &'t str, heading: &str) -> &'t str {
    let (_, rest) = page.split_once(&format!("## {heading}\n")).unwrap();
    rest.split("\n## ").next().unwrap()
}

fn is_cryptographic(name: &str) -> bool {
    let is_sign = |part: &str| {
        CRYPTO_CRATE_PATTERNS
            .split_whitespace()
            .any(|sign| part.starts_with(sign))
    };
    !NOT_CRYPTOGRAPHIC.contains(&name) && (name == "md-5" || name.split(['-', '_']).any(is_sign))
}

/// All crates of the lock file, for any target.
fn locked_crypto_crates() -> BTreeSet<String> {
    let lock = read("Cargo.lock");
    let names = lock
        .lines()
        .filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'));
    names.map(str::to_owned).collect()
}

/// The workspace's sources, without tests.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for path in std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
    {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && !["tests", "testing"].contains(&name.as_str()) {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs")
            && !["tests.rs", "testing.rs"].contains(&name.as_str())
        {
            found.push(path);
        }
    }
}

/// The paths of a crate that a source uses: `aws_lc_rs::aead`, or only the crate name for other
/// crates.
fn uses(source: &str, krate: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in source.match_indices(&format!("{krate}::")) {
        let whole = !source[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':');
        if !whole {
            continue;
        }
        let rest = &source[at + krate.len() + 2..];
        if krate != "aws_lc_rs" {
            found.insert(krate.to_owned());
        } else if let Some(group) = rest.strip_prefix('{') {
            found.extend(members(group).map(|module| format!("{krate}::{module}")));
        } else {
            found.insert(format!("{krate}::{}", leading_identifier(rest)));
        }
    }
    found
}

fn leading_identifier(text: &str) -> &str {
    text.split(|c: char| !c.is_alphanumeric() && c != '_')
        .next()
        .unwrap_or_default()
}

/// The top-level names inside `{…}`.
fn members(group: &str) -> impl Iterator<Item = &str> {
    let mut depth = 1;
    let end = group.find(|c: char| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        depth == 0
    });
    let mut inside = 0;
    group[..end.unwrap_or(group.len())]
        .split(move |c: char| {
            inside += i32::from(c == '{') - i32::from(c == '}');
            inside == 0 && c == ','
        })
        .map(|member| leading_identifier(member.trim_start()))
        .filter(|member| !member.is_empty())
}

/// Cryptographic crates among the workspace dependencies, as sources name them.
fn direct_dependencies() -> BTreeSet<String> {
    let manifest = read("Cargo.toml");
    let list = manifest
        .split("[workspace.dependencies]")
        .nth(1)
        .unwrap()
        .split("\n[")
        .next()
        .unwrap();
    let names = list
        .lines()
        .filter_map(|line| line.split_once(" = "))
        .map(|(name, _)| name);
    names
        .filter(|name| is_cryptographic(name))
        .map(|name| name.replace('-', "_"))
        .collect()
}

#[test]
fn master_key_purposes_match_the_cryptography_page() {
    let labels = |text: &str| -> BTreeSet<String> {
        let words = text
            .split(['`', '"'])
            .filter(|word| word.starts_with("strongroom/") && word.ends_with("/v1"));
        words.map(str::to_owned).collect()
    };
    let of_code = labels(&read("auth/src/keys/master.rs"));
    assert!(of_code.len() >= 9, "{of_code:?}");
    assert_eq!(of_code, labels(section(&cryptography_page(), "Keys")));
}

#[test]
fn cryptography_uses_match_the_cryptography_page() {
    let crates = direct_dependencies();
    assert!(
        ["aws_lc_rs", "argon2", "webauthn_rs"]
            .iter()
            .all(|name| crates.contains(*name)),
        "{crates:?}"
    );
    let mut files = Vec::new();
    for member in CRATES {
        sources(&workspace_root().join(member).join("src"), &mut files);
    }
    let mut there = BTreeSet::new();
    for path in files {
        let source = std::fs::read_to_string(&path).unwrap();
        let file = path
            .strip_prefix(workspace_root())
            .unwrap()
            .display()
            .to_string();
        for krate in &crates {
            there.extend(
                uses(&source, krate)
                    .into_iter()
                    .map(|used| (used, file.clone())),
            );
        }
    }
    let page = cryptography_page();
    let rows = section(&page, "Where it is used")
        .lines()
        .filter(|line| line.starts_with("| `"));
    let documented: BTreeSet<(String, String)> = rows
        .flat_map(|row| {
            let (used, files) = row[2..].split_once('|').unwrap();
            let used = used.trim().trim_matches('`').to_owned();
            code_spans(files)
                .into_iter()
                .map(move |file| (used.clone(), file))
        })
        .collect();
    let missing: Vec<_> = there.difference(&documented).collect();
    let gone: Vec<_> = documented.difference(&there).collect();
    assert!(
        missing.is_empty() && gone.is_empty(),
        "not on the page: {missing:?}; not in the code: {gone:?}"
    );
}

#[test]
fn cryptographic_dependencies_match_the_cryptography_page() {
    let there: BTreeSet<String> = locked_crypto_crates()
        .into_iter()
        .filter(|name| is_cryptographic(name))
        .collect();
    let page = cryptography_page();
    let documented = code_spans(section(&page, "What is built in"));
    let missing: Vec<_> = there.difference(&documented).collect();
    assert!(missing.is_empty(), "not on the page: {missing:?}");
    let locked = locked_crypto_crates();
    let gone: Vec<_> = documented
        .iter()
        .filter(|name| !locked.contains(*name) && *name != "deny.toml")
        .collect();
    assert!(gone.is_empty(), "not in Cargo.lock: {gone:?}");
}

#[test]
fn cryptography_use_is_detected_in_grouped_imports() {
    let source = "use aws_lc_rs::{\n    aead,\n    signature::{Ed25519KeyPair, KeyPair},\n    rand,\n};\nlet x = my_aws_lc_rs::kem; aws_lc_rs::agreement::agree();";
    let found: Vec<_> = uses(source, "aws_lc_rs").into_iter().collect();
    assert_eq!(
        found,
        [
            "aws_lc_rs::aead",
            "aws_lc_rs::agreement",
            "aws_lc_rs::rand",
            "aws_lc_rs::signature"
        ]
    );
    assert!(
        is_cryptographic("sha3")
            && is_cryptographic("rust-crypto")
            && is_cryptographic("native-tls")
    );
    assert!(!is_cryptographic("serde") && !is_cryptographic("scoped-tls"));
}

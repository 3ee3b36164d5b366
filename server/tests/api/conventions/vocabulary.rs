//! The words of names and prose. `docs/glossary.md` has the words that we use instead.

use super::{
    Findings, assert_only_exceptions, sources,
    tokens::{Kind, words},
};

/// No identifier has one of these words. `half way` stands for two words in a row.
const RETIRED: [&str; 47] = [
    "acquaintance",
    "acquaintances",
    "anew",
    "chance",
    "deed",
    "deeds",
    "departure",
    "era",
    "eras",
    "errand",
    "everybody",
    "guessing",
    "half way",
    "happening",
    "happenings",
    "house",
    "houses",
    "keeper",
    "keepers",
    "lane",
    "lanes",
    "letter",
    "letters",
    "meter",
    "meters",
    "nobody",
    "patience",
    "room",
    "rooms",
    "slip",
    "slips",
    "somebody",
    "stranger",
    "strangers",
    "tell",
    "tells",
    "thrown",
    "told",
    "vain",
    "voyage",
    "voyages",
    "whoever",
    "whom",
    "witness",
    "witnesses",
    "say",
    "says",
];

/// Names of types and constants that are too general.
const RETIRED_NAMES: [&str; 9] = [
    "Held", "Kept", "Shown", "Asked", "Found", "MANY", "FREE", "AWAY", "QUIET",
];

/// Identifiers that keep a retired word, with the start of their paths, and why.
const ALLOWED_IDENTIFIERS: [(&str, &str); 5] = [
    ("era in auth/src/", "stored: member of JSON rows"),
    (
        "everybody in cli/src/args/commands.rs",
        "published: the flag `--everybody`",
    ),
    ("lanes in ", "parameter of Argon2 (RFC 9106)"),
    (
        "letter in auth/src/oauth/device/user_code.rs",
        "a character",
    ),
    ("letters in auth/src/factor/recovery_code.rs", "characters"),
];

/// Words of the old manner, in prose.
const OLD_MANNER: [&str; 5] = ["whoever", "somebody", "nobody", "anew", "whom"];

/// The longest name of a function, in words.
const MAX_WORDS: usize = 8;

fn is_retired(identifier: &str) -> bool {
    let spaced = format!(" {} ", words(identifier).join(" "));
    RETIRED
        .iter()
        .any(|word| spaced.contains(&format!(" {word} ")))
        || RETIRED_NAMES.contains(&identifier)
        || is_retired_limit(identifier)
}

/// Limits are named `MAX_…`, `MIN_…` and `…_TIMEOUT`.
fn is_retired_limit(identifier: &str) -> bool {
    let is_constant = identifier.chars().all(|c| !c.is_lowercase());
    let first = identifier.split('_').next().unwrap_or_default();
    is_constant
        && (["MOST", "LEAST", "LONGEST"].contains(&first) || identifier.ends_with("_WITHIN"))
}

fn old_manner_words(prose: &str) -> usize {
    prose
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| OLD_MANNER.contains(&word.to_lowercase().as_str()))
        .count()
}

/// The exception for a finding, or the finding itself.
fn exception_for(finding: &str) -> String {
    let exception = ALLOWED_IDENTIFIERS
        .iter()
        .find(|(start, _)| finding.starts_with(start));
    exception.map_or(finding, |(start, _)| *start).to_owned()
}

#[test]
fn identifiers_contain_no_retired_word() {
    let mut findings = Findings::new();
    let mut seen = 0;
    for source in sources::rust() {
        for token in source.tokens() {
            if token.kind == Kind::Identifier {
                seen += 1;
                if is_retired(token.text) {
                    let finding = format!("{} in {}", token.text, source.path);
                    let line = format!("line {}", token.line);
                    findings.entry(exception_for(&finding)).or_insert(line);
                }
            }
        }
    }
    assert!(seen > 100_000, "only {seen} identifiers were read");
    assert_only_exceptions(&findings, &ALLOWED_IDENTIFIERS);
}

#[test]
fn retired_words_are_recognized() {
    for name in [
        "in_the_house",
        "HalfWay",
        "half_way",
        "SLIPS",
        "MOST_BYTES",
        "BODY_WITHIN",
        "Kept",
    ] {
        assert!(is_retired(name), "{name}");
    }
    for name in [
        "slippage",
        "household",
        "kept",
        "at_most",
        "within",
        "MAX_BYTES",
    ] {
        assert!(!is_retired(name), "{name}");
    }
}

/// At most one word of the old manner in 1,000 comment lines.
#[test]
fn comments_are_plain_english() {
    let mut lines = 0;
    let mut places = Vec::new();
    for source in sources::rust() {
        for token in source.tokens() {
            if token.kind == Kind::Comment {
                lines += token.text.lines().count();
                let place = || format!("{}:{}", source.path, token.line);
                places.extend((0..old_manner_words(token.text)).map(|_| place()));
            }
        }
    }
    assert!(lines > 4_000, "only {lines} comment lines were read");
    assert!(places.len() * 1_000 <= lines, "{places:#?}");
}

#[test]
fn documents_are_plain_english() {
    let mut seen = 0;
    for source in sources::all() {
        let is_in_root = !source.path.contains('/');
        if source.has_extension("md") && (is_in_root || source.path.starts_with("docs/")) {
            seen += 1;
            assert_eq!(old_manner_words(&source.text), 0, "{}", source.path);
        }
    }
    assert!(seen > 50, "only {seen} documents were read");
}

/// For tests above all: a name is read in the list of failures.
#[test]
fn function_names_have_at_most_eight_words() {
    let mut seen = 0;
    for source in sources::rust() {
        let tokens = source.tokens();
        for pair in tokens.windows(2).filter(|pair| pair[0].is("fn")) {
            let name = pair[1].text;
            seen += 1;
            let is_short = name.split('_').count() <= MAX_WORDS;
            assert!(is_short, "{}:{}: {name}", source.path, pair[1].line);
        }
    }
    assert!(seen > 3_000, "only {seen} functions were read");
}

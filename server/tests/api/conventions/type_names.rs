//! One type name means one thing in a crate.

use std::collections::BTreeMap;

use super::{
    Findings, assert_only_exceptions, sources,
    tokens::{Token, without_tests},
};

/// Names that two modules of one crate define, and why both are right.
const ALLOWED_NAMES: [(&str, &str); 0] = [];

#[test]
fn type_names_are_unique_in_a_crate() {
    let mut places: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for source in sources::rust().filter(|source| !source.is_test()) {
        if let Some((name, _)) = source.path.split_once("/src/") {
            for definition in defined_types(&without_tests(&source.tokens())) {
                let definition = format!("{name}::{definition}");
                places.entry(definition).or_default().push(&source.path);
            }
        }
    }
    assert!(places.len() > 500, "only {} types were found", places.len());
    let findings: Findings = places
        .into_iter()
        .filter(|(_, paths)| paths.len() > 1)
        .map(|(name, paths)| (name, paths.join(", ")))
        .collect();
    assert_only_exceptions(&findings, &ALLOWED_NAMES);
}

/// The types at the level of modules: none inside functions, traits, impls and macros.
pub(super) fn defined_types<'a>(code: &[Token<'a>]) -> Vec<&'a str> {
    const KEYWORDS: [&str; 5] = ["struct", "enum", "union", "trait", "type"];
    let mut names = Vec::new();
    let mut groups = Vec::new();
    for (index, token) in code.iter().enumerate() {
        if token.is("{") {
            groups.push(index >= 2 && code[index - 2].is("mod"));
        } else if token.is("}") {
            groups.pop();
        } else if KEYWORDS.iter().any(|keyword| token.is(keyword))
            && groups.iter().all(|is_module| *is_module)
        {
            names.extend(code.get(index + 1).map(|name| name.text));
        }
    }
    names
}

#[test]
fn only_types_of_modules_are_counted() {
    let tokens = super::tokens::tokenize(
        "struct A { b: C } mod d { enum E {} } impl F for A { type G = H; } fn i() { struct J; } type K = L;",
    );
    assert_eq!(defined_types(&tokens), ["A", "E", "K"]);
}

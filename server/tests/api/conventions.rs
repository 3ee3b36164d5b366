//! The conventions of the sources: words, sizes, module cycles, and `docs/api.md`.
//!
//! Every exception stands in a list with its reason. An exception that nothing needs fails its test, so the lists
//! only shrink.

use std::collections::BTreeMap;

mod api_document;
mod architecture;
mod module_cycles;
mod module_graph;
mod security_documents;
mod sizes;
mod sources;
mod tokens;
mod type_names;
mod vocabulary;

/// Findings: what breaks a rule, and where.
type Findings = BTreeMap<String, String>;

/// Fails for a finding without an exception, and for an exception without a finding.
#[track_caller]
fn assert_only_exceptions(findings: &Findings, exceptions: &[(&str, &str)]) {
    let is_excepted = |name: &str| exceptions.iter().any(|(exception, _)| *exception == name);
    let forbidden: Vec<String> = findings
        .iter()
        .filter(|(name, _)| !is_excepted(name))
        .map(|(name, place)| format!("{name}: {place}"))
        .collect();
    assert!(
        forbidden.is_empty(),
        "not allowed:\n{}",
        forbidden.join("\n")
    );
    let unused: Vec<_> = exceptions
        .iter()
        .filter(|(name, _)| !findings.contains_key(*name))
        .collect();
    assert!(unused.is_empty(), "remove these exceptions: {unused:#?}");
}

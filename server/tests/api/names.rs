//! Arrows between crates: ARCHITECTURE.md draws them all.

use std::collections::BTreeSet;

use cargo_metadata::{DependencyKind, MetadataCommand};

#[test]
fn crates_import_only_along_the_arrows() {
    let allowed: BTreeSet<(&str, &str)> = [
        ("strongroom", "server"),
        ("strongroom", "store"),
        ("strongroom", "vault"),
        ("strongroom", "auth"),
        ("strongroom", "wire"),
        ("server", "store"),
        ("server", "vault"),
        ("server", "auth"),
        ("server", "wire"),
        ("store", "vault"),
        ("store", "auth"),
        ("vault", "auth"),
    ]
    .into();
    let metadata = MetadataCommand::new().no_deps().exec().unwrap();
    let ours: BTreeSet<String> = metadata.packages.iter().map(|package| package.name.to_string()).collect();
    let mut seen = 0;
    for package in metadata.packages.iter().filter(|package| !matches!(package.name.as_str(), "bench" | "embed")) {
        for dependency in package.dependencies.iter().filter(|dependency| dependency.kind == DependencyKind::Normal) {
            if ours.contains(&dependency.name) {
                let arrow = (package.name.as_str(), dependency.name.as_str());
                assert!(allowed.contains(&arrow), "{} → {} is drawn nowhere", arrow.0, arrow.1);
                seen += 1;
            }
        }
    }
    assert!(seen >= 8, "only {seen} arrows were found");
}

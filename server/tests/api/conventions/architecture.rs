//! Rules for the sources: dependencies between crates (ARCHITECTURE.md lists them all), and APIs
//! that are not allowed.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use cargo_metadata::{DependencyKind, MetadataCommand};

const CRATES: [&str; 6] = ["auth", "vault", "store", "wire", "server", "cli"];

#[test]
fn crate_dependencies_follow_the_architecture() {
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
        ("strongroom", "durable-fs"),
        ("server", "durable-fs"),
        ("vault", "durable-fs"),
        ("auth", "durable-fs"),
    ]
    .into();
    let metadata = MetadataCommand::new().no_deps().exec().unwrap();
    let ours: BTreeSet<String> = metadata
        .packages
        .iter()
        .map(|package| package.name.to_string())
        .collect();
    let mut seen = 0;
    for package in metadata
        .packages
        .iter()
        .filter(|package| !matches!(package.name.as_str(), "bench" | "embed"))
    {
        for dependency in package
            .dependencies
            .iter()
            .filter(|dependency| dependency.kind == DependencyKind::Normal)
        {
            if ours.contains(&dependency.name) {
                let arrow = (package.name.as_str(), dependency.name.as_str());
                assert!(
                    allowed.contains(&arrow),
                    "{} → {} is drawn nowhere",
                    arrow.0,
                    arrow.1
                );
                seen += 1;
            }
        }
    }
    assert!(seen >= 8, "only {seen} arrows were found");
}

fn workspace_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

/// All files in a folder with this extension, without tests.
fn source_files(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    for path in std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
    {
        let name = path.file_name().unwrap().to_str().unwrap();
        if name.starts_with("test") {
            continue;
        }
        if path.is_dir() {
            source_files(&path, ending, found);
        } else if path
            .extension()
            .is_some_and(|extension| extension == ending)
        {
            found.push(path);
        }
    }
}

/// No line of these files contains any of `never`, except comments and unit tests.
fn assert_sources_avoid(found: &[PathBuf], never: &[&str], least: usize) {
    assert!(
        found.len() >= least,
        "only {} files were found",
        found.len()
    );
    for path in found {
        let source = std::fs::read_to_string(path).unwrap();
        let code = source.split("#[cfg(test)]").next().unwrap();
        for line in code
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
        {
            assert!(
                !never.iter().any(|never| line.contains(never)),
                "{}: {line}",
                path.display()
            );
        }
    }
}

/// A rename alone loses owner and mode of the replaced file, and is not durable.
#[test]
fn files_are_renamed_by_durable_fs_alone() {
    let mut found = Vec::new();
    for member in CRATES {
        source_files(&workspace_root().join(member).join("src"), "rs", &mut found);
    }
    // Git has a protocol of its own for its references, and `git/durable.rs` syncs them.
    found.retain(|path| !path.ends_with("vault/src/git/repository.rs"));
    assert_sources_avoid(
        &found,
        &[
            "std::fs::rename(",
            " fs::rename(",
            "=fs::rename(",
            ".persist(",
        ],
        200,
    );
}

/// Forbidden APIs.
#[test]
fn sources_avoid_forbidden_apis() {
    const RUST: [&str; 5] = [
        "process::Command",
        "unsafe {",
        "danger_accept_invalid",
        "Regex::new",
        "PreEscaped",
    ];
    const SCRIPT: [&str; 12] = [
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "new Function",
        "localStorage",
        "sessionStorage",
        "indexedDB",
        "caches.",
        "postMessage",
        "document.cookie",
    ];
    const PAGE: [&str; 8] = [
        "|safe",
        "| safe",
        "<object",
        "<embed",
        "<applet",
        "<iframe",
        "javascript:",
        "escape=\"none\"",
    ];
    let mut rust = Vec::new();
    for member in CRATES {
        source_files(&workspace_root().join(member).join("src"), "rs", &mut rust);
    }
    let mut scripts = Vec::new();
    source_files(&workspace_root().join("server/assets"), "js", &mut scripts);
    let mut pages = Vec::new();
    source_files(
        &workspace_root().join("server/templates"),
        "html",
        &mut pages,
    );
    for (found, never, least) in [
        (&rust, &RUST[..], 200),
        (&scripts, &SCRIPT, 30),
        (&pages, &PAGE, 25),
    ] {
        assert_sources_avoid(found, never, least);
    }
}

/// All dependencies come from crates.io. None of them parses XML, unpacks archives, runs scripts,
/// renders templates at run time, or adds another cryptography provider to the build.
#[test]
fn dependencies_come_from_crates_io_and_are_allowed() {
    const UNWANTED: [&str; 21] = [
        "quick-xml",
        "xml-rs",
        "xml5ever",
        "roxmltree",
        "rhai",
        "mlua",
        "boa_engine",
        "deno_core",
        "v8",
        "wasmtime",
        "wasmi",
        "minijinja",
        "tera",
        "handlebars",
        "serde_yaml",
        "serde_pickle",
        "tar",
        "libloading",
        "openssl-sys",
        "native-tls",
        "libgit2-sys",
    ];
    let lock = std::fs::read_to_string(workspace_root().join("Cargo.lock")).unwrap();
    let mut seen = 0;
    for package in lock.split("[[package]]").skip(1) {
        let member = |name: &str| {
            let line = package
                .lines()
                .find_map(|line| line.strip_prefix(&format!("{name} = \"")));
            line.map(|value| value.trim_end_matches('"'))
        };
        let name = member("name").unwrap();
        assert!(!UNWANTED.contains(&name), "{name} is in Cargo.lock");
        if let Some(source) = member("source") {
            seen += 1;
            assert_eq!(
                source, "registry+https://github.com/rust-lang/crates.io-index",
                "{name}"
            );
            assert_eq!(member("checksum").map(str::len), Some(64), "{name}");
        } else {
            assert!(
                workspace_root().join(name).exists() || ["strongroom", "embed"].contains(&name),
                "{name} is from nowhere"
            );
        }
    }
    assert!(seen > 200, "only {seen} were found");
}

#[test]
fn release_profile_enables_overflow_checks() {
    let manifest = std::fs::read_to_string(workspace_root().join("Cargo.toml")).unwrap();
    let release = manifest
        .split("[profile.release]")
        .nth(1)
        .unwrap()
        .split("\n[")
        .next()
        .unwrap();
    assert!(release.contains("overflow-checks = true"), "{release}");
}

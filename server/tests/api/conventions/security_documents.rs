//! The documents match the tests: each test that they name exists, and no requirement is missing.

use std::{
    collections::{BTreeSet, HashSet},
    path::{Path, PathBuf},
};

fn workspace_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

fn document(name: &str) -> String {
    std::fs::read_to_string(workspace_root().join("docs/security").join(name)).unwrap()
}

/// The names of all functions in the sources, and of the scripts in `ci/`.
fn functions() -> HashSet<String> {
    let mut names = HashSet::new();
    for member in [
        "durable-fs",
        "auth",
        "vault",
        "store",
        "wire",
        "server",
        "cli",
        "bench",
        "examples",
    ] {
        read_sources(&workspace_root().join(member), &mut names);
    }
    names
}

fn read_sources(folder: &Path, names: &mut HashSet<String>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
            read_sources(&path, names);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            names.extend(functions_in(&std::fs::read_to_string(&path).unwrap()));
        }
    }
}

fn functions_in(source: &str) -> Vec<String> {
    let named = |rest: &str| {
        rest.split(['(', '<'])
            .next()
            .unwrap_or_default()
            .trim()
            .to_owned()
    };
    source
        .lines()
        .filter_map(|line| line.split_once("fn "))
        .map(|(_, rest)| named(rest))
        .collect()
}

/// Words in backticks that look like test names: words joined by underscores.
fn tests_named_in(text: &str) -> BTreeSet<String> {
    let is_sentence = |word: &&str| {
        word.matches('_').count() >= 2
            && word
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    text.split('`')
        .skip(1)
        .step_by(2)
        .filter(is_sentence)
        .map(str::to_owned)
        .collect()
}

/// The cells of all table rows, without headings.
fn table_rows(text: &str) -> Vec<Vec<String>> {
    let cells = |line: &str| {
        line.trim()
            .trim_matches('|')
            .split(" | ")
            .map(|cell| cell.trim().to_owned())
            .collect()
    };
    let is_row =
        |line: &&str| line.starts_with("| ") && !line.starts_with("| -") && !line.starts_with("|-");
    text.lines().filter(is_row).map(cells).collect()
}

#[test]
fn tests_named_in_security_documents_exist() {
    let there = functions();
    for name in [
        "asvs.md",
        "pitfalls.md",
        "threats.md",
        "vectors.md",
        "rules.md",
        "data.md",
        "shared.md",
        "../operations.md#limits",
    ] {
        let (file, part) = name.split_once('#').unwrap_or((name, ""));
        let text = document(file);
        let text = if part.is_empty() {
            text
        } else {
            text.split_once("\n## Limits\n").unwrap().1.to_owned()
        };
        let missing: Vec<String> = tests_named_in(&text)
            .into_iter()
            .filter(|test| !there.contains(test))
            .collect();
        assert!(
            missing.is_empty(),
            "{name} names tests that are not there: {missing:#?}"
        );
    }
}

/// The number of requirements in each section of ASVS 5.0, for the chapters listed completely.
const SECTIONS: [(&str, usize); 41] = [
    ("6.1", 3),
    ("6.2", 12),
    ("6.3", 8),
    ("6.4", 6),
    ("6.5", 8),
    ("6.6", 4),
    ("6.7", 2),
    ("6.8", 4),
    ("7.1", 3),
    ("7.2", 4),
    ("7.3", 2),
    ("7.4", 5),
    ("7.5", 3),
    ("7.6", 2),
    ("8.1", 4),
    ("8.2", 4),
    ("8.3", 3),
    ("8.4", 2),
    ("9.1", 3),
    ("9.2", 4),
    ("10.1", 2),
    ("10.2", 3),
    ("10.3", 5),
    ("10.4", 16),
    ("10.5", 5),
    ("10.6", 2),
    ("10.7", 3),
    ("11.1", 4),
    ("11.2", 5),
    ("11.3", 5),
    ("11.4", 4),
    ("11.5", 2),
    ("11.6", 2),
    ("11.7", 2),
    ("3.3", 5),
    ("3.4", 8),
    ("3.5", 8),
    ("14.2", 8),
    ("14.3", 3),
    ("16.2", 5),
    ("16.3", 4),
];

#[test]
fn account_requirements_in_asvs_document_are_answered() {
    let text = document("asvs.md");
    let rows = table_rows(&text);
    let answered: BTreeSet<&str> = rows
        .iter()
        .filter(|row| row.len() == 4)
        .map(|row| row[0].as_str())
        .collect();
    let wanted = SECTIONS
        .iter()
        .flat_map(|(section, most)| (1..=*most).map(move |n| format!("{section}.{n}")));
    let missing: Vec<String> = wanted
        .filter(|id| !answered.contains(id.as_str()))
        .collect();
    assert!(missing.is_empty(), "asvs.md lacks {missing:?}");
    for row in rows
        .iter()
        .filter(|row| row[0].starts_with(|c: char| c.is_ascii_digit()))
    {
        assert!(
            row.len() == 4 && row.iter().all(|cell| !cell.is_empty()),
            "a row without an answer: {row:?}"
        );
    }
}

#[test]
fn documented_metrics_match_the_sources() {
    fn read(folder: &Path, found: &mut BTreeSet<String>) {
        for path in std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
        {
            if path.is_dir() {
                read(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let calls = text
                    .split("metrics::")
                    .filter_map(|call| call.split_once("!(\"strongroom_"));
                found.extend(
                    calls
                        .filter(|(kind, _)| kind.chars().all(char::is_alphabetic))
                        .map(|(_, rest)| {
                            format!("strongroom_{}", rest.split('"').next().unwrap_or_default())
                        }),
                );
            }
        }
    }
    let mut counted = BTreeSet::new();
    for member in ["auth", "vault", "store", "server"] {
        read(&workspace_root().join(member).join("src"), &mut counted);
    }
    let text = document("../operations.md");
    let rows = table_rows(text.split_once("\n## Logs\n").unwrap().0);
    let described = rows.iter().filter(|row| row[0].starts_with('`'));
    let described: BTreeSet<String> = described
        .map(|row| row[0].trim_matches('`').to_owned())
        .collect();
    assert_eq!(counted, described);
}

#[test]
fn documented_pitfalls_name_a_test() {
    let text = document("pitfalls.md");
    let rows: Vec<_> = table_rows(&text)
        .into_iter()
        .filter(|row| row[0] != "pitfall")
        .collect();
    assert_eq!(
        rows.len(),
        24,
        "20 well-known pitfalls, and 4 found in reviews"
    );
    for row in rows {
        assert!(
            row.len() == 2 && !tests_named_in(&row[1]).is_empty(),
            "no test: {row:?}"
        );
    }
}

#[test]
fn documented_rules_name_a_test() {
    let text = document("rules.md");
    let rows: Vec<_> = table_rows(&text)
        .into_iter()
        .filter(|row| row[0] != "rule")
        .collect();
    assert!(rows.len() > 20, "only {} rules", rows.len());
    for row in rows {
        assert!(
            row.len() == 2 && !tests_named_in(&row[1]).is_empty(),
            "no test: {row:?}"
        );
    }
}

/// Every applicable requirement of the published list has an answer, and so has every requirement
/// of our sections.
#[test]
fn applicable_asvs_requirements_are_answered() {
    let shared = std::env::var_os("STRONGROOM_SHARED")
        .map_or_else(|| workspace_root().join("../shared"), PathBuf::from);
    let path = shared.join("security/asvs.csv");
    let Ok(mut published) = csv::Reader::from_path(&path) else {
        assert!(
            std::env::var_os("CI").is_none(),
            "{} is missing",
            path.display()
        );
        eprintln!(
            "SKIPPED: {} is missing, so docs/security/asvs.md was not compared",
            path.display()
        );
        return;
    };
    let text = document("asvs.md");
    let rows = table_rows(&text);
    let answered: HashSet<&str> = rows.iter().map(|row| row[0].as_str()).collect();
    let sections: HashSet<&str> = SECTIONS.iter().map(|(section, _)| *section).collect();
    let mut applying = 0;
    for row in published.records().map(Result::unwrap) {
        let (id, applies) = (&row[0], &row[4] == "yes");
        let section = id.rsplit_once('.').map_or("", |(section, _)| section);
        applying += usize::from(applies);
        assert!(
            !applies && !sections.contains(section) || answered.contains(id),
            "asvs.md lacks {id}"
        );
    }
    assert!(applying > 200, "only {applying} rows apply");
}

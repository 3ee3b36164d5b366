//! No more than two modules of a crate use each other in a circle.

use super::{
    module_graph::{Crate, Graph, Path, cycles},
    sources,
};

const CRATES: [&str; 7] = ["auth", "vault", "store", "wire", "server", "cli", "bench"];

const MAX_CYCLE: usize = 2;

/// The larger cycles that are left: crate, number of modules, reason. Write the new number when one shrinks.
const LARGE_CYCLES: [(&str, usize, &str); 1] =
    [("server", 3, "hub, follower and subscription of one stream")];

#[test]
fn module_cycles_have_at_most_two_modules() {
    let mut found = Vec::new();
    let mut details = Vec::new();
    for name in CRATES {
        for cycle in cycles(&graph_of(name))
            .into_iter()
            .filter(|cycle| cycle.len() > MAX_CYCLE)
        {
            found.push((name, cycle.len()));
            let modules: Vec<String> = cycle.iter().map(display).collect();
            details.push(format!(
                "{name}, {} modules: {}",
                cycle.len(),
                modules.join(", ")
            ));
        }
    }
    let expected: Vec<_> = LARGE_CYCLES
        .iter()
        .map(|(name, size, _)| (*name, *size))
        .collect();
    assert_eq!(found, expected, "{details:#?}");
}

fn graph_of(name: &str) -> Graph {
    let folder = format!("{name}/src/");
    let sources = sources::rust();
    let files: Vec<(&str, &str)> = sources
        .filter_map(|source| Some((source.path.strip_prefix(&folder)?, source.text.as_str())))
        .collect();
    let parsed = Crate::parse(&files);
    assert!(
        parsed.len() > 10,
        "{name} has only {} modules",
        parsed.len()
    );
    parsed.graph()
}

fn display(module: &Path) -> String {
    if module.is_empty() {
        return "crate".to_owned();
    }
    module.join("::")
}

fn uses(files: &[(&'static str, &'static str)]) -> Vec<String> {
    let graph = Crate::parse(files).graph();
    let uses = graph.iter().flat_map(|(module, used)| {
        used.iter()
            .map(|used| format!("{} {}", display(module), display(used)))
    });
    uses.collect()
}

#[test]
fn module_uses_follow_paths_and_reexports() {
    let files = [
        (
            "lib.rs",
            "mod a; mod b; mod tests; pub use a::A; #[cfg(test)] mod c;",
        ),
        (
            "a.rs",
            "mod d; pub(crate) use d::D; pub struct A; fn e() { d::f() }",
        ),
        ("a/d.rs", "use super::A; pub struct D; // crate::b"),
        (
            "b.rs",
            "use crate::{A, a::{self, *}}; fn g() -> a::D { std::mem::take() } mod h { use super::super::a::d; }",
        ),
        ("tests.rs", "use crate::b;"),
        ("c.rs", "use crate::b;"),
    ];
    assert_eq!(uses(&files), ["a::d a", "b a", "b a::d"]);
}

#[test]
fn cycles_are_found() {
    let files = [
        ("main.rs", "mod a; mod b; mod c; mod d; mod e;"),
        ("a.rs", "use crate::b::B;"),
        ("b.rs", "pub struct B; fn f() { crate::c::g() }"),
        ("c.rs", "use super::a; use super::d;"),
        ("d.rs", "use crate::e;"),
        ("e.rs", "use crate::d;"),
    ];
    let sizes: Vec<usize> = cycles(&Crate::parse(&files).graph())
        .iter()
        .map(Vec::len)
        .collect();
    assert_eq!(sizes, [3, 2]);
}

//! No file is long.

use super::sources;

const MAX_LINES: usize = 400;

#[test]
fn files_have_at_most_400_lines() {
    let mut seen = 0;
    let mut long = Vec::new();
    for source in sources::all()
        .iter()
        .filter(|source| !source.has_extension("md"))
    {
        seen += 1;
        let lines = source.text.lines().count();
        if lines > MAX_LINES {
            long.push(format!("{}: {lines} lines", source.path));
        }
    }
    assert!(seen > 600, "only {seen} files were read");
    assert!(long.is_empty(), "too long:\n{}", long.join("\n"));
}

//! No file is long.

use super::sources;

const MAX_LINES: usize = 400;

/// Files that are longer, with the number of lines that they may have. A split removes the row.
const LONG_FILES: [(&str, usize); 1] = [("server/src/web/activity.rs", 490)];

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
        let exception = LONG_FILES.iter().find(|(path, _)| *path == source.path);
        if lines > exception.map_or(MAX_LINES, |(_, lines)| *lines) {
            long.push(format!("{}: {lines} lines", source.path));
        }
    }
    assert!(seen > 600, "only {seen} files were read");
    assert!(long.is_empty(), "too long:\n{}", long.join("\n"));
}

#[test]
fn every_long_file_exception_is_needed() {
    for (path, _) in LONG_FILES {
        let source = sources::all().iter().find(|source| source.path == path);
        let lines = source.map_or(0, |source| source.text.lines().count());
        assert!(
            lines > MAX_LINES,
            "{path} has {lines} lines: remove its row"
        );
    }
}

//! The text files of the workspace, each read once.

use std::{
    path::{Path, PathBuf},
    sync::LazyLock,
};

use super::tokens::{self, Token};

const EXTENSIONS: [&str; 5] = ["rs", "js", "css", "html", "md"];

pub(super) struct Source {
    /// Relative to the workspace.
    pub(super) path: String,
    pub(super) text: String,
}

impl Source {
    pub(super) fn tokens(&self) -> Vec<Token<'_>> {
        tokens::tokenize(&self.text)
    }

    pub(super) fn has_extension(&self, extension: &str) -> bool {
        extension_of(Path::new(&self.path)) == Some(extension)
    }

    /// Whether a folder or the file is named `test…`.
    pub(super) fn is_test(&self) -> bool {
        self.path.split('/').any(|part| part.starts_with("test"))
    }
}

static SOURCES: LazyLock<Vec<Source>> = LazyLock::new(|| {
    let root = workspace();
    let mut paths = Vec::new();
    collect(&root, &mut paths);
    paths.sort();
    let read = |path: &PathBuf| Source {
        path: path
            .strip_prefix(&root)
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned(),
        text: std::fs::read_to_string(path).unwrap(),
    };
    paths.iter().map(read).collect()
});

pub(super) fn workspace() -> PathBuf {
    let server = Path::new(env!("CARGO_MANIFEST_DIR"));
    server.parent().unwrap().to_owned()
}

pub(super) fn all() -> &'static [Source] {
    &SOURCES
}

pub(super) fn rust() -> impl Iterator<Item = &'static Source> {
    SOURCES.iter().filter(|source| source.has_extension("rs"))
}

fn extension_of(path: &Path) -> Option<&str> {
    path.extension()?.to_str()
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if name.starts_with('.') || name == "target" || name == "strongroom-data" {
            continue;
        }
        if path.is_dir() {
            collect(&path, paths);
        } else if extension_of(&path).is_some_and(|extension| EXTENSIONS.contains(&extension)) {
            paths.push(path);
        }
    }
}

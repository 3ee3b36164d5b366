//! The configuration of one run.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use tempfile::TempDir;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ScenarioName {
    Start,
    Me,
    SignIn,
    Refresh,
    CheckOut,
    CheckIn,
    Pages,
    Transfer,
    Events,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TargetName {
    Strongroom,
    Original,
    Nginx,
}

#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) server: PathBuf,
    pub(crate) only: Vec<ScenarioName>,
    pub(crate) without: Vec<TargetName>,
    pub(crate) rounds: usize,
    /// The measured time of one round.
    pub(crate) time: Duration,
    /// Size of the large file, in bytes.
    pub(crate) large: u64,
    pub(crate) sockets: usize,
    pub(crate) scratch: TempDir,
}

impl Options {
    pub(crate) fn includes_scenario(&self, scenario: ScenarioName) -> bool {
        self.only.is_empty() || self.only.contains(&scenario)
    }

    pub(crate) fn includes_target(&self, target: TargetName) -> bool {
        !self.without.contains(&target)
    }

    /// A new folder for one server's data.
    pub(crate) fn folder(&self, name: &str) -> Result<PathBuf> {
        let folder = self.scratch.path().join(name);
        std::fs::create_dir_all(&folder)?;
        Ok(folder)
    }
}

/// The program at `given`, or the release build of this tree, built now if it is not up to date.
pub(crate) fn find_server(path: Option<PathBuf>) -> Result<PathBuf> {
    if let Some(program) = path {
        return program
            .canonicalize()
            .with_context(|| format!("no program at {}", program.display()));
    }
    let built = Command::new(env!("CARGO"))
        .args(["build", "--release", "--bin", "strongroom"])
        .status()?;
    ensure!(built.success(), "strongroom does not build");
    Path::new("target/release/strongroom")
        .canonicalize()
        .context("run this from the root of the repository")
}

pub(crate) fn make_scratch(parent: &Path) -> Result<TempDir> {
    std::fs::create_dir_all(parent)?;
    Ok(tempfile::tempdir_in(parent.canonicalize()?)?)
}

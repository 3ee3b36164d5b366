//! This machine, and the resources of a process on it, from `/proc`.

use std::{fs, process::Command, time::Duration};

use anyhow::{Context, Result};

/// Ticks a second in `/proc/PID/stat`: 100 on every Linux that Rust supports.
const TICKS_PER_SECOND: u64 = 100;

pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The open-file limit of this process, which its servers inherit.
pub(crate) fn open_files() -> usize {
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits
        .lines()
        .find(|line| line.starts_with("Max open files"))
        .unwrap_or_default();
    line.split_whitespace()
        .nth(3)
        .and_then(|soft| soft.parse().ok())
        .unwrap_or(1024)
}

/// One line: processor, cores, memory, system, date, commit.
pub(crate) fn describe() -> String {
    let cpu = field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown processor".into());
    let memory = field("/proc/meminfo", "MemTotal")
        .and_then(|kib| leading_number(&kib))
        .unwrap_or(0)
        >> 20;
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!(
        "{cpu}, {} cores, {memory} GiB, Linux {}; {}, commit {}",
        cores(),
        kernel.trim(),
        command_output("date", &["-u", "+%Y-%m-%d"]),
        command_output("git", &["describe", "--always", "--dirty"]),
    )
}

/// A process under observation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Process(pub(crate) u32);

impl Process {
    /// Processor time so far, user and system.
    pub(crate) fn cpu_time(self) -> Result<Duration> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0))?;
        // The program's name, in brackets, may contain spaces: the fields are counted after it.
        let (_, after) = stat
            .rsplit_once(')')
            .context("unexpected format of /proc/PID/stat")?;
        let ticks: u64 = after
            .split_whitespace()
            .skip(11)
            .take(2)
            .filter_map(|ticks| ticks.parse::<u64>().ok())
            .sum();
        Ok(Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND))
    }

    /// Resident memory now, in KiB.
    pub(crate) fn memory(self) -> Result<u64> {
        self.status("VmRSS")
    }

    /// The peak of resident memory since `Process::reset_peak`, in KiB.
    pub(crate) fn peak(self) -> Result<u64> {
        self.status("VmHWM")
    }

    pub(crate) fn reset_peak(self) -> Result<()> {
        Ok(fs::write(format!("/proc/{}/clear_refs", self.0), "5")?)
    }

    fn status(self, name: &str) -> Result<u64> {
        let value = field(&format!("/proc/{}/status", self.0), name).context("no such process")?;
        leading_number(&value).context("odd /proc/PID/status")
    }
}

fn field(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let (_, value) = text
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(key, _)| key.trim() == name)?;
    Some(value.trim().to_owned())
}

fn leading_number(text: &str) -> Option<u64> {
    text.split_whitespace().next()?.parse().ok()
}

fn command_output(program: &str, args: &[&str]) -> String {
    let stdout = Command::new(program)
        .args(args)
        .output()
        .map(|output| output.stdout)
        .unwrap_or_default();
    String::from_utf8_lossy(&stdout).trim().to_owned()
}

//! What it was measured on.

use std::path::Path;
use std::process::Command;

use anyhow::Context;

/// The machine, and what stands on it.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(crate) processor: String,
    pub(crate) cores: usize,
    pub(crate) memory: String,
    pub(crate) system: String,
    pub(crate) nginx: String,
    pub(crate) haproxy: String,
    /// The load average before anything was started: 1, 5 and 15 minutes.
    pub(crate) load_before: String,
    pub(crate) revision: String,
}

impl Machine {
    pub(crate) fn look(nginx: &Path, haproxy: &Path) -> anyhow::Result<Self> {
        let file = |path: &str| std::fs::read_to_string(path).with_context(|| path.to_owned());
        let field = |text: &str, name: &str| {
            let line = text.lines().find(|line| line.starts_with(name));
            line.and_then(|line| line.split_once(':'))
                .map_or("unknown".to_owned(), |(_, value)| value.trim().to_owned())
        };
        let kib: f64 = field(&file("/proc/meminfo")?, "MemTotal")
            .trim_end_matches(" kB")
            .parse()?;
        let release = file("/etc/os-release").unwrap_or_default();
        let name = release
            .lines()
            .find_map(|line| line.strip_prefix("PRETTY_NAME="))
            .unwrap_or("Linux")
            .trim_matches('"');
        let told = first_line(Command::new(haproxy).arg("-v"));
        let dirty = first_line(Command::new("git").args([
            "status",
            "--porcelain",
            "-uno",
            "--",
            ".",
            ":!docs/benchmarks.md",
        ]));
        Ok(Self {
            processor: field(&file("/proc/cpuinfo")?, "model name"),
            cores: std::thread::available_parallelism()?.get(),
            memory: format!("{:.0} GB", kib * 1_024.0 / 1e9),
            system: format!(
                "{name}, Linux {}",
                file("/proc/sys/kernel/osrelease")?.trim()
            ),
            nginx: first_line(Command::new(nginx).arg("-v"))
                .trim_start_matches("nginx version: ")
                .to_owned(),
            haproxy: told
                .split_whitespace()
                .take(3)
                .collect::<Vec<_>>()
                .join(" "),
            load_before: load()?,
            revision: format!(
                "{}{}",
                first_line(Command::new("git").args(["rev-parse", "--short=12", "HEAD"])),
                if dirty.is_empty() {
                    ""
                } else {
                    " and changes not yet committed"
                }
            ),
        })
    }
}

/// The load average: 1, 5 and 15 minutes.
pub(crate) fn load() -> anyhow::Result<String> {
    let text = std::fs::read_to_string("/proc/loadavg")?;
    Ok(text
        .split_whitespace()
        .take(3)
        .collect::<Vec<_>>()
        .join(", "))
}

/// The first line that a command prints (nginx tells its version on stderr).
fn first_line(command: &mut Command) -> String {
    let Ok(output) = command.output() else {
        return String::new();
    };
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    text.lines().next().unwrap_or_default().trim().to_owned()
}

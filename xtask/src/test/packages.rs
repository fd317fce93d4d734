//! Debian packages that the tests need: looked for first, installed by apt-get where missing.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use super::Step;
use crate::postgres;

/// A Debian package, and who needs it.
struct Package {
    name: &'static str,
    for_steps: &'static [Step],
    is_there: fn() -> bool,
}

const PACKAGES: [Package; 8] = [
    Package {
        name: "git",
        for_steps: &[Step::Tidy],
        is_there: || runs("git", &["--version"]),
    },
    Package {
        name: "g++",
        for_steps: &[Step::Fuzz],
        is_there: || runs("c++", &["--version"]),
    },
    Package {
        name: "postgresql",
        for_steps: &[Step::Rust],
        is_there: || postgres::programs().is_some(),
    },
    Package {
        name: "openssl",
        for_steps: &[Step::Rust, Step::Python],
        is_there: || runs("openssl", &["version"]),
    },
    Package {
        name: "hledger",
        for_steps: &[Step::Rust],
        is_there: || runs("hledger", &["--version"]),
    },
    Package {
        name: "python3-venv",
        for_steps: &[Step::Rust, Step::Python],
        is_there: || runs("python3", &["-c", "import ensurepip, venv"]),
    },
    Package {
        name: "nodejs",
        for_steps: &[Step::Node],
        is_there: || runs("node", &["--version"]),
    },
    Package {
        name: "npm",
        for_steps: &[Step::Node],
        is_there: || runs("npm", &["--version"]),
    },
];

/// Sees to it that the packages of these steps are there.
pub fn install(steps: &[Step]) -> Result<()> {
    let needed = PACKAGES
        .iter()
        .filter(|package| package.for_steps.iter().any(|step| steps.contains(step)));
    let missing: Vec<&str> = needed
        .filter(|package| !(package.is_there)())
        .map(|package| package.name)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let by_hand = format!(
        "apt-get install --no-install-recommends {}",
        missing.join(" ")
    );
    ensure!(
        Path::new("/usr/bin/apt-get").exists(),
        "these tests need what Debian calls: {}",
        missing.join(", ")
    );
    let Some(as_root) = as_root() else {
        bail!(
            "these tests need packages, and there is neither root nor sudo without a password; please run: {by_hand}"
        );
    };
    println!(
        "=== packages: installing {} ({by_hand})",
        missing.join(", ")
    );
    apt_get(as_root, &["update", "--quiet"])?;
    let install = ["install", "--yes", "--quiet", "--no-install-recommends"];
    apt_get(as_root, &[&install[..], &missing].concat())
}

/// What to put before a command that root must run.
fn as_root() -> Option<&'static [&'static str]> {
    let is_root = Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|output| output.stdout.trim_ascii() == b"0");
    if is_root {
        Some(&["env"])
    } else if runs("sudo", &["--non-interactive", "true"]) {
        Some(&["sudo", "--non-interactive", "env"])
    } else {
        None
    }
}

fn apt_get(as_root: &[&str], arguments: &[&str]) -> Result<()> {
    let (program, before) = as_root.split_first().context("a program")?;
    let status = Command::new(program)
        .args(before)
        .args(["DEBIAN_FRONTEND=noninteractive", "apt-get"])
        .args(arguments)
        .status()
        .context("apt-get")?;
    ensure!(status.success(), "apt-get {} failed", arguments.join(" "));
    Ok(())
}

/// Whether a program is there and this call of it succeeds.
pub fn runs(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

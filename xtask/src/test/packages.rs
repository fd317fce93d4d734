//! Debian packages that the tests need: looked for first, installed by apt-get where missing. What
//! cannot be installed stops the steps that need it, and no other.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use super::Step;
use crate::postgres;

/// A Debian package, and who needs it.
struct Package {
    name: &'static str,
    for_steps: &'static [Step],
    /// Whether a step is not run at all without it. Otherwise the tests that ask it fail alone.
    essential: bool,
    is_there: fn() -> bool,
}

static PACKAGES: [Package; 13] = [
    Package {
        name: "git",
        for_steps: &[Step::Tidy],
        essential: true,
        is_there: || runs("git", &["--version"]),
    },
    Package {
        name: "g++",
        for_steps: &[Step::Fuzz],
        essential: true,
        is_there: || runs("c++", &["--version"]),
    },
    Package {
        name: "postgresql",
        for_steps: &[Step::Rust],
        essential: true,
        is_there: || postgres::programs().is_some(),
    },
    // The community's Rust client speaks TLS by OpenSSL.
    Package {
        name: "pkg-config",
        for_steps: &[Step::RustClient, Step::Examples],
        essential: true,
        is_there: || runs("pkg-config", &["--version"]),
    },
    Package {
        name: "libssl-dev",
        for_steps: &[Step::RustClient, Step::Examples],
        essential: true,
        is_there: || runs("pkg-config", &["--exists", "openssl"]),
    },
    Package {
        name: "openssl",
        for_steps: &[Step::Rust, Step::Python],
        essential: true,
        is_there: || runs("openssl", &["version"]),
    },
    Package {
        name: "hledger",
        for_steps: &[Step::Rust],
        essential: false,
        is_there: || runs("hledger", &["--version"]),
    },
    // Go's own packages for logs like the gate's judge it.
    Package {
        name: "golang-go",
        for_steps: &[Step::Python],
        essential: false,
        is_there: || runs("go", &["version"]),
    },
    Package {
        name: "golang-golang-x-mod-dev",
        for_steps: &[Step::Python],
        essential: false,
        is_there: || Path::new("/usr/share/gocode/src/golang.org/x/mod/sumdb/tlog").exists(),
    },
    Package {
        name: "putty-tools",
        for_steps: &[Step::Python],
        essential: false,
        is_there: || runs("puttygen", &["--version"]),
    },
    Package {
        name: "python3-venv",
        for_steps: &[Step::Rust, Step::Python, Step::FuzzApi, Step::Examples],
        essential: true,
        is_there: || runs("python3", &["-c", "import ensurepip, venv"]),
    },
    Package {
        name: "nodejs",
        for_steps: &[Step::Node, Step::Examples],
        essential: true,
        is_there: || runs("node", &["--version"]),
    },
    Package {
        name: "npm",
        for_steps: &[Step::Node, Step::Examples],
        essential: true,
        is_there: || runs("npm", &["--version"]),
    },
];

/// What is still missing.
#[derive(Default)]
pub struct Missing(Vec<&'static Package>);

impl Missing {
    /// Why this step cannot be run, if it cannot.
    pub fn stops(&self, step: Step) -> Option<String> {
        let needed = self
            .0
            .iter()
            .filter(|package| package.essential && package.for_steps.contains(&step));
        let names: Vec<&str> = needed.map(|package| package.name).collect();
        (!names.is_empty()).then(|| format!("not run: it needs {}", by_hand(&names)))
    }
}

fn by_hand(names: &[&str]) -> String {
    format!(
        "apt-get install --no-install-recommends {}",
        names.join(" ")
    )
}

/// Sees to it that the packages of these steps are there, as far as it can.
pub fn install(steps: &[Step]) -> Missing {
    let missing = || -> Vec<&'static Package> {
        let needed = PACKAGES
            .iter()
            .filter(|package| package.for_steps.iter().any(|step| steps.contains(step)));
        needed.filter(|package| !(package.is_there)()).collect()
    };
    let wanted: Vec<&str> = missing().iter().map(|package| package.name).collect();
    if wanted.is_empty() {
        return Missing::default();
    }
    if let Err(error) = install_all(&wanted) {
        eprintln!("error: {} is missing: {error:#}", wanted.join(", "));
    }
    Missing(missing())
}

fn install_all(names: &[&str]) -> Result<()> {
    ensure!(
        Path::new("/usr/bin/apt-get").exists(),
        "there is no apt-get here; the names are Debian's"
    );
    let by_hand = by_hand(names);
    let as_root = as_root().with_context(|| {
        format!("there is neither root nor sudo without a password; please run: {by_hand}")
    })?;
    println!("=== packages: installing {} ({by_hand})", names.join(", "));
    apt_get(as_root, &["update", "--quiet"])?;
    let install = ["install", "--yes", "--quiet", "--no-install-recommends"];
    apt_get(as_root, &[&install[..], names].concat())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_stops_who_needs_it_and_nobody_else() {
        let npm = PACKAGES.iter().filter(|package| package.name == "npm");
        let missing = Missing(npm.collect());
        assert!(
            missing
                .stops(Step::Node)
                .is_some_and(|why| why.ends_with(" npm"))
        );
        assert_eq!(missing.stops(Step::Python), None);
        let hledger = PACKAGES.iter().filter(|package| package.name == "hledger");
        assert_eq!(Missing(hledger.collect()).stops(Step::Rust), None);
        assert_eq!(Missing::default().stops(Step::Node), None);
    }
}

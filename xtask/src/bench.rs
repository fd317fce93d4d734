//! `cargo xtask bench`: builds the product for release, sees to nginx, HAProxy and prism, and measures.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail, ensure};

use crate::repository;
use crate::test::environment;

/// The oldest HAProxy that is taken: `jwt_verify` came with 2.5, and 2.6 is what lives.
const HAPROXY: (u32, u32) = (2, 6);

/// Where Debian puts servers; not on every account's path.
const SERVERS: [&str; 2] = ["/usr/sbin", "/usr/local/sbin"];

/// Arguments of `cargo xtask bench`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Rounds of each measurement; the medians are written down.
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=50))]
    rounds: u32,
    /// Minutes over which the gate's memory is watched.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=600))]
    minutes: u32,
    /// These parts alone, to the terminal: reads, pages, refusals, evidence, soak, start, import, webhooks,
    /// beside, creating, fresh, lists.
    #[arg(long, value_name = "PART", value_delimiter = ',')]
    only: Vec<String>,
    /// Where the tables go; below the repository's root.
    #[arg(long, value_name = "FILE", default_value = "docs/benchmarks.md")]
    output: PathBuf,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let (nginx, haproxy) = peers()?;
    ensure!(
        program("taskset").is_some(),
        "taskset is not installed (Debian package: util-linux)"
    );
    let prism = prism()?;
    println!("=== release build of vestibule and bench");
    let built = Command::new(repository::cargo())
        .args([
            "build",
            "--release",
            "--package",
            "vestibule",
            "--package",
            "bench",
        ])
        .current_dir(repository::root())
        .status()
        .context("cargo build")?;
    ensure!(built.success(), "the release build failed");
    let release = repository::target().join("release");
    let output = repository::root().join(&arguments.output);
    if let Some(folder) = output.parent() {
        std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    println!("=== measuring");
    let measured = Command::new(release.join("bench"))
        .arg("--vestibule")
        .arg(release.join("vestibule"))
        .arg("--nginx")
        .arg(nginx)
        .arg("--haproxy")
        .arg(haproxy)
        .arg("--prism")
        .arg(prism)
        .arg("--large")
        .arg(repository::root().join("bench/large.toml"))
        .arg("--many")
        .arg(repository::root().join("bench/many.toml"))
        .arg("--rounds")
        .arg(arguments.rounds.to_string())
        .arg("--minutes")
        .arg(arguments.minutes.to_string())
        .args(arguments.only.iter().flat_map(|part| ["--only", part]))
        .arg("--output")
        .arg(output)
        .current_dir(repository::root())
        .status()
        .context("bench")?;
    Ok(if measured.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// nginx and HAProxy, installed where they lack.
fn peers() -> Result<(PathBuf, PathBuf)> {
    let missing: Vec<&str> = ["nginx", "haproxy"]
        .into_iter()
        .filter(|name| program(name).is_none())
        .collect();
    if !missing.is_empty() {
        install(&missing)?;
    }
    let found = |name: &str| program(name).with_context(|| format!("{name} is not installed"));
    let (nginx, haproxy) = (found("nginx")?, found("haproxy")?);
    let told = Command::new(&haproxy)
        .arg("-v")
        .output()
        .context("haproxy -v")?;
    let told = String::from_utf8_lossy(&told.stdout).into_owned();
    ensure!(
        version(&told).is_some_and(|version| version >= HAPROXY),
        "HAProxy {}.{} or newer is needed for jwt_verify; {} says: {}",
        HAPROXY.0,
        HAPROXY.1,
        haproxy.display(),
        told.lines().next().unwrap_or("nothing")
    );
    Ok((nginx, haproxy))
}

/// The mock server, installed below `target/` as its lock file says; for node to run.
fn prism() -> Result<PathBuf> {
    let place = repository::target().join("prism");
    environment::node_packages(&repository::root().join("bench/prism"), &place)?;
    Ok(place.join("node_modules/@stoplight/prism-cli/dist/index.js"))
}

/// Major and minor number out of `HAProxy version 2.6.12-1+deb12u1 2023/12/16 - ...`.
fn version(told: &str) -> Option<(u32, u32)> {
    let mut numbers = told.split_whitespace().find_map(|word| {
        word.starts_with(|first: char| first.is_ascii_digit())
            .then(|| word.split(['.', '-']))
    })?;
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

fn install(missing: &[&str]) -> Result<()> {
    let by_hand = format!(
        "apt-get install --no-install-recommends {}",
        missing.join(" ")
    );
    ensure!(
        Path::new("/usr/bin/apt-get").exists(),
        "the benchmarks need {} on this machine, and there is no apt-get to install it with",
        missing.join(" and ")
    );
    let Some((program, before)) = as_root() else {
        bail!(
            "the benchmarks need {}, and there is neither root nor sudo without a password; please run: {by_hand}",
            missing.join(" and ")
        );
    };
    println!(
        "=== packages: installing {} ({by_hand})",
        missing.join(", ")
    );
    let packages = ["install", "--yes", "--quiet", "--no-install-recommends"];
    for arguments in [
        &["update", "--quiet"][..],
        &[&packages[..], missing].concat(),
    ] {
        // In runlevel 1 Debian's scripts start no service: the benchmarks start their own.
        let status = Command::new(program)
            .args(before)
            .args(["env", "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1"])
            .arg("apt-get")
            .args(arguments)
            .stdin(Stdio::null())
            .status()
            .context("apt-get")?;
        ensure!(
            status.success(),
            "apt-get {} failed; please run: {by_hand}",
            arguments.join(" ")
        );
    }
    Ok(())
}

/// What to put before a command that root must run.
fn as_root() -> Option<(&'static str, &'static [&'static str])> {
    let output = |program: &str, arguments: &[&str]| {
        Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .ok()
            .filter(|output| output.status.success())
    };
    if output("id", &["-u"]).is_some_and(|output| output.stdout.trim_ascii() == b"0") {
        Some(("env", &[]))
    } else {
        output("sudo", &["--non-interactive", "true"]).map(|_| ("sudo", &["--non-interactive"][..]))
    }
}

/// Where a program is.
fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(SERVERS.iter().map(PathBuf::from))
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn haproxys_version_is_read_as_it_tells_it() {
        let told = |text| version(text);
        assert_eq!(
            told("HAProxy version 2.6.12-1+deb12u4 2023/12/16 - https://haproxy.org/"),
            Some((2, 6))
        );
        assert_eq!(
            told("HA-Proxy version 2.2.9-2+deb11u6 2023/08/11"),
            Some((2, 2))
        );
        assert_eq!(told("HAProxy version 3.0.5"), Some((3, 0)));
        assert_eq!(told("something else"), None);
    }
}

//! What the tests need below `target/`: pinned Python and Node packages, and cargo's own tools.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::repository;

/// The Python environment of the judges.
pub fn python() -> Result<PathBuf> {
    python_of("judges/python", "judges/venv")
}

/// The Python environment of schemathesis.
pub fn schemathesis() -> Result<PathBuf> {
    python_of("judges/schemathesis", "judges/schemathesis")
}

/// The environment of a Python project's lock file; made again when that changes.
pub fn python_of(project: &str, place: &str) -> Result<PathBuf> {
    let lock = repository::root().join(project).join("requirements.txt");
    let place = repository::target().join(place);
    let stamp = place.join("made-from.txt");
    let python = place.join("bin/python");
    // An environment outlives the Python that made it: that one may be gone.
    if is_made_from(&stamp, &lock)? && python.exists() {
        return Ok(place);
    }
    println!(
        "--- Python packages of {project}/requirements.txt into {}",
        place.display()
    );
    run(Command::new("python3")
        .args(["-m", "venv", "--clear"])
        .arg(&place))?;
    let pip = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
        "--require-hashes",
        "--requirement",
    ];
    run(Command::new(python).args(pip).arg(&lock))?;
    fs::copy(&lock, &stamp)?;
    Ok(place)
}

/// The product, built as the other tests build it.
pub fn product() -> Result<PathBuf> {
    let mut build = Command::new(repository::cargo());
    run(build
        .args(["build", "--locked", "--package", "vestibule"])
        .current_dir(repository::root()))?;
    Ok(repository::target().join("debug/vestibule"))
}

/// The Node tests of the judges.
pub fn node() -> Result<PathBuf> {
    let place = repository::target().join("judges/node");
    node_packages(&repository::root().join("judges/node"), &place)?;
    Ok(place)
}

/// The files of a folder with their Node packages, as its lock file says, in a place of their own.
pub fn node_packages(from: &Path, place: &Path) -> Result<()> {
    fs::create_dir_all(place)?;
    for entry in fs::read_dir(place)? {
        let entry = entry?;
        if entry.file_type()?.is_file()
            && !from.join(entry.file_name()).exists()
            && entry.file_name() != "made-from.json"
        {
            fs::remove_file(entry.path())?;
        }
    }
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            fs::copy(entry.path(), place.join(entry.file_name()))?;
        }
    }
    let (lock, stamp) = (
        place.join("package-lock.json"),
        place.join("made-from.json"),
    );
    if !is_made_from(&stamp, &lock)? {
        println!(
            "--- Node packages of {} into {}",
            from.display(),
            place.display()
        );
        run(Command::new("npm")
            .args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"])
            .current_dir(place))?;
        fs::copy(&lock, &stamp)?;
    }
    Ok(())
}

/// A cargo command, where it is there already: one of our own below `target/`, or an installed one.
pub fn find_cargo_tool(name: &str) -> Option<PathBuf> {
    let file = format!("cargo-{name}");
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::iter::once(repository::target().join("tools/bin"))
        .chain(std::env::split_paths(&path))
        .map(|folder| folder.join(&file))
        .find(|program| program.is_file())
}

/// The same; one of this version is made where there is none.
pub fn cargo_tool(name: &str, version: &str) -> Result<PathBuf> {
    if let Some(program) = find_cargo_tool(name) {
        return Ok(program);
    }
    let ours = repository::target().join("tools");
    println!(
        "--- cargo-{name} {version} into {} (once; takes some minutes)",
        ours.display()
    );
    let crate_name = format!("cargo-{name}");
    let mut install = Command::new(repository::cargo());
    install
        .args([
            "install",
            &crate_name,
            "--version",
            version,
            "--locked",
            "--quiet",
            "--root",
        ])
        .arg(&ours);
    // Its own target folder: nothing of ours is built again because of it.
    run(install
        .env("CARGO_TARGET_DIR", ours.join("target"))
        .current_dir(repository::root()))?;
    let _ = fs::remove_dir_all(ours.join("target"));
    find_cargo_tool(name).with_context(|| format!("{crate_name} was installed and is not there"))
}

/// Whether cargo was told to ask no registry.
pub fn is_offline() -> bool {
    std::env::var("CARGO_NET_OFFLINE").is_ok_and(|told| told == "true" || told == "1")
}

/// Runs a command to its end; its output goes to ours.
pub fn run(command: &mut Command) -> Result<()> {
    let name = Path::new(command.get_program())
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let status = command.status().with_context(|| name.clone())?;
    ensure!(status.success(), "{name} failed ({status})");
    Ok(())
}

fn is_made_from(stamp: &Path, lock: &Path) -> Result<bool> {
    let wanted = fs::read(lock).with_context(|| lock.display().to_string())?;
    Ok(fs::read(stamp).is_ok_and(|made| made == wanted))
}

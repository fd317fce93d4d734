//! The projects of examples/, run as a user would run them; and once more at a sandbox that runs already,
//! started with the words of the container file.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::environment;
use super::judges::{BINARY, cargo_project};
use super::outcome::Outcome;
use crate::repository;

const CONTAINER: &str = "examples/ci/Dockerfile";
const SERVICE: &str = "examples/ci/github-actions.yml";
/// How long a sandbox may take to serve.
const DEADLINE: Duration = Duration::from_secs(30);

pub fn run() -> Result<Outcome> {
    let binary = environment::product()?;
    let venv = environment::python_of("examples/pytest", "examples/venv")?;
    let (from, node) = (
        repository::root().join("examples/vitest"),
        repository::target().join("examples/vitest"),
    );
    environment::node_packages(&from, &node)?;
    let pytest = || pytest(&venv);
    let vitest = || vitest(&node);
    let cargo_test = || cargo_project("examples/cargo-test");
    let mut outcome = Outcome::default();
    let mut count = |name: &str, ran: Result<()>| match ran {
        Ok(()) => outcome.passed += 1,
        Err(error) => {
            eprintln!("{name}: {error:#}");
            outcome.failed += 1;
        }
    };
    count("pytest", environment::run(pytest().env(BINARY, &binary)));
    count("vitest", environment::run(vitest().env(BINARY, &binary)));
    count(
        "cargo test",
        environment::run(cargo_test().env(BINARY, &binary)),
    );
    count("ci", files_agree());
    let service = Service::start(&binary)?;
    for (name, mut command) in [
        ("pytest", pytest()),
        ("vitest", vitest()),
        ("cargo test", cargo_test()),
    ] {
        command.envs(service.variables.iter().cloned());
        count(
            &format!("{name} at a service"),
            environment::run(&mut command),
        );
    }
    Ok(outcome)
}

fn pytest(venv: &Path) -> Command {
    let mut command = Command::new(venv.join("bin/python"));
    command
        .args(["-m", "pytest", "-q"])
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .current_dir(repository::root().join("examples/pytest"));
    command
}

fn vitest(place: &Path) -> Command {
    let mut command = Command::new("npm");
    command.args(["test", "--silent"]).current_dir(place);
    command
}

/// A sandbox as the container has one, with all that its callers know of it.
struct Service {
    process: Child,
    variables: Vec<(&'static str, String)>,
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Service {
    fn start(binary: &Path) -> Result<Self> {
        let token = "a-token-that-the-tests-know";
        let ready = repository::target().join("examples/service.json");
        let _ = fs::remove_file(&ready);
        let mut process = Command::new(binary)
            // Other ports: these may be taken here.
            .args(
                entrypoint()?
                    .iter()
                    .skip(1)
                    .map(|word| word.replace(":8080", ":0").replace(":8081", ":0")),
            )
            .arg("--ready-file")
            .arg(&ready)
            .env("VESTIBULE_CONTROL_TOKEN", token)
            .stdout(Stdio::null())
            .spawn()?;
        let begun = Instant::now();
        while !ready.exists() {
            if process.try_wait()?.is_some() || begun.elapsed() > DEADLINE {
                let _ = process.kill();
                anyhow::bail!("{CONTAINER}: its sandbox does not serve");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let told: Value = serde_json::from_str(&fs::read_to_string(&ready)?)?;
        // Its own address is every address of the machine; callers take this one.
        let url = |name: &str| {
            let url = told["sandbox"][name].as_str().unwrap_or_default();
            url.replace("0.0.0.0", "127.0.0.1")
        };
        let variables = vec![
            ("VESTIBULE_URL", url("base_url")),
            ("VESTIBULE_CONTROL_URL", url("control_url")),
            ("VESTIBULE_CONTROL_TOKEN", token.to_owned()),
        ];
        Ok(Self { process, variables })
    }
}

/// What the container runs.
fn entrypoint() -> Result<Vec<String>> {
    let text = text(CONTAINER)?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("ENTRYPOINT "));
    Ok(serde_json::from_str(line.context("it has no ENTRYPOINT")?)?)
}

/// The container is built with our Rust; what it exposes is what it listens on, and what the service maps.
fn files_agree() -> Result<()> {
    let container = text(CONTAINER)?;
    let toolchain = text("rust-toolchain.toml")?;
    let rust = toolchain.split('"').nth(1).context("no Rust is named")?;
    let version = rust.rsplit_once('.').filter(|(head, _)| head.contains('.'));
    let image = format!("FROM rust:{}-", version.map_or(rust, |(head, _)| head));
    ensure!(container.contains(&image), "{CONTAINER} has no {image}");
    let service: serde_yaml_ng::Value = serde_yaml_ng::from_str(&text(SERVICE)?)?;
    let job = &service["jobs"]["test"];
    let ports = &job["services"]["fireblocks"]["ports"];
    for (port, variable) in [("8080", "VESTIBULE_URL"), ("8081", "VESTIBULE_CONTROL_URL")] {
        let listens = entrypoint()?
            .iter()
            .any(|word| word == &format!("0.0.0.0:{port}"));
        let exposed = container
            .lines()
            .any(|line| line.starts_with("EXPOSE ") && line.contains(port));
        let mapped = ports
            .as_sequence()
            .into_iter()
            .flatten()
            .any(|one| one.as_str() == Some(&format!("{port}:{port}")));
        let url = job["env"][variable].as_str().unwrap_or_default();
        ensure!(
            listens && exposed && mapped && url.contains(port),
            "port {port} is not the same everywhere"
        );
    }
    let token = "VESTIBULE_CONTROL_TOKEN";
    ensure!(
        job["env"][token] == job["services"]["fireblocks"]["env"][token]
            && job["env"][token].is_string(),
        "{SERVICE}: service and tests do not share a {token}"
    );
    Ok(())
}

fn text(path: &str) -> Result<String> {
    fs::read_to_string(repository::root().join(path)).with_context(|| path.to_owned())
}

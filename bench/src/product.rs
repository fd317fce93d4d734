//! Child processes: started, waited for until they are ready, looked at, ended.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use serde_json::Value;

/// Longest wait for anything to be ready, or to end.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often it is looked.
const LOOK: Duration = Duration::from_micros(500);
/// Processor time is counted in hundredths of a second (USER_HZ, the same on every Linux).
pub(crate) const TICK: f64 = 0.01;

/// A process that ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Running(Child);

impl Running {
    /// Starts it.
    pub(crate) fn spawn(mut command: Command) -> anyhow::Result<Self> {
        Ok(Self(command.stdin(Stdio::null()).spawn()?))
    }

    /// Asks it to end, as a service manager does, and waits until it has.
    pub(crate) fn end(mut self) -> anyhow::Result<()> {
        self.signal("TERM")?;
        let ended = until("a process ends", || Ok(self.0.try_wait()?))?;
        ensure!(ended.success(), "it ended badly: {ended}");
        Ok(())
    }

    /// Does something while the process stands still.
    pub(crate) fn paused<T>(&self, work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
        self.signal("STOP")?;
        let done = work();
        self.signal("CONT")?;
        done
    }

    fn signal(&self, name: &str) -> anyhow::Result<()> {
        let told = Command::new("sh")
            .arg("-c")
            .arg(format!("kill -{name} {}", self.0.id()))
            .status()?;
        ensure!(told.success(), "the process cannot be told {name}");
        Ok(())
    }

    /// Memory it holds, in MB (of 1,000,000 bytes).
    pub(crate) fn resident(&self) -> anyhow::Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let kib: u32 = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .and_then(|rest| rest.trim().strip_suffix(" kB"))
            .context("a process has VmRSS")?
            .trim()
            .parse()?;
        Ok(f64::from(kib) * 1_024.0 / 1_000_000.0)
    }

    /// Processor time that its threads have used, to the nanosecond, in seconds; threads that have ended
    /// take theirs with them.
    pub(crate) fn processor(&self) -> anyhow::Result<f64> {
        let mut used = Duration::ZERO;
        for task in std::fs::read_dir(format!("/proc/{}/task", self.0.id()))? {
            // A thread may end meanwhile.
            let Ok(said) = std::fs::read_to_string(task?.path().join("schedstat")) else {
                continue;
            };
            let nanoseconds = said.split_whitespace().next().context("schedstat")?;
            used += Duration::from_nanos(nanoseconds.parse()?);
        }
        Ok(used.as_secs_f64())
    }

    /// Processor time it has used, counted in hundredths of a second, in seconds.
    pub(crate) fn busy(&self) -> anyhow::Result<f64> {
        times(&self.0.id().to_string(), 2)
    }

    pub(crate) fn still_runs(&mut self) -> anyhow::Result<()> {
        match self.0.try_wait()? {
            None => Ok(()),
            Some(status) => bail!("it ended before it was ready: {status}"),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Processor time of a process and of its children that have ended, in seconds.
pub(crate) fn busy_with_children(process: &str) -> anyhow::Result<f64> {
    times(process, 4)
}

/// The first of user, system, children's user, children's system time, summed, in seconds.
fn times(process: &str, count: usize) -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    // Behind the name, which may hold blanks: state is the third field, user time the 14th.
    let (_, rest) = stat.rsplit_once(')').context("a process has a name")?;
    let mut ticks = 0.0;
    for field in rest.split_whitespace().skip(11).take(count) {
        ticks += field.parse::<f64>()?;
    }
    Ok(ticks * TICK)
}

/// The product's program and a folder of our own.
#[derive(Clone, Debug)]
pub(crate) struct Product {
    program: PathBuf,
    folder: PathBuf,
}

impl Product {
    pub(crate) fn new(program: &Path, folder: &Path) -> Self {
        Self {
            program: program.to_owned(),
            folder: folder.to_owned(),
        }
    }

    /// Its program.
    pub(crate) fn program(&self) -> &Path {
        &self.program
    }

    /// The arguments of a sandbox that keeps its workspaces in our folder.
    pub(crate) fn sandbox(&self, port: u16) -> Vec<String> {
        let data = self.folder.join("sandbox").join("sandbox.db");
        let listen = format!("127.0.0.1:{port}");
        let control = "127.0.0.1:0".to_owned();
        [
            "sandbox".to_owned(),
            "--data".to_owned(),
            data.display().to_string(),
            "--listen".to_owned(),
            listen,
            "--control".to_owned(),
            control,
        ]
        .into()
    }

    /// The arguments of a sandbox that keeps nothing.
    pub(crate) fn fresh_sandbox(&self) -> Vec<String> {
        let port = ["--listen", "127.0.0.1:0", "--control", "127.0.0.1:0"];
        let arguments = ["sandbox", "--ephemeral"].into_iter().chain(port);
        arguments.map(str::to_owned).collect()
    }

    /// The gate's folder.
    pub(crate) fn gate_folder(&self) -> PathBuf {
        self.folder.join("gate")
    }

    /// The arguments of a command of the gate in our folder.
    pub(crate) fn gate(&self, arguments: &[&str]) -> Vec<String> {
        let folder = self.gate_folder().display().to_string();
        ["gate", "--dir", &folder]
            .iter()
            .chain(arguments)
            .map(|text| (*text).to_owned())
            .collect()
    }

    /// Runs a command to its end; what it printed.
    pub(crate) fn run(&self, arguments: &[String]) -> anyhow::Result<Value> {
        let output = self
            .fresh(Command::new(&self.program))
            .arg("--json")
            .args(arguments)
            .output()?;
        ensure!(
            output.status.success(),
            "vestibule {:.500}: {}",
            arguments.join(" "),
            String::from_utf8_lossy(&output.stderr).trim()
        );
        serde_json::from_slice(&output.stdout).context("what vestibule printed")
    }

    /// Starts a command that serves, and waits for its ready file; with what the file says, and
    /// how long that took.
    pub(crate) fn serve(
        &self,
        command: Command,
        arguments: &[String],
    ) -> anyhow::Result<(Running, Value, Duration)> {
        self.serve_within(PATIENCE, command, arguments)
    }

    /// The same, with another wait: what makes much takes long.
    pub(crate) fn serve_within(
        &self,
        patience: Duration,
        command: Command,
        arguments: &[String],
    ) -> anyhow::Result<(Running, Value, Duration)> {
        let ready = self
            .folder
            .join(format!("ready-{}.json", uuid::Uuid::new_v4()));
        let mut command = self.fresh(command);
        command.args(arguments).arg("--ready-file").arg(&ready);
        command.stdout(Stdio::null());
        let began = Instant::now();
        let mut running = Running::spawn(command)?;
        until_within(patience, "it is ready", || {
            running.still_runs()?;
            Ok(ready.exists().then_some(()))
        })?;
        let took = began.elapsed();
        let said = serde_json::from_slice(&std::fs::read(&ready)?)?;
        Ok((running, said, took))
    }

    /// Without what this terminal's environment may say to the product.
    fn fresh(&self, mut command: Command) -> Command {
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("VESTIBULE_") {
                command.env_remove(name);
            }
        }
        command.stdin(Stdio::null());
        command
    }
}

/// Looks until there is something.
pub(crate) fn until<T>(
    what: &str,
    look: impl FnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    until_within(PATIENCE, what, look)
}

/// The same, with another wait.
pub(crate) fn until_within<T>(
    patience: Duration,
    what: &str,
    mut look: impl FnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    let end = Instant::now() + patience;
    while Instant::now() < end {
        if let Some(found) = look()? {
            return Ok(found);
        }
        std::thread::sleep(LOOK);
    }
    bail!("in {} s not: {what}", patience.as_secs())
}

/// A port that is free now: none that the system gives to whoever calls somewhere, for a call of the load
/// generator's could take it before the server does.
pub(crate) fn free_port() -> anyhow::Result<u16> {
    const PORTS: std::ops::Range<u16> = 20_000..32_000;
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let begun = std::process::id() % u32::from(PORTS.end - PORTS.start);
    for _ in PORTS {
        let next = u32::from(NEXT.fetch_add(1, Ordering::Relaxed));
        let port =
            PORTS.start + u16::try_from((begun + next) % u32::from(PORTS.end - PORTS.start))?;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no port from {} to {} is free", PORTS.start, PORTS.end)
}

/// Waits until the process takes connections at the address.
pub(crate) fn listening(running: &mut Running, address: SocketAddr) -> anyhow::Result<()> {
    until(&format!("{address} listens"), || {
        running.still_runs()?;
        Ok(TcpStream::connect(address).ok().map(drop))
    })
}

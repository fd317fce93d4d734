//! Which core runs what: the server has one to itself, the load generator the other.

use std::future::Future;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, anyhow, ensure};

/// The server's core.
pub(crate) const SERVER: usize = 0;
/// The load generator's core.
pub(crate) const LOAD: usize = 1;

/// A command that runs on one core.
pub(crate) fn pinned(core: usize, program: &Path) -> Command {
    let mut command = Command::new("taskset");
    command.arg("-c").arg(core.to_string()).arg(program);
    command.stdin(Stdio::null());
    command
}

/// Runs work on a thread of its own that stays on one core; threads that it starts stay there, too.
pub(crate) fn on<T: Send + 'static>(
    core: usize,
    work: impl FnOnce() -> anyhow::Result<T> + Send + 'static,
) -> anyhow::Result<T> {
    let thread = std::thread::spawn(move || {
        pin_this_thread(core)?;
        work()
    });
    thread
        .join()
        .map_err(|_| anyhow!("a measuring thread broke off"))?
}

/// The same, with a runtime of one thread.
pub(crate) fn on_async<T, F>(
    core: usize,
    work: impl FnOnce() -> F + Send + 'static,
) -> anyhow::Result<T>
where
    T: Send + 'static,
    F: Future<Output = anyhow::Result<T>>,
{
    on(core, move || wait(work()))
}

/// Runs a future to its end, here.
pub(crate) fn wait<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(work)
}

/// By the program `taskset`: the system call itself would be unsafe code.
pub(crate) fn pin_this_thread(core: usize) -> anyhow::Result<()> {
    let this = std::fs::read_link("/proc/thread-self").context("/proc/thread-self")?;
    let thread = this.file_name().context("a thread has a number")?;
    let pinned = Command::new("taskset")
        .args(["-c", "-p", &core.to_string()])
        .arg(thread)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .context("taskset is not installed")?;
    ensure!(pinned.success(), "taskset cannot pin to core {core}");
    Ok(())
}

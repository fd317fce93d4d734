//! A PostgreSQL of our own for the storage tests: started empty, thrown away at the end.
//!
//! It listens on a unix socket in a private folder alone, does not sync to disk, and sorts text as
//! people do (ICU): a query that counts on byte order fails here, as it would in production.

use std::fs::{self, File};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

/// Where storage tests look for it.
pub const VARIABLE: &str = "VESTIBULE_TEST_POSTGRES";

/// The database's superuser.
const USER: &str = "vestibule";

/// How often, and how many times, we look whether it is ready: 30 s in all.
const LOOK: (Duration, u32) = (Duration::from_millis(50), 600);

/// The name of its folder, before the number of our process.
const FOLDER: &str = "vestibule-postgres-";

const SETTINGS: &str = "
listen_addresses = ''
max_connections = 200
fsync = off
synchronous_commit = off
full_page_writes = off
";

/// A running server. Dropping it stops it and removes its data.
pub struct Postgres {
    server: Child,
    folder: PathBuf,
    bin: PathBuf,
    account: Option<Account>,
}

/// Whom the server runs as: it refuses root.
#[derive(Clone, Copy)]
struct Account {
    uid: u32,
    gid: u32,
}

/// Runs `cargo xtask postgres`.
pub fn run() -> Result<ExitCode> {
    let mut postgres = Postgres::start()?;
    println!("export {VARIABLE}='{}'", postgres.url());
    eprintln!("PostgreSQL runs until this command is stopped (Ctrl-C).");
    let status = postgres.server.wait().context("waiting for the server")?;
    Ok(if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The folder of the newest PostgreSQL's programs.
pub fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let mut versions: Vec<(u32, PathBuf)> = versions
        .filter_map(|entry| {
            Some((
                entry.file_name().to_str()?.parse().ok()?,
                entry.path().join("bin"),
            ))
        })
        .collect();
    versions.sort();
    let installed = versions.into_iter().rev().map(|(_, bin)| bin);
    let on_path = std::env::var_os("PATH")
        .map(|path| std::env::split_paths(&path).collect::<Vec<_>>())
        .unwrap_or_default();
    installed
        .chain(on_path)
        .find(|bin| bin.join("initdb").is_file() && bin.join("postgres").is_file())
}

impl Postgres {
    /// Starts one.
    pub fn start() -> Result<Self> {
        let bin = programs().context("PostgreSQL is not installed (Debian package: postgresql)")?;
        // A fixed short place: the path of a unix socket may have 107 bytes, and the server's
        // account must be able to reach it (root's home, say, it cannot).
        let folder =
            std::env::temp_dir().join(format!("vestibule-postgres-{}", std::process::id()));
        fs::DirBuilder::new()
            .mode(0o700)
            .create(&folder)
            .with_context(|| folder.display().to_string())?;
        sweep(&bin);
        let account = if fs::metadata(&folder)?.uid() == 0 {
            Some(Account::postgres()?)
        } else {
            None
        };
        if let Some(account) = account {
            chown(&folder, Some(account.uid), Some(account.gid))?;
        }
        let data = folder.join("data");
        let made = program(&bin, "initdb", account, &folder)
            .args([
                "--username",
                USER,
                "--auth",
                "trust",
                "--encoding",
                "UTF8",
                "--locale",
                "C.UTF-8",
            ])
            .args([
                "--locale-provider",
                "icu",
                "--icu-locale",
                "en",
                "--no-sync",
                "--pgdata",
            ])
            .arg(&data)
            .output()
            .context("initdb")?;
        ensure!(
            made.status.success(),
            "initdb: {}",
            String::from_utf8_lossy(&made.stderr).trim()
        );
        let configuration = data.join("postgresql.conf");
        let settings = fs::read_to_string(&configuration)? + SETTINGS;
        fs::write(&configuration, settings)?;
        let log = File::create(folder.join("log"))?;
        let server = program(&bin, "postgres", account, &folder)
            .arg("-D")
            .arg(&data)
            .arg("-k")
            .arg(&folder)
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("postgres")?;
        let mut postgres = Self {
            server,
            folder,
            bin,
            account,
        };
        postgres.wait_until_ready()?;
        Ok(postgres)
    }

    /// A URL that clients take.
    pub fn url(&self) -> String {
        format!(
            "postgres://{USER}@{}/postgres",
            self.folder.display().to_string().replace('/', "%2F")
        )
    }

    fn wait_until_ready(&mut self) -> Result<()> {
        let (pause, times) = LOOK;
        for _ in 0..times {
            let ended = self.server.try_wait()?.is_some();
            let asked = program(&self.bin, "pg_isready", None, &self.folder)
                .arg("--quiet")
                .arg("--host")
                .arg(&self.folder)
                .status();
            if asked.context("pg_isready")?.success() {
                return Ok(());
            }
            if ended {
                break;
            }
            thread::sleep(pause);
        }
        bail!(
            "PostgreSQL does not start: {}",
            fs::read_to_string(self.folder.join("log")).unwrap_or_default()
        );
    }
}

/// Stops and removes what runs of ours that were killed have left.
fn sweep(bin: &Path) {
    for entry in fs::read_dir(std::env::temp_dir())
        .into_iter()
        .flatten()
        .flatten()
    {
        let name = entry.file_name();
        let process = name
            .to_str()
            .and_then(|name| name.strip_prefix(FOLDER)?.parse::<u32>().ok());
        let Some(process) =
            process.filter(|process| !Path::new("/proc").join(process.to_string()).exists())
        else {
            continue;
        };
        let owner = entry.metadata().map(|of| Account {
            uid: of.uid(),
            gid: of.gid(),
        });
        let ours = fs::metadata("/proc/self").map_or(0, |us| us.uid());
        let Ok(owner) = owner else { continue };
        if ours != 0 && owner.uid != ours {
            continue;
        }
        eprintln!(
            "removing what process {process} left: {}",
            entry.path().display()
        );
        let _ = stop(bin, &entry.path(), (ours == 0).then_some(owner));
        let _ = fs::remove_dir_all(entry.path());
    }
}

fn stop(bin: &Path, folder: &Path, account: Option<Account>) -> std::io::Result<ExitStatus> {
    let mut stop = program(bin, "pg_ctl", account, folder);
    stop.args(["stop", "--silent", "--mode", "immediate", "--pgdata"])
        .arg(folder.join("data"));
    stop.stdout(Stdio::null()).stderr(Stdio::null()).status()
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let stopped = stop(&self.bin, &self.folder, self.account);
        if !stopped.is_ok_and(|status| status.success()) {
            let _ = self.server.kill();
        }
        let _ = self.server.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Account {
    /// The account that Debian's package makes.
    fn postgres() -> Result<Self> {
        let id = |flag| -> Result<u32> {
            let output = Command::new("id")
                .args([flag, "postgres"])
                .output()
                .context("id")?;
            ensure!(
                output.status.success(),
                "as root, PostgreSQL needs an account `postgres` to run as; there is none"
            );
            Ok(String::from_utf8_lossy(&output.stdout).trim().parse()?)
        };
        Ok(Self {
            uid: id("-u")?,
            gid: id("-g")?,
        })
    }
}

fn program(bin: &Path, name: &str, account: Option<Account>, folder: &Path) -> Command {
    let mut command = Command::new(bin.join(name));
    command
        .current_dir(folder)
        .stdin(Stdio::null())
        .env("LC_ALL", "C.UTF-8");
    if let Some(Account { uid, gid }) = account {
        command.uid(uid).gid(gid);
    }
    command
}

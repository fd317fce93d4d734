//! The binary under test, and what a story does with it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// The binary.
pub(crate) fn vestibule() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vestibule"));
    command
        .env_remove("VESTIBULE_LOG")
        .env_remove("VESTIBULE_PASSPHRASE");
    command
}

/// Runs a command to its end.
pub(crate) fn run(args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Output {
    vestibule().args(args).output().expect("the binary starts")
}

/// A gate's command, in the folder that `gate` lies in; what it prints is JSON.
pub(crate) fn gate(folder: &Path, args: &str) -> Output {
    vestibule()
        .current_dir(folder)
        .args(["--json", "gate", "--dir", "gate"])
        .args(args.split(' '))
        .output()
        .expect("the binary starts")
}

/// What a command said on stderr.
pub(crate) fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The JSON that a command printed.
pub(crate) fn json(output: &Output) -> Value {
    assert!(output.status.success(), "{}", said(output));
    serde_json::from_slice(&output.stdout).expect("JSON on stdout")
}

/// A command that serves; killed, with -9, when it is dropped.
pub(crate) struct Serving {
    child: Child,
    /// What its ready file says.
    pub(crate) ready: Value,
}

impl Serving {
    /// Starts a command that writes a ready file, and waits for the file.
    pub(crate) fn start(folder: &Path, args: &[&OsStr]) -> Self {
        Self::spawn(vestibule(), folder, args)
    }

    /// The same, standing in the folder.
    pub(crate) fn start_in(folder: &Path, args: &[&OsStr]) -> Self {
        let mut command = vestibule();
        command.current_dir(folder);
        Self::spawn(command, folder, args)
    }

    pub(crate) fn spawn(mut command: Command, folder: &Path, args: &[&OsStr]) -> Self {
        let file = folder.join(format!("ready-{}.json", uuid::Uuid::new_v4()));
        let child = command
            .args(args)
            .arg("--ready-file")
            .arg(&file)
            .stdout(Stdio::null())
            .spawn()
            .expect("the binary starts");
        let mut serving = Self {
            child,
            ready: Value::Null,
        };
        until("the ready file is written", || {
            if let Some(status) = serving.child.try_wait().expect("a child") {
                panic!("it ended before it was ready: {status}");
            }
            file.exists()
        });
        let text = std::fs::read_to_string(&file).expect("a ready file");
        serving.ready = serde_json::from_str(&text).expect("JSON");
        serving
    }

    /// Whether any of these bytes stand in what the process has written to, its stacks and heaps.
    #[cfg(target_os = "linux")]
    pub(crate) fn remembers(&self, needle: &[u8]) -> bool {
        use std::os::unix::fs::FileExt;
        let of = |what: &str| format!("/proc/{}/{what}", self.child.id());
        let maps = std::fs::read_to_string(of("maps")).expect("its memory's map");
        let memory = std::fs::File::open(of("mem")).expect("its memory");
        let number = |hex: &str| u64::from_str_radix(hex, 16).expect("an address");
        maps.lines()
            .filter(|line| line.contains(" rw-p "))
            .filter_map(|line| line.split(' ').next()?.split_once('-'))
            .map(|(from, to)| (number(from), number(to)))
            .any(|(from, to)| {
                let mut bytes = vec![0; usize::try_from(to - from).expect("it fits")];
                // What was given back meanwhile is not there any more.
                memory.read_exact_at(&mut bytes, from).is_ok()
                    && memchr::memmem::find(&bytes, needle).is_some()
            })
    }

    /// From now on the process can write to no file, as on a disk that has no room left.
    #[cfg(target_os = "linux")]
    pub(crate) fn fill_the_disk(&self) {
        let limit = Command::new("prlimit")
            .arg(format!("--pid={}", self.child.id()))
            .arg("--fsize=0")
            .status();
        assert!(limit.expect("prlimit runs").success());
    }

    /// kill -9.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until something is so.
pub(crate) fn until(what: &str, mut so: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !so() {
        assert!(
            Instant::now() < end,
            "in {} s not: {what}",
            PATIENCE.as_secs()
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A string of a ready file.
pub(crate) fn text(value: &Value) -> &str {
    value.as_str().expect("a string")
}

/// A path of a ready file.
pub(crate) fn path(value: &Value) -> PathBuf {
    text(value).into()
}

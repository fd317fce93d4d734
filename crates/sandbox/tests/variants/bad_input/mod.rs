//! Any bytes on any route, over real sockets: 4xx or a closed connection, never a fault of the
//! server's, never a changed file; and the shape of an error for all that is HTTP at all.
//!
//! `BAD_INPUT_CASES=20000 cargo nextest run -p sandbox bad_input` looks longer.

mod made;
mod sent;

use std::path::{Path, PathBuf};
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use protocol::operations::{Method, Operation, PREFIX};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::caller::Caller;
use made::anything;
use sent::{Framing, Listener, Oddity, Request, Sent, lines};

/// Cases, unless told otherwise.
const CASES: u32 = 400;
/// What all of them come from.
const SEED: [u8; 32] = [5; 32];
/// How HTTP/2 begins.
const PREFACE: &[u8] = b"PRI * HTTP/2.0";
/// Longest wait for the end of an answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// The control plane does what is asked without a body: with its token comes what takes one.
fn posted(sent: Sent) -> Sent {
    let post = |mut request: Request| {
        if request.signed {
            "POST".clone_into(&mut request.method);
        }
        request
    };
    match sent {
        Sent::Request(request) => Sent::Request(post(request)),
        Sent::Damaged(request, damage) => Sent::Damaged(post(request), damage),
        bytes @ Sent::Bytes(_) => bytes,
    }
}

/// An answer, and what follows it.
struct Told<'a> {
    status: u16,
    json: bool,
    body: &'a [u8],
}

/// The first answer of what came back.
fn first(bytes: &[u8]) -> Result<Told<'_>, String> {
    let text = String::from_utf8_lossy(bytes);
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
    let end = end.ok_or_else(|| format!("half an answer: {text}"))?;
    let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
    let status = head
        .strip_prefix("http/1.1 ")
        .or_else(|| head.strip_prefix("http/1.0 "));
    let status = status.and_then(|rest| rest.get(..3)?.parse().ok());
    let status: u16 = status.ok_or_else(|| format!("no answer of HTTP: {text}"))?;
    let rest = &bytes[end + 4..];
    if status == 100 {
        return first(rest);
    }
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let length = length
        .and_then(|text| text.parse().ok())
        .unwrap_or(rest.len());
    Ok(Told {
        status,
        json: head.contains("content-type: application/json"),
        body: &rest[..length.min(rest.len())],
    })
}

/// Sends bytes, says that there are no more where more may be waited for, and hears what comes back.
async fn exchange(authority: &str, bytes: &[u8], is_whole: bool) -> Result<Vec<u8>, String> {
    let mut line = TcpStream::connect(authority)
        .await
        .map_err(|error| error.to_string())?;
    let (mut from, mut to) = line.split();
    let mut heard = Vec::new();
    let talk = async {
        // Who has heard enough may close: that is no failure.
        let _ = to.write_all(bytes).await;
        if !is_whole {
            let _ = to.shutdown().await;
        }
    };
    let hear = async {
        let _ = from.read_to_end(&mut heard).await;
    };
    let both = async { tokio::join!(talk, hear) };
    let ended = tokio::time::timeout(PATIENCE, both).await;
    ended.map_err(|_| "the connection stays open".to_owned())?;
    Ok(heard)
}

struct World {
    caller: Caller,
    data: PathBuf,
    authorities: [String; 2],
    operations: Vec<&'static Operation>,
}

/// What is kept, byte by byte: whatever was committed is somewhere in these files.
fn kept(data: &Path) -> String {
    let wal = data.with_extension("db-wal");
    let files = [data, &wal].map(|file| std::fs::read(file).unwrap_or_default());
    protocol::token::body_hash(&files.concat())
}

impl World {
    async fn start(data: PathBuf) -> Self {
        let caller = Caller::new(Some(data.clone()), true).await;
        let authorities = [caller.origin.clone(), caller.control_origin()]
            .map(|origin| origin.trim_start_matches("http://").to_owned());
        Self {
            operations: caller.served().await,
            caller,
            data,
            authorities,
        }
    }

    fn door(&self, listener: Listener, request: &Request) -> Vec<(String, String)> {
        let named = |name: &str, value: String| (name.to_owned(), value);
        match listener {
            _ if !request.signed => Vec::new(),
            Listener::Api => {
                let (user, token) = self.caller.admin_token(&request.target, &request.body);
                vec![
                    named("X-API-Key", user),
                    named("Authorization", format!("Bearer {token}")),
                ]
            }
            Listener::Control => vec![named(
                "Authorization",
                format!("Bearer {}", self.caller.control_token()),
            )],
        }
    }

    async fn attempt(&self, listener: Listener, sent: &Sent) -> Result<(), String> {
        let authority = &self.authorities[usize::from(listener == Listener::Control)];
        let bytes = match sent {
            Sent::Bytes(bytes) => bytes.clone(),
            Sent::Request(request) => lines(request, authority, &self.door(listener, request)),
            Sent::Damaged(request, damage) => {
                let mut bytes = lines(request, authority, &self.door(listener, request));
                for (at, byte) in damage {
                    let at = usize::from(*at) * bytes.len() / 65_536;
                    bytes[at] = *byte;
                }
                bytes
            }
        };
        let before = kept(&self.data);
        let heard = exchange(authority, &bytes, must_be_answered(sent)).await?;
        if kept(&self.data) != before {
            return Err(format!(
                "the books have changed; answered: {}",
                String::from_utf8_lossy(&heard)
            ));
        }
        if heard.is_empty() {
            return if must_be_answered(sent) {
                Err("no answer".to_owned())
            } else {
                Ok(())
            };
        }
        if bytes.starts_with(PREFACE) && !heard.starts_with(b"HTTP/") {
            return Ok(()); // The control plane knows HTTP/2, too.
        }
        let told = first(&heard)?;
        let body = String::from_utf8_lossy(told.body);
        if told.status >= 500 {
            return Err(format!("{}: {body}", told.status));
        }
        let Sent::Request(request) = sent else {
            return Ok(());
        };
        if request.signed && !request.body.is_empty() && told.status < 400 && !reads(request) {
            return Err(format!("{}, accepted: {body}", told.status));
        }
        let in_shape = || {
            let told: Value = serde_json::from_slice(told.body).ok()?;
            let coded = told.get("code").is_none_or(Value::is_number);
            (told["message"].is_string() && coded).then_some(())
        };
        let shaped = request.method == "HEAD" || told.json && in_shape().is_some();
        if told.status >= 400 && must_be_answered(sent) && !shaped {
            return Err(format!(
                "{}, not in the shape of an error: {body}",
                told.status
            ));
        }
        Ok(())
    }
}

fn reads(request: &Request) -> bool {
    matches!(request.method.as_str(), "GET" | "HEAD")
}

/// Whether it is a request of HTTP, with a body as long as it says: then it is answered, in shape.
fn must_be_answered(sent: &Sent) -> bool {
    let Sent::Request(request) = sent else {
        return false;
    };
    let framed = match &request.framing {
        Framing::Exact => true,
        // Chunks came with HTTP/1.1.
        Framing::Chunked(_, oddity) => {
            request.version == "HTTP/1.1" && matches!(oddity, Oddity::None | Oddity::Trailer)
        }
        _ => false,
    };
    let target: Option<http::Uri> = request.target.parse().ok();
    // Who refuses without reading on may close before much has been sent.
    let framed = framed && request.body.len() < 65_536;
    framed && target.is_some() && request.method != "CONNECT"
}

#[test]
fn any_bytes_on_any_route_change_nothing_and_break_nothing() {
    let folder = std::env::temp_dir().join(format!("bad-input-{}", uuid::Uuid::new_v4()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let world = runtime.block_on(World::start(folder.join("sandbox.db")));
    let cases = std::env::var("BAD_INPUT_CASES")
        .ok()
        .and_then(|text| text.parse().ok());
    let config = Config {
        cases: cases.unwrap_or(CASES),
        failure_persistence: None,
        max_shrink_iters: 2_000,
        ..Config::default()
    };
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &SEED);
    let mut runner = TestRunner::new_with_rng(config, random);
    let api: Vec<String> = world
        .operations
        .iter()
        .map(|one| format!("{PREFIX}{}", one.path))
        .collect();
    let control = runtime.block_on(world.caller.control_paths("post"));
    let at = prop_oneof![
        4 => anything(api).prop_map(|sent| (Listener::Api, sent)),
        1 => anything(control).prop_map(|sent| (Listener::Control, posted(sent))),
    ];
    let outcome = runner.run(&at, |(listener, sent)| {
        let attempt = world.attempt(listener, &sent);
        runtime.block_on(attempt).map_err(TestCaseError::fail)
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
    // It serves as before.
    let list = world
        .operations
        .iter()
        .find(|one| one.id == "getPagedVaultAccounts" && one.method == Method::Get);
    let list = list.expect("served");
    let target = format!("{PREFIX}{}", list.path);
    let answer = runtime.block_on(world.caller.call(
        list,
        &target,
        b"",
        crate::caller::Door::Right,
    ));
    assert_eq!(answer.status, 200);
    runtime.block_on(world.caller.stop());
    let _ = std::fs::remove_dir_all(&folder);
}

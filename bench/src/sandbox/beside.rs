//! Beside `@stoplight/prism-cli`, the mock server that people use today for an OpenAPI file: the same
//! document, the same calls, one core each.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Instant;

use anyhow::Context;

use crate::cores;
use crate::figures::Figures;
use crate::load::{self, Load};
use crate::product::{Product, Running, free_port, until};
use crate::tokens;
use crate::workspace::Workspace;

/// What is asked.
pub(crate) const TARGETS: [&str; 2] = [
    "/v1/vault/accounts_paged?limit=20",
    "/v1/transactions?limit=20",
];
/// Who asks: with a key of 2048 bits, by which the goal is judged, and with one of 4096.
const USERS: [&str; 2] = ["editor", "viewer"];
/// Connections.
const CONNECTIONS: [usize; 2] = [1, 16];
/// Requests of a round, of the sandbox and of the mock server.
const REQUESTS: (usize, usize) = (4_000, 400);

/// What both came to.
#[derive(Debug)]
pub(crate) struct Beside {
    pub(crate) cases: Vec<Case>,
    /// From the start of the process to the first answer, in seconds.
    pub(crate) ready: Figures,
    pub(crate) prism_ready: Figures,
    pub(crate) operations: usize,
}

/// One call over so many connections.
#[derive(Debug)]
pub(crate) struct Case {
    /// The size of the key, in bits.
    pub(crate) key: usize,
    pub(crate) target: &'static str,
    pub(crate) connections: usize,
    /// Answers a second.
    pub(crate) sandbox: Figures,
    pub(crate) prism: Figures,
}

/// Measures.
pub(crate) fn measure(
    product: &Product,
    folder: &Path,
    prism: &Path,
    rounds: u32,
) -> anyhow::Result<Beside> {
    let pinned = || cores::pinned(cores::SERVER, product.program());
    let (sandbox, said, _) = product.serve(pinned(), &product.fresh_sandbox())?;
    let workspace = Workspace::of(&said)?;
    let address = workspace.address()?;
    let document = load::body(address, plain("/openapi.json"))?;
    let operations = count(&document)?;
    let file = folder.join("openapi.json");
    std::fs::write(&file, &document)?;
    println!("--- the sandbox beside prism: {rounds} rounds");
    let (mut ready, mut prism_ready) = (Figures::default(), Figures::default());
    for _ in 0..rounds {
        prism_ready.add(start(prism, &file)?.2);
        let began = Instant::now();
        let (fresh, said, _) = product.serve(pinned(), &product.fresh_sandbox())?;
        let answered = load::body(Workspace::of(&said)?.address()?, plain("/openapi.json"));
        answered.context("a fresh sandbox answers")?;
        ready.add(began.elapsed().as_secs_f64());
        fresh.end()?;
    }
    let (peer, at, _) = start(prism, &file)?;
    let mut cases = Vec::new();
    for user in USERS {
        let signer = workspace.user(user)?;
        for target in TARGETS {
            for connections in CONNECTIONS {
                let (mut ours, mut theirs) = (Figures::default(), Figures::default());
                for _ in 0..rounds {
                    let sign = |count| tokens::sign(signer.user, &signer.key, target, count);
                    let requests = sign(REQUESTS.0)?.requests;
                    ours.add(Load::new(address, connections).per_second(&requests)?);
                    let requests = sign(REQUESTS.1)?.requests;
                    let bare = requests
                        .iter()
                        .map(|one| bare(one))
                        .collect::<Vec<_>>()
                        .into();
                    theirs.add(Load::new(at, connections).per_second(&bare)?);
                }
                cases.push(Case {
                    key: signer.key.public().bits(),
                    target,
                    connections,
                    sandbox: ours,
                    prism: theirs,
                });
            }
        }
    }
    drop(peer);
    sandbox.end()?;
    Ok(Beside {
        cases,
        ready,
        prism_ready,
        operations,
    })
}

/// The mock server serves the paths without the server's part of the URL.
fn bare(request: &[u8]) -> Vec<u8> {
    String::from_utf8_lossy(request)
        .replacen("GET /v1/", "GET /", 1)
        .into_bytes()
}

/// Starts prism; where it listens, and how long it took to its first answer, in seconds.
fn start(prism: &Path, document: &Path) -> anyhow::Result<(Running, SocketAddr, f64)> {
    let port = free_port()?;
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let mut command = cores::pinned(cores::SERVER, Path::new("node"));
    command.arg(prism).args(["mock", "--port"]);
    command
        .arg(port.to_string())
        .args(["--verboseLevel", "silent"]);
    command.arg(document).stdout(std::process::Stdio::null());
    let began = Instant::now();
    let mut running = Running::spawn(command).context("prism")?;
    until("prism answers", || {
        running.still_runs()?;
        let request = "GET /supported_assets HTTP/1.1\r\nHost: localhost\r\nX-API-Key: a\r\nAuthorization: Bearer b\r\n\r\n";
        Ok(load::body(address, request.into()).ok())
    })?;
    Ok((running, address, began.elapsed().as_secs_f64()))
}

fn plain(target: &str) -> Vec<u8> {
    format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n").into_bytes()
}

/// The operations of a document.
fn count(document: &[u8]) -> anyhow::Result<usize> {
    let document: serde_json::Value = serde_json::from_slice(document)?;
    let paths = document.get("paths").and_then(|paths| paths.as_object());
    let paths = paths.context("the document has paths")?;
    Ok(paths
        .values()
        .filter_map(|path| path.as_object())
        .map(serde_json::Map::len)
        .sum())
}

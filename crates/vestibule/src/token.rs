//! `vestibule token`: request tokens, made and explained.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use protocol::ids::UserId;
use protocol::keys::{PrivateKey, PublicKey};
use protocol::token::explain::{Against, Explained, explain};
use protocol::token::{LIFETIME, TokenDraft, body_hash, finish};
use reqwest::Method;
use serde::Serialize;
use uuid::Uuid;
use wire::clock::{SystemClock, WallClock};

use crate::output::{Output, note, printable};
use crate::sandbox::env::quoted;

/// Make a request token, or say what is wrong with one.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  vestibule token --key editor.pem --api-key ID GET /v1/vault/accounts_paged?limit=5
  vestibule token --key editor.pem --api-key ID POST /v1/transactions --body transfer.json --curl
  vestibule token --explain \"$TOKEN\"
  vestibule token --explain \"$TOKEN\" --key editor.pem --api-key ID GET /v1/vault/accounts_paged --body sent.json")]
pub(crate) struct Args {
    /// Say what is wrong with this token; what else is given, it is held against.
    #[arg(long, value_name = "TOKEN")]
    explain: Option<String>,
    /// The API user's private key, PEM; to explain, the public one does, too.
    #[arg(long, value_name = "FILE", required_unless_present = "explain")]
    key: Option<PathBuf>,
    /// The API key: the API user's id.
    #[arg(long, value_name = "ID", required_unless_present = "explain")]
    api_key: Option<UserId>,
    /// GET, POST, PUT, PATCH or DELETE.
    #[arg(required_unless_present = "explain")]
    method: Option<Method>,
    /// Path and query, exactly as they will be sent, with /v1 before them.
    #[arg(required_unless_present = "explain")]
    path: Option<String>,
    /// The body, exactly as it will be sent.
    #[arg(long, value_name = "FILE")]
    body: Option<PathBuf>,
    /// Print the whole command for curl.
    #[arg(long, conflicts_with = "explain")]
    curl: bool,
    /// The server of that command.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080")]
    base_url: String,
}

#[derive(Serialize)]
struct Made {
    token: String,
    /// For curl.
    command: Option<String>,
}

pub(crate) fn run(args: &Args, out: Output) -> anyhow::Result<ExitCode> {
    match &args.explain {
        Some(token) => explained(token, args, out),
        None => made(args, out),
    }
}

fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(file).with_context(|| format!("{} cannot be read", file.display()))
}

fn body(args: &Args) -> anyhow::Result<Option<Vec<u8>>> {
    args.body.as_deref().map(read).transpose()
}

fn made(args: &Args, out: Output) -> anyhow::Result<ExitCode> {
    let (Some(file), Some(user), Some(method), Some(path)) =
        (&args.key, args.api_key, &args.method, &args.path)
    else {
        bail!("a key, an API key, a method and a path are needed");
    };
    if !path.starts_with('/') {
        bail!("a path begins with a slash; {path:?} does not");
    }
    if !path.starts_with("/v1/") {
        note("the path does not begin with /v1/: tokens name the whole path");
    }
    let text = String::from_utf8(read(file)?).context("the key is no PEM")?;
    let key = PrivateKey::from_pem(&text)
        .with_context(|| format!("{} is no private key", file.display()))?;
    let body = body(args)?;
    let draft = TokenDraft {
        user,
        target: path,
        nonce: &Uuid::new_v4().to_string(),
        issued_at: SystemClock.now().seconds(),
        lifetime: LIFETIME,
        body: body.as_deref().unwrap_or_default(),
    };
    let input = draft.signing_input();
    let token = finish(&input, &key.sign_rs256(input.as_bytes())?);
    let command = args.curl.then(|| curl(args, method, path, user, &token));
    out.show(&Made { token, command }, |made| {
        made.command.clone().unwrap_or_else(|| made.token.clone())
    })?;
    Ok(ExitCode::SUCCESS)
}

fn curl(args: &Args, method: &Method, path: &str, user: UserId, token: &str) -> String {
    let base = args.base_url.trim_end_matches('/').trim_end_matches("/v1");
    let mut words = vec![
        format!(
            "curl --path-as-is -X {method} {}",
            quoted(&format!("{base}{path}"))
        ),
        format!("-H {}", quoted(&format!("X-API-Key: {user}"))),
        format!("-H {}", quoted(&format!("Authorization: Bearer {token}"))),
    ];
    if let Some(file) = &args.body {
        words.push("-H 'Content-Type: application/json'".to_owned());
        words.push(format!(
            "--data-binary {}",
            quoted(&format!("@{}", file.display()))
        ));
    }
    words.join(" \\\n  ")
}

fn explained(token: &str, args: &Args, out: Output) -> anyhow::Result<ExitCode> {
    let key = args.key.as_deref().map(public_key).transpose()?;
    let hash = body(args)?.map(|body| body_hash(&body));
    // With a method, and no body named, none was sent.
    let hash = hash.or_else(|| args.method.as_ref().map(|_| body_hash(&[])));
    let against = Against {
        now: SystemClock.now().seconds(),
        user: args.api_key,
        target: args.path.as_deref(),
        body_hash: hash.as_deref(),
        key: key.as_ref(),
    };
    let explained = explain(token, &against);
    out.show(&explained, |explained| told(explained, &against))?;
    Ok(if explained.findings.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The public half, of either.
fn public_key(file: &Path) -> anyhow::Result<PublicKey> {
    let text = String::from_utf8(read(file)?).context("the key is no PEM")?;
    if let Ok(key) = PublicKey::from_pem(&text) {
        return Ok(key);
    }
    let key =
        PrivateKey::from_pem(&text).with_context(|| format!("{} is no RSA key", file.display()))?;
    Ok(key.public().clone())
}

fn told(explained: &Explained, against: &Against<'_>) -> String {
    let mut text = String::new();
    for (name, part) in [("header", &explained.header), ("claims", &explained.claims)] {
        if let Some(part) = part {
            text.push_str(&format!("{name}  {}\n", printable(&part.to_string())));
        }
    }
    for finding in &explained.findings {
        let says = printable(&finding.says);
        text.push_str(&format!(
            "WRONG   {}: {says}  (401, code {})\n",
            finding.part, finding.code
        ));
    }
    if explained.findings.is_empty() {
        text.push_str("Nothing is wrong with it, as far as can be told.\n");
    }
    let unknown = [
        (
            "the request's target (give METHOD and PATH)",
            against.target.is_none(),
        ),
        ("whose it is (give --api-key)", against.user.is_none()),
        ("its signature (give --key)", against.key.is_none()),
        (
            "the body (give METHOD and PATH, and --body)",
            against.body_hash.is_none(),
        ),
    ];
    for (what, _) in unknown.iter().filter(|(_, unknown)| *unknown) {
        text.push_str(&format!("Not looked at: {what}.\n"));
    }
    text
}

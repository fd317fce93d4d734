//! `vestibule sandbox listen`: webhooks as they arrive, verified.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use protocol::signature::{JWS_HEADER, Jwks, WebhookKey, verify_jws};
use serde::Serialize;
use serde_json::value::RawValue;
use tokio::net::TcpListener;

use crate::output::{Output, note, printable};
use crate::shutdown;

/// Receive webhooks and print them as they arrive, verified.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  vestibule sandbox listen 9000                 then make a webhook to http://127.0.0.1:9000/")]
pub(crate) struct Args {
    /// The port on 127.0.0.1; 0 takes a free one.
    port: u16,
}

#[derive(Serialize)]
struct Heard<'a> {
    verified: bool,
    why: Option<String>,
    body: &'a RawValue,
}

struct Listener {
    keys: Jwks,
    out: Output,
}

pub(crate) async fn run(args: Args, out: Output) -> anyhow::Result<ExitCode> {
    // Every sandbox signs with the same, public development keys.
    let signers = sandbox::people::webhook_keys()?;
    let keys = Jwks {
        keys: signers.iter().map(WebhookKey::public).collect(),
    };
    let at = SocketAddr::from((Ipv4Addr::LOCALHOST, args.port));
    let listener = TcpListener::bind(at)
        .await
        .with_context(|| format!("cannot listen on {at}"))?;
    note(format_args!(
        "listening on http://{}/ ; Ctrl-C ends it",
        listener.local_addr()?
    ));
    let router = Router::new()
        .route("/", post(hear))
        .route("/{*path}", post(hear))
        .with_state(Arc::new(Listener { keys, out }));
    let shutdown = shutdown::on_signal();
    axum::serve(listener, router)
        .with_graceful_shutdown(shutdown.cancelled_owned())
        .await?;
    Ok(ExitCode::SUCCESS)
}

async fn hear(
    State(listener): State<Arc<Listener>>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let header = headers
        .get(JWS_HEADER)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let verified = verify_jws(header, &body, &listener.keys);
    let text = String::from_utf8_lossy(&body);
    let Ok(body) = serde_json::from_str::<&RawValue>(&text) else {
        note("a body that is not JSON");
        return StatusCode::BAD_REQUEST;
    };
    let heard = Heard {
        verified: verified.is_ok(),
        why: verified.as_ref().err().map(ToString::to_string),
        body,
    };
    let line = |heard: &Heard<'_>| match &heard.why {
        None => format!("verified      {}", printable(body.get())),
        Some(why) => format!("NOT VERIFIED  ({why}) {}", printable(body.get())),
    };
    if listener.out.show(&heard, line).is_err() {
        return StatusCode::INTERNAL_SERVER_ERROR;
    }
    if verified.is_ok() {
        StatusCode::OK
    } else {
        StatusCode::UNAUTHORIZED
    }
}

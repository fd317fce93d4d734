//! `vestibule gate upstream`: what the Console gave the client.

use std::process::ExitCode;

use gate::operations::upstream::Set;
use protocol::ids::{UserId, WebhookId};
use serde_json::{Value, json};

use super::At;
use super::change::{told, waits};
use super::desk::Desk;
use crate::output::Output;

/// Tell the gate what the Console gave you: API keys and the webhook's id.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  vestibule gate upstream --viewer-api-key 2f0c... --webhook-id 77aa...
  vestibule gate upstream --editor-api-key 91be... --reason 'the old key was out'   # in another's place: the quorum")]
pub(crate) struct Args {
    #[command(flatten)]
    ids: Ids,
    /// Why one takes another's place; the log keeps it.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = true)]
struct Ids {
    /// The API key of the gate's Viewer.
    #[arg(long, value_name = "ID")]
    viewer_api_key: Option<UserId>,
    /// The API key of the gate's Editor, for connections that propose.
    #[arg(long, value_name = "ID")]
    editor_api_key: Option<UserId>,
    /// The webhook that was made for the gate.
    #[arg(long, value_name = "ID")]
    webhook_id: Option<WebhookId>,
}

pub(crate) async fn run(at: &At, args: &Args, out: Output) -> anyhow::Result<ExitCode> {
    let ids = &args.ids;
    let body = json!({"viewer": ids.viewer_api_key, "editor": ids.editor_api_key,
        "webhook": ids.webhook_id, "reason": args.reason});
    let set: Set = Desk::open(at)?.send("PUT", "/upstream", &body).await?;
    waits(set.change.as_ref());
    out.show(&set, |set| match &set.change {
        Some(change) => told(change),
        None => "set; `vestibule gate doctor` shows how it stands".to_owned(),
    })?;
    Ok(ExitCode::SUCCESS)
}

/// `vestibule gate refresh`.
pub(crate) async fn refresh(at: &At, out: Output) -> anyhow::Result<ExitCode> {
    let _: Value = Desk::open(at)?.send("POST", "/refresh", &json!({})).await?;
    out.show(&json!({"looking": true}), |_| {
        "looking; what is new is relayed as it is found".to_owned()
    })?;
    Ok(ExitCode::SUCCESS)
}

//! `vestibule gate connection editor`: an Editor upstream that one connection has alone.

use gate::operations::editor::EditorCsr;
use serde_json::json;

use super::Desk;
use crate::output::{Output, note};

/// Make the key of an Editor upstream that proposes for this connection alone; prints its CSR.
///
/// In the workspace its transactions are then those of an API user of their own: the policy may have a
/// rule for it, and what it does is told apart from what other providers do. The key stays at the gate.
/// Run again, it prints the same CSR.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  vestibule gate connection editor acme > acme-editor.csr.pem
  vestibule gate connection change acme --editor-api-key ID --reason 'a policy rule of its own'
  vestibule gate connection change acme --editor-api-key none --reason 'as the others'")]
pub(super) struct Args {
    /// The connection's name.
    name: String,
}

pub(super) async fn run(desk: &Desk, args: &Args, out: Output) -> anyhow::Result<()> {
    let path = format!("/connections/{}/editor", args.name);
    let made: EditorCsr = desk.send("POST", &path, &json!({})).await?;
    for step in &made.todo {
        note(format_args!("to do: {step}"));
    }
    out.show(&made, |made| made.csr.trim_end().to_owned())
}

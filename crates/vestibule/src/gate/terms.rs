//! `vestibule gate connection change`: what a connection may do.

use gate::operations::life::Changed;
use protocol::ids::UserId;
use serde_json::json;

use super::change::waits;
use super::connection::RoleWord;
use super::connection::told::told;
use super::connection::wish::Wish;
use super::desk::Desk;
use crate::output::{Output, note};

/// Change what a connection may do.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  vestibule gate connection change acme --vault-account 1 --reason 'one account is enough'
                                      narrower: at once, the next request is held to it
  vestibule gate connection change acme --address 203.0.113.7 --address 203.0.113.8 --reason 'a second server'
                                      wider: when the quorum has signed (vestibule gate change)
  vestibule gate connection change acme --client-certificate acme.crt --reason 'mutual TLS'
                                      its connections must show that certificate, or one renewed for its key
  vestibule gate connection change acme --editor-api-key ID --reason 'a policy rule of its own'
                                      its transactions go up as an API user that it has alone
  vestibule gate connection change acme --until 2027-06-30 --reason 'the contract was extended'
  vestibule gate connection change acme --contact ops@acme.example --reason 'who hears of the end'")]
pub(super) struct Args {
    /// The connection's name.
    name: String,
    /// What it may do.
    #[arg(long, value_enum)]
    role: Option<RoleWord>,
    #[command(flatten)]
    wish: Wish,
    /// The API user upstream that proposes for it alone (vestibule gate connection editor NAME makes its
    /// key); `none`: the gate's Editor does.
    #[arg(long, value_name = "ID|none", value_parser = parse_editor)]
    editor_api_key: Option<OwnEditor>,
    /// Why; the log keeps it.
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// The Editor that it has of its own from now on, if any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct OwnEditor(Option<UserId>);

fn parse_editor(text: &str) -> Result<OwnEditor, String> {
    if text == "none" {
        return Ok(OwnEditor(None));
    }
    let id = text.parse().map(|id| OwnEditor(Some(id)));
    id.map_err(|_| {
        "an API key is written 6ba7b810-9dad-41d1-80b4-00c04fd430c8; or `none`".to_owned()
    })
}

pub(super) async fn run(desk: &Desk, args: &Args, out: Output) -> anyhow::Result<()> {
    let wish = &args.wish;
    let mut body = json!({
        "scope": wish.scope()?, "addresses": wish.addresses(), "addresses_reason": wish.address_reason,
        "client_certificate": wish.client_certificate()?,
        "role": args.role.map(RoleWord::role), "place": wish.place(), "mode": wish.mode(),
        "until": wish.until, "reason": args.reason,
    });
    wish.name_contact(&mut body);
    if let Some(OwnEditor(editor)) = args.editor_api_key {
        body["editor"] = json!(editor);
    }
    let path = format!("/connections/{}/change", args.name);
    let done: Changed = desk.send("POST", &path, &body).await?;
    for line in &done.changed {
        note(line);
    }
    waits(done.shown.change.as_ref());
    for step in &done.todo {
        note(format_args!("to do: {step}"));
    }
    out.show(&done, |done| told(&done.shown))
}

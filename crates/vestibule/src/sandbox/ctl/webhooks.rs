//! What goes wrong with webhooks, and which key signs them.

use clap::Subcommand;
use protocol::ids::{WebhookId, WorkspaceId};
use serde_json::{Map, Value, json};

use super::{Ask, HERE};

#[derive(Debug, Subcommand)]
pub(super) enum Webhook {
    /// What goes wrong with its next notifications.
    #[command(after_help = "Example:
  vestibule sandbox ctl webhook faults 1f6e1a3c-8e0a-4d53-9b0a-3a5a5c1f0001")]
    Faults { webhook: WebhookId },
    /// Something goes wrong with its next notifications.
    #[command(after_help = "Examples:
  vestibule sandbox ctl webhook plan 1f6e1a3c-8e0a-4d53-9b0a-3a5a5c1f0001 DOUBLE
  vestibule sandbox ctl webhook plan 1f6e1a3c-8e0a-4d53-9b0a-3a5a5c1f0001 DELAY --millis 60000 --count 3")]
    Plan {
        webhook: WebhookId,
        /// What.
        #[arg(value_parser = ["DROP", "DELAY", "DOUBLE", "REORDER", "WRONG_SIGNATURE", "OLD_KEY", "OTHER_WORKSPACE"])]
        kind: String,
        /// How many notifications.
        #[arg(long)]
        count: Option<u32>,
        /// How much later, in milliseconds; for DELAY.
        #[arg(long)]
        millis: Option<i64>,
        /// Whose it says to be; for OTHER_WORKSPACE.
        #[arg(long, value_name = "ID")]
        workspace_id: Option<WorkspaceId>,
    },
    /// Nothing more goes wrong; what is held goes.
    #[command(after_help = "Example:
  vestibule sandbox ctl webhook clear 1f6e1a3c-8e0a-4d53-9b0a-3a5a5c1f0001")]
    Clear { webhook: WebhookId },
    /// Which generation of the envelope it is sent from now on.
    #[command(after_help = "Example:
  vestibule sandbox ctl webhook generation 1f6e1a3c-8e0a-4d53-9b0a-3a5a5c1f0001 V1")]
    Generation {
        webhook: WebhookId,
        #[arg(value_parser = ["V1", "V2"])]
        generation: String,
    },
    /// It is suspended, as if it had failed too often.
    #[command(after_help = "Example:
  vestibule sandbox ctl webhook suspend 1f6e1a3c-8e0a-4d53-9b0a-3a5a5c1f0001")]
    Suspend { webhook: WebhookId },
    /// When webhooks are suspended; with numbers, they are set.
    #[command(after_help = "Examples:
  vestibule sandbox ctl webhook suspension
  vestibule sandbox ctl webhook suspension --min-attempts 10 --error-rate 50
  vestibule sandbox ctl webhook suspension --min-attempts 0                    never")]
    Suspension {
        /// So many attempts in its last active hour.
        #[arg(long, value_name = "COUNT")]
        min_attempts: Option<u32>,
        /// So many in a hundred of them without success; unless told, never.
        #[arg(long, value_name = "PERCENT", requires = "min_attempts")]
        error_rate: Option<u8>,
    },
    /// Which key signs webhooks, and which the JWKS lists.
    #[command(after_help = "Example:
  vestibule sandbox ctl webhook keys")]
    Keys,
    /// The other key signs from now on; both are listed.
    #[command(after_help = "Example:
  vestibule sandbox ctl webhook rotate-keys")]
    RotateKeys,
    /// The key that does not sign is listed no longer.
    #[command(after_help = "Example:
  vestibule sandbox ctl webhook retire-key")]
    RetireKey,
}

impl Webhook {
    pub(super) fn ask(self) -> Ask {
        let of = |webhook: WebhookId, path: &str| format!("{HERE}/webhooks/{webhook}{path}");
        match self {
            Self::Faults { webhook } => Ask::get(of(webhook, "/faults")),
            Self::Plan {
                webhook,
                kind,
                count,
                millis,
                workspace_id,
            } => {
                let given = [
                    ("kind", Some(Value::from(kind))),
                    ("count", count.map(Value::from)),
                    ("millis", millis.map(Value::from)),
                    ("workspaceId", workspace_id.map(|id| id.to_string().into())),
                ];
                let given = given
                    .into_iter()
                    .filter_map(|(name, value)| Some((name.to_owned(), value?)));
                let body: Map<_, _> = given.collect();
                Ask::post(of(webhook, "/faults"), body.into())
            }
            Self::Clear { webhook } => Ask::delete(of(webhook, "/faults")),
            Self::Generation {
                webhook,
                generation,
            } => Ask::put(
                of(webhook, "/generation"),
                json!({ "generation": generation }),
            ),
            Self::Suspend { webhook } => Ask::post(of(webhook, "/suspend"), json!({})),
            Self::Suspension {
                min_attempts: None, ..
            } => Ask::get(format!("{HERE}/webhook_suspension")),
            Self::Suspension {
                min_attempts,
                error_rate,
            } => Ask::put(
                format!("{HERE}/webhook_suspension"),
                json!({ "minAttempts": min_attempts, "errorRate": error_rate }),
            ),
            Self::Keys => Ask::get("/webhook_keys"),
            Self::RotateKeys => Ask::post("/webhook_keys/rotate", json!({})),
            Self::RetireKey => Ask::post("/webhook_keys/retire", json!({})),
        }
    }
}

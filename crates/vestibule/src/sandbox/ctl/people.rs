//! What people and the chain do.

use clap::Subcommand;
use protocol::ids::{TxId, UserId, WebhookId};
use serde_json::{Value, json};

use super::console::by;
use super::{Ask, HERE};

#[derive(Debug, Subcommand)]
pub(super) enum People {
    /// Something arrives at a vault account from outside.
    #[command(after_help = "Example:
  vestibule sandbox ctl incoming 0 SOL 2.5")]
    Incoming {
        /// The vault account.
        account: String,
        /// The asset.
        asset: String,
        /// How much.
        amount: String,
        /// From where; unless told, from somewhere.
        #[arg(long, value_name = "ADDRESS")]
        source: Option<String>,
    },
    /// A block is mined: everything that waits for one moves on.
    #[command(after_help = "Example:
  vestibule sandbox ctl mine")]
    Mine,
    /// Somebody who is asked approves a transaction.
    #[command(after_help = "Examples:
  vestibule sandbox ctl approve 1f6e1a3c-8e0a-4d53-9b0a-3a5a5c1f0001
  vestibule sandbox ctl approve 1f6e1a3c-8e0a-4d53-9b0a-3a5a5c1f0001 --user 1f6e1a3c-8e0a-4d53-9b0a-3a5a5c1f0002")]
    Approve(Answer),
    /// The signer signs a transaction.
    #[command(after_help = "Example:
  vestibule sandbox ctl sign 1f6e1a3c-8e0a-4d53-9b0a-3a5a5c1f0001")]
    Sign(Answer),
    /// Somebody who is asked says no to a transaction.
    #[command(after_help = "Example:
  vestibule sandbox ctl reject 1f6e1a3c-8e0a-4d53-9b0a-3a5a5c1f0001")]
    Reject(Answer),
    /// An exchange or a bank takes up what it is to send.
    #[command(after_help = "Example:
  vestibule sandbox ctl process 1f6e1a3c-8e0a-4d53-9b0a-3a5a5c1f0001")]
    Process {
        /// The transaction.
        transaction: TxId,
    },
    /// An exchange or a bank looks first at what it is to send.
    #[command(after_help = "Example:
  vestibule sandbox ctl hold 1f6e1a3c-8e0a-4d53-9b0a-3a5a5c1f0001")]
    Hold {
        /// The transaction.
        transaction: TxId,
    },
    /// The screening or enrichment that a transaction waits for lets it through.
    #[command(after_help = "Example:
  vestibule sandbox ctl pass 1f6e1a3c-8e0a-4d53-9b0a-3a5a5c1f0001")]
    Pass {
        /// The transaction.
        transaction: TxId,
    },
    /// What the services do that transactions wait for; what is not named is off.
    #[command(after_help = "Examples:
  vestibule sandbox ctl screening --aml wait           until `pass` or `reject`
  vestibule sandbox ctl screening --aml reject
  vestibule sandbox ctl screening                      none of them")]
    Screening {
        /// Where money comes from and goes.
        #[arg(long, value_parser = ["off", "pass", "reject", "wait"], default_value = "off")]
        aml: String,
        /// What more there is to say of a transaction.
        #[arg(long, value_parser = ["off", "pass", "wait"], default_value = "off")]
        enrichment: String,
    },
    /// What the services do now that transactions wait for.
    #[command(after_help = "Example:
  vestibule sandbox ctl show-screening")]
    ShowScreening,
    /// A transaction fails, with a sub-status.
    #[command(after_help = "Example:
  vestibule sandbox ctl fail 1f6e1a3c-8e0a-4d53-9b0a-3a5a5c1f0001 DROPPED_BY_BLOCKCHAIN")]
    Fail {
        /// The transaction.
        transaction: TxId,
        /// Why.
        sub_status: String,
    },
    /// The chain goes on without the block that a transaction was in.
    #[command(after_help = "Example:
  vestibule sandbox ctl reorganise 1f6e1a3c-8e0a-4d53-9b0a-3a5a5c1f0001")]
    Reorganise {
        /// The transaction.
        transaction: TxId,
    },
    /// What a chain's fees are.
    #[command(after_help = "Example:
  vestibule sandbox ctl fees ETH 300                   three times what is usual")]
    Fees {
        /// The chain, by its own asset.
        chain: String,
        /// In percent of what is usual.
        percent: u32,
    },
    /// The next notifications of a webhook get lost.
    #[command(after_help = "Example:
  vestibule sandbox ctl drop-next 1f6e1a3c-8e0a-4d53-9b0a-3a5a5c1f0001 --count 3")]
    DropNext {
        /// The webhook.
        webhook: WebhookId,
        /// How many.
        #[arg(long, default_value_t = 1)]
        count: u32,
    },
}

#[derive(Debug, clap::Args)]
pub(super) struct Answer {
    /// The transaction.
    transaction: TxId,
    /// Who; unless told, whoever is asked.
    #[arg(long, value_name = "ID")]
    user: Option<UserId>,
}

impl Answer {
    fn ask(self, act: &str) -> Ask {
        let path = format!("{HERE}/transactions/{}/{act}", self.transaction);
        Ask::post(path, by(self.user))
    }
}

impl People {
    pub(super) fn ask(self) -> Ask {
        match self {
            Self::Incoming {
                account,
                asset,
                amount,
                source,
            } => {
                let mut body =
                    json!({ "vaultAccountId": account, "assetId": asset, "amount": amount });
                if let Some(source) = source {
                    body["sourceAddress"] = Value::from(source);
                }
                Ask::post(format!("{HERE}/incoming"), body)
            }
            Self::Mine => Ask::post(format!("{HERE}/mine"), json!({})),
            Self::Approve(answer) => answer.ask("approve"),
            Self::Sign(answer) => answer.ask("sign"),
            Self::Reject(answer) => answer.ask("reject"),
            Self::Process { transaction } => Ask::post(
                format!("{HERE}/transactions/{transaction}/process"),
                json!({}),
            ),
            Self::Hold { transaction } => {
                Ask::post(format!("{HERE}/transactions/{transaction}/hold"), json!({}))
            }
            Self::Pass { transaction } => {
                Ask::post(format!("{HERE}/transactions/{transaction}/pass"), json!({}))
            }
            Self::Screening { aml, enrichment } => Ask::put(
                format!("{HERE}/screening"),
                json!({ "aml": aml.to_uppercase(), "enrichment": enrichment.to_uppercase() }),
            ),
            Self::ShowScreening => Ask::get(format!("{HERE}/screening")),
            Self::Fail {
                transaction,
                sub_status,
            } => Ask::post(
                format!("{HERE}/transactions/{transaction}/fail"),
                json!({ "subStatus": sub_status }),
            ),
            Self::Reorganise { transaction } => Ask::post(
                format!("{HERE}/transactions/{transaction}/reorganise"),
                json!({}),
            ),
            Self::Fees { chain, percent } => Ask::put(
                format!("{HERE}/fees/{chain}"),
                json!({ "percent": percent }),
            ),
            Self::DropNext { webhook, count } => Ask::post(
                format!("{HERE}/webhooks/{webhook}/drop_next"),
                json!({ "count": count }),
            ),
        }
    }
}

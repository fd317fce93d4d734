//! What the Owner, the quorum and Fireblocks' support do, and what only they see.

use std::net::IpAddr;

use clap::Subcommand;
use protocol::ids::UserId;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{Ask, HERE};

#[derive(Debug, Subcommand)]
pub(super) enum Quorum {
    /// Its threshold, its members, and what waits for it.
    #[command(after_help = "Example:
  vestibule sandbox ctl quorum show")]
    Show,
    /// The Owner sets it.
    #[command(after_help = "Examples:
  vestibule sandbox ctl quorum set --threshold 3
  vestibule sandbox ctl quorum set --threshold ALL --delete-users ADMIN_QUORUM")]
    Set {
        /// How many members must say yes: a number, or ALL.
        #[arg(long, value_name = "NUMBER|ALL")]
        threshold: Option<String>,
        /// Who decides that a person is deleted.
        #[arg(long, value_parser = ["OWNER_ONLY", "ADMIN_QUORUM"])]
        delete_users: Option<String>,
    },
    /// A member decides on a request, or the whole quorum at once.
    #[command(after_help = "Examples:
  vestibule sandbox ctl quorum decide 3 approve
  vestibule sandbox ctl quorum decide 3 reject --user 1f6e1a3c-8e0a-4d53-9b0a-3a5a5c1f0001")]
    Decide {
        /// The request's number.
        request: i64,
        /// What.
        #[arg(value_parser = ["approve", "reject", "cancel"])]
        decision: String,
        /// Which member; unless told, all that are needed.
        #[arg(long, value_name = "ID")]
        user: Option<UserId>,
    },
}

impl Quorum {
    pub(super) fn ask(self) -> Ask {
        let quorum = format!("{HERE}/quorum");
        match self {
            Self::Show => Ask::get(quorum),
            Self::Set {
                threshold,
                delete_users,
            } => {
                let mut body = Map::new();
                if let Some(text) = threshold {
                    let number = text.parse::<u64>().map(Value::from);
                    body.insert(
                        "threshold".to_owned(),
                        number.unwrap_or_else(|_| text.into()),
                    );
                }
                if let Some(who) = delete_users {
                    body.insert("deleteUsers".to_owned(), who.into());
                }
                Ask::put(quorum, body.into())
            }
            Self::Decide {
                request,
                decision,
                user,
            } => Ask::post(format!("{quorum}/{request}/{decision}"), by(user)),
        }
    }
}

/// Who decides, if somebody is named.
pub(super) fn by(user: Option<UserId>) -> Value {
    user.map_or(json!({}), |user| json!({ "user": user }))
}

#[derive(Debug, Subcommand)]
pub(super) enum Console {
    /// The quorum lets an API user in.
    #[command(after_help = "Example:
  vestibule sandbox ctl approve-user 1f6e1a3c-8e0a-4d53-9b0a-3a5a5c1f0001")]
    ApproveUser {
        /// The API user.
        user: UserId,
    },
    /// The quorum does not let an API user in.
    #[command(after_help = "Example:
  vestibule sandbox ctl reject-user 1f6e1a3c-8e0a-4d53-9b0a-3a5a5c1f0001")]
    RejectUser {
        /// The API user.
        user: UserId,
    },
    /// The Owner deletes a user, at once.
    #[command(after_help = "Example:
  vestibule sandbox ctl delete-user 1f6e1a3c-8e0a-4d53-9b0a-3a5a5c1f0001")]
    DeleteUser {
        /// The user.
        user: UserId,
    },
    /// A person sets a device up.
    #[command(after_help = "Example:
  vestibule sandbox ctl set-up-device 1f6e1a3c-8e0a-4d53-9b0a-3a5a5c1f0001")]
    SetUpDevice {
        /// The person.
        user: UserId,
    },
    /// The owner sets a key's IP allow-list; without addresses it may come from anywhere.
    #[command(after_help = "Example:
  vestibule sandbox ctl ip-addresses 1f6e1a3c-8e0a-4d53-9b0a-3a5a5c1f0001 203.0.113.7")]
    IpAddresses {
        /// The API user.
        user: UserId,
        /// The addresses.
        addresses: Vec<IpAddr>,
    },
    /// The quorum decides on the addresses of a whitelist's entry.
    #[command(after_help = "Example:
  vestibule sandbox ctl addresses 1f6e1a3c-8e0a-4d53-9b0a-3a5a5c1f0001 approve")]
    Addresses {
        /// The wallet or contract.
        wallet: Uuid,
        /// What it decides.
        #[arg(value_parser = ["approve", "reject"])]
        decision: String,
    },
    /// A frozen workspace goes on.
    #[command(after_help = "Example:
  vestibule sandbox ctl unfreeze")]
    Unfreeze,
    /// The job that has waited longest goes on by one part.
    #[command(after_help = "Example:
  vestibule sandbox ctl work")]
    Work,
    /// The co-signers' public key, what is asked about them, what their callback handlers were asked.
    #[command(after_help = "Example:
  vestibule sandbox ctl cosigners")]
    Cosigners,
    /// The ids of payouts, flows and their executions.
    #[command(after_help = "Example:
  vestibule sandbox ctl payments")]
    Payments,
    /// A file as the Console exports it.
    #[command(after_help = "Example:
  vestibule sandbox ctl export transactions > transactions.csv")]
    Export {
        /// What of.
        #[arg(value_parser = ["transactions", "vault_accounts"])]
        kind: String,
    },
}

impl Console {
    pub(super) fn ask(self) -> Ask {
        let user = |user: UserId, act: &str| format!("{HERE}/users/{user}{act}");
        match self {
            Self::ApproveUser { user: id } => Ask::post(user(id, "/approve"), json!({})),
            Self::RejectUser { user: id } => Ask::post(user(id, "/reject"), json!({})),
            Self::DeleteUser { user: id } => Ask::delete(user(id, "")),
            Self::SetUpDevice { user: id } => Ask::post(user(id, "/set_up_device"), json!({})),
            Self::IpAddresses {
                user: id,
                addresses,
            } => Ask::put(user(id, "/ip_addresses"), json!({ "addresses": addresses })),
            Self::Addresses { wallet, decision } => {
                Ask::post(format!("{HERE}/wallets/{wallet}/{decision}"), json!({}))
            }
            Self::Unfreeze => Ask::post(format!("{HERE}/unfreeze"), json!({})),
            Self::Work => Ask::post(format!("{HERE}/jobs/work"), json!({})),
            Self::Cosigners => Ask::get(format!("{HERE}/cosigners")),
            Self::Payments => Ask::get(format!("{HERE}/payments")),
            Self::Export { kind } => Ask::get(format!("{HERE}/exports/{kind}")),
        }
    }
}

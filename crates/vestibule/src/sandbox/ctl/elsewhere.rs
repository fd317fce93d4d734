//! What happens outside the vault: exchanges, banks, the Fireblocks Network, NFTs that come.

use clap::Subcommand;
use protocol::amount::Amount;
use serde_json::{Value, json};

use super::{Ask, HERE};

#[derive(Debug, Subcommand)]
pub(super) enum Elsewhere {
    /// The quorum decides on an exchange account.
    #[command(after_help = "Example:
  vestibule sandbox ctl exchange-account 1f6e1a3c-8e0a-4d53-9b0a-3a5a5c1f0001 approve")]
    ExchangeAccount {
        /// The account.
        id: String,
        /// What it decides.
        #[arg(value_parser = ["approve", "reject"])]
        decision: String,
    },
    /// Somebody connects a fiat account.
    #[command(after_help = "Example:
  vestibule sandbox ctl fiat-account \"Main bank\" --asset USD --linked-balance 10000")]
    FiatAccount {
        /// What it is called.
        name: String,
        /// Its currency; unless told, USD.
        #[arg(long, value_name = "ASSET")]
        asset: Option<String>,
        /// What its linked bank account holds.
        #[arg(long, value_name = "AMOUNT")]
        linked_balance: Option<Amount>,
    },
    /// Money comes to an account outside the vault from elsewhere.
    #[command(after_help = "Example:
  vestibule sandbox ctl deposit GAS_STATION ETH ETH 0.5")]
    Deposit(Moved),
    /// Money leaves an account outside the vault for elsewhere.
    #[command(after_help = "Example:
  vestibule sandbox ctl withdraw GAS_STATION ETH ETH 0.5")]
    Withdraw(Moved),
    /// A peer comes into the network.
    #[command(after_help = "Example:
  vestibule sandbox ctl peer \"Another Fund\" --discoverable")]
    Peer {
        /// What it is called.
        name: String,
        /// Whether others find it.
        #[arg(long)]
        discoverable: bool,
    },
    /// The quorum, or the peer, decides on a network connection.
    #[command(after_help = "Example:
  vestibule sandbox ctl connection 1f6e1a3c-8e0a-4d53-9b0a-3a5a5c1f0001 peer_approve")]
    Connection {
        /// The connection.
        id: String,
        /// What is done.
        #[arg(value_parser = ["approve", "reject", "peer_approve", "peer_reject", "peer_remove"])]
        act: String,
    },
    /// A new NFT comes to a vault account.
    #[command(after_help = "Example:
  vestibule sandbox ctl incoming-nft 0 --unseen")]
    IncomingNft {
        /// The vault account.
        account: String,
        /// Of which collection; unless told, a new one.
        #[arg(long, value_name = "ID")]
        collection: Option<String>,
        /// The workspace sees it only when it looks.
        #[arg(long)]
        unseen: bool,
    },
}

#[derive(Debug, clap::Args)]
pub(super) struct Moved {
    /// What kind of account.
    #[arg(value_parser = ["GAS_STATION", "EXCHANGE_ACCOUNT", "FIAT_ACCOUNT"])]
    kind: String,
    /// Its id; a gas station's is its asset's.
    id: String,
    /// The asset.
    asset: String,
    /// How much.
    amount: Amount,
}

impl Moved {
    fn ask(self, path: &str) -> Ask {
        let Self {
            kind,
            id,
            asset,
            amount,
        } = self;
        let amount = amount.to_string();
        let body = json!({ "type": kind, "id": id, "assetId": asset, "amount": amount });
        Ask::post(format!("{HERE}/{path}"), body)
    }
}

impl Elsewhere {
    pub(super) fn ask(self) -> Ask {
        match self {
            Self::ExchangeAccount { id, decision } => Ask::post(
                format!("{HERE}/exchange_accounts/{id}/{decision}"),
                json!({}),
            ),
            Self::FiatAccount {
                name,
                asset,
                linked_balance,
            } => {
                let mut body = json!({ "name": name });
                if let Some(asset) = asset {
                    body["assetId"] = asset.into();
                }
                if let Some(balance) = linked_balance {
                    body["linkedBalance"] = balance.to_string().into();
                }
                Ask::post(format!("{HERE}/fiat_accounts"), body)
            }
            Self::Deposit(moved) => moved.ask("deposits"),
            Self::Withdraw(moved) => moved.ask("withdrawals"),
            Self::Peer { name, discoverable } => Ask::post(
                format!("{HERE}/network_peers"),
                json!({ "name": name, "isDiscoverable": discoverable }),
            ),
            Self::Connection { id, act } => {
                Ask::post(format!("{HERE}/network_connections/{id}/{act}"), json!({}))
            }
            Self::IncomingNft {
                account,
                collection,
                unseen,
            } => {
                let mut body = json!({ "vaultAccountId": account, "seen": !unseen });
                if let Some(collection) = collection {
                    body["collectionId"] = Value::from(collection);
                }
                Ask::post(format!("{HERE}/incoming_nft"), body)
            }
        }
    }
}

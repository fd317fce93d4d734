//! Workspaces and their snapshots.

use clap::Subcommand;
use protocol::time::Millis;
use serde_json::json;

use super::{Ask, HERE};
use crate::sandbox::serve::moment;

#[derive(Debug, Subcommand)]
pub(super) enum Workspace {
    /// The workspaces there are.
    #[command(after_help = "Example:
  vestibule sandbox ctl workspace list")]
    List,
    /// Make a workspace, and show its users and their keys.
    #[command(after_help = "Examples:
  vestibule sandbox ctl workspace make                                   a fund on mainnet, as the first
  vestibule sandbox ctl workspace make --name Test --empty testnet
  vestibule sandbox ctl workspace make --file mine                       of a file that --workspace named
  vestibule sandbox ctl workspace make --snapshot ready --of \"Example Fund\"
  vestibule sandbox ctl workspace make --at 2025-06-30T12:00:00Z --frozen")]
    Make(Box<Make>),
    /// A workspace, with its users and their keys.
    #[command(after_help = "Example:
  vestibule sandbox ctl --workspace testnet workspace show")]
    Show,
    /// Make a workspace again what it was when it was made.
    #[command(after_help = "Example:
  vestibule sandbox ctl workspace reset")]
    Reset,
    /// Take a workspace away, with its snapshots.
    #[command(after_help = "Example:
  vestibule sandbox ctl --workspace Test workspace remove")]
    Remove,
}

#[derive(Debug, clap::Args)]
pub(super) struct Make {
    /// What it is called.
    #[arg(long)]
    name: Option<String>,
    /// A fund with a year of history; this is what is made unless told otherwise.
    #[arg(long, value_name = "NETWORK", value_parser = ["mainnet", "testnet"])]
    fund: Option<String>,
    /// Users, chains and assets, and nothing else.
    #[arg(long, value_name = "NETWORK", value_parser = ["mainnet", "testnet"], conflicts_with = "fund")]
    empty: Option<String>,
    /// The treasury of a company.
    #[arg(long, value_name = "NETWORK", value_parser = ["mainnet", "testnet"], conflicts_with_all = ["fund", "empty"])]
    treasury: Option<String>,
    /// An exchange with 100,000 deposit accounts; the first takes a while.
    #[arg(long, value_name = "NETWORK", value_parser = ["mainnet", "testnet"], conflicts_with_all = ["fund", "empty", "treasury"])]
    exchange: Option<String>,
    /// What stands in a file that the sandbox was started with, by its name without .toml.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["fund", "empty", "treasury", "exchange"])]
    file: Option<String>,
    /// A snapshot of this name.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["fund", "empty", "treasury", "exchange", "file"])]
    snapshot: Option<String>,
    /// Whose snapshot it is, if not the one of --workspace.
    #[arg(
        long,
        value_name = "NETWORK|NAME|ID",
        requires = "snapshot",
        default_value = "mainnet"
    )]
    of: String,
    /// What its clock shows: milliseconds since 1970, or like 2026-01-31T12:00:00Z.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    at: Option<Millis>,
    /// Its clock stands.
    #[arg(long)]
    frozen: bool,
}

impl Make {
    fn ask(self) -> Ask {
        let mut body = json!({ "clock": { "frozen": self.frozen } });
        if let Some(name) = self.name {
            body["name"] = name.into();
        }
        if let Some(at) = self.at {
            body["clock"]["at"] = at.0.into();
        }
        let described = [
            ("fund", self.fund),
            ("empty", self.empty),
            ("treasury", self.treasury),
            ("exchange", self.exchange),
            ("file", self.file),
        ];
        if let Some((what, which)) = described
            .into_iter()
            .find_map(|(what, which)| Some((what, which?)))
        {
            body["from"] = json!({ what: which });
        } else if let Some(name) = self.snapshot {
            body["from"] = json!({ "snapshot": { "name": name } });
            return Ask {
                whose: Some(self.of),
                ..Ask::post("/workspaces", body)
            };
        }
        Ask::post("/workspaces", body)
    }
}

impl Workspace {
    pub(super) fn ask(self) -> Ask {
        match self {
            Self::List => Ask::get("/workspaces"),
            Self::Make(make) => make.ask(),
            Self::Show => Ask::get(HERE),
            Self::Reset => Ask::post(format!("{HERE}/reset"), json!({})),
            Self::Remove => Ask::delete(HERE),
        }
    }
}

#[derive(Debug, Subcommand)]
pub(super) enum Snapshot {
    /// The snapshots of the workspace.
    #[command(after_help = "Example:
  vestibule sandbox ctl snapshot list")]
    List,
    /// Keep the workspace as it is, under a name; one of the same name is replaced.
    #[command(after_help = "Example:
  vestibule sandbox ctl snapshot take ready")]
    Take { name: String },
    /// Go back to a snapshot, clock and all.
    #[command(after_help = "Example:
  vestibule sandbox ctl snapshot restore ready")]
    Restore { name: String },
    /// Forget a snapshot.
    #[command(after_help = "Example:
  vestibule sandbox ctl snapshot drop ready")]
    Drop { name: String },
}

impl Snapshot {
    pub(super) fn ask(self) -> Ask {
        let place = |name: &str| {
            let name: String = url::form_urlencoded::byte_serialize(name.as_bytes()).collect();
            format!("{HERE}/snapshots/{}", name.replace('+', "%20"))
        };
        match self {
            Self::List => Ask::get(format!("{HERE}/snapshots")),
            Self::Take { name } => Ask::post(format!("{HERE}/snapshots"), json!({ "name": name })),
            Self::Restore { name } => Ask::post(format!("{}/restore", place(&name)), json!({})),
            Self::Drop { name } => Ask::delete(place(&name)),
        }
    }
}

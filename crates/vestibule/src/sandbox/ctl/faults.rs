//! Faults and rate limits.

use clap::Subcommand;
use protocol::ids::UserId;
use serde_json::{Map, Value, json};

use super::{Ask, HERE};

#[derive(Debug, Subcommand)]
pub(super) enum Fault {
    /// The faults that are planned.
    #[command(after_help = "Example:
  vestibule sandbox ctl fault list")]
    List,
    /// Plan a fault. It strikes calls that are all that is said here.
    #[command(after_help = "Examples:
  vestibule sandbox ctl fault plan --operation createTransaction --lost-answer --times 1
  vestibule sandbox ctl fault plan --path '/v1/vault/*' --too-many-requests 5
  vestibule sandbox ctl fault plan --external-tx-id payment-7 --cut-connection
  vestibule sandbox ctl fault plan --latency 2000 --after 10 --times 5")]
    Plan(Box<Plan>),
    /// Forget one.
    #[command(after_help = "Example:
  vestibule sandbox ctl fault forget 3")]
    Forget { id: u64 },
    /// Forget all.
    #[command(after_help = "Example:
  vestibule sandbox ctl fault clear")]
    Clear,
}

#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("fault").required(true).multiple(false))]
pub(super) struct Plan {
    /// Calls of this operation.
    #[arg(long, value_name = "OPERATION_ID")]
    operation: Option<String>,
    /// Calls of this method.
    #[arg(long)]
    method: Option<String>,
    /// Calls of this path; * stands for anything.
    #[arg(long)]
    path: Option<String>,
    /// Calls of this API user.
    #[arg(long, value_name = "API_KEY")]
    user: Option<UserId>,
    /// Calls whose body bears this externalTxId.
    #[arg(long, value_name = "ID")]
    external_tx_id: Option<String>,
    /// How many calls are spared first.
    #[arg(long, value_name = "COUNT")]
    after: Option<u64>,
    /// How many calls it strikes; unless told, every one.
    #[arg(long, value_name = "COUNT")]
    times: Option<u64>,
    /// It takes so long, and then goes as ever.
    #[arg(long, value_name = "MILLIS", group = "fault")]
    latency: Option<u64>,
    /// 429, with so many seconds to wait; nothing is done.
    #[arg(long, value_name = "SECONDS", group = "fault")]
    too_many_requests: Option<u32>,
    /// 500; nothing is done.
    #[arg(long, group = "fault")]
    internal_error: bool,
    /// The connection is cut; nothing is done.
    #[arg(long, group = "fault")]
    cut_connection: bool,
    /// It is done, and the connection cut before the answer.
    #[arg(long, group = "fault")]
    lost_answer: bool,
    /// It is done, and answered with a page of HTML.
    #[arg(long, group = "fault")]
    wrong_content_type: bool,
}

impl Plan {
    fn body(self) -> Value {
        let fault = if let Some(millis) = self.latency {
            json!({ "latency": { "millis": millis } })
        } else if let Some(seconds) = self.too_many_requests {
            json!({ "too_many_requests": { "retry_after": seconds } })
        } else if self.internal_error {
            json!("internal_error")
        } else if self.cut_connection {
            json!("cut_connection")
        } else if self.lost_answer {
            json!("lost_answer")
        } else {
            json!("wrong_content_type")
        };
        let given = [
            ("operation", self.operation.map(Value::from)),
            (
                "method",
                self.method.map(|method| method.to_uppercase().into()),
            ),
            ("path", self.path.map(Value::from)),
            ("user", self.user.map(|user| user.to_string().into())),
            ("external_tx_id", self.external_tx_id.map(Value::from)),
            ("after", self.after.map(Value::from)),
            ("times", self.times.map(Value::from)),
            ("fault", Some(fault)),
        ];
        let given = given
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?)));
        given.collect::<Map<_, _>>().into()
    }
}

impl Fault {
    pub(super) fn ask(self) -> Ask {
        let faults = format!("{HERE}/faults");
        match self {
            Self::List => Ask::get(faults),
            Self::Plan(plan) => Ask::post(faults, plan.body()),
            Self::Forget { id } => Ask::delete(format!("{faults}/{id}")),
            Self::Clear => Ask::delete(faults),
        }
    }
}

#[derive(Debug, Subcommand)]
pub(super) enum Rates {
    /// How often may be called.
    #[command(after_help = "Example:
  vestibule sandbox ctl rates show")]
    Show,
    /// Set how often may be called.
    #[command(after_help = "Examples:
  vestibule sandbox ctl rates set --profile sandbox
  vestibule sandbox ctl rates set --shared-by user --window 60 --limit read=100 --limit write=10")]
    Set {
        /// Limits named after an environment of Fireblocks'.
        #[arg(long, value_parser = ["sandbox", "testnet", "mainnet"], conflicts_with = "limit", required_unless_present = "limit")]
        profile: Option<String>,
        /// Whose calls are counted together: each API user's, or the workspace's.
        #[arg(long, value_parser = ["user", "workspace"], default_value = "workspace")]
        shared_by: String,
        /// The length of a window, in seconds.
        #[arg(long, value_name = "SECONDS", default_value_t = 60)]
        window: u32,
        /// Calls of a category per window.
        #[arg(long, value_name = "CATEGORY=CALLS", value_parser = limit)]
        limit: Vec<(String, u32)>,
    },
    /// As often as anybody likes.
    #[command(after_help = "Example:
  vestibule sandbox ctl rates off")]
    Off,
}

fn limit(text: &str) -> Result<(String, u32), String> {
    let read = text.split_once('=').and_then(|(name, calls)| {
        let calls = calls.parse().ok()?;
        Some((name.to_owned(), calls))
    });
    read.ok_or_else(|| "a category and a number, like read=100".to_owned())
}

impl Rates {
    pub(super) fn ask(self) -> Ask {
        let rates = format!("{HERE}/rate_limits");
        match self {
            Self::Show => Ask::get(rates),
            Self::Off => Ask::delete(rates),
            Self::Set {
                profile: Some(profile),
                ..
            } => Ask::put(rates, json!({ "profile": profile })),
            Self::Set {
                shared_by,
                window,
                limit,
                ..
            } => {
                let limits: Map<_, _> = limit
                    .into_iter()
                    .map(|(name, calls)| (name, calls.into()))
                    .collect();
                Ask::put(
                    rates,
                    json!({ "shared_by": shared_by, "window": window, "limits": limits }),
                )
            }
        }
    }
}

//! What a provider would see, before and after a change. Names come from outside.

use std::path::PathBuf;

use gate::connections::ScopeGrant;
use gate::operations::preview::{Previewed, Sight};
use ledger::{List, Preview};
use serde::Serialize;
use serde_json::{Value, json};

use super::told::budgets;
use super::wish::scope_file;
use crate::gate::desk::Desk;
use crate::output::{Output, printable};

/// Longest row that is printed, in characters.
const MAX_ROW: usize = 160;

/// What a provider would see.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  vestibule gate connection preview acme                    how much of each list, and its first rows
  vestibule gate connection preview acme --with scope.json  the same, before and after a change
  echo '{\"accounts_by\": {\"names\": [\"Client*\"]}, \"assets_by\": {\"no_spam\": true}, \"shown\": {\"usd\": false}}' > scope.json")]
pub(super) struct Args {
    /// The connection's name.
    name: String,
    /// A scope (JSON): what it does not name stays. Nothing is granted by looking.
    #[arg(long, value_name = "FILE")]
    with: Option<PathBuf>,
}

#[derive(Serialize)]
struct Asked {
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<ScopeGrant>,
}

pub(super) async fn run(desk: &Desk, args: &Args, out: Output) -> anyhow::Result<()> {
    let scope = args.with.as_deref().map(scope_file).transpose()?;
    let path = format!("/connections/{}/preview", args.name);
    let previewed: Previewed = desk.send("POST", &path, &Asked { scope }).await?;
    out.show(&previewed, told)
}

fn told(previewed: &Previewed) -> String {
    let mut text = sight("before", &previewed.before);
    if let Some(after) = &previewed.after {
        text.push_str(&sight("after", after));
        text.push_str("rows, before and after\n");
        for ((name, before), (_, after)) in
            lists(&previewed.before.sees).iter().zip(lists(&after.sees))
        {
            let (before, after) = (before.rows, after.rows);
            let sign = if before == after { ' ' } else { '*' };
            text.push_str(&format!("{sign} {name:<18}{before:>8} {after:>8}\n"));
        }
    }
    text
}

fn sight(when: &str, sight: &Sight) -> String {
    let part = json!(sight.part);
    let forward = if sight.forward { "asked" } else { "not asked" };
    let mut text = format!(
        "{when}: scope {}; upstream is {forward} what the books do not hold\n  budgets {}\n  {}\n",
        sight.scope.get(..12).unwrap_or(&sight.scope),
        budgets(&sight.budgets),
        row(&part)
    );
    for (name, list) in lists(&sight.sees) {
        text.push_str(&format!("  {name:<18}{:>8}\n", list.rows));
        for first in &list.first {
            text.push_str(&format!("    {}\n", row(first)));
        }
    }
    text
}

fn row(value: &Value) -> String {
    let text = printable(&value.to_string());
    let short: String = text.chars().take(MAX_ROW).collect();
    if short.len() < text.len() {
        format!("{short}...")
    } else {
        short
    }
}

fn lists(sees: &Preview) -> [(&'static str, &List); 8] {
    [
        ("accounts", &sees.accounts),
        ("wallets", &sees.wallets),
        ("totals", &sees.totals),
        ("addresses", &sees.addresses),
        ("internal wallets", &sees.internal_wallets),
        ("external wallets", &sees.external_wallets),
        ("contracts", &sees.contracts),
        ("transactions", &sees.transactions),
    ]
}

//! What posture is judged from beside a key: the Console's exports, and what third parties handed over.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use connector::import::{self, MAX_FILE};
use gate::posture::workspace::{Handed, History, Seen};
use protocol::model::policy_v2::PolicyRuleV2;
use protocol::private_key;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::files::read_at_most;

/// Why nothing is seen of users and their lists where no key was given.
pub(super) const WITHOUT_KEY: &str = "no key was given to read it with: --api-key of an Admin, a Non-Signing Admin or a Security Auditor";
/// Largest policy, in bytes.
const MAX_POLICY: usize = 16 << 20;

/// Files that tell of a workspace.
#[derive(Debug, clap::Args)]
pub(super) struct Given {
    /// A third party's name or id, and the CSR that it handed over (may be given more than once).
    #[arg(long = "csr", value_name = "NAME=FILE", value_parser = named)]
    csrs: Vec<(String, PathBuf)>,
    /// The Console's transaction history, CSV (may be given more than once).
    #[arg(long, value_name = "FILE")]
    history: Vec<PathBuf>,
    /// The policy as the Console exports it, JSON, in place of what the key may read of it.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
}

fn named(text: &str) -> Result<(String, PathBuf), &'static str> {
    match text.split_once('=') {
        Some((name, file)) if !name.is_empty() && !file.is_empty() => {
            Ok((name.to_owned(), file.into()))
        }
        _ => Err("a name and a file: acme=acme.csr"),
    }
}

impl Given {
    /// Adds what the files tell.
    pub(super) fn add_to(&self, seen: &mut Seen) -> anyhow::Result<()> {
        for (name, file) in &self.csrs {
            let paste = Zeroizing::new(read_at_most(file, private_key::MAX_INPUT)?);
            if seen
                .handed
                .insert(name.clone(), Handed::of(&paste))
                .is_some()
            {
                bail!("{}: there is another CSR of '{name}'", file.display());
            }
        }
        for file in &self.history {
            let history = seen.history.get_or_insert_default();
            add_history(file, history)?;
        }
        if let Some(file) = &self.policy {
            seen.rules = Ok(rules(file)?);
            seen.exported_rules = true;
        }
        Ok(())
    }
}

fn add_history(file: &Path, history: &mut History) -> anyhow::Result<()> {
    let name = file.display().to_string();
    let content = read_at_most(file, usize::try_from(MAX_FILE)?)?;
    if u64::try_from(content.len())? > MAX_FILE {
        bail!("{name} is larger than {MAX_FILE} bytes: export it in parts");
    }
    for one in import::initiated(&name, &content)? {
        history.note(&one.by, one.at);
    }
    Ok(())
}

/// The rules for transfers of an exported policy: a list of rules, or an object that has one.
fn rules(file: &Path) -> anyhow::Result<Vec<PolicyRuleV2>> {
    let name = file.display();
    let content = read_at_most(file, MAX_POLICY)?;
    if content.len() > MAX_POLICY {
        bail!("{name} is larger than {MAX_POLICY} bytes");
    }
    let value: Value =
        serde_json::from_slice(&content).with_context(|| format!("{name} is no JSON"))?;
    let list = value.get("policy").unwrap_or(&value);
    let Some(list) = list.get("rules").unwrap_or(list).as_array() else {
        bail!("{name} is no policy: expected a list of rules, or an object with \"rules\"");
    };
    let mut all = Vec::new();
    for (number, rule) in (1..).zip(list) {
        let rule: PolicyRuleV2 = serde_json::from_value(rule.clone())
            .with_context(|| format!("{name}, rule {number}, is no rule of Policy Editor V2"))?;
        if matches!(rule.kind.as_str(), "TRANSFER" | "*") {
            all.push(rule);
        }
    }
    Ok(all)
}

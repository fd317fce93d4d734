//! What a client grants, as flags: each in place of its own part of what was asked for.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::ValueEnum;
use gate::config::MailAddress;
use gate::connections::{BudgetName, Mode, NoBudget, Place, ScopeGrant};
use ipnet::IpNet;
use ledger::AssetFilter;
use protocol::handover::{WantedScope, parse_range};
use protocol::ids::{AssetId, VaultAccountId, WalletId};
use protocol::time::Millis;
use serde_json::{Value, json};

use super::handed;

/// Scope, addresses and place: each in place of what was asked for; what is not named stays.
#[derive(Debug, clap::Args)]
pub(in crate::gate) struct Wish {
    /// A vault account in scope, in place of those asked for (may be given more than once).
    #[arg(long, value_name = "ID")]
    vault_account: Vec<VaultAccountId>,
    /// An asset in scope, in place of those asked for (may be given more than once).
    #[arg(long, value_name = "ID")]
    asset: Vec<AssetId>,
    /// Every asset of those accounts, whatever was asked for.
    #[arg(long, conflicts_with = "asset")]
    all_assets: bool,
    /// A whitelisted wallet in scope, in place of those asked for (may be given more than once).
    #[arg(long, value_name = "ID")]
    whitelist: Vec<WalletId>,
    /// No whitelisted wallet, whatever was asked for.
    #[arg(long, conflicts_with = "whitelist")]
    no_whitelists: bool,
    /// Ask upstream what the books do not hold (fees, addresses, coins of wallets in scope).
    #[arg(long)]
    forward: bool,
    /// Ask nothing upstream, whatever was said before.
    #[arg(long, conflicts_with = "forward")]
    no_forward: bool,
    /// How much it may use of something: requests_per_second, requests_per_day, rows_per_day,
    /// reports_per_day, forwards_per_day, proposals_per_day, proposals_open (may be given more than
    /// once). Less is at once; more is the quorum's.
    #[arg(long, value_name = "NAME=NUMBER", value_parser = parse_budget)]
    budget: Vec<(BudgetName, u32)>,
    /// A scope (JSON) with every dimension there is; flags stand in its place where they name the same.
    #[arg(long, value_name = "FILE")]
    with: Option<PathBuf>,
    /// An address or range that it may come from, in place of those asked for (may be given more than once).
    #[arg(long, value_name = "ADDR|NET", value_parser = parse_range)]
    address: Vec<IpNet>,
    /// Why a wide range is right.
    #[arg(long, value_name = "TEXT")]
    pub(in crate::gate) address_reason: Option<String>,
    /// The client certificate (PEM) that it must show from now on; `none`: it need not show one. The
    /// first is at once; another, or none, is the quorum's.
    #[arg(long, value_name = "FILE|none")]
    client_certificate: Option<PathBuf>,
    /// Where its transactions are approved.
    #[arg(long, value_enum)]
    place: Option<PlaceWord>,
    /// How it works with the workspace.
    #[arg(long, value_enum)]
    mode: Option<ModeWord>,
    /// When it ends: a day (2027-02-24) or a moment (2027-02-24T12:00Z); in 90 days if nothing is said.
    #[arg(long, value_name = "DATE", value_parser = parse_until)]
    pub(in crate::gate) until: Option<Millis>,
    /// Who of the provider's is written to before it ends (ops@acme.example).
    #[arg(long, value_name = "ADDRESS")]
    contact: Option<MailAddress>,
    /// Nobody of the provider's is written to.
    #[arg(long, conflicts_with = "contact")]
    no_contact: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ModeWord {
    /// It calls the gate.
    Guarded,
    /// It gets reports and webhooks, and reads nothing.
    Fed,
    /// Its key is straight at Fireblocks.
    Watched,
}

/// A budget's name and how much there is of it.
fn parse_budget(text: &str) -> Result<(BudgetName, u32), String> {
    let (name, most) = text
        .split_once('=')
        .ok_or("a budget is written NAME=NUMBER, as rows_per_day=100000")?;
    let name = name.parse().map_err(|no: NoBudget| no.to_string())?;
    let most = most.parse();
    Ok((name, most.map_err(|bad| format!("{name}: {bad}"))?))
}

/// A day begins at midnight UTC.
fn parse_until(text: &str) -> Result<Millis, String> {
    let day = || {
        let day: jiff::civil::Date = text.parse().ok()?;
        Some(day.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
    };
    let at = text.parse().ok().or_else(day);
    at.map(|at: jiff::Timestamp| Millis(at.as_millisecond()))
        .ok_or_else(|| "a date is written 2027-02-24 or 2027-02-24T12:00Z".to_owned())
}

/// Reads a scope. What is unknown in it is refused by name.
pub(super) fn scope_file(file: &Path) -> anyhow::Result<ScopeGrant> {
    let bad = || format!("{} is no scope", file.display());
    let text = fs::read_to_string(file).with_context(bad)?;
    serde_json::from_str(&text).with_context(bad)
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum PlaceWord {
    /// Here, by an operator, before anything goes up.
    Gate,
    /// At Fireblocks: it goes up at once, and waits there.
    Fireblocks,
}

impl Wish {
    /// The scope that is granted: the file's, with what is named here in its place.
    pub(in crate::gate) fn scope(&self) -> anyhow::Result<ScopeGrant> {
        let file = self.with.as_deref().map(scope_file).transpose()?;
        let (file, named) = (file.unwrap_or_default(), self.named());
        Ok(ScopeGrant {
            accounts_by: file.accounts_by.filter(|_| named.accounts.is_none()),
            accounts: named.accounts.or(file.accounts),
            assets_by: file.assets_by.filter(|_| named.assets.is_none()),
            assets: named.assets.or(file.assets),
            whitelists: named.whitelists.or(file.whitelists),
            forward: named.forward.or(file.forward),
            budgets: file.budgets.into_iter().chain(named.budgets).collect(),
            ..file
        })
    }

    /// The scope's dimensions that are named by flags.
    fn named(&self) -> ScopeGrant {
        let named = |count: usize| count > 0;
        ScopeGrant {
            accounts: named(self.vault_account.len())
                .then(|| self.vault_account.iter().copied().collect()),
            assets: if self.all_assets {
                Some(AssetFilter::All)
            } else {
                named(self.asset.len())
                    .then(|| AssetFilter::Only(self.asset.iter().cloned().collect()))
            },
            whitelists: (self.no_whitelists || named(self.whitelist.len()))
                .then(|| self.whitelist.iter().copied().collect()),
            forward: (self.forward || self.no_forward).then_some(self.forward),
            budgets: self.budget.iter().copied().collect(),
            ..ScopeGrant::default()
        }
    }

    /// The scope of a request that has no hand-over file: nothing was asked for before.
    pub(in crate::gate) fn wanted(&self) -> WantedScope {
        WantedScope {
            vault_accounts: self.vault_account.iter().copied().collect(),
            assets: (!self.asset.is_empty()).then(|| self.asset.iter().cloned().collect()),
            whitelists: self.whitelist.iter().copied().collect(),
        }
    }

    pub(in crate::gate) fn addresses(&self) -> Option<&[IpNet]> {
        (!self.address.is_empty()).then_some(self.address.as_slice())
    }

    /// The client certificate, as the gate takes it.
    pub(in crate::gate) fn client_certificate(&self) -> anyhow::Result<Option<Value>> {
        let Some(file) = &self.client_certificate else {
            return Ok(None);
        };
        if file == Path::new("none") {
            return Ok(Some(json!("none")));
        }
        Ok(Some(handed::sent(&handed::read(file)?)))
    }

    /// Who is written to, or nobody; nothing: as it is.
    pub(in crate::gate) fn contact(&self) -> Option<Option<&MailAddress>> {
        match &self.contact {
            None if self.no_contact => Some(None),
            None => None,
            named => Some(named.as_ref()),
        }
    }

    /// Puts it into what is sent, if it is named.
    pub(in crate::gate) fn name_contact(&self, body: &mut Value) {
        if let Some(contact) = self.contact() {
            body["contact"] = json!(contact);
        }
    }

    pub(in crate::gate) fn mode(&self) -> Option<Mode> {
        self.mode.map(|word| match word {
            ModeWord::Guarded => Mode::Guarded,
            ModeWord::Fed => Mode::Fed,
            ModeWord::Watched => Mode::Watched,
        })
    }

    pub(in crate::gate) fn place(&self) -> Option<Place> {
        self.place.map(|word| match word {
            PlaceWord::Gate => Place::Gate,
            PlaceWord::Fireblocks => Place::Fireblocks,
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        wish: Wish,
    }

    fn wish(flags: &[&str]) -> Wish {
        let words = ["x"].iter().chain(flags);
        Line::try_parse_from(words).expect("flags").wish
    }

    #[test]
    fn each_flag_names_its_own_dimension_alone() {
        assert_eq!(wish(&[]).named(), ScopeGrant::default());
        let btc: AssetId = "BTC".parse().expect("an asset");
        let asset = ScopeGrant {
            assets: Some(AssetFilter::Only([btc].into())),
            ..ScopeGrant::default()
        };
        assert_eq!(wish(&["--asset", "BTC"]).named(), asset);
        let account = ScopeGrant {
            accounts: Some([VaultAccountId::new(1)].into()),
            ..ScopeGrant::default()
        };
        assert_eq!(wish(&["--vault-account", "1"]).named(), account);
        let all = ScopeGrant {
            assets: Some(AssetFilter::All),
            ..ScopeGrant::default()
        };
        assert_eq!(wish(&["--all-assets"]).named(), all);
        let none = ScopeGrant {
            whitelists: Some([].into()),
            ..ScopeGrant::default()
        };
        assert_eq!(wish(&["--no-whitelists"]).named(), none);
        let forward = |flags: &[&str]| wish(flags).named().forward;
        assert_eq!(forward(&[]), None);
        assert_eq!(forward(&["--forward"]), Some(true));
        assert_eq!(forward(&["--no-forward"]), Some(false));
        let budgets = wish(&["--budget", "rows_per_day=7", "--budget", "proposals_open=0"]).named();
        let named = [(BudgetName::RowsPerDay, 7), (BudgetName::ProposalsOpen, 0)];
        assert_eq!(budgets.budgets, named.into());
        for bad in ["rows_per_day", "rows=7", "rows_per_day=-1", "rows_per_day="] {
            assert!(
                Line::try_parse_from(["x", "--budget", bad]).is_err(),
                "{bad}"
            );
        }
        let certificate = |flags: &[&str]| wish(flags).client_certificate().ok();
        assert_eq!(certificate(&[]), Some(None));
        let none = certificate(&["--client-certificate", "none"]);
        assert_eq!(none, Some(Some(json!("none"))));
        assert_eq!(certificate(&["--client-certificate", "no such file"]), None);
        let home = tempfile::tempdir().expect("a folder");
        let file = home.path().join("scope.json");
        fs::write(&file, r#"{"accounts": ["1"], "shown": {"usd": false}}"#).expect("written");
        let at = file.to_str().expect("text");
        let both = wish(&["--with", at, "--vault-account", "2"])
            .scope()
            .expect("a scope");
        assert_eq!(both.accounts, Some([VaultAccountId::new(2)].into()));
        assert!(both.shown.is_some_and(|shown| !shown.usd));
        let rules = r#"{"accounts_by": {"names": ["*"]}, "assets_by": {"no_spam": true}}"#;
        fs::write(&file, rules).expect("written");
        let scope = |flags: &[&str]| {
            let all: Vec<_> = ["--with", at].iter().chain(flags).copied().collect();
            wish(&all).scope().expect("a scope")
        };
        let ruled = scope(&[]);
        assert!(ruled.accounts_by.is_some() && ruled.assets_by.is_some());
        assert_eq!(scope(&["--vault-account", "1"]).accounts_by, None);
        assert_eq!(scope(&["--all-assets"]).assets_by, None);
        fs::write(&file, r#"{"account": ["1"]}"#).expect("written");
        assert!(wish(&["--with", at]).scope().is_err(), "by name");
        for both in [
            &["--asset", "BTC", "--all-assets"][..],
            &["--address", "10.0.0.1/8"],
            &["--address", "0.0.0.0/0"],
        ] {
            assert!(Line::try_parse_from(["x"].iter().chain(both)).is_err());
        }
    }

    #[test]
    fn a_contact_is_named_or_taken_away_or_stays() {
        let ops: MailAddress = "ops@acme.example".parse().expect("an address");
        assert_eq!(wish(&[]).contact(), None);
        assert_eq!(wish(&["--no-contact"]).contact(), Some(None));
        let named = wish(&["--contact", "ops@acme.example"]);
        assert_eq!(named.contact(), Some(Some(&ops)));
        let refused = Line::try_parse_from(["x", "--contact", "Ops <ops@acme.example>"]);
        let refused = refused.expect_err("a name").to_string();
        assert!(refused.contains("one mail address"), "{refused}");
    }

    #[test]
    fn an_end_is_a_day_or_a_moment() {
        let ends = |text: &str| parse_until(text).map(|at| at.0);
        assert_eq!(ends("2027-02-24"), Ok(1_803_427_200_000));
        assert_eq!(ends("2027-02-24T12:00Z"), Ok(1_803_470_400_000));
        for bad in ["", "tomorrow", "2027-02-30", "24.02.2027"] {
            assert!(ends(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_address_by_itself_is_a_range_of_one() {
        let net = |text: &str| text.parse::<IpNet>().expect("a net");
        let wish = wish(&["--address", "127.0.0.1", "--address", "2001:db8::7"]);
        let expected = [net("127.0.0.1/32"), net("2001:db8::7/128")];
        assert_eq!(wish.addresses(), Some(expected.as_slice()));
    }
}

//! The test's own ledger: what each place must hold, as a sum over what has happened. It knows
//! nothing of the sandbox's books; of a transaction it is told its status and its fee alone.

use std::collections::BTreeMap;

/// Amounts are counted in 10^-18 of an asset's unit.
const PLACES: usize = 18;

/// Somewhere that holds something.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Holder {
    Account(u32),
    Internal(String),
    /// An exchange account's main trading account, or another one.
    Exchange(String, &'static str),
    Station(String),
    Fiat(String),
}

/// In which part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Pot {
    Available,
    Pending,
    Frozen,
    Locked,
    Staked,
}

pub(super) type Key = (Holder, String, Pot);
pub(super) type Sums = BTreeMap<Key, i128>;

/// What a transaction does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// The amount goes from the source to the parts.
    Moves,
    /// The amount is made at the parts.
    Issues,
    /// Nothing but its fee.
    Costs,
    /// The amount is staked.
    Stakes,
    /// So much comes back of what was staked, and so much in rewards.
    Returns(i128, i128),
}

/// A transaction as its maker knows it.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) id: String,
    /// Nothing: it came from outside.
    pub(super) source: Option<Holder>,
    pub(super) what: What,
    pub(super) asset: String,
    pub(super) amount: i128,
    pub(super) fee_asset: String,
    /// Known once it was held back, or shown.
    pub(super) fee: Option<i128>,
    /// Whether the fee is a part of the amount.
    pub(super) gross: bool,
    pub(super) parts: Vec<(Option<Holder>, i128)>,
    pub(super) status: String,
    pub(super) sub_status: String,
    /// The stake that it asks something of.
    pub(super) position: Option<String>,
}

/// How far it is, as far as money goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    UnderWay,
    Confirming,
    Done,
    HeldBack,
    /// It is in a block, and did nothing.
    InVain,
    Nothing,
}

impl Entry {
    fn stage(&self) -> Stage {
        match (self.status.as_str(), self.sub_status.as_str()) {
            ("CONFIRMING", _) => Stage::Confirming,
            ("PENDING_AML_SCREENING", _) if self.source.is_none() => Stage::Confirming,
            ("COMPLETED", _) => Stage::Done,
            ("REJECTED", "REJECTED_AML_SCREENING") if self.source.is_some() => Stage::Nothing,
            ("REJECTED", _) if !matches!(self.source, Some(Holder::Account(_))) => Stage::HeldBack,
            ("FAILED", "SMART_CONTRACT_EXECUTION_FAILED") => Stage::InVain,
            ("FAILED" | "CANCELLED" | "BLOCKED" | "REJECTED", _) => Stage::Nothing,
            _ => Stage::UnderWay,
        }
    }

    pub(super) fn is_under_way(&self) -> bool {
        matches!(self.stage(), Stage::UnderWay | Stage::Confirming)
    }

    /// What it changes in all.
    fn told(&self, sums: &mut Sums) {
        let stage = self.stage();
        if stage == Stage::Nothing {
            return;
        }
        let fee = self.fee.unwrap_or_default();
        if let Some(source) = &self.source {
            let mut put = |asset: &str, pot, amount: i128| {
                add(sums, source.clone(), asset, pot, amount);
            };
            let out = match self.what {
                What::Moves | What::Stakes => self.amount,
                What::Issues | What::Costs | What::Returns(..) => 0,
            };
            let beside = if self.gross { 0 } else { fee };
            if stage == Stage::InVain {
                put(&self.fee_asset, Pot::Available, -fee);
            } else {
                put(&self.asset, Pot::Available, -out);
                put(&self.fee_asset, Pot::Available, -beside);
            }
            let holds = matches!(source, Holder::Account(_) | Holder::Exchange(..));
            if holds && self.is_under_way() {
                put(&self.asset, Pot::Locked, out);
                put(&self.fee_asset, Pot::Locked, beside);
            }
            if stage == Stage::Done {
                match self.what {
                    What::Stakes => put(&self.asset, Pot::Staked, self.amount),
                    What::Returns(principal, rewards) => {
                        put(&self.asset, Pot::Staked, -principal);
                        put(&self.asset, Pot::Available, principal + rewards);
                    }
                    _ => {}
                }
            }
        }
        for (holder, amount) in &self.parts {
            let (Some(holder), What::Moves | What::Issues) = (holder, self.what) else {
                continue;
            };
            let pot = match stage {
                Stage::Confirming => Some(Pot::Pending),
                Stage::Done => Some(Pot::Available),
                Stage::HeldBack => Some(Pot::Frozen),
                _ => None,
            };
            // Only an account shows what is on its way to it.
            let shown = matches!(holder, Holder::Account(_)) || stage == Stage::Done;
            if let Some(pot) = pot.filter(|_| shown) {
                add(sums, holder.clone(), &self.asset, pot, *amount);
            }
        }
    }
}

fn add(sums: &mut Sums, holder: Holder, asset: &str, pot: Pot, amount: i128) {
    if amount != 0 {
        *sums.entry((holder, asset.to_owned(), pot)).or_default() += amount;
    }
}

/// Everything that has happened.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    start: Sums,
    pub(super) entries: Vec<Entry>,
    /// What no transaction tells of.
    beside: Vec<(Holder, String, Pot, i128)>,
}

impl Ledger {
    /// It begins where somebody else's books stand.
    pub(super) fn at(start: Sums) -> Self {
        Self {
            start,
            ..Self::default()
        }
    }

    pub(super) fn beside(&mut self, holder: Holder, asset: &str, amount: i128) {
        let asset = asset.to_owned();
        self.beside.push((holder, asset, Pot::Available, amount));
    }

    /// What everything must hold now; places that hold nothing are left out.
    pub(super) fn sums(&self) -> Sums {
        let mut sums = self.start.clone();
        for (holder, asset, pot, amount) in &self.beside {
            add(&mut sums, holder.clone(), asset, *pot, *amount);
        }
        for entry in &self.entries {
            entry.told(&mut sums);
        }
        sums.retain(|_, amount| *amount != 0);
        sums
    }

    pub(super) fn holds(&self, holder: &Holder, asset: &str, pot: Pot) -> i128 {
        let key = (holder.clone(), asset.to_owned(), pot);
        self.sums().get(&key).copied().unwrap_or_default()
    }
}

/// An amount as the API writes it.
pub(super) fn read(text: &str) -> i128 {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    assert!(part.len() <= PLACES, "{text} has too many places");
    let units: i128 = format!("{whole}{part:0<PLACES$}").parse().expect(text);
    sign * units
}

/// As the API wants it, cut to so many places.
pub(super) fn written(units: i128, places: usize) -> String {
    let text = format!("{:0>width$}", units, width = PLACES + 1);
    let (whole, part) = text.split_at(text.len() - PLACES);
    let part = part[..places].trim_end_matches('0');
    match part {
        "" => whole.to_owned(),
        part => format!("{whole}.{part}"),
    }
}

/// Cut to so many places.
pub(super) fn cut(units: i128, places: usize) -> i128 {
    let unit = 10_i128.pow(u32::try_from(PLACES - places).expect("few"));
    units / unit * unit
}

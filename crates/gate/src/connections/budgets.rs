//! How much a connection may use: each budget has a name, a default, and is granted like any other
//! term. Pure.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What is counted of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BudgetName {
    /// Calls a second.
    RequestsPerSecond,
    /// Calls a day. A day is one of UTC.
    RequestsPerDay,
    /// Rows of the books that its reads are answered with, a day.
    RowsPerDay,
    /// Report files that it fetches, a day.
    ReportsPerDay,
    /// Calls that are asked upstream for it, a day.
    ForwardsPerDay,
    /// Proposals a day.
    ProposalsPerDay,
    /// Proposals that wait at the gate or are on their way, at once.
    ProposalsOpen,
}

/// There is no such budget.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no budget '{named}': there are {}", BudgetName::ALL.map(BudgetName::as_str).join(", "))]
pub struct NoBudget {
    named: String,
}

impl BudgetName {
    /// All.
    pub const ALL: [Self; 7] = [
        Self::RequestsPerSecond,
        Self::RequestsPerDay,
        Self::RowsPerDay,
        Self::ReportsPerDay,
        Self::ForwardsPerDay,
        Self::ProposalsPerDay,
        Self::ProposalsOpen,
    ];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RequestsPerSecond => "requests_per_second",
            Self::RequestsPerDay => "requests_per_day",
            Self::RowsPerDay => "rows_per_day",
            Self::ReportsPerDay => "reports_per_day",
            Self::ForwardsPerDay => "forwards_per_day",
            Self::ProposalsPerDay => "proposals_per_day",
            Self::ProposalsOpen => "proposals_open",
        }
    }

    /// How much there is where nobody says otherwise.
    pub const fn usual(self) -> u32 {
        match self {
            Self::RequestsPerSecond => 500,
            Self::RequestsPerDay => 1_000_000,
            Self::RowsPerDay => 10_000_000,
            Self::ReportsPerDay => 100,
            Self::ForwardsPerDay => 5_000,
            Self::ProposalsPerDay => 1_000,
            Self::ProposalsOpen => 100,
        }
    }
}

impl fmt::Display for BudgetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for BudgetName {
    type Err = NoBudget;

    fn from_str(text: &str) -> Result<Self, NoBudget> {
        let mut all = Self::ALL.into_iter();
        all.find(|name| name.as_str() == text)
            .ok_or_else(|| NoBudget {
                named: text.to_owned(),
            })
    }
}

/// Some budgets; what is not named stays.
pub type BudgetGrant = BTreeMap<BudgetName, u32>;

/// How much of each a connection may use. Nothing of one is zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "BudgetGrant", into = "BudgetGrant")]
pub struct Budgets([u32; BudgetName::ALL.len()]);

impl Default for Budgets {
    fn default() -> Self {
        Self(BudgetName::ALL.map(BudgetName::usual))
    }
}

impl From<BudgetGrant> for Budgets {
    fn from(named: BudgetGrant) -> Self {
        Self::default().granting(&named)
    }
}

impl From<Budgets> for BudgetGrant {
    fn from(budgets: Budgets) -> Self {
        BudgetName::ALL.into_iter().zip(budgets.0).collect()
    }
}

impl Budgets {
    /// How much there is of one.
    pub const fn of(&self, name: BudgetName) -> u32 {
        self.0[name as usize]
    }

    /// With these in place of its own.
    #[must_use]
    pub fn granting(mut self, named: &BudgetGrant) -> Self {
        for (name, most) in named {
            self.0[*name as usize] = *most;
        }
        self
    }

    /// Whether none is larger.
    pub fn within(&self, before: &Self) -> bool {
        self.0
            .iter()
            .zip(before.0)
            .all(|(after, before)| *after <= before)
    }

    /// Whether nobody has said otherwise.
    pub fn are_usual(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_is_named_as_it_is_written() {
        for name in BudgetName::ALL {
            assert_eq!(json!(name), name.as_str());
            assert_eq!(name.as_str().parse(), Ok(name));
            assert_eq!(Budgets::default().of(name), name.usual());
        }
        let unknown = "rows".parse::<BudgetName>().expect_err("unknown");
        assert!(unknown.to_string().contains("rows_per_day"), "{unknown}");
    }

    #[test]
    fn what_is_not_named_is_as_usual_and_nothing_unknown_is_read() {
        let read = |value| serde_json::from_value::<Budgets>(value);
        let some = read(json!({"rows_per_day": 7})).expect("budgets");
        assert_eq!(some.of(BudgetName::RowsPerDay), 7);
        assert_eq!(some.of(BudgetName::ReportsPerDay), 100);
        assert_eq!(read(json!(some)).expect("budgets"), some);
        for bad in [
            json!({"rows": 7}),
            json!({"rows_per_day": -1}),
            json!({"rows_per_day": null}),
        ] {
            assert!(read(bad.clone()).is_err(), "{bad}");
        }
    }
}

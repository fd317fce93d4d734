//! Whether our books are equal to upstream's, and what differs. "Proven" is never said without
//! what was compared with what.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use ledger::Digest;
use ledger::digest::{Cell, CellKind};
use protocol::time::Millis;
use serde::{Deserialize, Serialize};
use sync::Area;

/// Most cells that are told apart; the rest is counted.
const MAX_TOLD: usize = 50;

/// A comparison of our books.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison {
    /// When, by our clock.
    pub at: Millis,
    /// With what.
    pub with: With,
    /// Whether they were equal.
    pub equal: bool,
    /// The digest of our books.
    pub ours: Digest,
    /// The digest of the others.
    pub theirs: Digest,
    /// How many cells had differed, and were read again before this comparison.
    pub repaired: usize,
    /// How many rows the books know otherwise, and later, than what they were compared with.
    #[serde(default)]
    pub in_doubt: usize,
    /// How many cells differ.
    pub differing: usize,
    /// The first of them.
    pub cells: Vec<CellDifference>,
    /// The whole of it in one sentence.
    pub sentence: String,
}

/// What our books were compared with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum With {
    /// With the digest that the gate computes over its own books.
    GateDigest {
        /// Which gate.
        base_url: String,
        /// Of what: the scope's id.
        scope: String,
        /// At which position of ours.
        position: i64,
        /// As of when the gate's books hold.
        as_of: Millis,
    },
    /// With upstream's own lists, read again.
    UpstreamLists {
        /// Which upstream.
        base_url: String,
        /// Which lists.
        areas: Vec<String>,
        /// As of when, by upstream's clock.
        as_of: Millis,
    },
}

/// A cell that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CellDifference {
    /// Which.
    pub cell: Cell,
    /// Ours.
    pub ours: Digest,
    /// Theirs.
    pub theirs: Digest,
}

impl fmt::Display for CellDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Cell {
            account,
            asset,
            kind,
            month,
        } = &self.cell;
        let month = || format!("{:04}-{:02}", month / 100, month % 100);
        match kind {
            CellKind::Balance => write!(f, "the balance of {asset} in vault account {account}"),
            CellKind::Address => write!(f, "the addresses of {asset} in vault account {account}"),
            CellKind::In => write!(
                f,
                "what came in of {asset} to vault account {account} in {}",
                month()
            ),
            CellKind::Out => write!(
                f,
                "what went out of {asset} from vault account {account} in {}",
                month()
            ),
        }?;
        let rows = |digest: &Digest| match digest.count {
            0 => "no row".to_owned(),
            1 => "1 row".to_owned(),
            many => format!("{many} rows"),
        };
        if self.ours.count == self.theirs.count {
            write!(f, ": {} on both sides, not the same", rows(&self.ours))
        } else {
            write!(
                f,
                ": {} of ours, {} of theirs",
                rows(&self.ours),
                rows(&self.theirs)
            )
        }
    }
}

impl Comparison {
    /// Compares cell by cell.
    pub(crate) fn of(
        at: Millis,
        with: With,
        ours: &[(Cell, Digest)],
        theirs: &[(Cell, Digest)],
    ) -> Self {
        let sum = |cells: &[(Cell, Digest)]| {
            cells
                .iter()
                .fold(Digest::default(), |sum, (_, digest)| sum.plus(digest))
        };
        let mut cells = differences(ours, theirs);
        let (ours, theirs, differing) = (sum(ours), sum(theirs), cells.len());
        cells.truncate(MAX_TOLD);
        let mut comparison = Self {
            at,
            with,
            equal: differing == 0,
            ours,
            theirs,
            repaired: 0,
            in_doubt: 0,
            differing,
            cells,
            sentence: String::new(),
        };
        comparison.sentence = comparison.tell();
        comparison
    }

    /// The same, where so many cells had differed and were read again.
    pub(crate) fn after_repair(mut self, repaired: usize) -> Self {
        self.repaired = repaired;
        self.sentence = self.tell();
        self
    }

    /// The same, where the books know so many rows otherwise than what they were compared with, and later:
    /// who is right is not known.
    pub(crate) fn with_doubt(mut self, rows: usize) -> Self {
        self.in_doubt = rows;
        self.equal &= rows == 0;
        self.sentence = self.tell();
        self
    }

    fn tell(&self) -> String {
        let rows = self.ours.count;
        let compared = match &self.with {
            With::GateDigest {
                base_url,
                scope,
                position,
                as_of,
            } => {
                let scope: String = scope.chars().take(12).collect();
                format!(
                    "our {rows} rows were compared with the digest that the gate at {base_url} computes over its own books (scope {scope}, position {position}, as of {})",
                    iso(*as_of)
                )
            }
            With::UpstreamLists {
                base_url,
                areas,
                as_of,
            } => format!(
                "the lists of {base_url} as read again ({}; as of {}) were compared with what our {rows} rows say of them",
                areas.join(", "),
                iso(*as_of)
            ),
        };
        match (self.equal, self.repaired) {
            (true, 0) => format!("proven equal: {compared}"),
            (true, repaired) => {
                format!(
                    "proven equal after {repaired} cells had differed and were read again: {compared}"
                )
            }
            (false, _) if self.differing == 0 => format!(
                "not proven, {} rows are known otherwise from later events: {compared}",
                self.in_doubt
            ),
            (false, _) => format!("different in {} cells: {compared}", self.differing),
        }
    }
}

/// A moment as people read it (ISO 8601, UTC).
pub(crate) fn iso(at: Millis) -> String {
    jiff::Timestamp::from_millisecond(at.0)
        .unwrap_or_default()
        .to_string()
}

/// The cells that differ. A cell of nothing is no cell.
pub(crate) fn differences(
    ours: &[(Cell, Digest)],
    theirs: &[(Cell, Digest)],
) -> Vec<CellDifference> {
    let mut both: BTreeMap<&Cell, (Digest, Digest)> = BTreeMap::new();
    for (cell, digest) in ours {
        let entry = both.entry(cell).or_default();
        entry.0 = entry.0.plus(digest);
    }
    for (cell, digest) in theirs {
        let entry = both.entry(cell).or_default();
        entry.1 = entry.1.plus(digest);
    }
    both.into_iter()
        .filter(|(_, (ours, theirs))| ours != theirs)
        .map(|(cell, (ours, theirs))| CellDifference {
            cell: cell.clone(),
            ours,
            theirs,
        })
        .collect()
}

/// What to read again so that these cells become equal.
pub(crate) fn remedy(differences: &[CellDifference]) -> BTreeSet<Area> {
    let mut areas = BTreeSet::new();
    let mut first_month: Option<i64> = None;
    for difference in differences {
        let cell = &difference.cell;
        match cell.kind {
            CellKind::Balance => {
                areas.insert(Area::Accounts);
                areas.insert(Area::AssetWallets);
            }
            CellKind::Address => {
                areas.insert(Area::AddressesOf(cell.account, cell.asset.clone()));
            }
            CellKind::In | CellKind::Out => {
                first_month = Some(first_month.map_or(cell.month, |first| first.min(cell.month)));
            }
        }
    }
    areas.extend(first_month.map(|month| Area::Transactions {
        after: month_begins(month),
    }));
    areas
}

/// The first moment of a month such as 202611, UTC.
fn month_begins(month: i64) -> Millis {
    let date = i16::try_from(month / 100)
        .ok()
        .zip(i8::try_from(month % 100).ok())
        .and_then(|(year, month)| jiff::civil::Date::new(year, month, 1).ok())
        .and_then(|date| date.to_zoned(jiff::tz::TimeZone::UTC).ok());
    date.map_or(Millis(0), |date| Millis(date.timestamp().as_millisecond()))
}

#[cfg(test)]
mod tests;

//! Coins of a wallet on a chain whose transactions spend outputs of earlier ones, and which of
//! them a transaction spends. Pure.

use protocol::amount::Amount;
use protocol::ids::TxId;
use protocol::time::Millis;
use serde::{Deserialize, Serialize};

use crate::world::keys::sha256;

/// Most coins that one transaction spends.
pub(crate) const MAX_INPUTS: usize = 250;
/// A change below this many of the smallest unit is left to the miner.
const DUST: i128 = 546;

/// An output of a transaction.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Outpoint {
    pub(crate) tx_hash: String,
    pub(crate) index: u32,
}

/// An output that nobody has spent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Coin {
    pub(crate) at: Outpoint,
    pub(crate) address: String,
    pub(crate) amount: Amount,
    pub(crate) status: CoinStatus,
    /// Whether it came back from a transaction of its own wallet.
    #[serde(default)]
    pub(crate) change: bool,
    /// The workspace's transaction that made it.
    #[serde(default)]
    pub(crate) made_by: Option<TxId>,
    /// The workspace's transaction that is about to spend it.
    #[serde(default)]
    pub(crate) taken_by: Option<TxId>,
    pub(crate) since: Millis,
    #[serde(default)]
    pub(crate) labels: Vec<String>,
}

/// Whether a coin can be spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum CoinStatus {
    Pending,
    Available,
    Frozen,
    Selected,
}

/// Which coins come first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Strategy {
    /// The smallest.
    #[serde(rename = "AMOUNT_ASC")]
    Ascending,
    /// The largest: the fewest inputs.
    #[default]
    #[serde(rename = "AMOUNT_DESC")]
    Descending,
}

/// Which coins count at all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Filter {
    pub(crate) include_all_labels: Vec<String>,
    pub(crate) include_any_labels: Vec<String>,
    pub(crate) exclude_any_labels: Vec<String>,
    pub(crate) address: Option<String>,
    pub(crate) min_amount: Option<Amount>,
    pub(crate) max_amount: Option<Amount>,
}

impl Filter {
    pub(crate) fn passes(&self, coin: &Coin) -> bool {
        let has = |label: &String| coin.labels.contains(label);
        let any = &self.include_any_labels;
        self.include_all_labels.iter().all(has)
            && (any.is_empty() || any.iter().any(has))
            && !self.exclude_any_labels.iter().any(has)
            && self
                .address
                .as_ref()
                .is_none_or(|address| *address == coin.address)
            && self
                .min_amount
                .as_ref()
                .is_none_or(|least| coin.amount >= *least)
            && self
                .max_amount
                .as_ref()
                .is_none_or(|most| coin.amount <= *most)
    }
}

/// What a request says of the coins it spends.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Choice {
    /// Nothing: as the wallet has it.
    pub(crate) strategy: Option<Strategy>,
    pub(crate) filter: Filter,
    /// These and no others.
    pub(crate) spend: Vec<Outpoint>,
    pub(crate) exclude: Vec<Outpoint>,
}

/// Why no coins can be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NoChoice {
    /// One that was asked for is not there, or not free.
    Missing(Outpoint),
    /// All that may be spent is too little.
    TooLittle,
}

/// What a transaction spends, and what comes back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Selection {
    pub(crate) inputs: Vec<Outpoint>,
    pub(crate) sum: Amount,
}

/// The coins for a need that grows with the number of inputs.
pub(crate) fn choose(
    coins: &[Coin],
    choice: &Choice,
    usual: Strategy,
    need: impl Fn(usize) -> Option<Amount>,
) -> Result<Selection, NoChoice> {
    let free: Vec<&Coin> = coins
        .iter()
        .filter(|coin| coin.status == CoinStatus::Available)
        .collect();
    if !choice.spend.is_empty() {
        let find = |at: &Outpoint| free.iter().find(|coin| coin.at == *at).copied();
        let named: Vec<&Coin> = choice
            .spend
            .iter()
            .map(|at| find(at).ok_or_else(|| NoChoice::Missing(at.clone())))
            .collect::<Result<_, _>>()?;
        return gather(named.len(), &named, need);
    }
    let mut free: Vec<&Coin> = free
        .into_iter()
        .filter(|coin| choice.filter.passes(coin) && !choice.exclude.contains(&coin.at))
        .collect();
    free.sort_by(|a, b| {
        let by_amount = match choice.strategy.unwrap_or(usual) {
            Strategy::Ascending => a.amount.cmp(&b.amount),
            Strategy::Descending => b.amount.cmp(&a.amount),
        };
        by_amount.then_with(|| a.at.cmp(&b.at))
    });
    gather(1, &free, need)
}

/// The first of them that are enough, and at least so many.
fn gather(
    least: usize,
    coins: &[&Coin],
    need: impl Fn(usize) -> Option<Amount>,
) -> Result<Selection, NoChoice> {
    let mut sum = Amount::zero();
    for (count, coin) in (1..=MAX_INPUTS).zip(coins) {
        sum = sum.checked_add(&coin.amount).ok_or(NoChoice::TooLittle)?;
        let enough = need(count).is_some_and(|need| sum >= need);
        if enough && count >= least {
            let inputs = coins
                .iter()
                .take(count)
                .map(|coin| coin.at.clone())
                .collect();
            return Ok(Selection { inputs, sum });
        }
    }
    Err(NoChoice::TooLittle)
}

/// What comes back of a sum; nothing where it would be dust.
pub(crate) fn change(sum: &Amount, spent: &Amount, decimals: u8) -> Option<Amount> {
    let rest = sum.checked_sub(spent)?;
    (rest > Amount::from_units(DUST, decimals)).then_some(rest)
}

/// The coins of a wallet that nobody has looked at so far: the same ones each time, which together
/// are what it holds.
pub(crate) fn minted(
    wallet: &str,
    address: &str,
    total: &Amount,
    decimals: u8,
    at: Millis,
) -> Vec<Coin> {
    let Some(units) = total.to_units(decimals).filter(|units| *units > 0) else {
        return Vec::new();
    };
    let parts: &[i128] = match units {
        ..1_000_000 => &[100],
        _ => &[55, 25, 12, 8],
    };
    let mut left = units;
    let mut coins = Vec::new();
    for (number, part) in (0_u32..).zip(parts) {
        let last = usize::try_from(number).is_ok_and(|number| number + 1 == parts.len());
        let units = if last { left } else { units * part / 100 };
        left -= units;
        coins.push(Coin {
            at: Outpoint {
                tx_hash: hex::encode(sha256(format!("{wallet} coin {number}").as_bytes())),
                index: number,
            },
            address: address.to_owned(),
            amount: Amount::from_units(units, decimals),
            status: CoinStatus::Available,
            change: false,
            made_by: None,
            taken_by: None,
            since: at,
            labels: Vec::new(),
        });
    }
    coins
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

    fn amount(units: i128) -> Amount {
        Amount::from_units(units, 8)
    }

    fn coins(units: &[i128]) -> Vec<Coin> {
        let coin = |(number, units): (u32, &i128)| Coin {
            at: Outpoint {
                tx_hash: "00".repeat(32),
                index: number,
            },
            ..minted("w", "a", &amount(*units), 8, Millis(0)).remove(0)
        };
        let each = (0..).zip(units).map(coin);
        each.zip(units)
            .map(|(coin, units)| Coin {
                amount: amount(*units),
                ..coin
            })
            .collect()
    }

    #[test]
    fn what_is_minted_is_all_there_is_and_always_the_same() {
        for units in [1, 546, 999_999, 1_000_000, 123_456_789_012] {
            let once = minted("1/BTC", "bc1", &amount(units), 8, Millis(5));
            assert_eq!(once, minted("1/BTC", "bc1", &amount(units), 8, Millis(5)));
            let sum = once
                .iter()
                .try_fold(Amount::zero(), |sum, coin| sum.checked_add(&coin.amount));
            assert_eq!(sum, Some(amount(units)));
        }
        assert!(minted("1/BTC", "bc1", &Amount::zero(), 8, Millis(5)).is_empty());
    }

    #[test]
    fn those_asked_for_and_no_others() {
        let all = coins(&[5, 7, 9]);
        let spend = |index: usize| Choice {
            spend: vec![all[index].at.clone()],
            ..Choice::default()
        };
        let need = |units: i128| move |_: usize| Some(amount(units));
        let chosen = choose(&all, &spend(0), Strategy::default(), need(3)).expect("coins");
        assert_eq!((chosen.inputs.len(), chosen.sum), (1, amount(5)));
        assert_eq!(
            choose(&all, &spend(0), Strategy::default(), need(6)),
            Err(NoChoice::TooLittle)
        );
        let mut taken = all.clone();
        taken[0].status = CoinStatus::Selected;
        let missing = Err(NoChoice::Missing(all[0].at.clone()));
        assert_eq!(
            choose(&taken, &spend(0), Strategy::default(), need(3)),
            missing
        );
        let not = Choice {
            exclude: vec![all[2].at.clone()],
            ..Choice::default()
        };
        assert_eq!(
            choose(&all, &not, Strategy::default(), need(8))
                .expect("coins")
                .sum,
            amount(12)
        );
        let labelled = Choice {
            filter: Filter {
                include_any_labels: vec!["cold".to_owned()],
                ..Filter::default()
            },
            ..Choice::default()
        };
        assert_eq!(
            choose(&all, &labelled, Strategy::default(), need(1)),
            Err(NoChoice::TooLittle)
        );
        taken[1].labels = vec!["cold".to_owned()];
        assert_eq!(
            choose(&taken, &labelled, Strategy::default(), need(1))
                .expect("coins")
                .sum,
            amount(7)
        );
    }

    proptest! {
        #[test]
        fn enough_and_none_twice(
            units in proptest::collection::vec(1_i128..1_000_000, 0..300),
            target in 1_i128..20_000_000,
            ascending: bool,
        ) {
            let all = coins(&units);
            let strategy = if ascending { Strategy::Ascending } else { Strategy::Descending };
            let choice = Choice::default();
            let need = |inputs: usize| Some(amount(target + 68 * i128::try_from(inputs).expect("few")));
            match choose(&all, &choice, strategy, need) {
                Ok(chosen) => {
                    let mut inputs = chosen.inputs.clone();
                    inputs.sort();
                    inputs.dedup();
                    prop_assert_eq!(inputs.len(), chosen.inputs.len());
                    prop_assert!(chosen.sum >= need(inputs.len()).expect("a need"));
                    prop_assert!(inputs.len() <= MAX_INPUTS);
                }
                Err(_) => {
                    let sum: i128 = units.iter().sum();
                    let short = sum < target + 68 * i128::try_from(units.len()).expect("few");
                    prop_assert!(short || units.len() > MAX_INPUTS || units.iter().any(|u| *u < 68));
                }
            }
        }
    }
}

//! The chains that can be staked on, how they pace, and who validates.

use protocol::amount::Amount;
use protocol::time::Millis;

/// How positions of a chain behave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Ethereum,
    Solana,
}

/// A chain, as stakes see it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chain {
    /// The contract's word for it, and its own asset's id.
    pub(crate) id: &'static str,
    pub(crate) form: Form,
    pub(crate) test: bool,
    pub(crate) decimals: u8,
    /// How long an epoch is, in milliseconds.
    pub(crate) epoch: i64,
    /// What a stake of 10,000 earns in a year.
    yearly: u32,
}

const YEAR: i64 = 365 * Millis::DAY;

/// In the alphabet's order.
const CHAINS: [Chain; 3] = [
    Chain {
        id: "ETH",
        form: Form::Ethereum,
        test: false,
        decimals: 18,
        epoch: 384_000,
        yearly: 310,
    },
    Chain {
        id: "SOL",
        form: Form::Solana,
        test: false,
        decimals: 9,
        epoch: 2 * Millis::DAY,
        yearly: 680,
    },
    Chain {
        id: "SOL_TEST",
        form: Form::Solana,
        test: true,
        decimals: 9,
        epoch: 2 * Millis::DAY,
        yearly: 680,
    },
];

/// The chain of a word.
pub(crate) fn chain(id: &str) -> Option<&'static Chain> {
    CHAINS.iter().find(|chain| chain.id == id)
}

/// The chains of a mainnet or a testnet workspace.
pub(crate) fn chains(test: bool) -> impl Iterator<Item = &'static Chain> {
    CHAINS.iter().filter(move |chain| chain.test == test)
}

impl Chain {
    /// How long a stake waits until it is active, and until it is free again, at most.
    pub(crate) const fn wait(&self) -> i64 {
        match self.form {
            Form::Ethereum => Millis::DAY,
            Form::Solana => self.epoch,
        }
    }

    /// When what began then is through: on Solana at the end of the epoch.
    pub(crate) const fn turns(&self, at: Millis) -> Millis {
        match self.form {
            Form::Ethereum => at.plus(self.wait()),
            Form::Solana => Millis((at.0.div_euclid(self.epoch) + 1) * self.epoch),
        }
    }

    /// The least of a position.
    pub(crate) fn least(&self) -> Amount {
        match self.form {
            Form::Ethereum => Amount::from_units(32, 0),
            Form::Solana => Amount::from_units(1, 2),
        }
    }

    /// The most of a position.
    pub(super) fn most(&self, compounding: bool) -> Option<Amount> {
        match (self.form, compounding) {
            (Form::Ethereum, true) => Some(Amount::from_units(2_048, 0)),
            (Form::Ethereum, false) | (Form::Solana, _) => None,
        }
    }

    /// Whether a new position may have so much.
    pub(crate) fn takes(&self, amount: &Amount, compounding: bool) -> bool {
        let whole = self.form == Form::Solana || compounding || {
            let validators = amount.checked_div(&self.least(), 0);
            validators.and_then(|count| count.checked_mul(&self.least(), 0)) == Some(amount.clone())
        };
        *amount >= self.least()
            && whole
            && amount.decimals() <= u64::from(self.decimals)
            && self.most(compounding).is_none_or(|most| *amount <= most)
    }

    /// What so much earns in so many milliseconds.
    pub(super) fn rewards(&self, principal: &Amount, millis: i64) -> Option<Amount> {
        let share = i128::from(self.yearly) * i128::from(millis.max(0));
        let parts = Amount::from_units(10_000 * i128::from(YEAR), 0);
        let product = principal.checked_mul(&Amount::from_units(share, 0), 18)?;
        product.checked_div(&parts, self.decimals)
    }
}

/// Who validates.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Provider {
    /// The contract's word.
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    /// What it keeps of the rewards, in percent.
    pub(crate) fee: u8,
    forms: &'static [Form],
}

pub(crate) const PROVIDERS: [Provider; 4] = [
    Provider {
        id: "kiln",
        name: "Kiln",
        fee: 8,
        forms: &[Form::Ethereum, Form::Solana],
    },
    Provider {
        id: "figment",
        name: "Figment",
        fee: 8,
        forms: &[Form::Ethereum, Form::Solana],
    },
    Provider {
        id: "p2p",
        name: "P2P.org",
        fee: 7,
        forms: &[Form::Solana],
    },
    Provider {
        id: "blockdaemon",
        name: "Blockdaemon",
        fee: 10,
        forms: &[Form::Ethereum],
    },
];

impl Provider {
    /// Whether it validates on a chain.
    pub(crate) fn validates(&self, chain: &Chain) -> bool {
        self.forms.contains(&chain.form)
    }
}

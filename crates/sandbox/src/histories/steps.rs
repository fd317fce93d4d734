//! What can happen, by chance. Everything that is picked is picked by a number, so that a history
//! can be made smaller.

use crate::screening::Service;
use proptest::prelude::{Just, Strategy, any, prop_oneof};

/// Accounts and assets that histories are about.
pub(super) const ACCOUNTS: u32 = 4;
/// Asset, the one of its fees, decimals.
pub(super) const ASSETS: [(&str, &str, usize); 6] = [
    ("ETH", "ETH", 18),
    ("USDC", "ETH", 6),
    ("BTC", "BTC", 8),
    ("SOL", "SOL", 9),
    ("DOGE", "DOGE", 8),
    ("XRP", "XRP", 6),
];

/// One of many.
pub(super) type Pick = u8;

/// Where a transfer goes.
#[derive(Clone, Debug)]
pub(super) enum To {
    Account(u32),
    Internal,
    External,
    Exchange,
    Station,
    Peer,
    OneTime,
    /// Several parts, some of them to the same account.
    Several(Vec<u32>),
}

/// What else is said of a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Terms {
    Usual,
    High,
    /// The fee is taken from the amount.
    Gross,
    /// Too little gas: it fails on the chain.
    Doomed,
    /// Never sent: the fee is too high for its own terms.
    TooDear,
    /// Somebody asks who must be approved by another and signed for by a third.
    Asked,
    /// Ends unless it is signed in five minutes.
    Hasty,
}

#[derive(Clone, Debug)]
pub(super) enum Step {
    Send {
        asset: Pick,
        from: u32,
        to: To,
        /// How much of what is there, in a hundredth.
        share: u8,
        terms: Terms,
    },
    Mint(u32),
    Burn(u32),
    Approve(u32),
    Call(u32),
    Sign(u32),
    /// Out of an exchange account.
    Withdraw {
        to: u32,
        share: u8,
    },
    Receive {
        asset: Pick,
        to: u32,
        /// In millionths; nothing: the smallest there is.
        amount: Option<u32>,
        known: bool,
    },
    Mine,
    Says(Word, Pick),
    Fail(Pick, Pick),
    Cancel(Pick),
    Drop(Pick),
    Replace(Pick),
    Freeze(Pick),
    Unfreeze(Pick),
    Reorganise(Pick),
    Stake(u32, u8),
    Staking(Deed, Pick, Pick),
    BetweenTradingAccounts(u8),
    Convert(u8),
    Fiat(bool, u8),
    Advance(u16),
    /// What the screening service does, and whether there is an enriching one.
    Screening(Service, bool),
    Fees(u8),
}

impl Step {
    /// Whether a transaction comes of it, or something that no transaction tells of.
    pub(super) const fn makes_something(&self) -> bool {
        !matches!(
            self,
            Self::Mine
                | Self::Says(..)
                | Self::Fail(..)
                | Self::Cancel(_)
                | Self::Freeze(_)
                | Self::Unfreeze(_)
                | Self::Reorganise(_)
                | Self::Advance(_)
                | Self::Screening(..)
                | Self::Fees(_)
        )
    }
}

/// What a person says, or a third party does.
#[derive(Clone, Copy, Debug)]
pub(super) enum Word {
    Approve,
    Sign,
    Reject,
    Process,
    Hold,
    Pass,
}

/// What is done to a stake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    Unstake,
    Withdraw,
    Claim,
    Split,
    Merge,
}

fn account() -> impl Strategy<Value = u32> {
    0..ACCOUNTS
}

fn to() -> impl Strategy<Value = To> {
    prop_oneof![
        6 => account().prop_map(To::Account),
        1 => Just(To::Internal),
        2 => Just(To::External),
        2 => Just(To::Exchange),
        1 => Just(To::Station),
        1 => Just(To::Peer),
        1 => Just(To::OneTime),
        2 => proptest::collection::vec(account(), 1..4).prop_map(To::Several),
    ]
}

fn terms() -> impl Strategy<Value = Terms> {
    prop_oneof![
        8 => Just(Terms::Usual),
        1 => Just(Terms::High),
        2 => Just(Terms::Gross),
        1 => Just(Terms::Doomed),
        1 => Just(Terms::TooDear),
        2 => Just(Terms::Asked),
        1 => Just(Terms::Hasty),
    ]
}

/// A share of what is there; now and then all of it, or more.
fn share() -> impl Strategy<Value = u8> {
    prop_oneof![8 => 1_u8..60, 1 => Just(100), 1 => Just(101)]
}

fn word() -> impl Strategy<Value = Word> {
    prop_oneof![
        2 => Just(Word::Approve),
        6 => Just(Word::Sign),
        1 => Just(Word::Reject),
        2 => Just(Word::Process),
        1 => Just(Word::Hold),
        2 => Just(Word::Pass),
    ]
}

fn staking() -> impl Strategy<Value = Deed> {
    prop_oneof![
        Just(Deed::Unstake),
        Just(Deed::Withdraw),
        Just(Deed::Claim),
        Just(Deed::Split),
        Just(Deed::Merge),
    ]
}

fn service() -> impl Strategy<Value = Service> {
    prop_oneof![
        Just(Service::Off),
        Just(Service::Pass),
        Just(Service::Reject),
        Just(Service::Wait),
    ]
}

/// Any step.
pub(super) fn step() -> impl Strategy<Value = Step> {
    let pick = any::<Pick>;
    let send =
        (pick(), account(), to(), share(), terms()).prop_map(|(asset, from, to, share, terms)| {
            Step::Send {
                asset,
                from,
                to,
                share,
                terms,
            }
        });
    let amount = proptest::option::weighted(0.8, 1_u32..5_000_000);
    let receive =
        (pick(), account(), amount, any::<bool>()).prop_map(|(asset, to, amount, known)| {
            Step::Receive {
                asset,
                to,
                amount,
                known,
            }
        });
    let chain = prop_oneof![
        12 => Just(Step::Mine),
        3 => (pick(), pick()).prop_map(|(which, how)| Step::Fail(which, how)),
        3 => pick().prop_map(Step::Reorganise),
        2 => any::<u16>().prop_map(Step::Advance),
        1 => pick().prop_map(Step::Fees),
        1 => (service(), any::<bool>()).prop_map(|(aml, enriches)| Step::Screening(aml, enriches)),
    ];
    let people = prop_oneof![
        8 => (word(), pick()).prop_map(|(word, which)| Step::Says(word, which)),
        2 => pick().prop_map(Step::Cancel),
        1 => pick().prop_map(Step::Drop),
        1 => pick().prop_map(Step::Replace),
        1 => pick().prop_map(Step::Freeze),
        1 => pick().prop_map(Step::Unfreeze),
    ];
    let other = prop_oneof![
        1 => account().prop_map(Step::Mint),
        1 => account().prop_map(Step::Burn),
        1 => account().prop_map(Step::Approve),
        1 => account().prop_map(Step::Call),
        1 => account().prop_map(Step::Sign),
        3 => (account(), share()).prop_map(|(to, share)| Step::Withdraw { to, share }),
        2 => (account(), 1_u8..50).prop_map(|(from, share)| Step::Stake(from, share)),
        4 => (staking(), pick(), pick()).prop_map(|(deed, a, b)| Step::Staking(deed, a, b)),
        1 => share().prop_map(Step::BetweenTradingAccounts),
        1 => share().prop_map(Step::Convert),
        1 => (any::<bool>(), 1_u8..).prop_map(|(down, much)| Step::Fiat(down, much)),
    ];
    prop_oneof![6 => send, 3 => receive, 8 => chain, 6 => people, 4 => other]
}

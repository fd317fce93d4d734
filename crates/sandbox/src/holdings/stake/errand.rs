//! What is asked of a position, and comes about once the transaction that asks for it is through.
//! Pure.

use protocol::amount::Amount;
use protocol::time::Millis;
use serde::{Deserialize, Serialize};

use super::{Action, Life, Position, Refusal};

/// What a transaction asks of a position.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Errand {
    /// Which.
    pub(crate) position: String,
    pub(crate) task: Task,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Task {
    /// A new one is staked.
    Begin,
    Add(Amount),
    Unstake,
    Withdraw(Option<Amount>),
    Claim,
    Split(Amount, Part),
    /// Another becomes a part of it.
    Absorb(String, Action),
}

/// The id and the places of a part that is split off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Part {
    pub(crate) id: String,
    pub(crate) stake_account: String,
    pub(crate) derivation: u32,
}

/// What has come out of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// What is staked no longer.
    pub(crate) principal: Amount,
    /// What has come as rewards.
    pub(crate) rewards: Amount,
    /// What is a position of its own now.
    pub(crate) part: Option<Position>,
}

impl Outcome {
    /// What the wallet gets; nothing where nothing is paid.
    pub(crate) fn paid(&self) -> Option<Amount> {
        let paid = self.principal.checked_add(&self.rewards)?;
        paid.is_positive().then_some(paid)
    }
}

impl Task {
    /// Which other position it concerns.
    pub(crate) fn other(&self) -> Option<&str> {
        match self {
            Self::Absorb(other, _) => Some(other),
            _ => None,
        }
    }

    /// Does it to a position that nothing else is under way with.
    pub(crate) fn done(
        &self,
        position: &mut Position,
        other: Option<&mut Position>,
        now: Millis,
    ) -> Result<Outcome, Refusal> {
        let mut outcome = Outcome::default();
        match self {
            Self::Begin if position.life == Life::Creating => {
                position.life = Life::Staked { at: now };
                (position.counted, position.updated) = (now, now);
            }
            Self::Begin => return Err(Refusal::Unfit),
            Self::Add(amount) => position.add(amount, now)?,
            Self::Unstake => position.unstake(now)?,
            Self::Withdraw(amount) => {
                (outcome.principal, outcome.rewards) = position.withdraw(amount.as_ref(), now)?;
            }
            Self::Claim => outcome.rewards = position.claim(now)?,
            Self::Split(amount, part) => {
                let named = |whole| Position {
                    id: part.id.clone(),
                    stake_account: part.stake_account.clone(),
                    derivation: part.derivation,
                    ..whole
                };
                outcome.part = Some(position.split(amount, now, named)?);
            }
            Self::Absorb(_, how) => {
                position.absorb(other.ok_or(Refusal::Apart)?, *how, now)?;
            }
        }
        Ok(outcome)
    }

    /// Its transaction has failed.
    pub(crate) fn failed(&self, position: &mut Position, now: Millis) {
        if *self == Self::Begin {
            position.life = Life::Canceled;
            position.principal = Amount::zero();
            position.updated = now;
        }
    }
}

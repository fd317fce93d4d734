//! Stakes: positions whose state is what the clock says, and what may be done to them. Pure.

mod chains;
mod errand;
#[cfg(test)]
mod tests;

use protocol::amount::Amount;
use protocol::ids::{TxId, VaultAccountId};
use protocol::time::Millis;
use serde::{Deserialize, Serialize};

pub(crate) use chains::{Chain, Form, PROVIDERS, Provider, chain, chains};
pub(crate) use errand::{Errand, Outcome, Part, Task};

use crate::shelf::Kept;

/// A position.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Position {
    pub(crate) id: String,
    pub(crate) account: VaultAccountId,
    pub(crate) provider: String,
    pub(crate) chain: String,
    /// Where on the chain the validator is.
    pub(crate) validator: String,
    /// Where on the chain the stake is, where each has an account of its own.
    pub(crate) stake_account: String,
    /// Which of the vault account's stake accounts it is.
    pub(crate) derivation: u32,
    /// Whether rewards are staked too (Ethereum).
    pub(crate) compounding: bool,
    pub(crate) principal: Amount,
    /// Rewards until `counted`.
    pub(crate) rewards: Amount,
    pub(crate) counted: Millis,
    pub(crate) created: Millis,
    pub(crate) updated: Millis,
    pub(crate) life: Life,
    pub(crate) related: Vec<Related>,
    /// The transaction under way that asks something of it.
    #[serde(default)]
    pub(crate) busy: Option<TxId>,
}

impl Kept for Position {
    const KIND: &'static str = "staking_position";

    fn key(&self) -> String {
        self.id.clone()
    }
}

/// What has been done to a position last, as far as it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Life {
    /// Its first transaction is under way.
    Creating,
    Staked {
        at: Millis,
    },
    Unstaked {
        at: Millis,
    },
    Withdrawn,
    Merged,
    Consolidated,
    /// Its first transaction has failed.
    Canceled,
}

/// A transaction of a position's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Related {
    pub(crate) tx_id: String,
    pub(crate) tx_hash: String,
    pub(crate) operation: String,
    pub(crate) at: Millis,
    pub(crate) amount: Amount,
    pub(crate) note: Option<String>,
    /// How far it is; older releases knew only those that were through.
    #[serde(default)]
    pub(crate) progress: Progress,
}

/// How far a position's transaction is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Progress {
    Pending,
    #[default]
    Completed,
    Failed,
}

/// How far a position is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Status {
    Creating,
    Activating,
    Active,
    Deactivating,
    Deactivated,
    Withdrawn,
    Merged,
    Consolidated,
    Canceled,
}

/// What can be done to a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Action {
    Unstake,
    Withdraw,
    AddToStake,
    Split,
    Merge,
    ClaimRewards,
    Consolidate,
}

/// Why something is not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("the position is not at a point where that can be done")]
    Unfit,
    #[error("the amount is not one that can be staked so")]
    Amount,
    #[error("the positions do not fit together")]
    Apart,
    #[error("there are no rewards")]
    NoRewards,
}

impl Position {
    fn chain(&self) -> Result<&'static Chain, Refusal> {
        chain(&self.chain).ok_or(Refusal::Unfit)
    }

    /// How far it is.
    pub(crate) fn status(&self, now: Millis) -> Status {
        let waits = |at| chain(&self.chain).is_some_and(|chain| now < chain.turns(at));
        match self.life {
            Life::Staked { at } if waits(at) => Status::Activating,
            Life::Staked { .. } => Status::Active,
            Life::Unstaked { at } if waits(at) => Status::Deactivating,
            Life::Unstaked { .. } => Status::Deactivated,
            Life::Withdrawn => Status::Withdrawn,
            Life::Merged => Status::Merged,
            Life::Consolidated => Status::Consolidated,
            Life::Creating => Status::Creating,
            Life::Canceled => Status::Canceled,
        }
    }

    /// When its waiting ends.
    pub(crate) fn turns(&self) -> Option<Millis> {
        match self.life {
            Life::Staked { at } | Life::Unstaked { at } => {
                chain(&self.chain).map(|chain| chain.turns(at))
            }
            _ => None,
        }
    }

    /// All rewards so far that have not left it.
    pub(crate) fn rewards(&self, now: Millis) -> Amount {
        let more = || {
            let chain = chain(&self.chain)?;
            let Life::Staked { at } = self.life else {
                return None;
            };
            let from = chain.turns(at).max(self.counted);
            chain.rewards(&self.principal, now.0.saturating_sub(from.0))
        };
        let more = more().unwrap_or_default();
        self.rewards.checked_add(&more).unwrap_or_default()
    }

    /// What it is shown to be worth: with rewards where they are staked too.
    pub(crate) fn amount(&self, now: Millis) -> Amount {
        let chain = chain(&self.chain);
        let with = self.compounding || chain.is_some_and(|chain| chain.form == Form::Solana);
        let rewards = if with {
            self.rewards(now)
        } else {
            Amount::zero()
        };
        self.principal.checked_add(&rewards).unwrap_or_default()
    }

    /// What can be done to it now.
    pub(crate) fn actions(&self, now: Millis) -> Vec<Action> {
        use Action as A;
        if self.busy.is_some() {
            return Vec::new();
        }
        let form = chain(&self.chain).map(|chain| chain.form);
        match (self.status(now), form) {
            (Status::Active, Some(Form::Solana)) => {
                vec![A::Unstake, A::Split, A::Merge, A::ClaimRewards]
            }
            (Status::Active, Some(Form::Ethereum)) if self.compounding => {
                vec![A::Unstake, A::AddToStake, A::Withdraw, A::Consolidate]
            }
            (Status::Active, _) => vec![A::Unstake],
            (Status::Deactivated, Some(Form::Solana)) => vec![A::Withdraw, A::Split, A::Merge],
            (Status::Deactivated, _) => vec![A::Withdraw],
            _ => Vec::new(),
        }
    }

    fn must(&self, action: Action, now: Millis) -> Result<(), Refusal> {
        if self.actions(now).contains(&action) {
            Ok(())
        } else {
            Err(Refusal::Unfit)
        }
    }

    /// Rewards until now are counted: from here on others are.
    fn count(&mut self, now: Millis) {
        self.rewards = self.rewards(now);
        self.counted = now;
        self.updated = now;
    }

    /// It is to be staked no more.
    pub(crate) fn unstake(&mut self, now: Millis) -> Result<(), Refusal> {
        self.must(Action::Unstake, now)?;
        self.count(now);
        self.life = Life::Unstaked { at: now };
        Ok(())
    }

    /// Takes out everything, or so much of what is above the least that a compounding validator
    /// needs: principal and rewards that leave it.
    pub(crate) fn withdraw(
        &mut self,
        amount: Option<&Amount>,
        now: Millis,
    ) -> Result<(Amount, Amount), Refusal> {
        self.must(Action::Withdraw, now)?;
        self.count(now);
        if self.status(now) == Status::Deactivated {
            self.life = Life::Withdrawn;
            let all = (self.principal.clone(), self.rewards.clone());
            (self.principal, self.rewards) = (Amount::zero(), Amount::zero());
            return Ok(all);
        }
        let wanted = amount.filter(|amount| amount.is_positive());
        let wanted = wanted.ok_or(Refusal::Amount)?;
        let rewards = wanted.min(&self.rewards).clone();
        let principal = wanted.checked_sub(&rewards).ok_or(Refusal::Amount)?;
        let left = self.principal.checked_sub(&principal);
        let least = self.chain()?.least();
        self.principal = left.filter(|left| *left >= least).ok_or(Refusal::Amount)?;
        self.rewards = self.rewards.checked_sub(&rewards).ok_or(Refusal::Amount)?;
        Ok((principal, rewards))
    }

    /// Pays the rewards out.
    pub(crate) fn claim(&mut self, now: Millis) -> Result<Amount, Refusal> {
        self.must(Action::ClaimRewards, now)?;
        self.count(now);
        if !self.rewards.is_positive() {
            return Err(Refusal::NoRewards);
        }
        Ok(std::mem::take(&mut self.rewards))
    }

    /// Stakes more in it.
    pub(crate) fn add(&mut self, amount: &Amount, now: Millis) -> Result<(), Refusal> {
        self.must(Action::AddToStake, now)?;
        self.count(now);
        self.grow(amount)
    }

    fn grow(&mut self, amount: &Amount) -> Result<(), Refusal> {
        let sum = self.principal.checked_add(amount).ok_or(Refusal::Amount)?;
        if self
            .chain()?
            .most(self.compounding)
            .is_some_and(|most| sum > most)
        {
            return Err(Refusal::Amount);
        }
        self.principal = sum;
        Ok(())
    }

    /// A part of it becomes a position of its own, which is given its id and places by `made`.
    pub(crate) fn split(
        &mut self,
        amount: &Amount,
        now: Millis,
        made: impl FnOnce(Self) -> Self,
    ) -> Result<Self, Refusal> {
        self.must(Action::Split, now)?;
        self.count(now);
        let least = self.chain()?.least();
        let left = self.principal.checked_sub(amount).ok_or(Refusal::Amount)?;
        if *amount < least || left < least {
            return Err(Refusal::Amount);
        }
        self.principal = left;
        Ok(made(Self {
            principal: amount.clone(),
            rewards: Amount::zero(),
            created: now,
            related: Vec::new(),
            ..self.clone()
        }))
    }

    /// Another becomes a part of it: merged (Solana) or consolidated (Ethereum).
    pub(crate) fn absorb(
        &mut self,
        other: &mut Self,
        how: Action,
        now: Millis,
    ) -> Result<(), Refusal> {
        self.must(how, now)?;
        other.must(how, now)?;
        let place = |one: &Self| (one.chain.clone(), one.provider.clone(), one.account);
        let together = place(self) == place(other) && self.status(now) == other.status(now);
        if !together || self.id == other.id {
            return Err(Refusal::Apart);
        }
        self.count(now);
        other.count(now);
        self.grow(&other.principal)?;
        let rewards = self.rewards.checked_add(&other.rewards);
        self.rewards = rewards.ok_or(Refusal::Amount)?;
        (other.principal, other.rewards) = (Amount::zero(), Amount::zero());
        other.life = match how {
            Action::Merge => Life::Merged,
            _ => Life::Consolidated,
        };
        Ok(())
    }
}

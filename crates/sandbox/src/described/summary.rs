//! How much of everything is in a plan, for people and scripts.

use std::fmt;

use serde::Serialize;

use super::plan::Plan;

/// How much of everything is in a workspace that was described.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// What it is called.
    pub name: String,
    /// Of which network.
    pub network: &'static str,
    /// People in the Console.
    pub people: usize,
    /// Programs.
    pub api_users: usize,
    /// Groups of both.
    pub groups: usize,
    /// Rules of the policy.
    pub rules: usize,
    /// Vault accounts.
    pub accounts: u64,
    /// Wallets of theirs; where chance decides, at most.
    pub wallets: u64,
    /// Entries of whitelists.
    pub whitelisted: u64,
    /// Transactions of its history, at most.
    pub transactions: u64,
}

impl Plan {
    /// How much of everything is in it.
    pub fn summary(&self) -> Summary {
        let api_users = self.people.iter().filter(|member| member.key_pem.is_some());
        let api_users = api_users.count();
        let each = |block: &super::Accounts| u64::from(block.names.count());
        let wallets = |block: &super::Accounts| {
            each(block) * u64::try_from(block.wallets.len()).unwrap_or(u64::MAX)
        };
        let funded = self.accounts.iter().filter(|block| block.funded.is_some());
        let history = self.history.as_ref();
        Summary {
            name: self.name.clone(),
            network: self.network.name(),
            people: self.people.len() - api_users,
            api_users,
            groups: self.groups.len(),
            rules: self.policy.len(),
            accounts: self.accounts.iter().map(each).sum(),
            wallets: self.accounts.iter().map(wallets).sum(),
            whitelisted: self
                .whitelists
                .iter()
                .map(|block| u64::from(block.names.count()))
                .sum(),
            transactions: history.map_or(0, |history| {
                u64::from(history.transactions) + funded.map(wallets).sum::<u64>()
            }),
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} ({}): {} people, {} API users, {} groups, {} rules, {} accounts, {} wallets, {} whitelisted, {} transactions",
            self.name,
            self.network,
            self.people,
            self.api_users,
            self.groups,
            self.rules,
            self.accounts,
            self.wallets,
            self.whitelisted,
            self.transactions
        )
    }
}

//! What a reader would see: how much of each list, and its first rows. For who grants a scope; made of
//! nothing but what [`crate::view`] gives, so it shows what a provider's reads would.

use std::collections::BTreeMap;

use bytes::BytesMut;
use protocol::ids::{AssetId, VaultAccountId};
use protocol::model::vault::{VaultAsset, VaultWalletAddress};
use protocol::model::whitelist::WhitelistKind;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{Query, StoreError};

use crate::books::{Books, LedgerError};
use crate::change::FactKind;
use crate::docs::{Json, parse};
use crate::model;
use crate::rows::{self, Filter, Order};
use crate::scope::Scope;
use crate::view::{view_account, view_address, view_of_wallet, view_transaction, view_whitelisted};

/// Rows of each list that are shown.
const FIRST: usize = 3;
/// Transactions read at once.
const PAGE: i64 = 1_000;

/// A list as its reader would see it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct List {
    /// How many rows it has.
    pub rows: u64,
    /// The first of them, as they would be answered.
    pub first: Vec<Value>,
}

/// What a reader would see.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preview {
    /// Vault accounts.
    pub accounts: List,
    /// Wallets.
    pub wallets: List,
    /// Totals by asset.
    pub totals: List,
    /// Deposit addresses.
    pub addresses: List,
    /// Internal wallets.
    pub internal_wallets: List,
    /// External wallets.
    pub external_wallets: List,
    /// Contracts.
    pub contracts: List,
    /// Transactions, the newest first.
    pub transactions: List,
}

impl List {
    fn take_printed(&mut self, row: &impl Json) {
        self.rows += 1;
        if self.first.len() < FIRST {
            let mut json = BytesMut::with_capacity(row.room());
            row.put(&mut json);
            self.first.extend(serde_json::from_slice::<Value>(&json));
        }
    }

    fn take(&mut self, row: &impl Serialize) {
        self.rows += 1;
        if self.first.len() < FIRST {
            self.first.extend(serde_json::to_value(row));
        }
    }
}

impl Books {
    /// What a scope's reader would see. Costs every row of the books, whatever the scope: a scope that
    /// is only thought of has no rows of its own.
    pub async fn preview(&self, scope: &Scope) -> Result<Preview, LedgerError> {
        let mut preview = self.of_memory(scope);
        let scope = scope.clone();
        let read = self.store().read(move |reading| of_tables(reading, &scope));
        (preview.addresses, preview.transactions) = read.await?;
        Ok(preview)
    }

    fn of_memory(&self, scope: &Scope) -> Preview {
        let mut preview = Preview::default();
        let mut totals: BTreeMap<AssetId, VaultAsset> = BTreeMap::new();
        let model = self.model();
        for (id, account) in model.accounts.iter().rev() {
            if let Some(seen) = view_account(*id, account, scope) {
                preview.accounts.take_printed(seen.get());
            }
            for wallet in account.wallets() {
                let asset = &wallet.balance.id;
                if let Some(seen) = view_of_wallet(*id, asset, &wallet.balance, scope) {
                    preview.wallets.take(&(id, seen.get()));
                    let total = totals
                        .entry(asset.clone())
                        .or_insert_with(|| VaultAsset::empty(asset.clone()));
                    model::add(total, seen.get(), |sum, part| sum.checked_add(part));
                }
            }
        }
        totals.values().for_each(|total| preview.totals.take(total));
        for ((kind, _), entry) in &model.whitelists {
            let list = match kind {
                WhitelistKind::Internal => &mut preview.internal_wallets,
                WhitelistKind::External => &mut preview.external_wallets,
                WhitelistKind::Contract => &mut preview.contracts,
            };
            let seen = entry.value.as_ref();
            if let Some(seen) = seen.and_then(|wallet| view_whitelisted(wallet, scope)) {
                list.take(seen.get());
            }
        }
        preview
    }
}

fn of_tables(query: &mut impl Query, scope: &Scope) -> Result<(List, List), StoreError> {
    let mut addresses = List::default();
    for fact in rows::facts(query, scope.workspace(), FactKind::Address)? {
        let account = fact.account.and_then(|number| u32::try_from(number).ok());
        let (Some(account), Some(doc)) = (account, fact.doc.as_deref()) else {
            continue;
        };
        let address: VaultWalletAddress = parse("address", doc)?;
        let account = VaultAccountId::new(account);
        if let Some(seen) = view_address(account, address, scope) {
            addresses.take(seen.get());
        }
    }
    let mut transactions = List::default();
    let (whole, mut past) = (Scope::whole(scope.workspace()), None);
    loop {
        let order = Order {
            by_update: false,
            ascending: false,
            past,
            limit: PAGE,
        };
        let page = rows::page(query, &whole, &Filter::default(), &order)?;
        for row in &page {
            if let Some(seen) = view_transaction(&row.transaction()?, &row.origin, scope) {
                transactions.take(seen.get());
            }
        }
        match page.last() {
            Some(last) => past = Some(last.key),
            None => return Ok((addresses, transactions)),
        }
    }
}

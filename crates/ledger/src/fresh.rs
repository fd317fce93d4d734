//! Books of a workspace that nobody has opened yet: filled without looking for what is known.

use std::collections::HashMap;

use protocol::ids::WorkspaceId;
use protocol::time::Millis;
use store::{StoreError, Writing};

use crate::change::{Change, FactKey, FactKind, Version};
use crate::digest::{self, Cell, Digest};
use crate::docs::to_doc;
use crate::rows::{self, StoredTransaction};

/// Writes changes down, each of a thing of its own: one that is there already is a fault, as is a
/// scope. What a [`crate::Books`] that is open has read does not follow.
///
/// # Errors
/// Those of the database; a thing that is there twice is one.
pub fn fill(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    recorded_at: Millis,
    changes: &[(Version, Change)],
) -> Result<(), StoreError> {
    let mut cells: HashMap<Cell, Digest> = HashMap::new();
    let mut count = |(cell, digest): (Cell, Digest)| {
        let sum = cells.entry(cell).or_default();
        *sum = sum.plus(&digest);
    };
    for (version, change) in changes {
        let (key, doc) = match change {
            Change::Transaction(transaction, origin) => {
                digest::of_transaction(transaction)
                    .into_iter()
                    .for_each(&mut count);
                let row = StoredTransaction {
                    transaction: (**transaction).clone(),
                    origin: origin.clone(),
                    version: *version,
                };
                rows::insert_transaction(writing, workspace, &row, recorded_at)?;
                continue;
            }
            Change::Account(facts) => (FactKey::of_account(facts), to_doc(facts)?),
            Change::Wallet(account, facts) => {
                count(digest::of_balance(*account, &facts.balance));
                (FactKey::wallet(*account, &facts.balance.id), to_doc(facts)?)
            }
            Change::Address(account, address) => {
                count(digest::of_address(*account, address));
                (FactKey::address(*account, address), to_doc(address)?)
            }
            Change::Whitelist(kind, wallet) => (
                FactKey::plain(FactKind::of(*kind), wallet.id),
                to_doc(wallet)?,
            ),
            // What was never there cannot go.
            Change::WhitelistRemoved(..) => continue,
            Change::Asset(supported, asset) => (
                FactKey::plain(FactKind::Asset, &supported.id),
                to_doc(&(supported, asset))?,
            ),
            Change::Blockchain(chain) => (
                FactKey::plain(FactKind::Blockchain, chain.id),
                to_doc(chain)?,
            ),
            Change::User(user) => (FactKey::user(user.id), to_doc(user)?),
        };
        rows::insert_fact(writing, workspace, &key, *version, recorded_at, &doc)?;
    }
    rows::count_from_now(writing, workspace)?;
    for (cell, digest) in &cells {
        if !rows::add_cell(writing, workspace, cell, digest)? {
            rows::change_cell(writing, workspace, cell, None, Some(digest))?;
        }
    }
    Ok(())
}

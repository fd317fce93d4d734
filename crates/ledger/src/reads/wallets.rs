//! Every wallet of every account in one list: from memory, without SQL.

use std::ops::Bound;

use protocol::error::ApiError;
use protocol::exchange::Reply;
use protocol::ids::{AssetId, VaultAccountId};
use protocol::model::vault::{AssetWallet, PaginatedAssetWalletResponse};

use super::cursor::Walk;
use super::{Ask, descending, limit, threshold};
use crate::change::WalletFacts;
use crate::model::{Account, Wanted};
use crate::view::view_of_wallet;

/// A wallet's place in the list.
type Place = (u32, String);

/// `GET /vault/asset_wallets`. By account, then asset; downwards unless `orderBy=ASC`.
pub(super) fn list(ask: Ask<'_>) -> Result<Reply, ApiError> {
    let limit = limit(&ask, "limit", 200, 1, 1_000)?;
    let asset: Option<AssetId> = ask
        .query
        .read("assetId", |error| ApiError::invalid("assetId", error))?;
    let more_than = threshold(&ask, "totalAmountLargerThan")?;
    let descending = descending(&ask)?;
    let walk: Walk<'_, Place> = Walk::of(&ask)?;
    let (from, upwards) = (walk.from.as_ref(), descending == walk.back);
    let takes = |wallet: &WalletFacts| {
        let balance = &wallet.balance;
        asset.as_ref().is_none_or(|asset| balance.id == *asset)
            && more_than
                .as_ref()
                .is_none_or(|amount| balance.total > *amount)
    };
    let beyond = |id: VaultAccountId, wallet: &WalletFacts| {
        let place = (id.number(), wallet.balance.id.as_str());
        from.is_none_or(|(account, asset)| {
            let from = (*account, asset.as_str());
            if upwards { place > from } else { place < from }
        })
    };
    let of_account = |(id, account): (VaultAccountId, &Account)| {
        let mut wallets: Vec<_> = account
            .wallets()
            .filter(|wallet| account.facts().is_some() && takes(wallet) && beyond(id, wallet))
            .filter_map(|wallet| {
                let seen = view_of_wallet(id, &wallet.balance.id, wallet, ask.scope)?;
                Some(row(id, seen.get()))
            })
            .collect();
        if !upwards {
            wallets.reverse();
        }
        wallets
    };
    let first = from.map(|(id, _)| VaultAccountId::new(*id));
    let bounds = match (first, upwards) {
        (None, _) => (Bound::Unbounded, Bound::Unbounded),
        (Some(id), true) => (Bound::Included(id), Bound::Unbounded),
        (Some(id), false) => (Bound::Unbounded, Bound::Included(id)),
    };
    let model = ask.books.model();
    let wanted = Wanted {
        asset: asset.as_ref(),
        more_than: more_than.as_ref(),
        ..Wanted::default()
    };
    let accounts = super::accounts_in(&model, ask.scope, &wanted, bounds);
    let read: Vec<AssetWallet> = if upwards {
        accounts.flat_map(of_account).take(limit + 1).collect()
    } else {
        accounts
            .rev()
            .flat_map(of_account)
            .take(limit + 1)
            .collect()
    };
    let place = |row: &AssetWallet| (row.vault_id.number(), row.asset_id.to_string());
    let (asset_wallets, paging) = walk.cut(read, limit, place);
    let answer = PaginatedAssetWalletResponse {
        asset_wallets,
        paging,
    };
    let rows = answer.asset_wallets.len();
    Ok(Reply::json(200, &answer).of_rows(rows))
}

fn row(id: VaultAccountId, wallet: &WalletFacts) -> AssetWallet {
    let balance = wallet.balance.clone();
    AssetWallet {
        vault_id: id,
        asset_id: balance.id,
        available: balance.available,
        total: balance.total,
        pending: balance.pending,
        staked: balance.staked,
        frozen: balance.frozen,
        locked_amount: balance.locked_amount,
        block_height: balance.block_height,
        block_hash: balance.block_hash,
        creation_timestamp: wallet.created_at.to_string(),
    }
}

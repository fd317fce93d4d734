//! Assets that the workspace registered itself: who knows of them.

use std::collections::BTreeSet;

use proptest::prelude::*;
use protocol::exchange::Reply;
use protocol::ids::VaultAccountId;
use protocol::time::Millis;

use super::outside::Judge;
use super::world::{ASSETS, REGISTERED, WORKSPACE, listed_asset, wallet_of};
use crate::change::{Change, Version};
use crate::model::Model;
use crate::scope::{AssetFilter, PartScope, Scope};
use crate::view::VISITED;

/// What the workspace registered itself is known where the scope names it, or where it is of all assets
/// and has a wallet; to look for it costs the same, whatever else was registered.
#[tokio::test]
async fn invariant_7_a_registered_asset_is_listed_where_it_is_named_or_held_alone() {
    let of = |account: u32, assets: &AssetFilter| {
        let part = PartScope {
            accounts: BTreeSet::from([VaultAccountId::new(account)]),
            assets: assets.clone(),
            ..PartScope::default()
        };
        Scope::part(WORKSPACE, part)
    };
    let only = |asset: &str| AssetFilter::Only([asset.parse().expect("an asset")].into());
    let all = AssetFilter::All;
    let [ours, hidden] = REGISTERED;
    let mut judge = Judge::new(true).await;
    for (scope, known) in [
        (Scope::whole(WORKSPACE), vec![hidden, ours]),
        (of(7, &all), vec![hidden]),
        (of(1, &all), vec![]),
        (of(7, &only("ETH")), vec![]),
        (of(1, &only(hidden)), vec![hidden]),
    ] {
        judge.scope = scope;
        let list = |body: &serde_json::Value, id: &str| -> Vec<String> {
            let all = body.as_array().expect("a list").iter();
            all.map(|one| one[id].as_str().expect("an id").to_owned())
                .collect()
        };
        let (older, _) = judge.asked("getSupportedAssets", &[], "").await;
        let (newer, _) = judge.asked("listAssets", &[], "").await;
        let read = |reply: &Reply| -> serde_json::Value {
            serde_json::from_slice(&reply.body).expect("JSON")
        };
        let mut wanted: Vec<_> = ASSETS.into_iter().chain(known.iter().copied()).collect();
        wanted.sort_unstable();
        assert_eq!(list(&read(&older), "id"), wanted);
        assert_eq!(list(&read(&newer)["data"], "legacyId"), wanted);
        assert_eq!(older.rows, Some(wanted.len()));
        let mut costs = BTreeSet::new();
        for id in REGISTERED.into_iter().chain(["NOSUCH"]) {
            let (reply, visited) = judge.asked("getAsset", &[("id", id.to_owned())], "").await;
            let is_known = known.contains(&id);
            assert_eq!(reply.status == 200, is_known, "{id}");
            if !is_known {
                costs.insert(visited);
            }
            let id = id.parse().expect("an asset");
            assert_eq!(judge.books.has_asset(&judge.scope, &id), is_known);
        }
        assert_eq!(costs.len(), 1, "{costs:?}");
    }
}

/// Who holds what, by going through every wallet.
fn held_by_wallets(model: &Model, account: VaultAccountId) -> Vec<String> {
    let known = model.accounts.get(&account).into_iter();
    let wallets = known.flat_map(|account| account.wallets());
    let own = wallets.filter(|wallet| model.own_assets.contains_key(&wallet.balance.id));
    own.map(|wallet| wallet.balance.id.to_string()).collect()
}

fn change() -> impl Strategy<Value = Change> {
    let of = |(_, change): (Version, Change)| change;
    let asset = (0..2_usize, 0..2_usize)
        .prop_map(move |(id, whose)| of(listed_asset(REGISTERED[id], ["Global", "Local"][whose])));
    let wallet = (0..4_u32, 0..3_usize).prop_map(move |(account, id)| {
        of(wallet_of(
            account,
            [REGISTERED[0], REGISTERED[1], ASSETS[0]][id],
        ))
    });
    prop_oneof![asset, wallet]
}

proptest! {
    /// Whatever comes first, and whosever an asset turns out to be.
    #[test]
    fn what_each_account_holds_of_its_workspaces_own_is_known(
        changes in proptest::collection::vec((0..9_i64, change()), 0..40),
    ) {
        let (mut told, mut loaded) = (Model::default(), Model::default());
        for (time, change) in &changes {
            let version = Version::at(Millis(*time));
            told.apply(version, change);
            loaded.take(version, change);
        }
        loaded.settle_all();
        for model in [&told, &loaded] {
            for account in (0..4).map(VaultAccountId::new) {
                let held = model.own_held(account).iter().map(ToString::to_string);
                prop_assert_eq!(held.collect::<Vec<_>>(), held_by_wallets(model, account));
            }
        }
    }
}

/// A large part asks once of each of its accounts, however many wallets they have.
#[test]
fn a_part_looks_for_its_own_assets_without_going_through_wallets() {
    const ACCOUNTS: u32 = 100;
    let mut model = Model::default();
    for asset in ASSETS {
        for account in 0..ACCOUNTS {
            let (version, change) = wallet_of(account, asset);
            model.take(version, &change);
        }
        let (version, change) = listed_asset(asset, "Global");
        model.take(version, &change);
    }
    let (version, change) = listed_asset(REGISTERED[0], "Local");
    model.take(version, &change);
    model.settle_all();
    let part = PartScope {
        accounts: (0..ACCOUNTS).map(VaultAccountId::new).collect(),
        ..PartScope::default()
    };
    let held = part
        .accounts
        .iter()
        .map(|id| held_by_wallets(&model, *id).len());
    assert_eq!(held.sum::<usize>(), 0);
    let scope = Scope::part(WORKSPACE, part);
    let id = REGISTERED[1].parse().expect("an asset");
    VISITED.set(0);
    assert!(!crate::reads::has_asset(&model, &scope, &id));
    let visited = u32::try_from(VISITED.get()).expect("small");
    assert!((1..=ACCOUNTS + 1).contains(&visited), "{visited}");
}

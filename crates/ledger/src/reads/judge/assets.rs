//! Assets that the workspace registered itself: who knows of them.

use std::collections::BTreeSet;

use protocol::exchange::Reply;
use protocol::ids::VaultAccountId;

use super::outside::Judge;
use super::world::{ASSETS, REGISTERED, WORKSPACE};
use crate::scope::{AssetFilter, PartScope, Scope};

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

//! What is granted where it is not what was asked for.

use ledger::{AccountFacts, AssetFilter, Change, PartScope, Version};
use protocol::ids::{AssetId, VaultAccountId};
use protocol::time::Millis;

use super::*;
use crate::testing::{NOW, accounts};

fn assets(ids: &[&str]) -> AssetFilter {
    let id = |id: &&str| id.parse::<AssetId>().expect("an asset");
    AssetFilter::Only(ids.iter().map(id).collect())
}

/// Accounts 1 and 2, BTC and ETH.
fn wide() -> String {
    let mut file = handover(&KEY);
    file.scope.assets = Some(
        ["BTC", "ETH"]
            .map(|id| id.parse().expect("an asset"))
            .into(),
    );
    file.to_json()
}

fn wide_part() -> PartScope {
    PartScope {
        assets: assets(&["BTC", "ETH"]),
        ..accounts([1, 2])
    }
}

async fn granted(grant: ScopeGrant) -> PartScope {
    let world = World::new().await;
    ask(&world, "acme", wide()).await.expect("kept");
    let grant = Grant {
        scope: Some(grant),
        ..crate::testing::grant()
    };
    let approved = approve(&world.gate, &world.operator, "acme", grant).await;
    let approved = approved.expect("approved");
    let door = world.gate.directory.load();
    let active = &door.named("acme").expect("it is there").connection;
    assert_eq!(
        approved.connection.connection, *active,
        "what is told is what holds"
    );
    active.part.clone()
}

#[tokio::test]
async fn invariant_2_an_approval_narrows_what_it_names_alone() {
    assert_eq!(granted(ScopeGrant::default()).await, wide_part());
    let btc = ScopeGrant {
        assets: Some(assets(&["BTC"])),
        ..ScopeGrant::default()
    };
    let narrow = PartScope {
        assets: assets(&["BTC"]),
        ..wide_part()
    };
    assert_eq!(granted(btc).await, narrow);
    let one = ScopeGrant {
        accounts: Some(accounts([1]).accounts),
        ..ScopeGrant::default()
    };
    let narrow = PartScope {
        accounts: accounts([1]).accounts,
        ..wide_part()
    };
    assert_eq!(granted(one).await, narrow, "not every asset");
}

#[tokio::test]
async fn invariant_2_a_request_is_kept_as_the_client_narrows_it() {
    let world = World::new().await;
    let mut file = handover(&KEY);
    file.role = ProviderRole::Editor;
    let request = Request {
        role: Some(ProviderRole::Viewer),
        scope: Some(ScopeGrant {
            accounts: Some(accounts([1]).accounts),
            assets: Some(assets(&["BTC"])),
            ..ScopeGrant::default()
        }),
        ..named("acme", HandedIn::text(&file.to_json()))
    };
    let kept = request_of(&world, request).await.expect("kept");
    let narrow = PartScope {
        assets: assets(&["BTC"]),
        ..accounts([1])
    };
    assert_eq!((kept.role, kept.part), (ProviderRole::Viewer, narrow));
}

/// A slip of the pen would be empty books.
#[tokio::test]
async fn a_scope_that_the_workspace_does_not_have_is_not_approved() {
    let world = World::new().await;
    let account = |number| AccountFacts {
        id: VaultAccountId::new(number),
        name: format!("Account {number}"),
        hidden_on_ui: false,
        customer_ref_id: None,
        auto_fuel: false,
        tags: Vec::new(),
    };
    let version = Version {
        time: Millis(1),
        rank: 0,
    };
    let books = [1, 2].map(|number| (version, Change::Account(account(number))));
    let applied = world.gate.books.apply(NOW, books.into()).await;
    assert_eq!(applied.expect("applied"), 2);
    ask(&world, "acme", csr_of(&KEY)).await.expect("kept");
    for subject in crate::ages::Subject::ALL {
        let walked = world.gate.walked(subject, NOW).await;
        walked.expect("written down");
    }
    let slip = ScopeGrant {
        accounts: Some(accounts([1, 12]).accounts),
        assets: Some(assets(&["BTTC"])),
        whitelists: Some([protocol::ids::WalletId(Uuid::from_u128(5))].into()),
        ..ScopeGrant::default()
    };
    let grant = Grant {
        scope: Some(slip),
        ..crate::testing::grant()
    };
    let error = approve(&world.gate, &world.operator, "acme", grant).await;
    let error = error.expect_err("refused");
    assert_eq!(error.status(), 400);
    for word in [
        "vault account 12",
        "asset BTTC",
        "whitelisted wallet 00000000-",
    ] {
        assert!(error.message().contains(word), "{error} without {word}");
    }
    let fine = approve(
        &world.gate,
        &world.operator,
        "acme",
        crate::testing::grant(),
    )
    .await;
    assert!(fine.expect("approved").todo.is_empty());
}

use std::collections::BTreeSet;

use ledger::change::WalletFacts;
use ledger::{AccountFacts, Change, Version};
use protocol::ids::VaultAccountId;
use protocol::model::vault::VaultAsset;
use protocol::time::Millis;
use uuid::Uuid;

use super::*;
use crate::ages::Subject;
use crate::connections::Followed;
use crate::proposals::tests::{decision, proposal};
use crate::testing::{NOW, WORKSPACE, World, accounts, connection, write};

const EDITOR: UserId = UserId(Uuid::from_u128(5));

/// Two accounts with ether, and a connection that may move it; what it may see follows a tag.
async fn world() -> World {
    let world = World::new().await;
    let facts = [1, 2].map(VaultAccountId::new).into_iter().flat_map(|id| {
        let account = AccountFacts {
            id,
            name: format!("Account {id}"),
            hidden_on_ui: false,
            customer_ref_id: None,
            auto_fuel: false,
            tags: Vec::new(),
        };
        let wallet = WalletFacts {
            balance: VaultAsset::empty("ETH".parse().expect("an asset")),
            created_at: NOW,
        };
        [Change::Account(account), Change::Wallet(id, wallet)]
    });
    let facts = facts.map(|fact| (Version::at(NOW), fact)).collect();
    world.gate.books.apply(NOW, facts).await.expect("applied");
    let mut acme = connection("acme", ProviderRole::Editor, accounts([1, 2]));
    acme.place = Place::Fireblocks;
    acme.followed = Some(Followed {
        tags: ["audited".to_owned()].into(),
        fixed: BTreeSet::new(),
    });
    write(&world.gate.store, move |writing| {
        rows::connections::put_connection(writing, WORKSPACE, &acme)?;
        rows::connections::set(writing, WORKSPACE, "editor", &EDITOR.to_string())
    })
    .await;
    walked(&world, &Subject::ALL, NOW.plus(-2 * Millis::DAY)).await;
    world
}

async fn walked(world: &World, subjects: &[Subject], at: Millis) {
    for subject in subjects {
        world.gate.walked(*subject, at).await.expect("written");
    }
}

async fn due(world: &World, state: State) -> TxId {
    let due = proposal(Place::Fireblocks, state);
    let id = due.id;
    write(&world.gate.store, move |writing| {
        rows::proposals::add(writing, WORKSPACE, &due)
    })
    .await;
    id
}

/// By lists that are too old nothing is judged: what was approved waits for newer ones.
#[tokio::test]
async fn invariant_7_what_was_approved_waits_while_the_lists_are_too_old() {
    let world = world().await;
    let id = due(&world, State::Approved).await;
    for (walk, too_old) in [
        (Subject::Wallets, "accounts"),
        (Subject::Accounts, "whitelists"),
    ] {
        walked(&world, &[walk], NOW).await;
        let waits = begin(&world.gate, id, Some(EDITOR)).await;
        let why = waits.expect_err("it waits");
        assert!(why.contains(too_old), "{why}");
    }
    walked(&world, &[Subject::Whitelists], NOW).await;
    let goes = begin(&world.gate, id, Some(EDITOR)).await.expect("judged");
    assert_eq!(goes.state, State::Sending);
}

/// The same of what is on its way and not there yet; who takes it back waits for no list.
#[tokio::test]
async fn invariant_7_what_is_sent_again_waits_while_the_lists_are_too_old() {
    let world = world().await;
    let id = due(&world, State::Sending).await;
    let again = || again(&world.gate, id, Some(EDITOR));
    assert!(again().await.is_err(), "it waits");
    walked(&world, &ages::PROPOSED, NOW).await;
    assert!(matches!(again().await, Ok(Leave::Goes(_))));
    walked(&world, &ages::PROPOSED, NOW.plus(-2 * Millis::DAY)).await;
    write(&world.gate.store, move |writing| {
        let mut taken = rows::proposals::one(writing, WORKSPACE, id)?.expect("it");
        let no = Happening::Rejected(decision("owner"), Reason::kept("not this week"));
        taken = taken.on(no, NOW).expect("taken back");
        rows::proposals::update(writing, WORKSPACE, &taken)
    })
    .await;
    assert!(matches!(again().await, Ok(Leave::TakenBack(_))));
}

//! Approved, and narrowed before it left: what a connection may not propose any more does not go up. Told, and
//! narrowed before it was heard: what it may not hear any more does not come.

use serde_json::{Value, json};

use crate::provider::{Wanted, editor, transfer, viewer};
use crate::strays::{resume, stopped, thief};
use crate::world::{World, until};

/// A whitelisted wallet that takes ether.
async fn wallet(world: &World) -> String {
    let listed = world.admin.get("/v1/external_wallets").await.fine();
    let takes = |wallet: &&Value| {
        let mut assets = wallet["assets"].as_array().expect("assets").iter();
        assets.any(|asset| asset["id"] == "ETH")
    };
    let wallet = listed.as_array().expect("wallets").iter().find(takes);
    wallet.expect("one")["id"]
        .as_str()
        .expect("an id")
        .to_owned()
}

async fn narrow(world: &World, connection: &str, what: &Value) {
    let mut wanted = what.clone();
    wanted["reason"] = json!("less");
    let path = format!("/connections/{connection}/change");
    let done = world.desk("POST", &path, &wanted).await.fine();
    assert_eq!(done["direction"], "narrows", "{done}");
}

async fn why(world: &World, id: &str) -> String {
    let seen = world.look(&format!("/proposals/{id}")).await;
    seen["why"].as_str().unwrap_or_default().to_owned()
}

/// Dispatch is stopped, whatever stopped it: what was approved meanwhile is looked at anew.
#[tokio::test]
async fn invariant_1_what_was_narrowed_after_the_approval_does_not_go_up() {
    let mut world = World::new().await;
    let to_wallet = wallet(&world).await;
    let mut names = Vec::new();
    for name in ["account", "wallet", "asset", "place", "same"] {
        let mut wanted = Wanted {
            place: if name == "place" {
                "fireblocks"
            } else {
                "gate"
            },
            ..editor(&[1, 2])
        };
        let id = to_wallet.parse().expect("an id");
        wanted.scope.whitelists.insert(id);
        names.push(world.enrol(name, wanted).await);
    }
    world.sandbox.waits_to_be_told(true).await;
    let taken = thief(&world)
        .post("/v1/transactions", &transfer(1, 2, "3"))
        .await
        .fine();
    let status = stopped(&world).await;
    assert_eq!(status["stopped"]["upstream"], taken["id"]);
    let sent = world.line.sent();

    let mut ids = Vec::new();
    for provider in &names {
        let mut body = transfer(1, 2, "0.1");
        if provider.name == "wallet" {
            body["destination"] = json!({"type": "EXTERNAL_WALLET", "id": to_wallet});
        }
        let id = provider.propose(&body).await;
        if provider.name != "place" {
            world.decide(&id, true).await.fine();
        }
        assert_eq!(world.state(&id).await, "APPROVED", "{}", provider.name);
        ids.push(id);
    }
    let some = world.look("/connections/asset").await["part"]["assets"].clone();
    assert_eq!(some, "all");
    for (connection, what) in [
        ("account", json!({"scope": {"accounts": ["1"]}})),
        ("wallet", json!({"scope": {"whitelists": []}})),
        ("asset", json!({"scope": {"assets": {"only": ["BTC"]}}})),
        ("place", json!({"place": "gate"})),
    ] {
        narrow(&world, connection, &what).await;
    }
    assert_eq!(resume(&world).await["state"], "MADE");
    let [account, wallet, asset, place, same] = ids.as_slice() else {
        panic!("five");
    };
    until("what is as it was is sent", || async {
        world.state(same).await == "SENT"
    })
    .await;
    for (id, told) in [
        (account, "The vault account does not exist"),
        (wallet, "out of the connection's scope"),
        (asset, "out of the connection's scope"),
        (place, "nobody has approved this"),
    ] {
        until("it has failed", || async {
            world.state(id).await == "FAILED"
        })
        .await;
        let why = why(&world, id).await;
        assert!(why.contains(told), "{why}");
        assert!(world.upstream_of(id).await.is_empty());
    }
    assert_eq!(world.line.sent(), sent + 1, "one of five");
}

/// It has left once and did not arrive: before it is sent again it is looked at again.
#[tokio::test]
async fn invariant_1_what_is_narrowed_on_its_way_is_not_sent_again() {
    let mut world = World::new().await;
    let trader = world.enrol("trader", editor(&[1, 2])).await;
    let id = trader.propose(&transfer(1, 2, "1")).await;
    world.intercepted(&id, 404).await;
    narrow(&world, "trader", &json!({"scope": {"accounts": ["1"]}})).await;
    until("it has failed", || async {
        world.state(&id).await == "FAILED"
    })
    .await;
    world.quiet().await;
    assert_eq!(
        (world.line.sent(), world.upstream_of(&id).await.len()),
        (0, 0)
    );
}

/// A receiver that was away comes back to the scope of now, and to no gap.
#[tokio::test]
async fn invariant_7_what_waits_when_a_scope_is_narrowed_is_withdrawn() {
    let mut world = World::new().await;
    let one = world.enrol("one", viewer(&[1, 2], None)).await;
    one.hooks.is_away(true);
    let paid = world.sandbox.pay_in(2, "BTC", "0.25").await;
    until("it is told, and not heard", || async {
        one.hooks.missed() > 0 && one.status(&paid).await == "COMPLETED"
    })
    .await;
    narrow(&world, "one", &json!({"scope": {"accounts": ["1"]}})).await;
    one.hooks.is_away(false);
    let seen = world.sandbox.pay_in(1, "ETH", "2.5").await;
    until(
        "what it may hear has come, and all that is counted",
        || async {
            let me = one.caller.get("/vestibule/v1/me").await.fine();
            let ended = one.hooks.about(&seen);
            ended.iter().any(|data| data["status"] == "COMPLETED")
                && me["position"] == json!(one.hooks.heard().len())
        },
    )
    .await;
    let me = one.caller.get("/vestibule/v1/me").await.fine();
    let mut heard = one.hooks.heard();
    heard.sort_by_key(|heard| heard.position);
    let positions: Vec<_> = heard.iter().map(|heard| heard.position).collect();
    let count = i64::try_from(heard.len()).expect("few");
    assert_eq!(positions, (1..=count).collect::<Vec<_>>(), "without a gap");
    for heard in &heard {
        assert!(heard.is_signed(&one.handback));
        let text = String::from_utf8_lossy(&heard.body);
        for hidden in [paid.as_str(), "BTC", "0.25"] {
            assert!(!text.contains(hidden), "{text}");
        }
    }
    let withdrawn = &heard[0].event;
    assert_eq!(withdrawn["eventType"], "vestibule.event.withdrawn");
    assert_eq!(withdrawn["data"], json!({"scope": me["scope"]["id"]}));
}

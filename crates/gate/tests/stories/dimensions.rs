//! Every dimension of a scope, over the wire: lists, single objects, reports, digests, events.

use ledger::digest::Digest;
use serde_json::{Value, json};

use crate::provider::{Provider, editor, viewer};
use crate::reads::text;
use crate::world::{World, until};

const ALL: &str = "/v1/transactions?after=0&limit=500";

async fn report(world: &World, of: &Provider, kind: &str) -> (String, Value) {
    let wanted = json!({"connection": of.name, "kind": kind});
    let made = world.desk("POST", "/reports", &wanted).await.fine();
    let path = format!("/vestibule/v1/reports/{}", text(&made["id"]));
    let file = of.caller.get(&path).await;
    let manifest = of.caller.get(&format!("{path}/manifest")).await.fine();
    (String::from_utf8_lossy(&file.body).into_owned(), manifest)
}

/// A digest of the cells of one kind of rows.
fn of_cells(told: &Value, kinds: &[&str]) -> Digest {
    let cells = told["cells"].as_array().expect("cells").iter();
    let of_kind = cells.filter(|cell| kinds.contains(&text(&cell["kind"])));
    of_kind
        .map(|cell| serde_json::from_value(cell.clone()).expect("a digest"))
        .fold(Digest::default(), |sum, cell: Digest| sum.plus(&cell))
}

#[tokio::test]
async fn invariant_7_each_dimension_holds_in_lists_objects_reports_digests_and_events() {
    let mut world = World::new().await;
    let whole = world.enrol("whole", viewer(&[1, 2], None)).await;
    let grant = json!({"scope": {
        "directions": {"incoming": false, "outgoing": true, "internal": true},
        "shown": {"usd": false, "notes": true, "users": true},
    }});
    let narrow = world
        .granting("narrow", viewer(&[1, 2], None), &grant)
        .await;
    let everything = whole.caller.transactions().await;
    let seen = narrow.caller.transactions().await;
    let incoming = |one: &&Value| {
        let from = &one["source"];
        !(from["type"] == "VAULT_ACCOUNT" && (from["id"] == "1" || from["id"] == "2"))
    };
    let hidden: Vec<_> = everything.iter().filter(incoming).collect();
    assert!(!hidden.is_empty() && !seen.is_empty());
    assert_eq!(seen.len() + hidden.len(), everything.len());
    assert!(!seen.iter().any(|one| incoming(&one)));
    assert!(seen.iter().all(|one| one["amountUSD"].is_null()));
    assert!(everything.iter().any(|one| !one["amountUSD"].is_null()));
    assert!(
        seen.iter().any(|one| one["createdBy"] != ""),
        "users are shown"
    );
    for one in hidden.iter().take(5) {
        let path = format!("/v1/transactions/{}", text(&one["id"]));
        let nobody = "/v1/transactions/00000000-0000-4000-8000-000000000000";
        let (hidden, absent) = (
            narrow.caller.get(&path).await.lasting(),
            narrow.caller.get(nobody).await.lasting(),
        );
        assert_eq!(hidden.status, 404);
        assert_eq!(hidden, absent);
    }
    // The report tells of the same, and is proven by the same digest.
    let (file, manifest) = report(&world, &narrow, "transactions").await;
    for one in &hidden {
        assert!(!file.contains(text(&one["id"])));
    }
    assert!(file.contains(text(&seen[0]["id"])));
    let digest = narrow.caller.get("/vestibule/v1/digest").await.fine();
    let told = serde_json::from_value::<Digest>(manifest_of(&manifest)["digest"].clone());
    assert_eq!(told.expect("a digest"), of_cells(&digest, &["in", "out"]));
    let of_whole = whole.caller.get("/vestibule/v1/digest").await.fine();
    assert_ne!(digest["digest"], of_whole["digest"]);
    assert_ne!(digest["scope"], of_whole["scope"], "another scope");
    assert_eq!(
        of_cells(&digest, &["balance", "address"]),
        of_cells(&of_whole, &["balance", "address"])
    );
    // What comes in is told to who may see it alone; the balance that follows is told to both.
    let paid = world.sandbox.pay_in(1, "ETH", "2.5").await;
    until("it is told to whom it may be", || async {
        let heard = whole.hooks.about(&paid);
        heard.iter().any(|data| data["status"] == "COMPLETED")
    })
    .await;
    until("the balance is told", || async {
        let heard = narrow.hooks.heard();
        heard
            .iter()
            .any(|one| one.event["data"]["assetId"] == "ETH")
    })
    .await;
    assert!(narrow.hooks.about(&paid).is_empty());
    let found = narrow.caller.get(ALL).await.fine();
    let found = found.as_array().expect("a list");
    assert!(found.iter().all(|one| one["id"] != *paid));
}

/// The manifest within its envelope.
fn manifest_of(signed: &Value) -> Value {
    match &signed["manifest"] {
        Value::String(text) => serde_json::from_str(text).expect("JSON"),
        other => other.clone(),
    }
}

#[tokio::test]
async fn an_editor_that_could_not_see_what_it_proposes_is_not_approved() {
    let mut world = World::new().await;
    let narrow = editor(&[1, 2]);
    world.enrol("trader", editor(&[1])).await;
    let asked = world.requested("blind", narrow).await;
    for ways in [json!({"outgoing": false}), json!({"internal": false})] {
        let grant = json!({"scope": {"directions": ways}, "reason": "as agreed"});
        let refused = world.desk("POST", &asked, &grant).await;
        assert_eq!(refused.status, 409, "{ways}");
    }
    for (grant, said) in [
        (
            json!({"scope": {"history_from": 5}}),
            "first moment of a month",
        ),
        (
            json!({"scope": {"assets_by": {"blockchains": ["NOPE"]}}}),
            "NOPE",
        ),
        (
            json!({"scope": {"accounts_by": {"tags": ["NOPE"]}}}),
            "NOPE",
        ),
        (json!({"scope": {"colour": "red"}}), "colour"),
    ] {
        let mut grant: Value = grant;
        grant["reason"] = json!("as agreed");
        let refused = world.desk("POST", &asked, &grant).await;
        assert_eq!(refused.status, 400, "{grant}");
        assert!(
            refused.json()["message"].to_string().contains(said),
            "{grant}"
        );
    }
}

#[tokio::test]
async fn what_is_previewed_is_what_is_seen() {
    let mut world = World::new().await;
    let asked = world.requested("acme", viewer(&[1], None)).await;
    let scope = json!({
        "accounts_by": {"names": ["Client*"]},
        "assets_by": {"no_nfts": true, "no_spam": true},
        "directions": {"outgoing": false},
    });
    let path = "/connections/acme/preview";
    let shown = world
        .desk("POST", path, &json!({"scope": scope}))
        .await
        .fine();
    let (before, after) = (&shown["before"]["sees"], &shown["after"]["sees"]);
    assert_eq!(before["accounts"]["rows"], 1);
    assert!(after["accounts"]["rows"].as_u64() > Some(5), "{after}");
    assert_ne!(shown["before"]["scope"], shown["after"]["scope"]);
    // Looking has granted nothing.
    assert_eq!(world.look("/connections/acme").await["state"], "REQUESTED");
    let bare = world.desk("POST", path, &json!({})).await.fine();
    assert_eq!(&bare["before"]["sees"], before);
    assert!(bare["after"].is_null());
    let acme = world.let_in("acme", &asked, &json!({"scope": scope})).await;
    let rows = |list: &str| after[list]["rows"].as_u64().expect("a number");
    let count = |list: &[Value]| u64::try_from(list.len()).expect("few");
    let caller = &acme.caller;
    let accounts = caller.pages("/v1/vault/accounts_paged", "accounts").await;
    assert_eq!(count(&accounts), rows("accounts"));
    assert_eq!(accounts[0], after["accounts"]["first"][0]);
    let wallets = caller
        .pages("/v1/vault/asset_wallets", "assetWallets")
        .await;
    assert_eq!(count(&wallets), rows("wallets"));
    let totals = caller.get("/v1/vault/assets").await.fine();
    assert_eq!(count(totals.as_array().expect("totals")), rows("totals"));
    let transactions = caller.transactions().await;
    assert_eq!(count(&transactions), rows("transactions"));
    let newest = transactions.last().expect("some");
    assert_eq!(*newest, after["transactions"]["first"][0]);
    let missing = world
        .desk("POST", "/connections/nobody/preview", &json!({}))
        .await;
    assert_eq!(missing.status, 404);
}

/// A scope by a protected tag follows the accounts that bear it, both ways.
#[tokio::test]
async fn a_scope_by_a_protected_tag_follows_its_accounts() {
    let mut world = World::new().await;
    let tag = json!({"label": "audited", "isProtected": true});
    let made = world.admin.post("/v1/tags", &tag).await.fine();
    let id = text(&made["id"]).to_owned();
    let attach = async |world: &World, account: &str, how: &str| {
        let body = json!({"vaultAccountIds": [account], (how): [id]});
        let path = "/v1/vault/accounts/attached_tags";
        world.admin.post(path, &body).await.fine();
        until("the quorum has decided", || async {
            let path = format!("/v1/vault/accounts/{account}");
            let one = world.admin.get(&path).await.fine();
            let tags = one["tags"].as_array().expect("tags").clone();
            tags.iter().any(|tag| tag["id"] == *id) == (how == "tagIdsToAttach")
        })
        .await;
        world.desk("POST", "/refresh", &json!({})).await;
    };
    attach(&world, "1", "tagIdsToAttach").await;
    let asked = world.requested("auditor", viewer(&[2], None)).await;
    let grant =
        json!({"scope": {"accounts": ["2"], "accounts_by": {"tags": ["audited"], "follow": true}}});
    until("the tag is in the gate's books", || async {
        let seen = world
            .desk("POST", "/connections/auditor/preview", &grant)
            .await;
        seen.status == 200
    })
    .await;
    let auditor = world.let_in("auditor", &asked, &grant).await;
    let sees = async || {
        let all = auditor
            .caller
            .pages("/v1/vault/accounts_paged", "accounts")
            .await;
        let mut ids: Vec<_> = all.iter().map(|one| text(&one["id"]).to_owned()).collect();
        ids.sort();
        ids
    };
    assert_eq!(sees().await, ["1", "2"]);
    attach(&world, "3", "tagIdsToAttach").await;
    until("the new account is seen", || async {
        sees().await == ["1", "2", "3"]
    })
    .await;
    let transactions = auditor.caller.transactions().await;
    let of_new = |one: &Value| one["source"]["id"] == "3" || one["destination"]["id"] == "3";
    assert!(transactions.iter().any(of_new), "with its history");
    attach(&world, "1", "tagIdsToDetach").await;
    until("the account is outside again", || async {
        sees().await == ["2", "3"]
    })
    .await;
    assert_eq!(
        auditor.caller.get("/v1/vault/accounts/1").await.verdict(),
        (404, Some(1004))
    );
    let log = world.look("/log").await;
    assert!(log.to_string().contains("connection_followed"), "{log}");
}

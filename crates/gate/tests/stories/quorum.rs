//! What lets more through takes as many signatures as the owner said; what narrows takes one operator.

use protocol::keys::{KeySize, PrivateKey};
use protocol::time::Millis;
use serde_json::{Value, json};
use wire::clock::{SystemClock, WallClock};

use crate::caller::Caller;
use crate::desk::{Desk, comes_in, csr, why};
use crate::world::until;

pub fn days(days: i64) -> i64 {
    let Millis(now) = SystemClock.now();
    now + days * gate::connections::DAY
}

pub async fn kinds(desk: &Desk) -> Vec<String> {
    let log = desk.look("/log").await;
    let entries = log.as_array().expect("entries").iter().rev();
    entries
        .map(|entry| entry["kind"].as_str().expect("a kind").to_owned())
        .collect()
}

#[tokio::test]
async fn invariant_2_a_door_opens_when_the_quorum_has_signed() {
    let desk = Desk::new().await;
    let other = desk.add_operator("other", "OWNER").await;
    let aud = desk.add_operator("aud", "AUDITOR").await;
    let oli = desk.add_operator("oli", "OPERATOR").await;
    desk.quorum(2).await;
    let acme = desk.request("acme", json!({})).await;
    let approved = desk.act(&desk.owner, "acme", "approve", json!({})).await;
    let approved = approved.fine();
    assert_eq!(approved["connection"]["standing"], "APPROVED");
    let change = &approved["connection"]["change"];
    let id = change["id"].as_str().expect("an id");
    assert_eq!(
        (&change["counts"], &change["needed"]),
        (&json!(1), &json!(2))
    );
    assert_eq!(comes_in(&acme).await, 401, "one is not enough");
    assert_eq!(
        desk.decide(&desk.owner, id, true).await.status,
        409,
        "twice"
    );
    for who in [&aud, &oli] {
        assert_eq!(desk.decide(who, id, true).await.status, 403);
    }
    let digest = "00".repeat(32);
    let wrong = desk.decide_over(&other, id, true, &digest).await;
    assert_eq!(wrong.status, 409, "over something else");
    assert_eq!(comes_in(&acme).await, 401);
    let made = desk.decide(&other, id, true).await.fine();
    assert_eq!(made["state"], "MADE");
    assert_eq!(comes_in(&acme).await, 200);
    assert_eq!(desk.decide(&other, id, true).await.status, 409, "made once");
    let tail: Vec<_> = kinds(&desk).await.into_iter().rev().take(5).collect();
    let expected = [
        "change_made",
        "connection_activated",
        "change_signed",
        "change_asked",
        "connection_approved",
    ];
    assert_eq!(tail, expected);
}

#[tokio::test]
async fn invariant_2_a_signature_is_the_operators_own() {
    let desk = Desk::new().await;
    let other = desk.add_operator("other", "OWNER").await;
    desk.quorum(2).await;
    desk.request("acme", json!({})).await;
    let approved = desk.act(&desk.owner, "acme", "approve", json!({})).await;
    let change = approved.fine()["connection"]["change"].clone();
    let (id, digest) = (change["id"].as_str(), change["digest"].as_str());
    let (id, digest) = (id.expect("an id"), digest.expect("a digest"));
    let mut forged = other.clone();
    forged.key = desk.owner.key.clone();
    let text = gate::changes::signed_text(true, id.parse().expect("an id"), digest);
    let signature = forged.key.sign_rs256(text.as_bytes()).expect("signed");
    let signature = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, signature);
    let body = json!({"digest": digest, "signature": signature});
    let path = format!("/changes/{id}/approve");
    let refused = desk.ask(&other, "POST", &path, &body).await;
    assert_eq!(refused.status, 400, "another's signature in her own call");
    assert_eq!(
        desk.look(&format!("/changes/{id}")).await["state"],
        "WAITING"
    );
}

#[tokio::test]
async fn invariant_2_what_narrows_is_one_operators_and_holds_from_the_next_request_on() {
    let desk = Desk::new().await;
    desk.add_operator("other", "OWNER").await;
    let ann = desk.add_operator("ann", "ADMIN").await;
    let oli = desk.add_operator("oli", "OPERATOR").await;
    let acme = desk.enrol("acme").await;
    let bolt = desk.enrol("bolt").await;
    desk.quorum(2).await;
    let narrow = json!({"scope": {"accounts": ["1"]}, "reason": "less"});
    let done = desk.act(&ann, "acme", "change", narrow).await.fine();
    assert_eq!(done["direction"], "narrows");
    assert_eq!(done["part"]["accounts"], json!(["1"]));
    let me = acme.get("/vestibule/v1/me").await.fine();
    assert_eq!(me["scope"]["part"]["accounts"], json!(["1"]));
    desk.act(&oli, "acme", "suspend", why("odd calls"))
        .await
        .fine();
    assert_eq!(comes_in(&acme).await, 401);
    assert_eq!(desk.act(&oli, "acme", "revoke", why("x")).await.status, 403);
    let without = desk.act(&oli, "bolt", "suspend", json!({})).await;
    assert_eq!(without.status, 400, "a reason is missing");
    // Opening it again is a widening.
    let resumed = desk.act(&ann, "acme", "resume", why("explained")).await;
    let resumed = resumed.fine();
    assert_eq!(resumed["standing"], "SUSPENDED");
    assert_eq!(comes_in(&acme).await, 401);
    let id = resumed["change"]["id"].as_str().expect("an id");
    desk.decide(&desk.owner, id, true).await.fine();
    assert_eq!(comes_in(&acme).await, 200);
    let gone = json!({"addresses": ["192.0.2.1"], "addresses_reason": null, "reason": "moved"});
    let moved = desk.act(&ann, "acme", "change", gone).await.fine();
    assert_eq!(moved["direction"], "widens", "another address, if one less");
    assert_eq!(comes_in(&acme).await, 200, "as it was until it is signed");
    desk.act(&ann, "acme", "revoke", why("over")).await.fine();
    assert_eq!(comes_in(&acme).await, 401);
    // The widening that waited is of no use any more.
    let id = moved["change"]["id"].as_str().expect("an id");
    assert_eq!(desk.decide(&desk.owner, id, true).await.status, 409);
    // Its end by the clock, set by one; that it is near is told.
    let ends = |desk: Value| {
        let checks = desk["checks"].as_array().expect("checks").clone();
        let found = checks
            .into_iter()
            .find(|one| one["what"] == "no connection ends within 14 days");
        found.expect("a check")["ok"].clone()
    };
    assert_eq!(ends(desk.look("/status").await), true);
    let near = json!({"until": days(13), "reason": "the contract ends"});
    desk.act(&ann, "bolt", "change", near).await.fine();
    assert_eq!(ends(desk.look("/status").await), false);
    let soon = json!({"until": days(0) + 1_500, "reason": "the contract ends"});
    desk.act(&ann, "bolt", "change", soon).await.fine();
    assert_eq!(comes_in(&bolt).await, 200);
    until("it has ended", || async { comes_in(&bolt).await == 401 }).await;
    assert_eq!(desk.look("/connections/bolt").await["standing"], "EXPIRED");
    let later = json!({"until": days(30), "reason": "a new contract"});
    let later = desk.act(&ann, "bolt", "change", later).await.fine();
    assert_eq!(later["direction"], "widens");
    assert_eq!(comes_in(&bolt).await, 401);
    let id = later["change"]["id"].as_str().expect("an id");
    desk.decide(&desk.owner, id, true).await.fine();
    assert_eq!(comes_in(&bolt).await, 200);
}

#[tokio::test]
async fn invariant_2_every_widening_waits_for_the_quorum() {
    let desk = Desk::new().await;
    let other = desk.add_operator("other", "OWNER").await;
    let acme = desk.enrol("acme").await;
    desk.quorum(2).await;
    let before = desk.look("/connections/acme").await;
    let widenings = [
        json!({"scope": {"accounts": ["1", "2", "3"]}}),
        json!({"scope": {"accounts": ["3"]}}),
        json!({"scope": {"whitelists": ["00000000-0000-0000-0000-000000000003"]}}),
        json!({"scope": {"exchange_accounts": ["kraken"]}}),
        json!({"scope": {"fiat_accounts": ["bank"]}}),
        json!({"scope": {"shown": {"notes": true}}}),
        json!({"scope": {"shown": {"users": true}}}),
        json!({"scope": {"forward": true}}),
        json!({"forward": true}),
        json!({"budgets": {"requests_per_day": 1_000_001}}),
        json!({"followed": {"tags": ["a tag"], "fixed": []}}),
        json!({"addresses": ["127.0.0.1", "192.0.2.1"]}),
        json!({"addresses": ["127.0.0.0/30"]}),
        json!({"role": "EDITOR"}),
        json!({"place": "fireblocks"}),
        json!({"until": days(91)}),
        json!({"mode": "watched"}),
        json!({"until": days(91), "scope": {"accounts": ["1"]}}),
    ];
    for mut wanted in widenings {
        wanted["reason"] = "more".into();
        let asked = desk
            .act(&desk.owner, "acme", "change", wanted.clone())
            .await;
        let asked = asked.fine();
        assert_eq!(asked["direction"], "widens", "{wanted}");
        assert_eq!(desk.look("/connections/acme").await, before, "{wanted}");
        let id = asked["change"]["id"].as_str().expect("an id");
        desk.decide(&other, id, false).await.fine();
        assert_eq!(desk.decide(&other, id, true).await.status, 409, "rejected");
    }
    assert_eq!(desk.look("/connections/acme").await, before);
    assert_eq!(comes_in(&acme).await, 200);
    for slip in [
        json!({"addresses": ["0.0.0.0/0"], "reason": "all"}),
        json!({"until": days(400), "reason": "long"}),
        json!({"scope": {"accounts": []}, "reason": "none"}),
        json!({"reason": "nothing"}),
        json!({"place": "fireblocks"}),
    ] {
        let refused = desk.act(&desk.owner, "acme", "change", slip.clone()).await;
        assert_eq!(refused.status, 400, "{slip}");
    }
}

#[tokio::test]
async fn invariant_2_a_key_comes_in_by_the_quorum_and_goes_at_one_word() {
    let desk = Desk::new().await;
    let other = desk.add_operator("other", "OWNER").await;
    let ann = desk.add_operator("ann", "ADMIN").await;
    let acme = desk.enrol("acme").await;
    desk.quorum(2).await;
    let key = PrivateKey::generate(KeySize::Rsa2048).expect("a key");
    let new = Caller::new(&acme.origin, acme.user, key.clone());
    let keys = "/connections/acme/keys";
    let body = json!({"csr": csr(&key), "overlap_seconds": 0, "reason": "a new machine"});
    let asked = desk.ask(&ann, "POST", keys, &body).await.fine();
    let id = asked["change"]["id"].as_str().expect("it waits").to_owned();
    assert_eq!((comes_in(&acme).await, comes_in(&new).await), (200, 401));
    assert_eq!(desk.decide(&ann, &id, true).await.status, 409, "twice");
    desk.decide(&other, &id, true).await.fine();
    assert_eq!((comes_in(&acme).await, comes_in(&new).await), (401, 200));
    // It goes at one word, and is not back at one.
    let print = key.public().fingerprint();
    let expire = format!("{keys}/{print}/expire");
    let Millis(now) = SystemClock.now();
    let gone = json!({"expires_at": now, "reason": "seen"});
    let gone = desk.ask(&ann, "POST", &expire, &gone).await.fine();
    assert_eq!(gone["change"], Value::Null);
    assert_eq!(comes_in(&new).await, 401);
    let back = json!({"expires_at": null, "reason": "not seen"});
    let back = desk.ask(&ann, "POST", &expire, &back).await.fine();
    let id = back["change"]["id"].as_str().expect("it waits");
    assert_eq!(comes_in(&new).await, 401);
    desk.decide(&desk.owner, id, true).await.fine();
    assert_eq!(comes_in(&new).await, 200);
    // What was asked for is of no use once the key is another.
    let ask = |key: &PrivateKey| json!({"csr": csr(key), "overlap_seconds": 0, "reason": "a new machine"});
    let two = [(); 2].map(|()| PrivateKey::generate(KeySize::Rsa2048).expect("a key"));
    let mut ids = Vec::new();
    for key in &two {
        let asked = desk.ask(&ann, "POST", keys, &ask(key)).await.fine();
        ids.push(asked["change"]["id"].as_str().expect("it waits").to_owned());
    }
    desk.decide(&other, &ids[0], true).await.fine();
    assert_eq!(desk.decide(&other, &ids[1], true).await.status, 409);
}

#[tokio::test]
async fn invariant_2_a_store_that_was_put_back_is_released_by_the_quorum() {
    let mut desk = Desk::new().await;
    let other = desk.add_operator("other", "OWNER").await;
    let acme = desk.enrol("acme").await;
    desk.quorum(2).await;
    let folder = desk.gate.folder.clone();
    let copy = folder.path().with_file_name("copy.db");
    let body = json!({ "file": copy });
    let made = desk.ask(&desk.owner, "POST", "/backups", &body).await;
    made.fine();
    desk.gate.stop().await;
    let note = std::fs::read_to_string(folder.checkpoint()).expect("a checkpoint");
    let size = note
        .lines()
        .nth(1)
        .and_then(|size| size.parse::<u64>().ok());
    let size = size.expect("how many entries");
    let back = gate::restore::restore(&folder, &desk.gate.config, &copy, &SystemClock).await;
    let lost = size - back.expect("put back").entries;
    desk.gate.start().await;
    assert_eq!(comes_in(&acme).await, 401);
    let word = json!({"checkpoint": note, "accept_lost": lost, "reason": "the disk failed"});
    let asked = desk
        .ask(&desk.owner, "POST", "/release", &word)
        .await
        .fine();
    let id = asked["change"]["id"].as_str().expect("it waits");
    assert_eq!(comes_in(&acme).await, 401, "one is not enough");
    desk.decide(&other, id, true).await.fine();
    assert_eq!(comes_in(&acme).await, 200);
    let again = desk.ask(&desk.owner, "POST", "/release", &word).await;
    assert_eq!(again.status, 409);
}

#[tokio::test]
async fn invariant_2_operators_and_the_quorum_are_changed_by_the_quorum() {
    let desk = Desk::new().await;
    let alone = json!({"needed": 2, "reason": "four eyes"});
    let refused = desk.ask(&desk.owner, "PUT", "/quorum", &alone).await;
    assert_eq!(refused.status, 409, "one owner is no two");
    let other = desk.add_operator("other", "OWNER").await;
    let ann = desk.add_operator("ann", "ADMIN").await;
    desk.quorum(2).await;
    let key = PrivateKey::generate(KeySize::Rsa2048).expect("a key");
    let asks = [
        ("PUT", "/quorum", json!({"needed": 1, "reason": "faster"})),
        (
            "POST",
            "/operators",
            json!({"name": "eve", "role": "OWNER", "csr": csr(&key), "reason": "joins"}),
        ),
        (
            "POST",
            "/operators/ann/role",
            json!({"role": "OWNER", "reason": "more"}),
        ),
        ("POST", "/operators/ann/remove", why("left")),
    ];
    for (method, path, body) in asks {
        let asked = desk.ask(&desk.owner, method, path, &body).await.fine();
        assert_eq!(asked["state"], "WAITING", "{path}");
        let id = asked["id"].as_str().expect("an id");
        assert_eq!(desk.decide(&ann, id, true).await.status, 403, "{path}");
        desk.decide(&other, id, false).await.fine();
    }
    assert_eq!(desk.look("/quorum").await["needed"], 2);
    let removed = desk
        .ask(&desk.owner, "POST", "/operators/other/remove", &why("left"))
        .await;
    assert_eq!(
        removed.status, 409,
        "the quorum could not be reached any more"
    );
    // A signature counts only while its operator may.
    let asked = desk
        .ask(
            &desk.owner,
            "POST",
            "/operators/ann/role",
            &json!({"role": "OWNER", "reason": "third"}),
        )
        .await
        .fine();
    let id = asked["id"].as_str().expect("an id");
    desk.decide(&other, id, true).await.fine();
    let acme = desk.request("acme", json!({})).await;
    let approved = desk.act(&other, "acme", "approve", json!({})).await.fine();
    let waits = approved["connection"]["change"]["id"]
        .as_str()
        .expect("an id");
    let leave = desk
        .ask(&desk.owner, "POST", "/operators/other/remove", &why("left"))
        .await
        .fine();
    let leave = leave["id"].as_str().expect("an id");
    desk.decide(&ann, leave, true).await.fine();
    let signed = desk.decide(&ann, waits, true).await.fine();
    assert_eq!(
        (&signed["state"], &signed["counts"]),
        (&json!("WAITING"), &json!(1))
    );
    assert_eq!(comes_in(&acme).await, 401);
    desk.decide(&desk.owner, waits, true).await.fine();
    assert_eq!(comes_in(&acme).await, 200);
}

#[tokio::test]
async fn invariant_5_two_operators_at_once_make_a_change_once() {
    let mut desk = Desk::new().await;
    let all = [
        desk.add_operator("a", "OWNER").await,
        desk.add_operator("b", "OWNER").await,
        desk.add_operator("c", "OWNER").await,
    ];
    let acme = desk.enrol("acme").await;
    desk.quorum(2).await;
    for turn in 0..4_i64 {
        let wanted = json!({"until": days(91 + turn), "reason": "longer"});
        let asked = desk.act(&desk.owner, "acme", "change", wanted).await.fine();
        let id = asked["change"]["id"].as_str().expect("an id");
        let [a, b, c] = &all;
        let answers = tokio::join!(
            desk.decide(a, id, true),
            desk.decide(b, id, true),
            desk.decide(c, id, false)
        );
        let statuses = [answers.0.status, answers.1.status, answers.2.status];
        let won = statuses.iter().filter(|status| **status == 200).count();
        assert_eq!(won, 1, "{statuses:?}");
        let state = desk.look(&format!("/changes/{id}")).await["state"].clone();
        let rejected = answers.2.status == 200;
        assert_eq!(state, if rejected { "REJECTED" } else { "MADE" });
    }
    let made = desk.look("/changes").await;
    let made = made.as_array().expect("changes").iter();
    let made = made.filter(|one| one["change"]["kind"] == "terms" && one["state"] == "MADE");
    let kinds = kinds(&desk).await;
    let changed = kinds.iter().filter(|kind| *kind == "connection_changed");
    assert_eq!(made.count(), changed.count(), "each made once");
    // What waits, and who the operators are, survives the process.
    let wanted = json!({"role": "EDITOR", "reason": "trades"});
    let asked: Value = desk.act(&desk.owner, "acme", "change", wanted).await.fine();
    desk.gate.stop().await;
    desk.gate.start().await;
    let id = asked["change"]["id"].as_str().expect("an id");
    desk.decide(&all[0], id, true).await.fine();
    assert_eq!(desk.look("/connections/acme").await["role"], "EDITOR");
    assert_eq!(comes_in(&acme).await, 200);
}

#[tokio::test]
async fn modes_let_in_what_they_say() {
    let desk = Desk::new().await;
    let fed = desk.request("fed", json!({"mode": "fed"})).await;
    let watched = desk.request("watched", json!({"mode": "watched"})).await;
    desk.act(&desk.owner, "fed", "approve", json!({}))
        .await
        .fine();
    let told = desk.act(&desk.owner, "watched", "approve", json!({})).await;
    let told = told.fine();
    assert!(told["todo"][0].to_string().contains("VIEWER"), "{told}");
    assert_eq!(told["handback"], Value::Null, "nothing here is its to call");
    assert_eq!(comes_in(&fed).await, 200);
    let reports = fed.get("/vestibule/v1/reports").await;
    assert_eq!(reports.status, 200);
    let read = fed.get("/v1/vault/accounts_paged").await;
    assert_eq!(read.status, 403);
    assert_eq!(comes_in(&watched).await, 401);
    let trader = json!({"mode": "fed", "role": "EDITOR"});
    desk.request("trader", trader).await;
    let refused = desk.act(&desk.owner, "trader", "approve", json!({})).await;
    assert_eq!(refused.status, 409);
}

#[tokio::test]
async fn a_review_tells_who_came_last_and_keeps_who_confirmed_what() {
    let desk = Desk::new().await;
    let oli = desk.add_operator("oli", "OPERATOR").await;
    let acme = desk.enrol("acme").await;
    desk.request("bolt", json!({})).await;
    until("the visit is written down", || async {
        !desk.look("/review").await[0]["seen_at"].is_null()
    })
    .await;
    let all = desk.look("/review").await;
    assert_eq!(
        (&all[0]["name"], &all[0]["unused"]),
        (&json!("acme"), &json!(false))
    );
    assert_eq!(
        (&all[1]["name"], &all[1]["seen_at"]),
        (&json!("bolt"), &Value::Null)
    );
    let seen = json!({"terms": all[0]["terms"]});
    let narrow = json!({"scope": {"accounts": ["1"]}, "reason": "less"});
    desk.act(&desk.owner, "acme", "change", narrow).await.fine();
    let stale = desk.act(&oli, "acme", "confirm", seen).await;
    assert_eq!(stale.status, 409, "not what she saw");
    let now = json!({"terms": desk.look("/review").await[0]["terms"]});
    let done = desk.act(&oli, "acme", "confirm", now).await.fine();
    assert_eq!(done["confirmed"][1], "oli");
    assert_eq!(
        kinds(&desk).await.last().map(String::as_str),
        Some("connection_confirmed")
    );
    desk.act(&desk.owner, "acme", "revoke", why("over"))
        .await
        .fine();
    assert_eq!(comes_in(&acme).await, 401);
    let left = desk.look("/review").await;
    assert_eq!(left.as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn who_leaves_gets_a_signed_record_of_what_was_held() {
    let desk = Desk::new().await;
    let acme = desk.enrol("acme").await;
    let early = desk.ask(&desk.owner, "GET", "/connections/acme/record", &Value::Null);
    assert_eq!(early.await.status, 409, "it is not over");
    desk.act(&desk.owner, "acme", "revoke", why("the contract ended"))
        .await
        .fine();
    let told = desk.look("/connections/acme/record").await;
    let record = &told["record"];
    let judged = desk.look("/posture").await;
    assert_eq!(
        judged,
        json!([]),
        "whoever never comes in again breaks nothing"
    );
    assert_eq!(record["api_key"], acme.user.to_string());
    assert_eq!(record["terms"]["part"]["accounts"], json!(["1", "2"]));
    assert_eq!(record["closed"]["reason"], "the contract ended");
    let note = told["note"].as_str().expect("a note");
    let (text, signatures) = note.split_once("\n\n").expect("text and signatures");
    let text = format!("{text}\n");
    assert_eq!(&serde_json::from_str::<Value>(&text).expect("JSON"), record);
    // As anybody with the log's key checks it: key id and signature (C2SP signed-note).
    let signature = signatures.trim().rsplit_once(' ').expect("a signature").1;
    let bytes = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, signature);
    let bytes = bytes.expect("base64");
    let key = desk.gate.folder.log_key().expect("a key").public();
    assert!(key.verifies(text.as_bytes(), &bytes[4..]));
    let other = text.replace("the contract ended", "the contract goes on");
    assert!(!key.verifies(other.as_bytes(), &bytes[4..]));
}

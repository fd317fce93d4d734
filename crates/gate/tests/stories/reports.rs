//! Reports: in scope, signed, equal to the books.

use gate::records::{Wanted, find};
use ledger::digest::Digest;
use ledger::reports::{Expected, read};
use protocol::ed25519::VerifyingKey;
use serde_json::{Value, json};

use crate::provider::{Provider, viewer};
use crate::world::World;

const KINDS: [&str; 3] = ["balances", "addresses", "transactions"];

async fn made(world: &World, provider: &Provider, kind: &str) -> String {
    let wanted = json!({"connection": provider.name, "kind": kind});
    let made = world.desk("POST", "/reports", &wanted).await.fine();
    made["id"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn a_report_is_fetched_believed_and_equal_to_the_books() {
    let mut world = World::new().await;
    let one = world
        .enrol("one", viewer(&[1, 2], Some(&["BTC", "ETH"])))
        .await;
    let other = world.enrol("other", viewer(&[3], None)).await;
    world.quiet().await;
    let before = world.line.asked().len();
    let log_key: VerifyingKey =
        serde_json::from_value(one.handback["log_key"].clone()).expect("a key");
    let me = one.caller.get("/vestibule/v1/me").await.fine();
    let scope = me["scope"]["id"].as_str().expect("a scope").to_owned();
    let expected = Expected {
        key: &log_key,
        workspace: world.gate.config.upstream.workspace_id,
        scope: Some(&scope),
    };
    let (mut digest, mut downloads) = (Digest::default(), Vec::new());
    for kind in KINDS {
        let id = made(&world, &one, kind).await;
        let path = format!("/vestibule/v1/reports/{id}");
        let before = rows_left(&one).await;
        let file = one.caller.get(&path).await;
        let used = before - rows_left(&one).await;
        let manifest = one.caller.get(&format!("{path}/manifest")).await;
        assert_eq!((file.status, manifest.status), (200, 200));
        assert!(
            file.header("content-type")
                .is_some_and(|kind| kind.starts_with("text/csv"))
        );
        let report = read(&file.body, &manifest.body, &expected).expect("believed");
        assert_eq!(report.manifest.kind.as_str(), kind);
        assert_eq!(
            used, report.manifest.rows,
            "{kind}: what is read is counted"
        );
        downloads.push((path.clone(), usize::try_from(used).ok()));
        assert_eq!(json!(report.manifest.position), me["position"]);
        assert!(!report.changes.is_empty(), "{kind}");
        digest = digest.plus(&report.manifest.digest);
        let mut flipped = file.body.clone();
        let middle = flipped.len() / 2;
        flipped[middle] ^= 1;
        assert!(read(&flipped, &manifest.body, &expected).is_err());
        let text = String::from_utf8_lossy(&file.body).into_owned();
        for hidden in ["Treasury", "Market Making", "Custody", "SOL", "USDC"] {
            assert!(!text.contains(hidden), "{kind} tells of {hidden}");
        }
        // Another provider cannot tell it from nothing; not even its listing shows it.
        let nobody = "/vestibule/v1/reports/00000000-0000-4000-8000-000000000000";
        let unknown = other.caller.get(nobody).await.lasting();
        assert_eq!(other.caller.get(&path).await.lasting(), unknown);
        let unknown = other
            .caller
            .get(&format!("{nobody}/manifest"))
            .await
            .lasting();
        assert_eq!(
            other
                .caller
                .get(&format!("{path}/manifest"))
                .await
                .lasting(),
            unknown
        );
    }
    let listed = one.caller.get("/vestibule/v1/reports").await.fine();
    assert_eq!(listed["data"].as_array().expect("a list").len(), 3);
    assert_eq!(
        other.caller.get("/vestibule/v1/reports").await.fine(),
        json!({"data": []})
    );

    // The three together are what the gate says its books of this scope come to.
    let told = one.caller.get("/vestibule/v1/digest").await.fine();
    assert_eq!(json!(digest), told["digest"]);
    assert_eq!(told["position"], me["position"]);
    assert_eq!(told["scope"], json!(scope));
    assert_eq!(
        world.line.asked()[before..],
        [""; 0],
        "reports cost no upstream call"
    );
    world.restart_gate().await;
    let mut recorded = Vec::new();
    let wanted = Wanted {
        connection: Some("one".to_owned()),
        ..Wanted::default()
    };
    let found = find(&world.gate.folder.access(), &wanted, |record| {
        recorded.push((record.target.to_string(), record.rows));
        Ok::<_, std::io::Error>(())
    });
    assert_eq!(found.expect("read").all.uncounted, 0, "{recorded:?}");
    recorded.retain(|(target, _)| downloads.iter().any(|(path, _)| path == target));
    assert_eq!(recorded, downloads, "what was downloaded is told as it was");
    let posture = world.look("/posture").await;
    let of = |name: &str| -> Vec<Value> {
        let all = posture.as_array().expect("connections");
        let one = all
            .iter()
            .find(|one| one["connection"] == name)
            .expect("the connection");
        one["findings"].as_array().expect("findings").clone()
    };
    let verdict = |name: &str, practice: &str| {
        let findings = of(name);
        let found = findings.iter().find(|one| one["practice"] == practice);
        found.expect("a finding")["verdict"].clone()
    };
    assert_eq!(verdict("one", "C5"), "held");
    assert_eq!(verdict("other", "C5"), "broken");
    // One of them has called with its key, and the other just now, too.
    assert_eq!(verdict("one", "C3-used"), "held");
    for finding in of("one").iter().chain(&of("other")) {
        for field in ["subject", "asks", "severity", "evidence", "source", "todo"] {
            assert!(
                finding[field].as_str().is_some_and(|text| !text.is_empty()),
                "{finding}"
            );
        }
    }
}

/// How many rows a provider may still read today.
async fn rows_left(provider: &Provider) -> u64 {
    let me = provider.caller.get("/vestibule/v1/me").await.fine();
    let left = me["budgets"]["rows_per_day"]["left"].as_u64();
    left.expect("a number")
}

/// A report is so many rows: whoever has not so many left does not get it, and has not used one.
#[tokio::test]
async fn a_report_that_is_over_the_rows_of_a_day_is_not_given() {
    let mut world = World::new().await;
    let one = world.enrol("one", viewer(&[1, 2], None)).await;
    let id = made(&world, &one, "addresses").await;
    let few = json!({"scope": {"budgets": {"rows_per_day": 3}}, "reason": "few"});
    world
        .desk("POST", "/connections/one/change", &few)
        .await
        .fine();
    let path = format!("/vestibule/v1/reports/{id}");
    assert_eq!(one.caller.get(&path).await.status, 429);
    let me = one.caller.get("/vestibule/v1/me").await.fine();
    assert_eq!(me["budgets"]["reports_per_day"]["left"], 100);
}

/// A report holds for the scope that it was made in, and is gone with it.
#[tokio::test]
async fn invariant_7_a_report_does_not_outlive_its_scope() {
    let mut world = World::new().await;
    let one = world.enrol("one", viewer(&[1, 2], None)).await;
    world.quiet().await;
    let id = made(&world, &one, "balances").await;
    let path = format!("/vestibule/v1/reports/{id}");
    let manifest = format!("{path}/manifest");
    assert_eq!(one.caller.get(&path).await.status, 200);
    let wanted = json!({"scope": {"accounts": ["1"]}, "reason": "less"});
    let change = "/connections/one/change";
    let done = world.desk("POST", change, &wanted).await.fine();
    assert_eq!(done["direction"], "narrows", "{done}");

    let nobody = "/vestibule/v1/reports/00000000-0000-4000-8000-000000000000";
    let gone = one.caller.get(&path).await;
    assert_eq!(gone.status, 404);
    assert_eq!(gone.lasting(), one.caller.get(nobody).await.lasting());
    let absent = one.caller.get(&format!("{nobody}/manifest")).await;
    assert_eq!(one.caller.get(&manifest).await.lasting(), absent.lasting());
    let listed = one.caller.get("/vestibule/v1/reports").await.fine();
    assert_eq!(listed, json!({"data": []}));
    let posture = world.look("/posture").await;
    let mut findings = posture[0]["findings"].as_array().expect("some").iter();
    let c5 = findings.find(|one| one["practice"] == "C5").expect("C5");
    assert_eq!(c5["verdict"], "broken", "there is none that it can fetch");

    // Another one can be had at once.
    let id = made(&world, &one, "balances").await;
    let path = format!("/vestibule/v1/reports/{id}");
    let file = one.caller.get(&path).await;
    assert_eq!(file.status, 200);
    let me = one.caller.get("/vestibule/v1/me").await.fine();
    let log_key: VerifyingKey =
        serde_json::from_value(one.handback["log_key"].clone()).expect("a key");
    let expected = Expected {
        key: &log_key,
        workspace: world.gate.config.upstream.workspace_id,
        scope: me["scope"]["id"].as_str(),
    };
    let manifest = one.caller.get(&format!("{path}/manifest")).await;
    read(&file.body, &manifest.body, &expected).expect("believed");
    let listed = one.caller.get("/vestibule/v1/reports").await.fine();
    assert_eq!(listed["data"].as_array().expect("a list").len(), 1);
}

#[tokio::test]
async fn a_report_of_what_is_not_there_is_refused() {
    let world = World::new().await;
    for (wanted, status) in [
        (json!({"connection": "nobody", "kind": "balances"}), 404),
        (json!({"connection": "nobody", "kind": "everything"}), 400),
        (json!({"connection": "nobody"}), 400),
        (json!([]), 400),
    ] {
        assert_eq!(
            world.desk("POST", "/reports", &wanted).await.status,
            status,
            "{wanted}"
        );
    }
}

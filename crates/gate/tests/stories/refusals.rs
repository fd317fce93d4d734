//! What is not a plain transfer in scope is refused, by name, and changes nothing.

use protocol::operations::{self, Access};
use serde_json::{Value, json};

use crate::provider::{editor, transfer, viewer};
use crate::world::World;

#[tokio::test]
async fn invariant_1_every_other_writing_operation_is_refused_with_a_reason() {
    let mut world = World::new().await;
    let trader = world.enrol("trader", editor(&[1, 2])).await;
    world.quiet().await;
    let before = world.line.asked().len();
    let mut tried = 0;
    for operation in operations::all() {
        if operation.access == Access::Read || operation.id == "createTransaction" {
            continue;
        }
        let path = operation
            .parameters
            .iter()
            .fold(operation.path.to_owned(), |path, name| {
                path.replace(&format!("{{{name}}}"), "1")
            });
        let method = operation.method.as_str();
        let answer = trader
            .caller
            .send(method, &format!("/v1{path}"), Some(&json!({})), &[])
            .await;
        let told = answer.json()["message"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        match answer.verdict() {
            (401, Some(-8)) => {}
            (403, None) => assert!(
                told.contains(operation.id.as_str()),
                "{}: {told}",
                operation.id
            ),
            other => panic!("{method} {path} ({}): {other:?} {told}", operation.id),
        }
        tried += 1;
    }
    assert!(tried > 200, "{tried}");
    assert_eq!(
        world.line.asked()[before..],
        [""; 0],
        "none of it reaches upstream"
    );
    assert_eq!(world.look("/proposals").await, json!([]));
}

#[tokio::test]
async fn invariant_1_what_is_no_plain_transfer_in_scope_is_refused_by_name() {
    let mut world = World::new().await;
    let trader = world.enrol("trader", editor(&[1, 2])).await;
    let with = |field: &str, value: Value| {
        let mut body = transfer(1, 2, "1");
        body[field] = value;
        body
    };
    let vault = |id: &str| json!({"type": "VAULT_ACCOUNT", "id": id});
    let cases = [
        (with("operation", json!("RAW")), 1401, "RAW"),
        (
            with("operation", json!("CONTRACT_CALL")),
            1401,
            "CONTRACT_CALL",
        ),
        (
            with("operation", json!("TYPED_MESSAGE")),
            1401,
            "TYPED_MESSAGE",
        ),
        (
            with("extraParameters", json!({"contractCallData": "0x"})),
            1409,
            "extraParameters",
        ),
        (with("destinations", json!([])), 1409, "destinations"),
        (with("gasPrice", json!("1")), 1409, "gasPrice"),
        (
            with("replaceTxByHash", json!("0x")),
            1409,
            "replaceTxByHash",
        ),
        (with("whatever", json!(1)), 1409, "whatever"),
        (with("amount", json!("0")), 1432, "amount"),
        (with("amount", json!("-1")), 1432, "amount"),
        (with("amount", json!("1e3")), 1432, "amount"),
        (with("amount", json!("lots")), 1432, "amount"),
        // More places than ether has.
        (with("amount", json!("0.1234567890123456789")), 1432, ""),
        (
            with("source", json!({"type": "EXCHANGE_ACCOUNT", "id": "1"})),
            1427,
            "source",
        ),
        (
            with(
                "destination",
                json!({"type": "ONE_TIME_ADDRESS", "oneTimeAddress": {"address": "0x00"}}),
            ),
            1409,
            "destination.oneTimeAddress",
        ),
        (with("source", vault("9")), 11001, "does not exist"),
        (with("destination", vault("9")), 11001, "does not exist"),
        (with("assetId", json!("NOPE")), 1410, ""),
        (with("note", json!("x".repeat(100_000))), 1409, "note"),
    ];
    for (body, code, word) in cases {
        let answer = trader.caller.post("/v1/transactions", &body).await;
        let told = answer.json()["message"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        assert_eq!(answer.verdict(), (400, Some(code)), "{body:.200}: {told}");
        assert!(told.contains(word), "{told} without {word}");
    }
    // Out of scope is as good as not there, here too.
    for (hidden, absent) in [("9", "99999")] {
        let of = |id| with("source", vault(id));
        let hidden = trader
            .caller
            .post("/v1/transactions", &of(hidden))
            .await
            .lasting();
        let absent = trader
            .caller
            .post("/v1/transactions", &of(absent))
            .await
            .lasting();
        assert_eq!(hidden, absent);
    }
    let wallets = world.admin.get("/v1/external_wallets").await.fine();
    let to = |id: &Value| with("destination", json!({"type": "EXTERNAL_WALLET", "id": id}));
    let hidden = trader
        .caller
        .post("/v1/transactions", &to(&wallets[0]["id"]))
        .await
        .lasting();
    let absent = json!("00000000-0000-4000-8000-000000000000");
    let absent = trader
        .caller
        .post("/v1/transactions", &to(&absent))
        .await
        .lasting();
    assert_eq!(hidden, absent, "a whitelisted wallet that was not granted");
    assert_eq!(
        world.look("/proposals").await,
        json!([]),
        "nothing of it is kept"
    );
    assert_eq!(world.line.sent(), 0);

    let reader = world.enrol("reader", viewer(&[1, 2], None)).await;
    let refused = reader
        .caller
        .post("/v1/transactions", &transfer(1, 2, "1"))
        .await;
    assert_eq!(
        refused.verdict(),
        (401, Some(-8)),
        "a Viewer proposes nothing"
    );
}

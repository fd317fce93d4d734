//! Events of others: of a stranger's workspace, of another webhook, of nobody; rightly signed, most of
//! them, since all workspaces of an environment sign with the same keys. None is in the books, and none
//! is told on.

use protocol::keys::{KeySize, PrivateKey};
use protocol::signature::{JWS_HEADER, LEGACY_HEADER, WebhookKey};
use sandbox::people;
use sandbox::world::Network;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::provider::viewer;
use crate::world::{World, until};

/// What a balance must never be.
const STOLEN: &str = "1000000";

/// An event, as it is posted.
struct Forged {
    name: &'static str,
    body: String,
    headers: Vec<(&'static str, String)>,
    gets: u16,
}

/// A balance of an account that both workspaces have.
fn event(workspace: &Value, webhook: &Value, total: &str) -> Value {
    json!({"id": Uuid::new_v4(), "resourceId": null, "webhookId": webhook, "workspaceId": workspace,
        "eventType": "vault_account.asset.balance_updated", "createdAt": 4_000_000_000_000_i64,
        "data": {"vaultAccountId": "1", "assetId": "ETH", "total": total, "available": total, "pending": "0", "frozen": "0"}})
}

fn signed(body: &str) -> Vec<(&'static str, String)> {
    let [key, _] = people::webhook_keys().expect("keys");
    vec![(JWS_HEADER, key.sign_jws(body.as_bytes()).expect("signed"))]
}

fn forged(webhook: &str) -> Vec<Forged> {
    let ours = json!(people::workspace_id(Network::Mainnet));
    let theirs = json!(people::workspace_id(Network::Testnet));
    let (here, other) = (json!(webhook), json!(Uuid::from_u128(7)));
    let right = event(&ours, &here, STOLEN);
    let of = |workspace: &Value, webhook: &Value| event(workspace, webhook, STOLEN).to_string();
    let with = |field: &str, value: Value| {
        let mut event = right.clone();
        event[field] = value;
        event.to_string()
    };
    let without = |field: &str| {
        let mut event = right.clone();
        event
            .as_object_mut()
            .expect("an object")
            .shift_remove(field);
        event.to_string()
    };
    let (text, strangers) = (right.to_string(), of(&theirs, &here));
    let open = text.trim_end_matches('}').to_owned() + "}";
    let padded = |mark: &str| json!(format!("{}{mark}", ours.as_str().expect("an id")));
    // Rightly signed: another's is refused, and what does not say whose it is is kept aside.
    let rightly = [
        ("a stranger's", strangers.clone(), 403),
        ("a stranger's, of its own webhook", of(&theirs, &other), 403),
        ("ours, of another webhook", of(&ours, &other), 403),
        ("of a workspace that there is not", of(&other, &here), 403),
        ("of a workspace with a NUL", of(&padded("\0"), &here), 403),
        ("of a workspace with a blank", of(&padded(" "), &here), 403),
        (
            "of two workspaces in one text",
            of(&padded(theirs.as_str().expect("an id")), &here),
            403,
        ),
        ("of no workspace", without("workspaceId"), 200),
        (
            "of a workspace that is null",
            with("workspaceId", Value::Null),
            200,
        ),
        (
            "of a workspace that is a number",
            with("workspaceId", json!(0)),
            200,
        ),
        (
            "of a list of workspaces",
            with("workspaceId", json!([theirs, ours])),
            200,
        ),
        ("of no webhook", without("webhookId"), 200),
        (
            "of a webhook that is null",
            with("webhookId", Value::Null),
            200,
        ),
        (
            "a workspace within its data",
            {
                let mut event =
                    serde_json::from_str::<Value>(&without("workspaceId")).expect("JSON");
                event["data"]["workspaceId"] = ours.clone();
                event.to_string()
            },
            200,
        ),
        (
            "two workspaces, ours last",
            strangers.replacen('{', &format!("{{\"workspaceId\":{ours},"), 1),
            200,
        ),
        (
            "two workspaces, ours first",
            open.replacen("}}", &format!("}},\"workspaceId\":{theirs}}}"), 1),
            200,
        ),
        (
            "two workspaces, one escaped",
            text.replacen('{', &format!("{{\"\\u0077orkspaceId\":{theirs},"), 1),
            200,
        ),
        ("a list of two", format!("[{strangers},{text}]"), 200),
        ("two in one", format!("{strangers}{text}"), 200),
        (
            "ours behind a stranger's line",
            format!("{strangers}\n{text}"),
            200,
        ),
        ("data twice", text.replacen('{', "{\"data\":{},", 1), 200),
        (
            "of a type that there is not",
            with("eventType", json!("vault_account.asset.stolen")),
            200,
        ),
        ("without data", without("data"), 200),
        ("no JSON", "x".to_owned(), 200),
        ("nothing", String::new(), 200),
        (
            "larger than any",
            format!("{text}{}", " ".repeat(2 << 20)),
            413,
        ),
    ];
    let mut all: Vec<_> = rightly
        .into_iter()
        .map(|(name, body, gets)| Forged {
            name,
            headers: signed(&body),
            body,
            gets,
        })
        .collect();
    let key = PrivateKey::generate(KeySize::Rsa2048).expect("a key");
    let key = WebhookKey::new("stranger", key);
    let jws = key.sign_jws(text.as_bytes()).expect("signed");
    let (_, signature) = jws.rsplit_once('.').expect("three parts");
    let right_jws = signed(&text)[0].1.clone();
    let (head, _) = right_jws.split_once("..").expect("detached");
    for (name, headers) in [
        ("not signed", vec![]),
        ("signed by a stranger", vec![(JWS_HEADER, jws.clone())]),
        (
            "a stranger's signature under a right head",
            vec![(JWS_HEADER, format!("{head}..{signature}"))],
        ),
        ("the signature of another event", signed(&strangers)),
        (
            "two signatures",
            vec![(JWS_HEADER, right_jws.clone()), (JWS_HEADER, jws)],
        ),
        (
            "a signature with its payload",
            vec![(JWS_HEADER, right_jws.replacen("..", ".e30.", 1))],
        ),
        (
            "a signature that is empty",
            vec![(JWS_HEADER, String::new())],
        ),
        (
            "a right signature in the older header",
            vec![(LEGACY_HEADER, right_jws)],
        ),
        (
            "a made up one in the older header",
            vec![(LEGACY_HEADER, "AAAA".to_owned())],
        ),
    ] {
        all.push(Forged {
            name,
            body: text.clone(),
            headers,
            gets: 401,
        });
    }
    all
}

async fn post(http: &reqwest::Client, url: String, forged: &Forged) -> u16 {
    let mut request = http.post(url).header("content-type", "application/json");
    for (name, value) in &forged.headers {
        request = request.header(*name, value);
    }
    let sent = request.body(forged.body.clone()).send().await;
    sent.expect("an answer").status().as_u16()
}

#[tokio::test]
async fn invariant_9_no_event_of_a_stranger_is_in_the_books() {
    let mut world = World::new().await;
    let reader = world.enrol("reader", viewer(&[1], None)).await;
    let http = reqwest::Client::builder().no_proxy().build();
    let http = http.expect("a client");
    let at = |path: &str| format!("{}{path}", world.gate.origin);
    let total = async || {
        let wallet = reader.caller.get("/v1/vault/accounts/1/ETH").await.fine();
        wallet["total"].as_str().expect("an amount").to_owned()
    };
    let right = async |total_now: &str, after: i64| {
        let ours = json!(people::workspace_id(Network::Mainnet));
        let mut event = event(&ours, &json!(world.webhook), total_now);
        event["createdAt"] = json!(4_000_000_000_000_i64 + after);
        let body = event.to_string();
        let headers = signed(&body);
        let right = Forged {
            name: "a right one",
            body,
            headers,
            gets: 200,
        };
        assert_eq!(post(&http, at("/webhooks/upstream"), &right).await, 200);
        until("it is applied", || async { total().await == total_now }).await;
    };
    right("77", -1).await;
    for forged in forged(&world.webhook) {
        let status = post(&http, at("/webhooks/upstream"), &forged).await;
        assert_eq!(status, forged.gets, "{}", forged.name);
        assert_eq!(total().await, "77", "{}", forged.name);
    }
    // At no other place, either.
    let ours = event(
        &json!(people::workspace_id(Network::Mainnet)),
        &json!(world.webhook),
        STOLEN,
    );
    for path in [
        "/webhooks",
        "/webhooks/",
        "/webhooks/upstream/",
        "/webhooks/other",
        "/webhooks/UPSTREAM",
    ] {
        let body = ours.to_string();
        let headers = signed(&body);
        let stray = Forged {
            name: path,
            body,
            headers,
            gets: 404,
        };
        assert_eq!(post(&http, at(path), &stray).await, 404, "{path}");
    }
    // The last right one comes behind them all: what was kept has been looked at by then.
    right("78", 1).await;
    until("both right ones are told", || async {
        reader.hooks.heard().len() >= 2
    })
    .await;
    assert_eq!(reader.hooks.heard().len(), 2, "and nothing else");
    let me = reader.caller.get("/vestibule/v1/me").await.fine();
    assert_eq!(me["position"], 2);
}

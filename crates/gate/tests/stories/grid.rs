//! Every operation, asked over the wire by nobody, by a stranger, by who was revoked, whose time is over
//! and who comes from another address, by both roles about what is theirs, about another provider's, and
//! about what is in nobody's scope; what is asked upstream, by who was granted that. After a change that
//! is meant: `ACCESS_GRID=write cargo nextest run -p gate -j 1 access_grid`, and read the difference.

use std::collections::BTreeMap;
use std::net::IpAddr;

use futures_util::StreamExt;
use gate::access::{Class, class};
use protocol::ids::UserId;
use protocol::keys::{KeySize, PrivateKey};
use protocol::operations::{self, Operation};
use serde_json::{Value, json};
use uuid::Uuid;
use wire::clock::{SystemClock, WallClock};

use crate::caller::{Answer, Caller};
use crate::provider::{editor, transfer, viewer};
use crate::reads::text;
use crate::world::{World, until};

const GRID: &str = include_str!("../access_grid.txt");
const GRID_FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/access_grid.txt");
/// How many of a line's words are decided, and not asked for here: path, method, id, both verdicts.
const DECIDED: usize = 5;
/// Requests at once.
const AT_ONCE: usize = 8;

/// What stands in a path for each of its parameters.
#[derive(Clone)]
struct Things(BTreeMap<&'static str, String>);

impl Things {
    fn target(&self, operation: &Operation) -> String {
        let mut path = format!("/v1{}", operation.path);
        for name in &operation.parameters {
            // Two operations of one name for their parameter: an asset's, and a chain's.
            let key = match (*name, operation.path.split('/').nth(1)) {
                ("id", Some("blockchains")) => "blockchainId",
                ("id", _) => "assetId",
                // One name for the ids of two lists.
                ("walletId", Some("internal_wallets")) => "internalId",
                (name, _) => name,
            };
            let thing = self.0.get(key).map_or("x", String::as_str);
            path = path.replace(&format!("{{{name}}}"), thing);
        }
        match (operation.id.as_str(), class(operation)) {
            ("estimateNetworkFee", _) => path.push_str("?assetId=ETH"),
            // Coins are of bitcoin's kind alone.
            (_, Some(Class::Filter)) => path = path.replace("/ETH/", "/BTC/"),
            _ => {}
        }
        path
    }
}

async fn list(world: &World, path: &str, at: usize) -> String {
    let all = world.admin.get(path).await.fine();
    let one = all.get(at).or(all.get(0)).unwrap_or(&Value::Null);
    one["id"].as_str().map_or_else(nobody_s, str::to_owned)
}

fn nobody_s() -> String {
    "00000000-0000-4000-8000-000000000000".to_owned()
}

/// A transaction between two accounts that are in nobody's scope.
async fn of_others(world: &World) -> String {
    let ours = ["1", "2", "3"].map(Value::from);
    let within = |one: &Value| {
        let sides = [&one["source"], &one["destination"]];
        sides
            .iter()
            .any(|side| side["type"] == "VAULT_ACCOUNT" && ours.contains(&side["id"]))
    };
    let all = world.admin.transactions().await;
    let one = all.iter().find(|one| !within(one)).expect("one of others");
    text(&one["id"]).to_owned()
}

async fn things(
    world: &World,
    account: &str,
    transaction: &str,
    external: &str,
    at: usize,
) -> Things {
    let chain = world.admin.get("/v1/blockchains").await.fine();
    let things = [
        ("vaultAccountId", account.to_owned()),
        ("assetId", "ETH".to_owned()),
        ("txId", transaction.to_owned()),
        ("externalTxId", external.to_owned()),
        ("walletId", list(world, "/v1/external_wallets", at).await),
        ("internalId", list(world, "/v1/internal_wallets", at).await),
        ("contractId", list(world, "/v1/contracts", at).await),
        ("blockchainId", text(&chain["data"][0]["id"]).to_owned()),
    ];
    Things(things.into())
}

/// Status, and Fireblocks' code if there is one.
fn word(answer: &Answer) -> String {
    match answer.verdict() {
        (status, Some(code)) => format!("{status}/{code}"),
        (status, None) => status.to_string(),
    }
}

async fn bare(
    http: &reqwest::Client,
    world: &World,
    operation: &Operation,
    target: &str,
) -> String {
    let url = format!("{}{target}", world.gate.origin);
    let method = operation.method.to_string().parse().expect("a method");
    let answer = http.request(method, url).send().await.expect("an answer");
    answer.status().as_u16().to_string()
}

async fn ask(caller: &Caller, operation: &Operation, things: &Things) -> Answer {
    let method = operation.method.to_string();
    caller
        .send(&method, &things.target(operation), None, &[])
        .await
}

/// Who is shut out, in the order of [`shut`].
const SHUT: [&str; 3] = ["revoked", "expired", "elsewhere"];

/// Whose keys opened the door once, or would from another address.
async fn shut(world: &mut World) -> [Caller; 3] {
    const READ: &str = "/v1/vault/accounts_paged";
    let mut all = Vec::new();
    for name in SHUT {
        let one = world.enrol(name, editor(&[1, 2])).await;
        one.caller.get(READ).await.fine();
        all.push(one.caller);
    }
    let [revoked, expired, elsewhere] = all.try_into().ok().expect("three");
    let reason = json!({"reason": "the contract ended"});
    let path = "/connections/revoked/revoke";
    world.desk("POST", path, &reason).await.fine();
    let soon = SystemClock.now().plus(1_000);
    let change = json!({"until": soon, "reason": "the contract ends"});
    let path = "/connections/expired/change";
    world.desk("POST", path, &change).await.fine();
    until("its time is over", || async {
        expired.get(READ).await.status == 401
    })
    .await;
    let http = reqwest::Client::builder().no_proxy();
    let http = http.local_address(IpAddr::from([127, 0, 0, 2])).build();
    let elsewhere = elsewhere.over(http.expect("a client"));
    [revoked, expired, elsewhere]
}

/// What an absent thing is answered with, and what is there but not for this caller, are the same.
fn same(operation: &Operation, answer: Answer, absent: Answer) -> String {
    let word = word(&answer);
    if word.starts_with('4') {
        // Status, headers, body: byte for byte.
        assert_eq!(answer.lasting(), absent.lasting(), "{}", operation.id);
    }
    word
}

#[tokio::test]
async fn invariant_2_the_access_grid_over_the_wire() {
    let mut world = World::new().await;
    let mut wanted = [viewer(&[1], None), editor(&[1, 2]), editor(&[3])];
    let listed = ["external_wallets", "internal_wallets", "contracts"];
    for path in listed {
        let id = list(&world, &format!("/v1/{path}"), 0).await;
        for wanted in wanted.iter_mut().take(2) {
            wanted.scope.whitelists.insert(id.parse().expect("an id"));
        }
    }
    let [reader, trader, other] = wanted;
    let reader = world.enrol("reader", reader).await;
    let trader = world.enrol("trader", trader).await;
    let other = world.enrol("other", other).await;
    let shut = shut(&mut world).await;
    let grant = json!({"scope": {"forward": true}});
    let asks = viewer(&[1], None);
    let asking_viewer = world.granting("asking-viewer", asks, &grant).await;
    let asks = editor(&[1]);
    let asking_editor = world.granting("asking-editor", asks, &grant).await;
    let mut body = transfer(1, 2, "1");
    body["externalTxId"] = json!("theirs");
    let proposal = trader.propose(&body).await;
    let inside = things(&world, "1", &proposal, "theirs", 0).await;
    let outside = things(&world, "4", &of_others(&world).await, "nobody-s", 1).await;
    let absent = things(&world, "99999", &nobody_s(), "nowhere", usize::MAX).await;
    let absent = Things(
        absent
            .0
            .into_iter()
            .map(|(name, thing)| match name {
                "walletId" | "internalId" | "contractId" => (name, nobody_s()),
                _ => (name, thing),
            })
            .collect(),
    );
    let key = PrivateKey::generate(KeySize::Rsa2048).expect("a key");
    let stranger = Caller::new(&world.gate.origin, UserId(Uuid::new_v4()), key);
    let http = reqwest::Client::builder()
        .no_proxy()
        .build()
        .expect("a client");

    let line = async |operation: &'static Operation| {
        let target = inside.target(operation);
        let nobody = bare(&http, &world, operation, &target).await;
        let told = ask(&stranger, operation, &inside).await;
        let stranger = word(&told);
        for (caller, who) in shut.iter().zip(SHUT) {
            // Word for word what one is told whom nobody knows.
            let shut = ask(caller, operation, &inside).await;
            assert_eq!(
                shut.lasting(),
                told.clone().lasting(),
                "{who}: {}",
                operation.id
            );
        }
        let viewer = word(&ask(&reader.caller, operation, &inside).await);
        let editor = word(&ask(&trader.caller, operation, &inside).await);
        let (mut others, mut nobodys) = ("-".to_owned(), "-".to_owned());
        if !operation.parameters.is_empty() {
            let missing = ask(&other.caller, operation, &absent).await;
            others = same(
                operation,
                ask(&other.caller, operation, &inside).await,
                missing,
            );
            let missing = ask(&reader.caller, operation, &absent).await;
            nobodys = same(
                operation,
                ask(&reader.caller, operation, &outside).await,
                missing,
            );
        }
        let mut granted = ["viewer", "editor", "outside"].map(|who| (who, "-".to_owned()));
        if matches!(class(operation), Some(Class::Forward | Class::Filter)) {
            let [viewer, editor] = [&asking_viewer.caller, &asking_editor.caller];
            granted[0].1 = word(&ask(viewer, operation, &inside).await);
            granted[1].1 = word(&ask(editor, operation, &inside).await);
            if class(operation) == Some(Class::Filter) {
                let missing = ask(viewer, operation, &absent).await;
                granted[2].1 = same(operation, ask(viewer, operation, &outside).await, missing);
            }
        }
        let granted = granted.map(|(who, word)| format!("granted-{who}={word}"));
        let shut = SHUT.map(|who| format!("{who}={stranger}")).join(" ");
        let key = format!("{} {} {}", operation.path, operation.method, operation.id);
        let said = format!(
            "nobody={nobody} stranger={stranger} {shut} viewer={viewer} editor={editor} another's={others} outside={nobodys} {}",
            granted.join(" ")
        );
        (key, said)
    };
    let asked = futures_util::stream::iter(operations::all().iter().map(line));
    let said: BTreeMap<String, String> = asked.buffer_unordered(AT_ONCE).collect().await;
    assert_eq!(said.len(), operations::all().len(), "none is forgotten");

    for (key, said) in &said {
        let words: Vec<_> = said.split(' ').collect();
        assert_eq!(
            words[..5],
            [
                "nobody=401",
                "stranger=401/-7",
                "revoked=401/-7",
                "expired=401/-7",
                "elsewhere=401/-7"
            ],
            "{key}"
        );
    }
    // What was decided without a wire is what is answered over it.
    let mut now = Vec::new();
    let writes = std::env::var("ACCESS_GRID").is_ok_and(|what| what == "write");
    let grid = if writes {
        std::fs::read_to_string(GRID_FILE).expect("the verdicts")
    } else {
        GRID.to_owned()
    };
    for decided in grid.lines() {
        let words: Vec<_> = decided.split(' ').take(DECIDED).collect();
        let [path, method, id, verdicts @ ..] = words.as_slice() else {
            panic!("{decided}");
        };
        let answers = &said[&format!("{path} {method} {id}")];
        for verdict in verdicts {
            let (role, verdict) = verdict.split_once('=').expect("a verdict");
            let answered: Vec<_> = answers.split(' ').collect();
            let granted = format!("granted-{role}=200");
            if matches!(verdict, "forward" | "filter") {
                assert!(answers.contains(&granted), "{decided}: {answers}");
            }
            let fits: &[&str] = match verdict {
                "read" => &["200", "404/1404", "404"],
                "propose" => &["400"],
                "role" => &["401/-8"],
                // Not granted to these.
                "forward" | "filter" => &["403"],
                _ => &["403"],
            };
            let fits = fits.iter().any(|fit| {
                let word = format!("{role}={fit}");
                answered
                    .iter()
                    .any(|said| **said == word || said.starts_with(&format!("{word}/")))
            });
            assert!(fits, "{decided}: {answers}");
        }
        now.push(format!("{} {answers}", words.join(" ")));
    }
    if writes {
        std::fs::write(GRID_FILE, now.join("\n") + "\n").expect("written");
        return;
    }
    let changed: Vec<_> = now
        .iter()
        .zip(GRID.lines())
        .filter(|(now, before)| now != before)
        .collect();
    assert!(
        changed.is_empty(),
        "now, and as it was decided: {changed:#?}"
    );
}

//! The client's people at the admin listener: who may what, and that nobody else may anything.

use std::fmt::Write;

use gate::admin_api::{OPERATIONS, Operation};
use protocol::ids::UserId;
use protocol::keys::{KeySize, PrivateKey};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::caller::{Answer, Caller};
use crate::desk::{Desk, comes_in, csr, why};

/// What a running gate answers to each role, operation by operation. After a change that is meant:
/// `ADMIN_GRID=write cargo nextest run -p gate admin_grid`, and read the difference.
const GRID: &str = include_str!("../admin_grid.txt");
const GRID_FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/admin_grid.txt");

/// Its path, of things that are not there.
fn path(operation: &Operation) -> String {
    operation
        .path
        .replace("{name}", "nobody")
        .replace("{id}", "5c1f0b1e-7d0c-4a55-9a3e-0b8e6f0f5a11")
        .replace("{fingerprint}", &"0".repeat(64))
        .replace("{from}", "999999")
        .replace("{index}", "999999")
        .replace("{*path}", "tile/9/000")
}

/// What was answered, as far as rights go.
fn word(answer: &Answer) -> &'static str {
    match answer.status {
        401 => "401",
        403 => "403",
        _ => "may",
    }
}

/// An error of the admin listener is a problem, and an answer is what the document says.
fn in_form(document: &Value, operation: &Operation, answer: &Answer) {
    let kind = answer.header("content-type").unwrap_or_default();
    let (status, schema) = operation.answers;
    let mut expected = json!({"components": document["components"]});
    if answer.status >= 400 {
        assert_eq!(kind, "application/problem+json", "{}", operation.id);
        let problem = answer.json();
        assert_eq!(problem["status"], answer.status, "{problem}");
        assert!(!problem["detail"].as_str().unwrap_or_default().is_empty());
        expected["$ref"] = "#/components/schemas/Problem".into();
    } else {
        assert_eq!(answer.status, status, "{}", operation.id);
        let Some(schema) = schema else {
            return;
        };
        let one = json!({"$ref": format!("#/components/schemas/{schema}")});
        if operation.pages {
            expected["type"] = "array".into();
            expected["items"] = one;
        } else {
            expected["$ref"] = one["$ref"].clone();
        }
    }
    let validator = jsonschema::validator_for(&expected).expect("a schema");
    let told = answer.json();
    let faults: Vec<_> = validator
        .iter_errors(&told)
        .map(|e| e.to_string())
        .collect();
    assert!(faults.is_empty(), "{}: {faults:?}: {told}", operation.id);
}

#[tokio::test]
async fn invariant_2_the_admin_grid_is_what_a_running_gate_answers() {
    let desk = Desk::new().await;
    let key = || PrivateKey::generate(KeySize::Rsa2048).expect("a key");
    let stranger = Caller::new(&desk.owner.origin, UserId(Uuid::new_v4()), key());
    let forger = Caller::new(&desk.owner.origin, desk.owner.user, key());
    let provider = desk.enrol("acme").await;
    let at_desk = Caller::new(&desk.owner.origin, provider.user, provider.key.clone());
    let mut all = vec![("OWNER", desk.owner.clone())];
    for (name, role) in [("ann", "ADMIN"), ("oli", "OPERATOR"), ("aud", "AUDITOR")] {
        all.push((role, desk.add_operator(name, role).await));
    }
    let nobody = [
        ("stranger", stranger),
        ("forger", forger),
        ("provider", at_desk),
    ];
    let document = reqwest::get(format!("{}/openapi.json", desk.owner.origin)).await;
    let document: Value = document.expect("answered").json().await.expect("JSON");
    let mut grid = String::new();
    for operation in OPERATIONS {
        let path = path(operation);
        let _ = write!(grid, "{} {}", operation.method, operation.path);
        for (role, caller) in &all {
            let answer = desk.ask(caller, operation.method, &path, &json!({})).await;
            in_form(&document, operation, &answer);
            let _ = write!(grid, " {role}={}", word(&answer));
        }
        for (who, caller) in &nobody {
            let answer = desk.ask(caller, operation.method, &path, &json!({})).await;
            in_form(&document, operation, &answer);
            assert_eq!(word(&answer), "401", "{who}: {}", operation.id);
        }
        let bare = reqwest::Client::new().request(
            operation.method.parse().expect("a method"),
            format!("{}/vestibule/v1{path}", desk.owner.origin),
        );
        let bare = bare.send().await.expect("an answer");
        assert_eq!(bare.status(), 401, "from this machine, without a key");
        grid.push('\n');
    }
    if std::env::var("ADMIN_GRID").is_ok_and(|what| what == "write") {
        std::fs::write(GRID_FILE, &grid).expect("written");
        return;
    }
    assert_eq!(grid, GRID);
}

#[tokio::test]
async fn the_document_names_every_operation_with_who_may() {
    let desk = Desk::new().await;
    let document = reqwest::get(format!("{}/openapi.json", desk.owner.origin)).await;
    let document: Value = document.expect("answered").json().await.expect("JSON");
    assert_eq!(document["openapi"], "3.1.0");
    for one in OPERATIONS {
        let path = format!("/vestibule/v1{}", one.path.replace("{*", "{"));
        let told = &document["paths"][path][one.method.to_lowercase()];
        assert_eq!(told["operationId"], one.id);
        assert_eq!(told["x-vestibule-roles"], json!(one.who));
    }
}

#[tokio::test]
async fn invariant_2_who_is_removed_is_refused_from_the_next_request_on() {
    let desk = Desk::new().await;
    let ann = desk.add_operator("ann", "ADMIN").await;
    let status = |who: Caller| {
        let desk = &desk;
        async move { desk.ask(&who, "GET", "/status", &Value::Null).await.status }
    };
    assert_eq!(status(ann.clone()).await, 200);
    let lower = json!({"role": "AUDITOR", "reason": "another post"});
    desk.ask(&desk.owner, "POST", "/operators/ann/role", &lower)
        .await
        .fine();
    let refresh = desk.ask(&ann, "POST", "/refresh", &json!({})).await;
    assert_eq!(refresh.status, 403, "her role is another now");
    let remove = "/operators/ann/remove";
    let without_reason = desk.ask(&desk.owner, "POST", remove, &json!({})).await;
    assert_eq!(without_reason.status, 400);
    desk.ask(&desk.owner, "POST", remove, &why("she left"))
        .await
        .fine();
    assert_eq!(status(ann).await, 401);
    let left = desk.look("/operators").await;
    assert_eq!(left.as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn invariant_2_the_last_owner_stays() {
    let desk = Desk::new().await;
    for (path, body) in [
        ("/operators/owner/remove", why("bye")),
        (
            "/operators/owner/role",
            json!({"role": "ADMIN", "reason": "less"}),
        ),
    ] {
        let refused = desk.ask(&desk.owner, "POST", path, &body).await;
        assert_eq!(refused.status, 409, "{path}");
        assert!(refused.json()["detail"].to_string().contains("last owner"));
    }
    let other = desk.add_operator("other", "OWNER").await;
    desk.ask(&other, "POST", "/operators/owner/remove", &why("bye"))
        .await
        .fine();
    let gone = desk.ask(&desk.owner, "GET", "/status", &Value::Null).await;
    assert_eq!(gone.status, 401);
}

#[tokio::test]
async fn invariant_2_a_key_and_a_name_are_one_persons_for_ever() {
    let desk = Desk::new().await;
    let ann = desk.add_operator("ann", "ADMIN").await;
    let provider = desk.enrol("acme").await;
    let new = PrivateKey::generate(KeySize::Rsa2048).expect("a key");
    let pem = new.to_pkcs8_pem().expect("a key");
    let cases = [
        ("bob", csr(&ann.key), "operator's"),
        ("bob", csr(&provider.key), "another connection"),
        ("bob", csr(&desk.owner.key), "gate's own"),
        ("ann", csr(&new), "not used twice"),
        ("bob", format!("{}{}", csr(&new), *pem), "private key"),
        ("bob", "no csr".to_owned(), "cannot be read"),
        ("b o b", csr(&new), "letters"),
    ];
    desk.ask(&desk.owner, "POST", "/operators/ann/remove", &why("left"))
        .await
        .fine();
    for (name, csr, expected) in cases {
        let body = json!({"name": name, "role": "ADMIN", "csr": csr, "reason": "joins"});
        let refused = desk.ask(&desk.owner, "POST", "/operators", &body).await;
        let said = refused.json()["detail"].to_string();
        assert!((400..500).contains(&refused.status), "{said}");
        assert!(said.contains(expected), "{name}: {said}");
    }
    assert_eq!(comes_in(&provider).await, 200);
    // Nor may a provider come with an operator's key.
    for key in [&ann.key, &desk.owner.key] {
        let refused = desk.hand_over("other", key, json!({})).await;
        assert_eq!(refused.status, 409);
    }
}

#[tokio::test]
async fn lists_go_on_page_by_page() {
    let desk = Desk::new().await;
    for (name, role) in [("ann", "ADMIN"), ("oli", "OPERATOR")] {
        desk.add_operator(name, role).await;
    }
    for name in ["acme", "bolt", "core"] {
        desk.enrol(name).await;
    }
    for (path, field) in [
        ("/operators", "name"),
        ("/connections", "name"),
        ("/posture", "connection"),
        ("/log", "index"),
        ("/changes", "id"),
    ] {
        let whole = desk.look(path).await;
        let whole = whole.as_array().expect("a list");
        assert!(whole.len() > 2, "{path}");
        let (mut seen, mut next) = (Vec::new(), Some(format!("/vestibule/v1{path}?limit=2")));
        while let Some(target) = next {
            let answer = desk.owner.get(&target).await;
            let url = answer.header("next-page").map(str::to_owned);
            let target = |url: String| url.strip_prefix(&desk.owner.origin).map(str::to_owned);
            next = url.map(|url| target(url).expect("of this listener"));
            let page = answer.fine();
            let page = page.as_array().expect("a list").clone();
            assert!((1..=2).contains(&page.len()), "{path}");
            seen.extend(page);
        }
        let field = |all: &[Value]| all.iter().map(|one| one[field].clone()).collect::<Vec<_>>();
        assert_eq!(field(&seen), field(whole), "{path}");
        let slip = desk.owner.get(&format!("/vestibule/v1{path}?page=2")).await;
        assert_eq!(slip.status, 400, "{path}");
    }
}

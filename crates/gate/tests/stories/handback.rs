//! The file that goes back to a provider can be had again, as long as it is of use.

use protocol::handover::HandBack;
use serde_json::{Value, json};

use crate::desk::{Desk, why};

#[tokio::test]
async fn a_hand_back_file_can_be_had_again_under_the_terms_of_now() {
    let desk = Desk::new().await;
    let oli = desk.add_operator("oli", "OPERATOR").await;
    let again = |name: &str| {
        let path = format!("/connections/{name}/handback");
        let (desk, oli) = (&desk, &oli);
        async move { desk.ask(oli, "GET", &path, &Value::Null).await }
    };
    desk.request("acme", json!({})).await;
    assert_eq!(again("acme").await.status, 409, "nobody has approved it");
    assert_eq!(again("nobody").await.status, 404);
    let approved = desk.act(&desk.owner, "acme", "approve", json!({})).await;
    let first = approved.fine()["handback"].clone();
    assert_eq!(again("acme").await.fine(), first, "the same file");
    let read = HandBack::from_json(first.to_string().as_bytes()).expect("a hand-back file");
    assert_eq!(read.connection, "acme");
    // The scope is another now, and so is the file.
    let narrow = json!({"scope": {"accounts": ["1"]}, "reason": "less"});
    desk.act(&desk.owner, "acme", "change", narrow).await.fine();
    desk.act(&oli, "acme", "suspend", why("lost")).await.fine();
    let now = again("acme").await.fine();
    assert_eq!(now["scope"]["vault_accounts"], json!(["1"]));
    assert_eq!(now["api_key"], first["api_key"]);
    desk.act(&desk.owner, "acme", "revoke", why("over"))
        .await
        .fine();
    assert_eq!(again("acme").await.status, 409, "it is of no use any more");
    desk.request("bolt", json!({"mode": "watched"})).await;
    desk.act(&desk.owner, "bolt", "approve", json!({}))
        .await
        .fine();
    assert_eq!(
        again("bolt").await.status,
        409,
        "nothing here is its to call"
    );
}

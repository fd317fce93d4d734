//! Reminders by webhook: both sides hear of an end, each by its own.

use gate::config::ClientWebhook;
use serde_json::json;

use crate::desk::Desk;
use crate::hooks::Hooks;
use crate::quorum::{days, kinds};
use crate::world::until;

#[tokio::test]
async fn both_sides_are_reminded_of_an_end_by_signed_webhooks() {
    let (hooks, own) = (Hooks::start().await, Hooks::start().await);
    let url = own.url.parse().expect("a URL");
    let desk = Desk::with(|config| config.webhook = Some(ClientWebhook { url })).await;
    desk.request("acme", json!({"webhook_url": hooks.url}))
        .await;
    let approved = desk.act(&desk.owner, "acme", "approve", json!({})).await;
    let handback = approved.fine()["handback"].clone();
    let near = json!({"until": days(5), "reason": "the contract ends"});
    desk.act(&desk.owner, "acme", "change", near).await.fine();
    until("it has heard", || async { !hooks.heard().is_empty() }).await;
    let heard = &hooks.heard()[0];
    assert!(heard.is_signed(&handback), "{heard:?}");
    assert_eq!(heard.event["eventType"], "vestibule.connection.ending");
    assert_eq!(
        (&heard.event["data"]["days"], heard.position),
        (&json!(7), 1)
    );
    until("the client has heard", || async { !own.heard().is_empty() }).await;
    let told = &own.heard()[0];
    let known = json!({
        "workspace_id": handback["workspace_id"],
        "webhooks": {"jwks": handback["webhooks"]["jwks"], "webhook_id": told.event["webhookId"]},
    });
    assert!(told.is_signed(&known), "{told:?}");
    assert_eq!(told.event["eventType"], "vestibule.connection.ending");
    assert_eq!(told.event["data"], heard.event["data"]);
    assert_ne!(told.event["webhookId"], heard.event["webhookId"]);

    // Whose key is straight at Fireblocks is for people to end: the client hears, nothing goes out.
    let straight = json!({"webhook_url": hooks.url});
    desk.request("straight", straight).await;
    let watched = json!({"mode": "watched", "until": days(5)});
    desk.act(&desk.owner, "straight", "approve", watched)
        .await
        .fine();
    until("the client hears of it, too", || async {
        own.heard().len() == 2
    })
    .await;
    let told = own.heard()[1].event["data"].clone();
    assert_eq!(
        (&told["connection"], &told["mode"]),
        (&json!("straight"), &json!("watched"))
    );
    // What is sent later comes after what was wrongly sent before.
    let nearer = json!({"until": days(4), "reason": "sooner"});
    desk.act(&desk.owner, "acme", "change", nearer).await.fine();
    until("it hears of its own end again", || async {
        hooks.heard().len() > 1
    })
    .await;
    let heard: Vec<_> = hooks.heard();
    assert!(
        heard
            .iter()
            .all(|heard| heard.event["data"]["connection"] == "acme"),
        "{heard:?}"
    );
    let status = desk.look("/status").await;
    let checks = status["checks"].as_array().expect("checks").iter();
    let mut checks =
        checks.filter(|check| check["what"] == "the client's webhook takes its reminders");
    let check = checks.next().expect("a check");
    assert_eq!(check["ok"], true, "{check}");
    let reminded = kinds(&desk).await.into_iter();
    assert_eq!(
        reminded
            .filter(|kind| kind == "connection_reminded")
            .count(),
        3
    );
}

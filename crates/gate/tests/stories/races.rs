//! Two people at once: whoever is second finds things as the first left them.

use futures_util::future::join_all;
use protocol::keys::{KeySize, PrivateKey};
use serde_json::{Value, json};

use crate::caller::Answer;
use crate::desk::{Desk, comes_in, why};
use crate::provider::{editor, transfer};
use crate::world::{World, until};

/// How often each race is run.
const ROUNDS: usize = 6;

fn statuses(answers: &[Answer]) -> Vec<u16> {
    let mut all: Vec<_> = answers.iter().map(|answer| answer.status).collect();
    all.sort_unstable();
    all
}

/// How many entries of this kind the log has about something.
async fn logged(desk: &Desk, kind: &str) -> usize {
    let mut next = 0;
    let mut found = 0;
    loop {
        let page = desk.look(&format!("/log/entries/{next}")).await;
        let page = page.as_array().expect("entries").clone();
        let Some(last) = page.last() else {
            return found;
        };
        found += page.iter().filter(|entry| entry["kind"] == kind).count();
        next = last["index"].as_u64().expect("an index") + 1;
    }
}

/// A connection whose activation waits for one more signature; the change's id and digest.
async fn waiting(desk: &Desk, name: &str) -> (crate::caller::Caller, String, String) {
    let provider = desk.request(name, json!({})).await;
    let approved = desk.act(&desk.owner, name, "approve", json!({})).await;
    let change = approved.fine()["connection"]["change"].clone();
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    (provider, text(&change["id"]), text(&change["digest"]))
}

#[tokio::test]
async fn invariant_2_of_two_last_signatures_one_counts() {
    let desk = Desk::new().await;
    let (ann, bob) = (
        desk.add_operator("ann", "OWNER").await,
        desk.add_operator("bob", "OWNER").await,
    );
    desk.quorum(2).await;
    let made = logged(&desk, "change_made").await;
    for round in 0..ROUNDS {
        let (provider, id, digest) = waiting(&desk, &format!("c{round}")).await;
        let sign = |who| desk.decide_over(who, &id, true, &digest);
        let answers = join_all([sign(&ann), sign(&bob), sign(&ann), sign(&bob)]).await;
        assert_eq!(statuses(&answers), [200, 409, 409, 409]);
        assert_eq!(comes_in(&provider).await, 200);
    }
    assert_eq!(logged(&desk, "change_made").await, made + ROUNDS);
    assert_eq!(logged(&desk, "connection_activated").await, ROUNDS);
}

/// Signed and turned down, or signed and revoked, in the same moment.
#[tokio::test]
async fn invariant_2_a_door_is_as_the_first_answer_left_it() {
    let desk = Desk::new().await;
    let (ann, bob) = (
        desk.add_operator("ann", "OWNER").await,
        desk.add_operator("bob", "OWNER").await,
    );
    desk.quorum(2).await;
    for round in 0..ROUNDS {
        let (provider, id, digest) = waiting(&desk, &format!("c{round}")).await;
        let (signed, turned_down) = tokio::join!(
            desk.decide_over(&ann, &id, true, &digest),
            desk.decide_over(&bob, &id, false, &digest),
        );
        let both = statuses(&[signed.clone(), turned_down]);
        assert_eq!(both, [200, 409], "round {round}");
        let opened = signed.status == 200;
        assert_eq!(comes_in(&provider).await, if opened { 200 } else { 401 });

        let name = format!("d{round}");
        let (provider, id, digest) = waiting(&desk, &name).await;
        let (signed, revoked) = tokio::join!(
            desk.decide_over(&ann, &id, true, &digest),
            desk.act(&bob, &name, "revoke", why("we looked again")),
        );
        assert_eq!(revoked.status, 200, "what closes is never too late");
        assert!(matches!(signed.status, 200 | 409), "{signed:?}");
        assert_eq!(comes_in(&provider).await, 401);
        let shown = desk.look(&format!("/connections/{name}")).await;
        assert_eq!(shown["standing"], "REVOKED");
    }
}

#[tokio::test]
async fn invariant_2_two_owners_who_remove_each_other_leave_one() {
    for _ in 0..3 {
        let desk = Desk::new().await;
        let ann = desk.add_operator("ann", "OWNER").await;
        let remove = async |who, whom: &str| {
            let path = format!("/operators/{whom}/remove");
            desk.ask(who, "POST", &path, &why("conflict")).await
        };
        let (by_owner, by_ann) = tokio::join!(remove(&desk.owner, "ann"), remove(&ann, "owner"));
        let both = statuses(&[by_owner, by_ann]);
        assert!(matches!(both[..], [200, 401 | 403 | 409]), "{both:?}");
        let nothing = Value::Null;
        let looks = [&desk.owner, &ann].map(|who| desk.ask(who, "GET", "/operators", &nothing));
        assert_eq!(statuses(&join_all(looks).await), [200, 401]);
    }
}

#[tokio::test]
async fn invariant_3_a_name_and_a_key_are_taken_once() {
    let desk = Desk::new().await;
    let key = || PrivateKey::generate(KeySize::Rsa2048).expect("a key");
    for round in 0..ROUNDS {
        let (name, keys) = (format!("name{round}"), [key(), key(), key()]);
        let asks = keys
            .each_ref()
            .map(|key| desk.hand_over(&name, key, json!({})));
        assert_eq!(statuses(&join_all(asks).await), [201, 409, 409]);
        let (names, key) = (["a", "b", "c"].map(|one| format!("{one}{round}")), key());
        let asks = names
            .each_ref()
            .map(|name| desk.hand_over(name, &key, json!({})));
        assert_eq!(statuses(&join_all(asks).await), [201, 409, 409]);
    }
}

/// Two people decide over a proposal in the same moment.
#[tokio::test]
async fn invariant_5_of_two_decisions_one_counts_and_goes_up_once() {
    let mut world = World::new().await;
    let trader = world.enrol("trader", editor(&[1, 2])).await;
    for round in 0..ROUNDS {
        let id = trader.propose(&transfer(1, 2, "0.01")).await;
        let (cancel, nothing) = (format!("/v1/transactions/{id}/cancel"), json!({}));
        let (yes, no, again, cancelled) = tokio::join!(
            world.decide(&id, true),
            world.decide(&id, false),
            world.decide(&id, true),
            trader.caller.post(&cancel, &nothing),
        );
        let fine = |answer: &Answer| answer.status == 200;
        let approved = fine(&yes) || fine(&again);
        assert!(
            !(fine(&yes) && fine(&again)),
            "round {round}: approved twice"
        );
        if !approved {
            assert!(fine(&no) || fine(&cancelled), "round {round}: nobody won");
        }
        until("it has come to its end", || async {
            let status = trader.status(&id).await;
            ["COMPLETED", "REJECTED", "CANCELLED"].contains(&status.as_str())
        })
        .await;
        let sent = world.upstream_of(&id).await.len();
        let ended = trader.status(&id).await;
        assert!(sent <= 1, "round {round}: sent {sent} times");
        assert!(sent == 1 || ended != "COMPLETED", "round {round}: {ended}");
        assert!(approved || sent == 0, "round {round}: nobody approved it");
    }
}

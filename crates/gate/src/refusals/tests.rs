use protocol::error::ApiError;
use protocol::ids::RequestId;
use uuid::Uuid;

use super::*;
use crate::rows;
use crate::testing::{NOW, World};

const KIND: Kind = Kind {
    status: 401,
    why: "its key is unknown",
};

fn refused<'a>(number: u128, at: Millis, target: &'a str, error: &'a ApiError) -> Refusal<'a> {
    Refusal {
        request_id: RequestId(Uuid::from_u128(number)),
        at,
        from: IpAddr::from([192, 0, 2, 1]),
        certificate: None,
        user: Some(UserId(Uuid::from_u128(1))),
        proven: false,
        target,
        error,
    }
}

#[test]
fn what_is_remembered_of_a_flood_is_bounded_and_nothing_is_uncounted() {
    let (refusals, error) = (Refusals::default(), ApiError::not_found());
    for number in 0..10_000_u128 {
        let from = IpAddr::from(std::net::Ipv6Addr::from(number));
        refusals.note(
            Who::Address(from),
            KIND,
            &refused(number, Millis(0), "/v1/x", &error),
        );
        assert!(refusals.0.lock().len() <= MAX_WINDOWS + 1);
    }
    let due = refusals.due(Millis(WINDOW), false);
    assert_eq!(
        due.iter().map(|(_, refused)| refused.count).sum::<u64>(),
        10_000
    );
    assert!(due.iter().any(|((who, _), _)| *who == Who::Others));
    assert!(refusals.due(Millis(WINDOW), true).is_empty());
}

#[test]
fn what_could_not_be_told_is_told_later_with_what_came_meanwhile() {
    let (refusals, error) = (Refusals::default(), ApiError::not_found());
    let who = Who::Others;
    refusals.note(who, KIND, &refused(1, Millis(0), "/v1/first", &error));
    let due = refusals.due(Millis(WINDOW), false);
    refusals.note(who, KIND, &refused(2, Millis(WINDOW), "/v1/second", &error));
    refusals.untold(due);
    let due = refusals.due(Millis(WINDOW), false);
    let [(_, told)] = due.as_slice() else {
        panic!("{due:?}");
    };
    assert_eq!(
        (told.count, told.first, told.last),
        (2, Millis(0), Millis(WINDOW))
    );
    assert_eq!(told.target, "/v1/first");
}

/// Who, what, why, how often, from where, and under which request id; once.
#[tokio::test]
async fn the_log_tells_of_refusals_once_a_minute() {
    let test = World::new().await;
    let (gate, error) = (&test.gate, ApiError::not_found());
    let long = format!("/v1/{}\n{{\"event\":\"x\"}}", "x".repeat(1_000));
    for number in 0..5 {
        let from = Who::Address(IpAddr::from([192, 0, 2, 1]));
        gate.refusals
            .note(from, KIND, &refused(number, NOW, &long, &error));
    }
    tell(gate, false).await;
    assert_eq!(
        test.count("gate_log_leaves").await,
        1,
        "the minute is not over"
    );
    tell(gate, true).await;
    tell(gate, true).await;
    let workspace = gate.workspace();
    let read = gate
        .store
        .read(move |reading| rows::log::leaves(reading, workspace, 1, 10));
    let leaves = read.await.expect("leaves");
    assert_eq!(leaves.len(), 1);
    assert_eq!(leaves[0].kind, "refused");
    let told: serde_json::Value =
        serde_json::from_str(leaves[0].payload.as_deref().expect("a payload")).expect("JSON");
    assert_eq!(told["actor"]["address"], "192.0.2.1");
    assert_eq!(
        (&told["from"], &told["count"]),
        (&"192.0.2.1".into(), &5.into())
    );
    assert_eq!(told["why"], KIND.why);
    assert_eq!(told["request"], Uuid::from_u128(0).to_string());
    assert_eq!(
        told["target"].as_str().map(|target| target.chars().count()),
        Some(MAX_TARGET)
    );
}

/// Who is refused is called by the name that the log has for it everywhere.
#[tokio::test]
async fn a_refused_operator_is_named() {
    // Who the operators are is read at a start.
    let test = World::new().await.again().await;
    let (gate, error) = (&test.gate, ApiError::not_found());
    let nobody = UserId(Uuid::from_u128(99));
    for user in [test.operator.id, nobody] {
        let refusal = Refusal {
            user: Some(user),
            proven: true,
            ..refused(1, NOW, "/vestibule/v1/log", &error)
        };
        gate.refusals.note(Who::Key(user), KIND, &refusal);
    }
    tell(gate, true).await;
    let workspace = gate.workspace();
    let read = gate
        .store
        .read(move |reading| rows::log::of_kind(reading, workspace, "refused", u64::MAX >> 1));
    let told = read.await.expect("entries");
    let actors = told.iter().filter_map(|one| Entry::read(one.as_bytes()));
    let mut actors: Vec<_> = actors.map(|entry| entry.actor).collect();
    actors.sort_by_key(|actor| format!("{actor:?}"));
    assert_eq!(
        actors,
        [
            Actor::Operator(nobody.to_string()),
            Actor::Operator("owner".to_owned()),
        ]
    );
}

use std::net::IpAddr;
use std::time::Duration;

use ledger::reads::Seal;

use super::*;
use crate::testing::{self, World};

const FROM: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7));

async fn with_a_connection() -> (World, UserId) {
    let test = World::new().await;
    let connection = testing::connection("acme", ProviderRole::Viewer, testing::accounts([1]));
    let user = connection.api_key;
    testing::write(&test.gate.store, move |writing| {
        rows::connections::put_connection(writing, testing::WORKSPACE, &connection)?;
        let key = testing::held(&connection);
        rows::keys::put(writing, testing::WORKSPACE, connection.api_key, &key)
    })
    .await;
    test.gate.reload().await.expect("read");
    (test, user)
}

#[tokio::test]
async fn invariant_2_connections_that_cannot_be_read_let_nobody_in() {
    let (test, user) = with_a_connection().await;
    let face = Face::new(Arc::clone(&test.gate));
    assert!(face.door(user, FROM).is_some());
    let rename = |from: &'static str, to: &'static str| {
        testing::write(&test.gate.store, move |writing| {
            rows::tests::rename(writing, from, to)
        })
    };
    rename("gate_connections", "away").await;
    assert!(test.gate.reload().await.is_err());
    assert!(
        face.door(user, FROM).is_none(),
        "it may have been suspended"
    );
    rename("away", "gate_connections").await;
    let again = async {
        while face.door(user, FROM).is_none() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), again)
        .await
        .expect("let in again by itself");
}

#[tokio::test]
async fn who_calls_too_often_waits_and_nobody_else_does() {
    let (test, user) = with_a_connection().await;
    let face = Face::new(Arc::clone(&test.gate));
    let guest = face.door(user, FROM).expect("known").guest;
    let most = guest.connection.budgets.of(BudgetName::RequestsPerSecond);
    let calls = (0..20 * most).map(|_| face.in_rate(&guest));
    let (let_in, refused): (Vec<_>, Vec<_>) = calls.partition(Result::is_ok);
    let let_in = u32::try_from(let_in.len()).expect("small");
    assert!((most..20 * most).contains(&let_in), "{let_in} were let in");
    let connection = testing::connection("other", ProviderRole::Viewer, testing::accounts([1]));
    let other = Provider {
        keys: testing::door_keys(&connection),
        scope: connection.scope(test.gate.workspace()),
        scope_id: connection.scope(test.gate.workspace()).id(),
        seal: Seal::of(b"a secret", "other"),
        meter: test.gate.meters.of(&connection),
        connection,
    };
    assert_eq!(face.in_rate(&other), Ok(()));
    let told = Reply::from(refused.into_iter().find_map(Result::err).expect("one"));
    let headers = [
        ("retry-after", "1"),
        ("x-ratelimit-limit", "500"),
        ("x-ratelimit-remaining", "0"),
        ("x-ratelimit-windowsize", "1"),
        ("x-ratelimit-reset", "1"),
    ];
    assert_eq!(
        told.headers,
        headers.map(|(name, value)| (name, value.to_owned()))
    );
}

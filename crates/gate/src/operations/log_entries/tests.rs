use protocol::ids::{TxId, UserId};
use protocol::role::ProviderRole;
use uuid::Uuid;

use super::*;
use crate::proposals::Why;
use crate::testing::{NOW, World, accounts, connection, held};

const fn id(number: u128) -> TxId {
    TxId(Uuid::from_u128(number))
}

fn approved(proposal: TxId, of: Option<&str>) -> Event {
    Event::ProposalApproved {
        proposal,
        connection: of.map(str::to_owned),
        digest: "d".to_owned(),
        place: "gate".to_owned(),
        evidence: "e".to_owned(),
    }
}

fn refused_with(key: UserId) -> Event {
    Event::Refused {
        kind: "401".to_owned(),
        count: 1,
        first: NOW,
        last: NOW,
        api_key: Some(key.to_string()),
        target: "/v1/transactions".to_owned(),
        why: "its address is not on the connection's list".to_owned(),
    }
}

/// Whatever tells of a connection is forgotten with it: by its name, its proposals, its API keys.
#[tokio::test]
async fn all_that_tells_of_a_connection_is_erased_and_nothing_else() {
    let test = World::new().await;
    let gate = &test.gate;
    let acme = connection("acme", ProviderRole::Editor, accounts([1]));
    let (own, before, other) = (
        acme.api_key,
        UserId(Uuid::from_u128(8)),
        UserId(Uuid::from_u128(9)),
    );
    let goes = [
        Event::ProposalMade {
            proposal: id(1),
            connection: "acme".to_owned(),
            digest: "d".to_owned(),
        },
        // As it was logged before: it names a proposal alone.
        approved(id(1), None),
        approved(id(2), Some("acme")),
        Event::ProposalSent {
            proposal: id(2),
            connection: Some("acme".to_owned()),
            upstream: id(3),
        },
        refused_with(own),
        refused_with(before),
    ];
    let stays = [
        approved(id(4), Some("other")),
        approved(id(5), None),
        refused_with(other),
        Event::DispatchStopped {
            upstream: id(6),
            external_id: None,
            proposal: Some(id(1)),
            why: Why::Differs,
        },
    ];
    let (count, left) = (goes.len() as u64, stays.len());
    let written = gate.deed(move |deed| {
        rows::connections::put_connection(deed.writing, deed.workspace, &acme)?;
        rows::keys::put(deed.writing, deed.workspace, before, &held(&acme))?;
        for event in goes.iter().chain(&stays) {
            deed.log(Actor::Address("192.0.2.1".to_owned()), event.clone())?;
        }
        Ok(())
    });
    written.await.expect("written");
    let erasure = Erasure {
        entries: None,
        before: None,
        connection: Some("acme".to_owned()),
        reason: "asked for".to_owned(),
    };
    let done = erase(gate, &test.operator, erasure).await.expect("erased");
    assert_eq!((done.erased, done.kept), (count, 0));
    let all = since(gate, 1).await.expect("entries");
    let still = all.iter().filter(|one| one.entry.is_some()).count();
    assert_eq!(still, left + 1, "with the entry of the erasure");
}

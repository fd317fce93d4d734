use protocol::ids::UserId;
use protocol::role::ProviderRole;
use uuid::Uuid;

use super::*;
use crate::connections::Place;
use crate::folder::KeyName;
use crate::proposals::tests::proposal;
use crate::testing::{NOW, WORKSPACE, World, write};

/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(60);

/// An approved proposal of a connection that is gone: the dispatcher ends it without upstream.
async fn commit(world: &World, number: u128) -> TxId {
    let mut due = proposal(Place::Fireblocks, State::Approved);
    due.id = TxId(Uuid::from_u128(number));
    due.transfer.external_tx_id = None;
    let id = due.id;
    write(&world.gate.store, move |writing| {
        rows::proposals::add(writing, WORKSPACE, &due)
    })
    .await;
    id
}

async fn is_over(world: &World, id: TxId) {
    let over = async {
        loop {
            let read = world
                .gate
                .store
                .read(move |reading| rows::proposals::one(reading, WORKSPACE, id));
            let now: Result<_, store::StoreError> = read.await;
            if now.expect("read").expect("it").state == State::Failed {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    };
    tokio::time::timeout(PATIENCE, over).await.expect("in time");
}

/// Its maker hung up after it was committed: nobody calls the dispatcher, and it is found all the same.
#[tokio::test]
async fn invariant_4_a_proposal_that_nobody_called_for_is_found() {
    let world = World::new().await;
    let (gate, editor) = (&world.gate, UserId(Uuid::from_u128(5)));
    gate.folder.make_key(KeyName::Editor).expect("a key");
    let set = move |writing: &mut store::Writing<'_>| {
        rows::connections::set(writing, WORKSPACE, "editor", &editor.to_string())
    };
    write(&gate.store, set).await;
    gate.reload().await.expect("loaded");
    gate.trust.keep(editor, ProviderRole::Editor, NOW, None);
    let first = commit(&world, 11).await;
    let shutdown = CancellationToken::new();
    let runs = tokio::spawn(dispatch(Arc::clone(gate), shutdown.clone()));
    is_over(&world, first).await;
    // Now it rests.
    let second = commit(&world, 12).await;
    is_over(&world, second).await;
    shutdown.cancel();
    runs.await.expect("it ends");
}

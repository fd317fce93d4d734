//! What is handed in is examined in line, and nobody else's call waits for it.

use std::sync::mpsc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::*;
use crate::operations::connections::Grant;
use crate::operations::operators::{self, NewOperator};
use crate::operators::OperatorRole;

/// An examination that lasts until it is told to end.
struct Slow {
    end: mpsc::Sender<()>,
    task: JoinHandle<Result<bool, ApiError>>,
}

impl Slow {
    async fn begin(gate: &Arc<Gate>, actor: Actor) -> Self {
        let (end, ended) = mpsc::channel();
        let (begin, begun) = oneshot::channel();
        let gate = Arc::clone(gate);
        let work = move || {
            begin.send(()).expect("somebody waits");
            ended.recv_timeout(Duration::from_secs(20)).is_ok()
        };
        let task = tokio::spawn(async move { gate.examiner.examine(&actor, work).await });
        begun.await.expect("begun");
        Self { end, task }
    }

    async fn end(self) {
        self.end.send(()).expect("it goes on still");
        let told = self.task.await.expect("no panic").expect("its turn");
        assert!(told, "it was told, and did not give up");
    }
}

/// Drives a call until a read of another connection's is answered: the call stands in line still.
async fn waits<T>(world: &World, call: &mut (impl Future<Output = T> + Unpin)) {
    let before = world.gate.examiner.in_line();
    tokio::select! {
        biased;
        _ = call => panic!("it did not wait for its turn"),
        keys = list(&world.gate, "other") => assert_eq!(keys.expect("answered").len(), 1),
    }
    assert_eq!(
        world.gate.examiner.in_line(),
        before + 1,
        "one more in line"
    );
}

/// One thread answers all calls here: were anything examined on it, nothing else would be answered.
#[tokio::test]
async fn while_one_key_is_examined_others_reads_are_answered_and_other_keys_wait() {
    let world = World::new().await;
    enrol(&world, "acme", &KEY).await;
    enrol(&world, "other", &OTHER).await;
    let slow = Slow::begin(&world.gate, Actor::Connection("slow".to_owned())).await;
    let (next, another) = (new_key(), new_key());
    let mut offer = Box::pin(offered_by(&world, "acme", &next));
    waits(&world, &mut offer).await;
    let second = offered_by(&world, "acme", &another).await;
    assert_eq!(second.expect_err("one at a time").status(), 429);
    // The client's people do not wait behind providers.
    let brought = bring(&world, "other", &another, 60, false).await;
    assert_eq!(brought.expect("rotated").len(), 2);
    slow.end().await;
    assert_eq!(offer.await.expect("kept").len(), 2);
}

#[tokio::test]
async fn everything_that_operators_hand_in_is_examined_in_line() {
    let world = World::new().await;
    enrol(&world, "acme", &KEY).await;
    enrol(&world, "other", &OTHER).await;
    let (gate, operator) = (&world.gate, &world.operator);
    let slow = Slow::begin(gate, Actor::Operator("slow".to_owned())).await;
    let (key, person, newcomer) = (new_key(), new_key(), new_key());
    let mut rotation = Box::pin(bring(&world, "acme", &key, 0, false));
    waits(&world, &mut rotation).await;
    let mut enrolment = Box::pin(enrol(&world, "new", &newcomer));
    waits(&world, &mut enrolment).await;
    let person = NewOperator {
        name: "ann".to_owned(),
        role: OperatorRole::Admin,
        csr: csr(&person),
        reason: "as agreed".to_owned(),
    };
    let mut addition = Box::pin(operators::add(gate, operator, person));
    waits(&world, &mut addition).await;
    let grant = Grant {
        client_certificate: Some(HandedIn::text("none")),
        ..crate::testing::grant()
    };
    let mut certificate = Box::pin(approve(gate, operator, "acme", grant));
    waits(&world, &mut certificate).await;
    slow.end().await;
    rotation.await.expect("rotated");
    enrolment.await;
    addition.await.expect("asked");
    let approved = certificate.await.expect_err("it is approved already");
    assert_eq!(approved.status(), 409);
}

#[tokio::test]
async fn an_operator_has_only_so_many_in_line_and_a_panic_frees_its_place() {
    let world = World::new().await;
    let operator = Actor::Operator("ann".to_owned());
    let examine = || Box::pin(world.gate.examiner.examine(&operator, || ()));
    let panic = || panic!("a test");
    let failed = world.gate.examiner.examine::<()>(&operator, panic).await;
    assert_eq!(failed.expect_err("a panic").status(), 500);
    let slow = Slow::begin(&world.gate, operator.clone()).await;
    let mut line: Vec<_> = (0..7).map(|_| examine()).collect();
    for one in &mut line {
        assert!(is_pending(one).await);
    }
    assert_eq!(examine().await.expect_err("too many").status(), 429);
    // Whoever hangs up stands in line no more.
    drop(line.pop());
    let mut again = examine();
    assert!(is_pending(&mut again).await);
    slow.end().await;
    for one in line.into_iter().chain([again]) {
        one.await.expect("its turn");
    }
}

/// Looks at a call once.
async fn is_pending<T>(call: &mut (impl Future<Output = T> + Unpin)) -> bool {
    std::future::poll_fn(|context| {
        std::task::Poll::Ready(std::pin::Pin::new(&mut *call).poll(context).is_pending())
    })
    .await
}

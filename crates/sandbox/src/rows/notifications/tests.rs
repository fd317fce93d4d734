use protocol::ids::NotificationId;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use store::once;
use store::testing::{Engine, TestStore};
use uuid::Uuid;

use super::*;
use crate::rows::{Posting, ROOM, add_notification};

const WORKSPACE: WorkspaceId = WorkspaceId(Uuid::from_u128(1));
const ORDERS: [Standing; 6] = [
    Standing::Id,
    Standing::CreatedAt,
    Standing::UpdatedAt,
    Standing::Status,
    Standing::EventType,
    Standing::ResourceId,
];
const STATUSES: [NotificationStatus; 4] = [
    NotificationStatus::Completed,
    NotificationStatus::Completed,
    NotificationStatus::Failed,
    NotificationStatus::InProgress,
];

fn hooks() -> [WebhookId; 2] {
    [WebhookId(Uuid::from_u128(2)), WebhookId(Uuid::from_u128(3))]
}

/// Notifications of two webhooks; what their maker knows of the first one's.
async fn made(count: i64, moments: i64) -> (TestStore, Vec<(i64, Notification)>, StdRng) {
    let rooms = [ledger::ROOM, ledger::LISTS, once::ROOM, ROOM];
    let store = TestStore::new(Engine::Sqlite, &rooms).await;
    let mut random = StdRng::seed_from_u64(1);
    let events = &EventType::ALL[..4];
    let all: Vec<_> = (1..=count)
        .map(|seq| {
            let created = random.random_range(0..moments);
            let resource = random.random_bool(0.8).then(|| random.random_range(0..40));
            let notification = Notification {
                id: NotificationId(Uuid::from_u128(random.random())),
                created_at: Millis(created),
                updated_at: Millis(created + random.random_range(0..3)),
                status: *STATUSES.choose(&mut random).expect("one"),
                event_type: events.choose(&mut random).expect("one").clone(),
                resource_id: resource.map(|number: u32| format!("resource {number}")),
                data: None,
            };
            (
                hooks()[usize::from(random.random_bool(0.2))],
                seq,
                notification,
            )
        })
        .collect();
    let rows = all.clone();
    let fill = move |writing: &mut store::Writing<'_>| {
        for (webhook, seq, row) in &rows {
            let posting = Posting {
                due_at: Some(Millis(0)),
                forged: None,
                copies: 0,
            };
            add_notification(
                writing,
                WORKSPACE,
                *webhook,
                *seq,
                row,
                posting,
                &[b'x'; 3_000],
            )?;
            let sql = "UPDATE notifications SET updated_at = $2 WHERE seq = $1";
            writing.execute(sql, &params![*seq, row.updated_at.0])?;
        }
        Ok::<_, StoreError>(())
    };
    store.write(fill).await.expect("filled");
    let of_first = all
        .into_iter()
        .filter(|(webhook, ..)| *webhook == hooks()[0]);
    (
        store,
        of_first.map(|(_, seq, row)| (seq, row)).collect(),
        random,
    )
}

fn some(random: &mut StdRng, rows: &[(i64, Notification)]) -> Chosen {
    let (_, row) = rows.choose(random).expect("one");
    let mut chosen = Chosen::between(hooks()[0], Millis(0), Millis(i64::MAX));
    if random.random_bool(0.3) {
        chosen.statuses =
            Some([vec![row.status], vec![]][usize::from(random.random_bool(0.1))].clone());
    }
    if random.random_bool(0.3) {
        chosen.events = vec![row.event_type.clone()];
    }
    if random.random_bool(0.3) {
        chosen.resource.clone_from(&row.resource_id);
    }
    if random.random_bool(0.3) {
        chosen.from = row.created_at;
    }
    if random.random_bool(0.3) {
        chosen.to = row.created_at.plus(random.random_range(0..20));
    }
    chosen
}

fn takes(chosen: &Chosen, row: &Notification) -> bool {
    let statuses = chosen.statuses.as_ref();
    statuses.is_none_or(|all| all.contains(&row.status))
        && (chosen.events.is_empty() || chosen.events.contains(&row.event_type))
        && (chosen.resource.is_none() || chosen.resource == row.resource_id)
        && (chosen.from..=chosen.to).contains(&row.created_at)
}

/// Each order as its maker has it, which is not by what SQL says.
fn in_order(by: Standing, (seq, row): &(i64, Notification)) -> (i64, String, i64) {
    let (number, text) = match by {
        Standing::Id => (0, row.id.to_string()),
        Standing::CreatedAt => (row.created_at.0, String::new()),
        Standing::UpdatedAt => (row.updated_at.0, String::new()),
        Standing::Status => (0, format!("{:?}", row.status)),
        Standing::EventType => (0, row.event_type.to_string()),
        Standing::ResourceId => (0, row.resource_id.clone().unwrap_or_default()),
    };
    (number, text, *seq)
}

#[tokio::test]
async fn notifications_are_those_of_their_maker_in_every_order_and_page() {
    let (store, rows, mut random) = made(400, 100).await;
    let mut reader = store.counted();
    let mut found = 0;
    for round in 0..240 {
        let (chosen, by) = (some(&mut random, &rows), ORDERS[round % ORDERS.len()]);
        let direction = [Direction::Up, Direction::Down][usize::from(random.random::<bool>())];
        let mut expected: Vec<_> = rows
            .iter()
            .filter(|(_, row)| takes(&chosen, row))
            .cloned()
            .collect();
        expected.sort_by_key(|row| in_order(by, row));
        if direction == Direction::Down {
            expected.reverse();
        }
        let count = notification_count(&mut reader, WORKSPACE, &chosen).expect("a count");
        assert_eq!(count, i64::try_from(expected.len()).expect("a few"));
        let mut order = Order {
            by,
            direction,
            past: None,
            limit: random.random_range(5..60),
        };
        let mut seen = Vec::new();
        loop {
            let page = notification_page(&mut reader, WORKSPACE, &chosen, &order).expect("a page");
            seen.extend(page.iter().cloned());
            let Some((seq, last)) = page.last() else {
                break;
            };
            order.past = Some((by.of(last), *seq));
        }
        let ids = |rows: &[(i64, Notification)]| -> Vec<_> {
            rows.iter()
                .map(|(seq, row)| (*seq, format!("{row:?}")))
                .collect()
        };
        assert_eq!(ids(&seen), ids(&expected), "{chosen:?} {order:?}");
        found += seen.len();
        let all = notifications(&mut reader, WORKSPACE, &chosen).expect("all");
        expected.sort_by_key(|(seq, _)| *seq);
        assert!(
            all.iter()
                .map(|row| row.id)
                .eq(expected.iter().map(|(_, row)| row.id))
        );
    }
    assert!(found > 5_000, "{found}");
}

/// By time, and of a resource, a page costs its own rows: deep ones too. The other orders and
/// filters look through the webhook's rows, without their bodies.
#[tokio::test]
async fn a_page_of_notifications_costs_its_own_rows() {
    let (store, rows, _) = made(1_500, 100_000).await;
    let mut reader = store.counted();
    let all = Chosen::between(hooks()[0], Millis(5), Millis(i64::MAX));
    let of_one = Chosen {
        resource: Some("resource 7".to_owned()),
        ..all.clone()
    };
    for (chosen, by, index) in [
        (
            &all,
            Standing::UpdatedAt,
            "notifications_by_update (workspace=? AND webhook=? AND ",
        ),
        (
            &all,
            Standing::CreatedAt,
            "notifications_by_creation (workspace=? AND webhook=? AND ",
        ),
        (
            &of_one,
            Standing::UpdatedAt,
            "notifications_of_resource (workspace=? AND webhook=? AND resource_id=? AND ",
        ),
    ] {
        for (direction, deep) in [
            (Direction::Down, false),
            (Direction::Down, true),
            (Direction::Up, false),
            (Direction::Up, true),
        ] {
            let (seq, middle) = &rows[rows.len() / 2];
            let past = deep.then(|| (by.of(middle), *seq));
            let order = Order {
                by,
                direction,
                past,
                limit: 21,
            };
            let (sql, values) = page(WORKSPACE, chosen, &order);
            let plan = reader.plan(&sql, &values).expect("a plan").join("; ");
            assert!(
                plan.starts_with(&format!("SEARCH notifications USING INDEX {index}")),
                "{plan}"
            );
            assert!(!plan.contains("TEMP"), "{plan}");
            let found = notification_page(&mut reader, WORKSPACE, chosen, &order).expect("a page");
            assert!(!found.is_empty());
            let cost = reader.cost();
            assert!(
                cost.steps < 700 && cost.scanned == 0 && cost.sorts == 0,
                "{cost:?}"
            );
        }
    }
    let by_event = Order {
        by: Standing::EventType,
        direction: Direction::Down,
        past: None,
        limit: 21,
    };
    notification_page(&mut reader, WORKSPACE, &all, &by_event).expect("a page");
    assert!(reader.cost().steps > 5_000, "it is counted");
}

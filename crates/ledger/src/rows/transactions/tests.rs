use protocol::time::Millis;
use store::testing::{Engine, TestStore};

use super::*;
use crate::rows::{LISTS, ROOM};

/// Each filter by itself, in both orders: SQLite finds the rows in order in one index.
#[tokio::test]
async fn each_list_with_one_filter_is_read_from_one_index() {
    let store = TestStore::new(Engine::Sqlite, &[ROOM, LISTS]).await;
    let named = Some("1".to_owned());
    let filters = [
        Filter::default(),
        Filter {
            status: Some(TransactionStatus::Blocked),
            ..Filter::default()
        },
        Filter {
            assets: vec!["ETH".parse().expect("an asset")],
            ..Filter::default()
        },
        Filter {
            source_kind: Some(PeerKind::VaultAccount),
            ..Filter::default()
        },
        Filter {
            source_id: named.clone(),
            ..Filter::default()
        },
        Filter {
            destination_kind: Some(PeerKind::VaultAccount),
            ..Filter::default()
        },
        Filter {
            destination_id: named,
            ..Filter::default()
        },
    ];
    let scope = Scope::whole(WorkspaceId(Uuid::from_u128(1)));
    for filter in filters {
        for (by_update, after) in [(false, None), (true, None), (false, Some(Millis(5)))] {
            let filter = Filter {
                after,
                ..filter.clone()
            };
            let order = Order {
                by_update,
                ascending: false,
                past: Some((7, TxId(Uuid::from_u128(2)))),
                limit: 20,
            };
            let (sql, params) = statement(&scope, &filter, &order);
            let sql = format!("EXPLAIN QUERY PLAN {sql}");
            let work = move |reading: &mut store::Reading<'_>| {
                let rows = reading.rows(&sql, &params)?;
                rows.iter()
                    .map(|row| row.text(3).map(str::to_owned))
                    .collect()
            };
            let plan: Result<Vec<String>, StoreError> = store.read(work).await;
            let plan = plan.expect("a plan");
            let one = plan.len() == 1 && plan.iter().all(|step| step.contains("USING INDEX"));
            assert!(one, "{filter:?}, by update: {by_update}: {plan:?}");
        }
    }
}

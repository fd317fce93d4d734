use protocol::ids::WorkspaceId;
use store::testing::{Engine, TestStore};

use uuid::Uuid;

use super::*;
use crate::rows::{LISTS, ROOM};
use crate::scope::PartScope;

/// Every filter by itself: what its index by creation is called, and what it finds.
fn filters() -> Vec<(&'static str, &'static str, Filter)> {
    let none = Filter::default;
    let named = Some("1".to_owned());
    vec![
        ("transactions", "", none()),
        (
            "transactions_of_status",
            "status=? AND ",
            Filter {
                status: Some(TransactionStatus::Blocked),
                ..none()
            },
        ),
        (
            "transactions_of_asset",
            "asset=? AND ",
            Filter {
                assets: vec!["ETH".parse().expect("an asset")],
                ..none()
            },
        ),
        (
            "transactions_from_kind",
            "source_kind=? AND ",
            Filter {
                source_kind: Some(PeerKind::VaultAccount),
                ..none()
            },
        ),
        (
            "transactions_from",
            "source_id=? AND ",
            Filter {
                source_id: named.clone(),
                ..none()
            },
        ),
        (
            "transactions_to_kind",
            "destination_kind=? AND ",
            Filter {
                destination_kind: Some(PeerKind::VaultAccount),
                ..none()
            },
        ),
        (
            "transactions_to",
            "destination_id=? AND ",
            Filter {
                destination_id: named.clone(),
                ..none()
            },
        ),
        (
            "transactions_of_hash",
            "tx_hash=? AND ",
            Filter {
                tx_hash: named,
                ..none()
            },
        ),
    ]
}

/// Each filter by itself, in each order, from the first page to a deep one: SQLite finds the rows
/// in order in the index made for them, and begins and ends where the page does.
#[tokio::test]
async fn each_list_with_one_filter_is_read_from_its_index_alone() {
    let store = TestStore::new(Engine::Sqlite, &[ROOM, LISTS]).await;
    let mut counted = store.counted();
    let scope = Scope::whole(WorkspaceId(Uuid::from_u128(1)));
    let past = Some((7, TxId(Uuid::from_u128(2))));
    let (after, before) = (Some(Millis(5)), Some(Millis(9)));
    let mut wrong = Vec::new();
    for (name, column, filter) in filters() {
        for (by_update, ascending, past, after, before) in [
            (false, None, None, None),
            (false, past, None, None),
            (false, None, after, None),
            (false, past, after, None),
            (false, None, None, before),
            (false, past, None, before),
            (false, past, after, before),
            (true, None, None, None),
            (true, past, None, None),
            (true, None, after, None),
            (true, past, after, None),
        ]
        .into_iter()
        .flat_map(|(by, past, after, before)| {
            [
                (by, true, past, after, before),
                (by, false, past, after, before),
            ]
        }) {
            let filter = Filter {
                after,
                before,
                ..filter.clone()
            };
            let order = Order {
                by_update,
                ascending,
                past,
                limit: 20,
            };
            let (time, index) = match (by_update, column) {
                (false, "") => ("created_at", format!("{name}_by_creation")),
                (false, _) => ("created_at", name.to_owned()),
                (true, _) => ("last_updated", format!("{name}_by_update")),
            };
            // From where the page begins, or from where the list does; to where the list ends.
            let (begin, end) = if ascending { (">", "<") } else { ("<", ">") };
            let past = past.map(|_| format!("({time},id){begin}(?,?)"));
            let bound = |sign| match sign {
                ">" => after.map(|_| format!("{time}>?")),
                _ => before.map(|_| format!("{time}<?")),
            };
            let (begins, ends) = (past.or_else(|| bound(begin)), bound(end));
            let mut bounds = [begins, ends];
            if !ascending {
                bounds.reverse();
            }
            let range: String = bounds
                .iter()
                .flatten()
                .map(|it| format!(" AND {it}"))
                .collect();
            let column = column
                .strip_suffix(" AND ")
                .map_or_else(String::new, |it| format!(" AND {it}"));
            let expected = format!("SEARCH t USING INDEX {index} (workspace=?{column}{range})");
            let strands = strands(&scope, &filter, &order);
            assert_eq!(strands.len(), 1);
            let (sql, params) = statement(&scope, &strands[0], &order, None);
            let plan = counted.plan(&sql, &params).expect("a plan");
            if plan != [expected.as_str()] {
                wrong.push(format!("{plan:?}\n  instead of {expected}\n  {sql}"));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} plans:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// Where the time of creation ends, and the order is another: each class of lateness in its index.
#[tokio::test]
async fn by_update_before_a_time_each_class_is_read_from_one_index() {
    let store = TestStore::new(Engine::Sqlite, &[ROOM, LISTS]).await;
    let mut counted = store.counted();
    let scope = Scope::whole(WorkspaceId(Uuid::from_u128(1)));
    let filter = Filter {
        after: Some(Millis(5)),
        before: Some(Millis(9)),
        ..Filter::default()
    };
    let row = |time| Some((time, TxId(Uuid::from_u128(2))));
    for (ascending, past, until) in [
        (true, None, None),
        (true, row(70_000), row(80_000)),
        (false, row(70_000), None),
    ] {
        let order = Order {
            by_update: true,
            ascending,
            past,
            limit: 20,
        };
        let strands = strands(&scope, &filter, &order);
        assert_eq!(strands.len(), LATENESS_LIMITS.len() + 1);
        for strand in &strands {
            let (sql, params) = statement(&scope, strand, &order, until);
            let plan = counted.plan(&sql, &params).expect("a plan").join("; ");
            let index =
                "SEARCH t USING INDEX transactions_by_lateness (workspace=? AND <expr>=? AND ";
            assert!(plan.starts_with(index), "{plan}");
            assert!(!plan.contains("TEMP"), "{plan}");
        }
    }
    let mut text = "(CASE".to_owned();
    for (class, limit) in LATENESS_LIMITS.iter().enumerate() {
        text.push_str(&format!(
            " WHEN last_updated - created_at < {limit} THEN {class}"
        ));
    }
    text.push_str(&format!(" ELSE {} END)", LATENESS_LIMITS.len()));
    assert_eq!(LATENESS, text, "the limits are those of the index");
}

/// In a scope that hides something: the scope's own rows, and each by its id.
#[tokio::test]
async fn invariant_7_a_part_is_read_by_its_own_rows_alone() {
    for rooms in [&[ROOM][..], &[ROOM, LISTS]] {
        let store = TestStore::new(Engine::Sqlite, rooms).await;
        let mut counted = store.counted();
        let scope = Scope::part(WorkspaceId(Uuid::from_u128(1)), PartScope::default());
        for (_, _, filter) in filters() {
            for by_update in [false, true] {
                let order = Order {
                    by_update,
                    ascending: false,
                    past: None,
                    limit: 20,
                };
                let filter = Filter {
                    after: Some(Millis(5)),
                    ..filter.clone()
                };
                let strands = strands(&scope, &filter, &order);
                let (sql, params) = statement(&scope, &strands[0], &order, None);
                let plan = counted.plan(&sql, &params).expect("a plan");
                let own = "SEARCH s USING COVERING INDEX sqlite_autoindex_scope_transactions_1 (workspace=? AND scope=?";
                assert!(plan[0].starts_with(own), "{plan:?}");
                let by_id =
                    "SEARCH t USING INDEX sqlite_autoindex_transactions_1 (workspace=? AND id=?)";
                assert_eq!(plan[1], by_id);
                // By update they are put in order.
                assert_eq!(plan.len() - 2, usize::from(by_update), "{plan:?}");
            }
        }
    }
}

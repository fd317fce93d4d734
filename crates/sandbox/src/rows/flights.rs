//! Transactions under way, with what they do not show.

use protocol::ids::{TxId, WorkspaceId};
use protocol::model::transaction::TransactionStatus;
use protocol::time::Millis;
use store::{Query, Row, StoreError, Writing, params};

use super::{corrupt, uuid};
use crate::flight::UnderWay;

pub(super) const LANES: &str = "
ALTER TABLE flights ADD COLUMN status TEXT;
ALTER TABLE flights ADD COLUMN lane TEXT;
";

pub(super) const EXPIRY: &str = "
ALTER TABLE flights ADD COLUMN expires BIGINT;
";

pub(super) const TURNS: &str = "
CREATE INDEX flights_lane ON flights (workspace, lane);
";

pub(super) const WAITING: &str = "
CREATE INDEX flights_status ON flights (workspace, status, lane);
";

/// Most transactions under way that are looked at together.
const MAX_FLIGHTS: i64 = 100_000;

pub(crate) fn put(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    flight: &UnderWay,
    doc: &str,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO flights (workspace, id, since, status, lane, doc, expires) VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (workspace, id) DO UPDATE
        SET since = excluded.since, status = excluded.status, lane = excluded.lane, doc = excluded.doc, expires = excluded.expires";
    let params = params![
        workspace.to_string(),
        flight.id.0.as_bytes().as_slice(),
        flight.since.0,
        flight.status.map(|status| status.to_string()),
        flight.lane.clone(),
        doc,
        flight.expires.map(|at| at.0)
    ];
    writing.execute(sql, &params).map(drop)
}

pub(crate) fn end(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    id: TxId,
) -> Result<(), StoreError> {
    let sql = "DELETE FROM flights WHERE workspace = $1 AND id = $2";
    let params = params![workspace.to_string(), id.0.as_bytes().as_slice()];
    writing.execute(sql, &params).map(drop)
}

/// The transactions under way, those that changed longest ago first.
pub(crate) fn all(
    query: &mut impl Query,
    workspace: WorkspaceId,
) -> Result<Vec<UnderWay>, StoreError> {
    let sql = "SELECT id, since, status, lane, expires FROM flights WHERE workspace = $1 ORDER BY since, id LIMIT $2";
    let rows = query.rows(sql, &params![workspace.to_string(), MAX_FLIGHTS])?;
    rows.iter().map(read).collect()
}

/// The same without those that wait behind another one of their lane: nothing happens to these.
pub(crate) fn in_play(
    query: &mut impl Query,
    workspace: WorkspaceId,
) -> Result<Vec<UnderWay>, StoreError> {
    // Each part is a range of `flights_status`; the statuses are those that `occupies` names.
    let sql = "SELECT id, since, status, lane, expires FROM flights WHERE workspace = $1 AND status IS NULL
        UNION ALL SELECT id, since, status, lane, expires FROM flights WHERE workspace = $1 AND status < 'QUEUED'
        UNION ALL SELECT id, since, status, lane, expires FROM flights WHERE workspace = $1 AND status > 'QUEUED'
        UNION ALL SELECT id, since, status, lane, expires FROM flights WHERE workspace = $1 AND status = 'QUEUED'
            AND (lane IS NULL OR lane NOT IN (
                SELECT lane FROM flights WHERE workspace = $1 AND lane IS NOT NULL
                    AND status IN ('PENDING_SIGNATURE', 'BROADCASTING', 'CONFIRMING')))
        ORDER BY since, id LIMIT $2";
    let rows = query.rows(sql, &params![workspace.to_string(), MAX_FLIGHTS])?;
    rows.iter().map(read).collect()
}

fn read(row: &Row) -> Result<UnderWay, StoreError> {
    let status = row.opt_text(2)?.map(str::parse::<TransactionStatus>);
    Ok(UnderWay {
        id: TxId(uuid(row.bytes(0)?, "flights")?),
        since: Millis(row.int(1)?),
        status: status
            .transpose()
            .map_err(|_| corrupt("flights", "status", ""))?,
        lane: row.opt_text(3)?.map(str::to_owned),
        expires: row.opt_int(4)?.map(Millis),
    })
}

/// How far those of one lane are.
pub(crate) fn of_lane(
    query: &mut impl Query,
    workspace: WorkspaceId,
    lane: &str,
) -> Result<Vec<TransactionStatus>, StoreError> {
    let sql =
        "SELECT status FROM flights WHERE workspace = $1 AND lane = $2 AND status IS NOT NULL";
    let read = |row: &Row| {
        let status = row.text(0)?.parse();
        status.map_err(|_| corrupt("flights", "status", ""))
    };
    query
        .rows(sql, &params![workspace.to_string(), lane])?
        .iter()
        .map(read)
        .collect()
}

pub(crate) fn one(
    query: &mut impl Query,
    workspace: WorkspaceId,
    id: TxId,
) -> Result<Option<String>, StoreError> {
    let sql = "SELECT doc FROM flights WHERE workspace = $1 AND id = $2";
    let params = params![workspace.to_string(), id.0.as_bytes().as_slice()];
    let row = query.row(sql, &params)?;
    row.map(|row| row.text(0).map(str::to_owned)).transpose()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use store::{Location, Store};
    use uuid::Uuid;

    use super::*;
    use crate::flight::due;

    fn waiting() -> impl Strategy<Value = Vec<(Option<TransactionStatus>, Option<u8>, i64)>> {
        use TransactionStatus as S;
        let statuses = [
            S::Submitted,
            S::Queued,
            S::PendingAuthorization,
            S::PendingSignature,
            S::Broadcasting,
            S::Confirming,
            S::Cancelling,
        ];
        let status = prop::option::weighted(0.9, prop::sample::select(statuses.to_vec()));
        let lane = prop::option::weighted(0.8, 0..3_u8);
        prop::collection::vec((status, lane, 0..50_i64), 0..12)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn nobody_whose_turn_it_is_is_left_out(all_of_it in waiting()) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
            let workspace = WorkspaceId(Uuid::from_u128(1));
            let rooms = [ledger::ROOM, store::once::ROOM, crate::rows::ROOM];
            let (everybody, some) = runtime.block_on(async {
                let store = Store::open(&Location::SqliteMemory, &rooms).await.expect("a store");
                store.write(move |writing| {
                    for (number, (status, lane, since)) in (1..).zip(all_of_it.iter()) {
                        let flight = UnderWay {
                            id: TxId(Uuid::from_u128(number)),
                            since: Millis(*since),
                            status: *status,
                            lane: lane.map(|lane| lane.to_string()),
                            expires: None,
                        };
                        put(writing, workspace, &flight, "{}")?;
                    }
                    Ok::<_, StoreError>((all(writing, workspace)?, in_play(writing, workspace)?))
                }).await.expect("both")
            });
            for manual in [false, true] {
                let now = Millis(1_000);
                prop_assert_eq!(due(&everybody, now, manual), due(&some, now, manual));
            }
        }
    }
}

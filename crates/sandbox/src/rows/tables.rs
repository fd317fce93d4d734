//! Every table that keeps something of a workspace, as the schema has them: its rows are copied to
//! another workspace, and taken away, without anybody who adds a table thinking of it.

use protocol::ids::WorkspaceId;
use store::{Query, StoreError, Value, Writing};

/// Nonces belong to tokens, and those to the world's time: whatever becomes of a workspace, they stay.
const NONCES: &str = "once_nonces";
/// What a workspace that is made from another begins without: what that one has answered and sent.
const NOT_INHERITED: [&str; 4] = ["attempts", "notifications", "once_answers", "resend_jobs"];

/// Which rows are copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// All that it is.
    Whole,
    /// What another one that is made from it begins with.
    Inherited,
}

struct Table {
    name: String,
    /// Its columns but the workspace's, and whether each is text.
    columns: Vec<(String, bool)>,
}

fn all(query: &mut impl Query) -> Result<Vec<Table>, StoreError> {
    let sql = "SELECT m.name, c.name, c.type FROM sqlite_master m, pragma_table_info(m.name) c
        WHERE m.type = 'table' ORDER BY m.name, c.cid";
    let mut tables: Vec<Table> = Vec::new();
    for row in query.rows(sql, &[])? {
        let name = row.text(0)?;
        if tables.last().is_none_or(|table| table.name != name) {
            tables.push(Table {
                name: name.to_owned(),
                columns: Vec::new(),
            });
        }
        if let Some(table) = tables.last_mut() {
            let column = (row.text(1)?.to_owned(), row.text(2)? == "TEXT");
            table.columns.push(column);
        }
    }
    tables.retain_mut(|table| {
        let before = table.columns.len();
        table.columns.retain(|(name, _)| name != "workspace");
        table.columns.len() < before
    });
    Ok(tables)
}

/// Copies a workspace's rows. In their texts each name of the first kind becomes that of the second.
pub(crate) fn copy(
    writing: &mut Writing<'_>,
    from: WorkspaceId,
    to: WorkspaceId,
    names: &[(String, String)],
    extent: Extent,
) -> Result<(), StoreError> {
    let mut params: Vec<Value> = vec![to.to_string().into(), from.to_string().into()];
    for (old, new) in names {
        params.push(old.into());
        params.push(new.into());
    }
    let renamed = |column: &String| {
        let whole = (0..names.len()).fold(column.clone(), |text, at| {
            format!("replace({text}, ${}, ${})", 2 * at + 3, 2 * at + 4)
        });
        // No name is shorter than a UUID.
        format!("CASE WHEN length({column}) < 36 THEN {column} ELSE {whole} END")
    };
    let plain: Vec<Value> = params.iter().take(2).cloned().collect();
    for Table { name, columns } in all(writing)? {
        let left_out = extent == Extent::Inherited && NOT_INHERITED.contains(&name.as_str());
        if left_out || name == NONCES {
            continue;
        }
        let all: Vec<_> = columns.iter().map(|(column, _)| column.as_str()).collect();
        let read: Vec<_> = columns
            .iter()
            .map(|(column, text)| {
                if *text {
                    renamed(column)
                } else {
                    column.clone()
                }
            })
            .collect();
        let sql = format!(
            "INSERT INTO {name} (workspace, {}) SELECT $1, {} FROM {name} WHERE workspace = $2",
            all.join(", "),
            read.join(", ")
        );
        let has_text = columns.iter().any(|(_, text)| *text);
        writing.execute(&sql, if has_text { &params } else { &plain })?;
    }
    Ok(())
}

/// Takes away all that a workspace is; what only keeps tokens from working twice stays.
pub(crate) fn clear(writing: &mut Writing<'_>, workspace: WorkspaceId) -> Result<(), StoreError> {
    for Table { name, .. } in all(writing)? {
        if name != NONCES {
            let sql = format!("DELETE FROM {name} WHERE workspace = $1");
            writing.execute(&sql, &[workspace.to_string().into()])?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use store::{Location, Store, once};

    /// Tables of all workspaces; whoever adds another says why it is nobody's.
    const NOBODYS: [&str; 4] = ["house", "schema_migrations", "snapshots", "workspaces"];

    #[tokio::test]
    async fn every_table_is_some_workspaces_or_known_to_be_nobodys() {
        let rooms = [ledger::ROOM, once::ROOM, crate::rows::ROOM];
        let store = Store::open(&Location::SqliteMemory, &rooms).await;
        let store = store.expect("a store");
        let read = store.read(|reading| {
            let tables = all(reading)?.into_iter();
            let of_workspaces: Vec<_> = tables.map(|table| table.name).collect();
            let sql = "SELECT name FROM sqlite_master WHERE type = 'table'";
            let rows = reading.rows(sql, &[])?;
            let names = rows.iter().map(|row| row.text(0).map(str::to_owned));
            Ok::<_, StoreError>((of_workspaces, names.collect::<Result<Vec<_>, _>>()?))
        });
        let (of_workspaces, names) = read.await.expect("the tables");
        for name in names.iter().filter(|name| !name.starts_with("sqlite_")) {
            let nobodys = NOBODYS.contains(&name.as_str());
            assert_ne!(of_workspaces.contains(name), nobodys, "{name}");
        }
        for name in NOT_INHERITED.iter().chain(&[NONCES]) {
            assert!(of_workspaces.iter().any(|known| known == name), "{name}");
        }
    }
}

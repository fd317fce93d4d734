//! Every table that keeps something of a workspace, as the schema has them: its rows are copied to
//! another workspace, and taken away, without anybody who adds a table thinking of it.

use std::collections::{BTreeMap, BTreeSet};

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

/// Which names the texts of a workspace tell, by table and column. Whoever is copied from often and
/// never changes is asked once: to look for a name takes as long as to change it.
#[derive(Debug)]
pub(crate) struct Told(BTreeMap<(String, String), BTreeSet<String>>);

/// Which of these names a workspace's texts tell.
pub(crate) fn told(
    query: &mut impl Query,
    workspace: WorkspaceId,
    names: &[(String, String)],
) -> Result<Told, StoreError> {
    let mut params: Vec<Value> = vec![workspace.to_string().into()];
    params.extend(names.iter().map(|(name, _)| Value::from(name)));
    let mut told = BTreeMap::new();
    for Table { name, columns } in all(query)? {
        for (column, _) in columns.iter().filter(|(_, text)| *text) {
            let tells = (0..names.len()).map(|at| format!("max(instr({column}, ${}) > 0)", at + 2));
            let tells = tells.collect::<Vec<_>>().join(", ");
            let sql = format!("SELECT {tells} FROM {name} WHERE workspace = $1");
            let Some(row) = query.row(&sql, &params)? else {
                continue;
            };
            let mut found = BTreeSet::new();
            for (at, (old, _)) in names.iter().enumerate() {
                if row.opt_int(at)? == Some(1) {
                    found.insert(old.clone());
                }
            }
            told.insert((name.clone(), column.clone()), found);
        }
    }
    Ok(Told(told))
}

/// Copies a workspace's rows. In their texts each name of the first kind becomes that of the second.
pub(crate) fn copy(
    writing: &mut Writing<'_>,
    from: WorkspaceId,
    to: WorkspaceId,
    names: &[(String, String)],
    extent: Extent,
    told: Option<&Told>,
) -> Result<(), StoreError> {
    for Table { name, columns } in all(writing)? {
        let left_out = extent == Extent::Inherited && NOT_INHERITED.contains(&name.as_str());
        if left_out || name == NONCES {
            continue;
        }
        let mut params: Vec<Value> = vec![to.to_string().into(), from.to_string().into()];
        let mut read = vec!["$1".to_owned()];
        for (column, text) in &columns {
            let place = (name.clone(), column.clone());
            let here = told.map(|Told(told)| told.get(&place));
            let mut whole = column.clone();
            for (old, new) in names.iter().filter(|_| *text) {
                // Nothing is known of the column, or that it tells this name.
                if here.is_none_or(|known| known.is_none_or(|known| known.contains(old))) {
                    params.extend([Value::from(old), Value::from(new)]);
                    whole = format!("replace({whole}, ${}, ${})", params.len() - 1, params.len());
                }
            }
            read.push(if whole == *column {
                whole
            } else {
                // No name is shorter than a UUID.
                format!("CASE WHEN length({column}) < 36 THEN {column} ELSE {whole} END")
            });
        }
        let mut all = vec!["workspace"];
        all.extend(columns.iter().map(|(column, _)| column.as_str()));
        let sql = format!(
            "INSERT INTO {name} ({}) SELECT {} FROM {name} WHERE workspace = $2",
            all.join(", "),
            read.join(", ")
        );
        writing.execute(&sql, &params)?;
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

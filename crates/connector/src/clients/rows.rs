//! The table of clients, and every statement on it.

use protocol::ids::WorkspaceId;
use serde::de::DeserializeOwned;
use store::{Migration, Query, Room, Row, Sql, StoreError, Writing, params};

use super::{Client, Progress};
use crate::client_name::ClientName;

/// The connector's tables.
pub const ROOM: Room = Room {
    name: "connector",
    migrations: &[Migration {
        id: 1,
        name: "clients",
        sql: Sql::Same(CLIENTS),
    }],
};

const CLIENTS: &str = "
CREATE TABLE clients (name TEXT NOT NULL PRIMARY KEY, workspace TEXT NOT NULL, doc TEXT NOT NULL, progress TEXT NOT NULL);
CREATE UNIQUE INDEX clients_by_workspace ON clients (workspace);
";

fn text(value: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Engine(error.to_string()))
}

fn parsed<T: DeserializeOwned>(
    row: &Row,
    column: usize,
    called: &'static str,
) -> Result<T, StoreError> {
    serde_json::from_str(row.text(column)?).map_err(|_| StoreError::Corrupt {
        table: "clients",
        column: called,
        id: row.text(0).unwrap_or_default().to_owned(),
    })
}

fn client(row: &Row) -> Result<(Client, Progress), StoreError> {
    Ok((parsed(row, 1, "doc")?, parsed(row, 2, "progress")?))
}

pub(super) fn insert(writing: &mut Writing<'_>, client: &Client) -> Result<(), StoreError> {
    let sql = "INSERT INTO clients (name, workspace, doc, progress) VALUES ($1, $2, $3, $4)";
    let params = params![
        client.name.as_str(),
        client.workspace.to_string(),
        text(client)?,
        text(&Progress::default())?
    ];
    writing.execute(sql, &params).map(drop)
}

pub(super) fn one(
    query: &mut impl Query,
    name: &ClientName,
) -> Result<Option<(Client, Progress)>, StoreError> {
    let sql = "SELECT name, doc, progress FROM clients WHERE name = $1";
    let row = query.row(sql, &params![name.as_str()])?;
    row.as_ref().map(client).transpose()
}

pub(super) fn all(query: &mut impl Query) -> Result<Vec<(Client, Progress)>, StoreError> {
    let sql = "SELECT name, doc, progress FROM clients";
    let mut clients: Vec<_> = query
        .rows(sql, &[])?
        .iter()
        .map(client)
        .collect::<Result<_, _>>()?;
    clients.sort_by(|(a, _), (b, _)| a.name.cmp(&b.name));
    Ok(clients)
}

pub(super) fn of_workspace(
    query: &mut impl Query,
    workspace: WorkspaceId,
) -> Result<Option<ClientName>, StoreError> {
    let sql = "SELECT name FROM clients WHERE workspace = $1";
    let Some(row) = query.row(sql, &params![workspace.to_string()])? else {
        return Ok(None);
    };
    let name = row.text(0)?;
    let name = name.parse().map_err(|_| StoreError::Corrupt {
        table: "clients",
        column: "name",
        id: name.to_owned(),
    })?;
    Ok(Some(name))
}

pub(super) fn write_progress(
    writing: &mut Writing<'_>,
    name: &ClientName,
    progress: &Progress,
) -> Result<(), StoreError> {
    let sql = "UPDATE clients SET progress = $2 WHERE name = $1";
    writing
        .execute(sql, &params![name.as_str(), text(progress)?])
        .map(drop)
}

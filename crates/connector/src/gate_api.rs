//! What a gate offers beside Fireblocks' operations, under `/vestibule/v1`, with the same tokens.

use bytes::Bytes;
use http::Method;
use ledger::digest::{Cell, CellKind};
use ledger::reports::Kind;
use ledger::{Digest, PartScope};
use protocol::ids::{AssetId, VaultAccountId, WorkspaceId};
use protocol::role::ProviderRole;
use protocol::time::Millis;
use serde::Deserialize;
use wire::client::{Client, ClientError, Once};
use wire::server::OWN_PREFIX;

/// Longest id of a report that is put into a target.
const MAX_ID_LEN: usize = 64;

/// Who the gate says we are.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Me {
    pub(crate) connection: String,
    pub(crate) role: ProviderRole,
    pub(crate) workspace_id: WorkspaceId,
    pub(crate) scope: MyScope,
    pub(crate) position: i64,
}

/// What the gate says we see.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct MyScope {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) part: Option<PartScope>,
}

/// The digest of what we see, as the gate's books have it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GateDigest {
    pub(crate) position: i64,
    pub(crate) as_of: Millis,
    pub(crate) scope: String,
    pub(crate) digest: Digest,
    #[serde(default = "ledger::digest::first_formula")]
    pub(crate) digest_formula: u32,
    pub(crate) cells: Vec<GateCell>,
}

/// A cell of it. (Field by field: numbers of any precision cannot be flattened.)
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct GateCell {
    account: VaultAccountId,
    asset: AssetId,
    kind: CellKind,
    #[serde(default)]
    month: i64,
    count: i64,
    sum: ledger::digest::Sum,
}

impl GateCell {
    pub(crate) fn split(self) -> (Cell, Digest) {
        let cell = Cell {
            account: self.account,
            asset: self.asset,
            kind: self.kind,
            month: self.month,
        };
        let digest = Digest {
            count: self.count,
            sum: self.sum,
        };
        (cell, digest)
    }
}

/// A report that can be fetched.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ListedReport {
    pub(crate) id: String,
    pub(crate) kind: Kind,
    pub(crate) created_at: Millis,
}

/// A key of ours, as the gate has it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct GateKey {
    /// SHA-256 of its modulus, hex.
    pub(crate) fingerprint: String,
    state: String,
}

impl GateKey {
    /// NEXT, ACTIVE, RETIRING, RETIRED or BURNED.
    pub(crate) fn state(&self) -> &str {
        &self.state
    }
}

#[derive(Deserialize)]
struct Keys {
    data: Vec<GateKey>,
}

#[derive(Deserialize)]
struct Reports {
    data: Vec<ListedReport>,
}

pub(crate) async fn me(gate: &Client) -> Result<Me, ClientError> {
    gate.get(&format!("{OWN_PREFIX}/me")).await?.json()
}

/// Our keys, and how far each is.
pub(crate) async fn keys(gate: &Client) -> Result<Vec<GateKey>, ClientError> {
    let keys: Keys = gate.get(&format!("{OWN_PREFIX}/keys")).await?.json()?;
    Ok(keys.data)
}

/// Offers the next key.
pub(crate) async fn offer(gate: &Client, body: Bytes) -> Result<(), ClientError> {
    let target = format!("{OWN_PREFIX}/keys");
    let offered = gate.write(Method::POST, &target, body, Once::Unkeyed);
    offered.await.map(drop)
}

pub(crate) async fn digest(gate: &Client) -> Result<GateDigest, ClientError> {
    gate.get(&format!("{OWN_PREFIX}/digest")).await?.json()
}

/// The newest report of each kind.
pub(crate) async fn newest_reports(gate: &Client) -> Result<Vec<ListedReport>, ClientError> {
    let listed: Reports = gate.get(&format!("{OWN_PREFIX}/reports")).await?.json()?;
    let mut newest: Vec<ListedReport> = Vec::new();
    for report in listed.data {
        match newest.iter_mut().find(|other| other.kind == report.kind) {
            Some(other) if other.created_at < report.created_at => *other = report,
            Some(_) => {}
            None => newest.push(report),
        }
    }
    Ok(newest)
}

/// A report's file and its manifest.
pub(crate) async fn report(gate: &Client, id: &str) -> Result<(Vec<u8>, Vec<u8>), ClientError> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if id.is_empty() || id.len() > MAX_ID_LEN || !id.bytes().all(plain) {
        return Err(ClientError::Target(id.chars().take(MAX_ID_LEN).collect()));
    }
    let target = format!("{OWN_PREFIX}/reports/{id}");
    let manifest = gate.get(&format!("{target}/manifest")).await?.body;
    let file = gate.get(&target).await?.body;
    Ok((file.to_vec(), manifest.to_vec()))
}

//! `connector first-sync`: the books begin. At a gate with its reports, which cost its workspace no
//! call (practice P5); straight at Fireblocks with a walk within the budget.

use std::sync::Arc;

use ledger::reports::Kind;
use protocol::time::Millis;
use serde::Serialize;
use sync::walk::{OnProgress, Options};
use sync::{Area, Walked, walk};

use super::import::{ImportedFile, first_sync_done, report};
use crate::client_name::ClientName;
use crate::clients::Progress;
use crate::compare::Comparison;
use crate::reconcile::Work;
use crate::role_check::{self, RoleSeen};
use crate::{Connector, Error, gate_api};

/// Which client's books.
#[derive(Clone)]
pub struct FirstSyncOf {
    /// Whose.
    pub client: ClientName,
    /// Told after each page.
    pub progress: Option<Arc<OnProgress>>,
}

impl std::fmt::Debug for FirstSyncOf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "FirstSyncOf({})", self.client)
    }
}

/// What it came to.
#[derive(Clone, Debug, Serialize)]
pub struct FirstSynced {
    /// Whose.
    pub client: ClientName,
    /// The reports that were taken in.
    pub reports: Vec<ImportedFile>,
    /// Which lists were read.
    pub walked: Vec<String>,
    /// Calls that took.
    pub calls: usize,
    /// Rows that were not understood, and are not in the books.
    pub not_understood: Vec<String>,
    /// Events that had waited, and were applied then.
    pub events: usize,
    /// What the key may do.
    pub role: RoleSeen,
    /// How the books compare with upstream now.
    pub comparison: Comparison,
}

/// Fills a client's books, applies what waited, and compares.
pub async fn first_sync(connector: &Connector, of: &FirstSyncOf) -> Result<FirstSynced, Error> {
    let (client, _) = connector.client(&of.client).await?;
    let work = Work::of(connector, &client).await?;
    let role = work.role().await?;
    role_check::insist(&client, &role)?;
    if !client.is_gate() {
        sync::identity(&work.upstream, client.workspace)
            .await?
            .map_err(sync::SyncError::from)?;
    }
    let mut reports = Vec::new();
    if client.is_gate() {
        for listed in gate_api::newest_reports(&work.upstream).await? {
            let (file, manifest) = gate_api::report(&work.upstream, &listed.id).await?;
            let name = format!("{} report {}", listed.kind, listed.id);
            reports.push(report(connector, &client, &work.books, name, &file, &manifest).await?);
        }
    }
    let mut areas = areas_beside(&reports);
    if areas.contains(&Area::Addresses) && !client.is_gate() {
        let options = Options::new(connector.clock());
        match sync::address_report(&work.upstream, &work.books, &options).await {
            Ok(_) => areas.retain(|area| *area != Area::Addresses),
            Err(why) => tracing::info!(%why, "no report of addresses: they are walked"),
        }
    }
    let mut options = Options::new(connector.clock());
    options.progress.clone_from(&of.progress);
    let walked = walk(&work.upstream, &work.books, &areas, &options).await?;
    remember(connector, &of.client, &walked).await?;
    let from = if reports.is_empty() {
        "upstream's lists"
    } else {
        "reports of the gate"
    };
    first_sync_done(connector, &client, from).await?;
    let events = work.drain().await?;
    let (_, progress) = connector.client(&of.client).await?;
    let comparison = work.reconcile(&progress).await?;
    Ok(FirstSynced {
        client: client.name.clone(),
        reports,
        walked: areas.iter().map(ToString::to_string).collect(),
        calls: walked.calls,
        not_understood: walked.told,
        events,
        role,
        comparison,
    })
}

/// What reports do not hold: names, whitelists, assets; and what there is no report of.
fn areas_beside(reports: &[ImportedFile]) -> Vec<Area> {
    let there = |wanted: Kind| {
        reports.iter().any(|file| {
            matches!(&file.source, super::import::Source::Report { kind, .. } if *kind == wanted)
        })
    };
    let mut areas = Area::all(Millis(0));
    areas.retain(|area| match area {
        Area::AssetWallets => !there(Kind::Balances),
        Area::Addresses => !there(Kind::Addresses),
        Area::Transactions { .. } => !there(Kind::Transactions),
        _ => true,
    });
    areas
}

/// Until when transactions are known.
async fn remember(connector: &Connector, name: &ClientName, walked: &Walked) -> Result<(), Error> {
    let transactions = |area: &Area| matches!(area, Area::Transactions { .. });
    let until = walked
        .as_of
        .iter()
        .find(|(area, _)| transactions(area))
        .map(|(_, at)| *at);
    let change = move |progress: &mut Progress| {
        progress.walked_until = progress.walked_until.max(until);
    };
    Ok(connector.clients().progress(name, change).await?)
}

//! Keeping a client's books equal to upstream, within its budget of calls, and saying so.

use std::collections::BTreeSet;
use std::time::Duration;

use ledger::digest::{Cell, CellKind, OtherFormula};
use ledger::{Books, Digest};
use protocol::time::Millis;
use sync::walk::{DATED, Options};
use sync::{Area, AsItIs, held, walk};
use wire::client::Client as Wire;

use crate::clients::{Client, Progress, known_role};
use crate::compare::{Comparison, With, differences, iso, remedy};
use crate::role_check::{self, RoleSeen};
use crate::{Connector, Error, gate_api};

/// How far back transactions are read again: a row can change after a final status.
const OVERLAP: i64 = Millis::DAY;
/// Most open transactions older than that which are read again, one call each.
const MAX_OPEN: u16 = 50;
/// Most wallets whose addresses are asked for in one go, one call each.
const MAX_WALLETS: usize = 20;
/// How often upstream's lists are read in one go, at most.
const MAX_READS: usize = 3;
/// How long events on their way are waited for before anything is read again.
const ON_ITS_WAY: Duration = Duration::from_secs(3);

/// A client at work.
pub(crate) struct Work<'a> {
    pub(crate) connector: &'a Connector,
    pub(crate) client: &'a Client,
    pub(crate) books: Books,
    pub(crate) upstream: Wire,
}

impl<'a> Work<'a> {
    pub(crate) async fn of(connector: &'a Connector, client: &'a Client) -> Result<Self, Error> {
        Ok(Self {
            connector,
            client,
            books: connector.books(client).await?,
            upstream: connector.upstream(client).await?,
        })
    }

    /// Asks what the key may do, and keeps the answer.
    pub(crate) async fn role(&self) -> Result<RoleSeen, Error> {
        let seen = role_check::ask(self.client, &self.upstream).await?;
        known_role::remember(self.connector, &self.client.name, &seen).await?;
        Ok(seen)
    }

    /// Applies the events that have come; looks at what they do not tell whole.
    pub(crate) async fn drain(&self) -> Result<usize, Error> {
        let drained = self.events().await?;
        if !drained.walk.is_empty() {
            let areas: Vec<_> = drained.walk.into_iter().collect();
            let mut options = Options::new(self.connector.clock());
            options.since = drained.latest;
            walk(&self.upstream, &self.books, &areas, &options).await?;
        }
        Ok(drained.applied)
    }

    /// Applies the events that have come.
    pub(crate) async fn events(&self) -> Result<sync::inbox::Drained, Error> {
        let inbox = self.connector.inbox(self.client);
        let nothing = |_: &mut store::Writing<'_>, _: &mut ledger::Batch, _: &_, _: &[_]| Ok(());
        Ok(inbox.drain(&self.books, &AsItIs, nothing).await?)
    }

    /// Compares, reads again what differs, and compares again.
    pub(crate) async fn reconcile(&self, progress: &Progress) -> Result<Comparison, Error> {
        self.drain().await?;
        let comparison = if self.client.is_gate() {
            self.with_gate_and_repair().await?
        } else {
            self.with_lists(progress).await?
        };
        let (kept, clients) = (comparison.clone(), self.connector.clients());
        let change = move |progress: &mut Progress| progress.compared = Some(kept.clone());
        clients.progress(&self.client.name, change).await?;
        Ok(comparison)
    }

    async fn with_gate_and_repair(&self) -> Result<Comparison, Error> {
        let first = self.with_gate().await?;
        if first.equal {
            return Ok(first);
        }
        // Mostly an event is on its way.
        let inbox = self.connector.inbox(self.client);
        if tokio::time::timeout(ON_ITS_WAY, inbox.arrived())
            .await
            .is_ok()
        {
            self.drain().await?;
        }
        let (second, areas) = self.with_gate_remedied().await?;
        if second.equal {
            return Ok(second);
        }
        let areas: Vec<_> = areas.into_iter().collect();
        let options = Options::new(self.connector.clock());
        walk(&self.upstream, &self.books, &areas, &options).await?;
        self.drain().await?;
        Ok(self.with_gate().await?.after_repair(second.differing))
    }

    /// Compares with the digest of the gate's own books.
    pub(crate) async fn with_gate(&self) -> Result<Comparison, Error> {
        Ok(self.with_gate_remedied().await?.0)
    }

    async fn with_gate_remedied(&self) -> Result<(Comparison, BTreeSet<Area>), Error> {
        let gate = gate_api::digest(&self.upstream).await?;
        OtherFormula::check(gate.digest_formula)?;
        let scope = self.client.scope();
        if gate.scope != scope.id().to_string() {
            return Err(Error::Contradiction(format!(
                "scope {}, not {}: ask for a new hand-back file",
                gate.scope,
                scope.id()
            )));
        }
        let theirs: Vec<_> = gate.cells.into_iter().map(|cell| cell.split()).collect();
        let ours = self.books.cells(&self.client.held()).await?;
        let with = With::GateDigest {
            base_url: self.client.base_url.clone(),
            scope: gate.scope,
            position: gate.position,
            as_of: gate.as_of,
        };
        let areas = remedy(&differences(&ours, &theirs));
        let comparison = Comparison::of(self.connector.now(), with, &ours, &theirs);
        if comparison.theirs != gate.digest {
            return Err(Error::Contradiction(
                "the gate's digest is not the sum of its cells".to_owned(),
            ));
        }
        Ok((comparison, areas))
    }

    /// Reads upstream's lists again, up to [`MAX_READS`] times for as long as that tells something new or leaves
    /// rows in doubt: what the webhooks made of the books is compared with them.
    async fn with_lists(&self, progress: &Progress) -> Result<Comparison, Error> {
        let mut repaired = 0;
        let (mut compared, mut in_doubt) = self.lists_once(progress).await?;
        for _ in 1..MAX_READS {
            if compared.equal && in_doubt == 0 {
                break;
            }
            repaired += compared.differing;
            if in_doubt > 0 {
                tokio::time::sleep(DATED).await;
            }
            self.drain().await?;
            (compared, in_doubt) = self.lists_once(progress).await?;
        }
        Ok(compared.after_repair(repaired).with_doubt(in_doubt))
    }

    /// The comparison, and how many rows are in doubt: the books know them otherwise, and later.
    async fn lists_once(&self, progress: &Progress) -> Result<(Comparison, usize), Error> {
        let scope = self.client.scope();
        let until = progress.walked_until.unwrap_or(Millis(0));
        let after = Millis(until.plus(-OVERLAP).0.max(0));
        let lists = [
            Area::Accounts,
            Area::AssetWallets,
            Area::Whitelists,
            Area::Transactions { after },
        ];
        let mut areas = lists.to_vec();
        let open = held::open_transactions(&self.books, &scope, MAX_OPEN).await?;
        let old = open.iter().filter(|open| open.created_at < after);
        areas.extend(
            old.take(usize::from(MAX_OPEN))
                .map(|open| Area::Transaction(open.id)),
        );
        let before = self.books.cells(&scope).await?;
        areas.extend(without_address(&before));
        let options = Options::new(self.connector.clock());
        let walked = walk(&self.upstream, &self.books, &areas, &options).await?;
        let now = self.books.cells(&scope).await?;
        let until = walked.as_of.get(&Area::Transactions { after }).copied();
        let change = move |progress: &mut Progress| {
            progress.walked_until = progress.walked_until.max(until);
        };
        self.connector
            .clients()
            .progress(&self.client.name, change)
            .await?;
        let with = With::UpstreamLists {
            base_url: self.client.base_url.clone(),
            areas: lists.iter().map(told).collect(),
            as_of: walked.as_of.values().min().copied().unwrap_or_default(),
        };
        // What was read is in the books now: what differed before is what had been missed.
        let compared = Comparison::of(self.connector.now(), with, &before, &now);
        Ok((compared, walked.in_doubt))
    }
}

/// An area as people read it.
fn told(area: &Area) -> String {
    match area {
        Area::Transactions { after } => format!("transactions made since {}", iso(*after)),
        area => area.to_string(),
    }
}

/// Wallets whose addresses are not known: the event that tells of them was missed.
fn without_address(cells: &[(Cell, Digest)]) -> Vec<Area> {
    let of = |kind: CellKind| {
        let cells = cells.iter().map(|(cell, _)| cell);
        cells
            .filter(move |cell| cell.kind == kind)
            .map(|cell| (cell.account, cell.asset.clone()))
            .collect::<BTreeSet<_>>()
    };
    of(CellKind::Balance)
        .difference(&of(CellKind::Address))
        .take(MAX_WALLETS)
        .map(|(account, asset)| Area::AddressesOf(*account, asset.clone()))
        .collect()
}

//! An upstream's lists, page by page, into the books.
//!
//! A row's version is a moment of upstream's clock at which the row was not yet read: the answer's
//! `Date` (whole seconds, rounded down) less the time that the request took. So a page that was
//! read before an event happened never overwrites that event, however late the page is applied.
//! Transactions carry their own version.

mod assets;
mod pages;
mod transactions;
mod vault;
mod whitelists;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ledger::{Applied, Batch, Books, Change, LedgerError, Scope, Version};
use protocol::time::Millis;
use store::{StoreError, Writing};
use wire::client::{Client, ClientError};
use wire::clock::WallClock;

use crate::area::Area;
use crate::held::Unanswered;
use crate::identity::ForeignWorkspace;
use crate::inbox::Outcome;
use crate::roles::MoreThanAsked;
use crate::translate::{AsItIs, Translate};

/// Most changes of one database transaction.
const BATCH: usize = 300;
/// Most rows that are not understood and told apart; the rest is counted.
const MAX_TOLD: usize = 20;

/// Why a walk stopped. What was applied before stays, and stays right.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// Upstream.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The books.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The key opens another workspace.
    #[error(transparent)]
    Foreign(#[from] ForeignWorkspace),
    /// The key can do more than it was made for.
    #[error(transparent)]
    MoreThanAsked(#[from] MoreThanAsked),
    /// Upstream does not tell what the key may do.
    #[error("no read is open to the API key: upstream tells nothing of what it may do")]
    NothingTold,
    /// The books did not tell what they hold.
    #[error(transparent)]
    Held(#[from] Unanswered),
    /// More transactions of one millisecond than a page holds, and no way to the rest.
    #[error("upstream has more transactions made at {0} than it tells on one page")]
    Crowded(Millis),
}

impl From<StoreError> for SyncError {
    fn from(error: StoreError) -> Self {
        Self::Ledger(error.into())
    }
}

/// What else is written in the transaction that a walked batch is written in.
pub type Beside =
    dyn Fn(&mut Writing<'_>, &mut Batch, &[Outcome]) -> Result<(), StoreError> + Send + Sync;
/// Told after each page.
pub type OnProgress = dyn Fn(&Progress) + Send + Sync;

/// How a walk is done.
#[derive(Clone)]
pub struct Options {
    /// Tells the time of the world.
    pub clock: Arc<dyn WallClock>,
    /// What upstream's transactions are in our books.
    pub translate: Arc<dyn Translate>,
    /// The latest event that was stored before this walk began: what is read now is at least as late.
    pub since: Option<Millis>,
    /// What else is written with each batch.
    pub beside: Option<Arc<Beside>>,
    /// Told after each page.
    pub progress: Option<Arc<OnProgress>>,
}

impl Options {
    /// The plain way.
    pub fn new(clock: Arc<dyn WallClock>) -> Self {
        Self {
            clock,
            translate: Arc::new(AsItIs),
            since: None,
            beside: None,
            progress: None,
        }
    }
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options")
            .field("since", &self.since)
            .finish_non_exhaustive()
    }
}

/// How far a walk is.
#[derive(Clone, Debug)]
pub struct Progress {
    /// What is walked now.
    pub area: Area,
    /// Rows of it that were read so far.
    pub rows: usize,
    /// Calls to upstream since the walk began.
    pub calls: usize,
}

/// After how long an answer that comes at once is dated later than what was told before: `Date` has whole
/// seconds, and the time that the call took is taken off.
pub const DATED: Duration = Duration::from_millis(1_500);

/// What a walk came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Walked {
    /// Calls to upstream.
    pub calls: usize,
    /// Rows read.
    pub rows: usize,
    /// Of them, how many the books did not know.
    pub changed: usize,
    /// Of them, how many the books know otherwise, and later: an answer's date is in whole seconds, and what
    /// was told in that second counts as later than the answer.
    pub in_doubt: usize,
    /// As of when each area is known now, by upstream's clock.
    pub as_of: BTreeMap<Area, Millis>,
    /// Rows that were not understood, and are not in the books.
    pub not_understood: usize,
    /// The first of them: what they were, and what is wrong.
    pub told: Vec<String>,
}

/// Walks these areas, in the order of [`Area`].
pub async fn walk(
    client: &Client,
    books: &Books,
    areas: &[Area],
    options: &Options,
) -> Result<Walked, SyncError> {
    let mut areas = areas.to_vec();
    areas.sort();
    areas.dedup();
    books.catch_up().await?;
    let mut walker = Walker::new(client, books, options);
    for area in areas {
        walker.area = area.clone();
        walker.area_rows = 0;
        match &area {
            Area::Blockchains => walker.blockchains().await?,
            Area::Assets => walker.assets().await?,
            Area::Accounts => walker.accounts().await?,
            Area::AssetWallets => walker.wallets().await?,
            Area::Addresses => walker.all_addresses().await?,
            Area::AddressesOf(account, asset) => walker.addresses(*account, asset).await?,
            Area::Whitelists => walker.whitelists().await?,
            Area::Transactions { after } => walker.transactions(*after).await?,
            Area::Transaction(id) => walker.transaction(*id).await?,
        }
    }
    Ok(walker.walked)
}

/// Takes rows that came by another way than pages into the books, as a page's would be.
pub(crate) async fn take(
    client: &Client,
    books: &Books,
    changes: Vec<(Version, Change)>,
    options: &Options,
) -> Result<Walked, SyncError> {
    let mut walker = Walker::new(client, books, options);
    walker.count(changes.len());
    walker.apply(changes).await?;
    Ok(walker.walked)
}

/// Whether the books hold the same by now. A row that is read again and again with nothing new in
/// it is no change: it leaves no past, and nobody is told of it.
fn known(books: &Batch, writing: &mut Writing<'_>, change: &Change) -> Result<bool, StoreError> {
    Ok(match change {
        Change::Account(facts) => books.account(writing, facts.id)?.as_ref() == Some(facts),
        Change::Wallet(account, facts) => {
            let held = books.wallet(writing, *account, &facts.balance.id)?;
            held.as_ref() == Some(facts)
        }
        Change::Whitelist(kind, wallet) => {
            books.whitelisted(writing, *kind, wallet.id)?.as_ref() == Some(wallet)
        }
        Change::Address(account, address) => {
            books.address(writing, *account, address)?.as_ref() == Some(address)
        }
        Change::Asset(supported, asset) => {
            let held = books.asset(writing, &supported.id)?;
            held.is_some_and(|(older, newer)| older == *supported && newer == *asset)
        }
        Change::Blockchain(chain) => books.blockchain(writing, chain.id)?.as_ref() == Some(chain),
        // Transactions have their own version; the others are not walked.
        _ => false,
    })
}

/// A walk under way.
struct Walker<'a> {
    client: &'a Client,
    books: &'a Books,
    options: &'a Options,
    scope: Scope,
    area: Area,
    area_rows: usize,
    walked: Walked,
}

impl<'a> Walker<'a> {
    fn new(client: &'a Client, books: &'a Books, options: &'a Options) -> Self {
        Self {
            client,
            books,
            options,
            scope: Scope::whole(books.workspace()),
            area: Area::Blockchains,
            area_rows: 0,
            walked: Walked::default(),
        }
    }
}

impl Walker<'_> {
    /// Applies what a page told that is not in the books: most of what is read again is, and waits for no
    /// transaction.
    async fn apply(&mut self, changes: Vec<(Version, Change)>) -> Result<(), SyncError> {
        let now = self.options.clock.now();
        for batch in changes.chunks(BATCH) {
            let batch = self.books.unknown(batch.to_vec()).await?;
            if batch.is_empty() {
                tokio::task::yield_now().await;
                continue;
            }
            let beside = self.options.beside.clone();
            let work = move |writing: &mut Writing<'_>, books: &mut Batch| {
                let mut outcomes = Vec::with_capacity(batch.len());
                let (mut changed, mut in_doubt) = (0, 0);
                for (version, change) in &batch {
                    let known = known(books, writing, change)?;
                    let applied = if known {
                        Applied::Kept
                    } else {
                        books.apply(writing, *version, change)?
                    };
                    // A transaction tells by itself when it was what it is.
                    let dated = !matches!(change, Change::Transaction(..));
                    match applied {
                        Applied::Changed => changed += 1,
                        Applied::Kept => in_doubt += usize::from(dated && !known),
                    }
                    outcomes.push(Outcome {
                        version: *version,
                        change: change.clone(),
                        applied,
                    });
                }
                if let Some(beside) = &beside {
                    beside(writing, books, &outcomes)?;
                }
                Ok::<_, StoreError>((changed, in_doubt))
            };
            let (changed, in_doubt) = self.books.transact(now, work).await?;
            self.walked.changed += changed;
            self.walked.in_doubt += in_doubt;
        }
        Ok(())
    }

    /// Counts a page, and tells of it.
    fn count(&mut self, rows: usize) {
        self.walked.rows += rows;
        self.area_rows += rows;
        if let Some(progress) = &self.options.progress {
            progress(&Progress {
                area: self.area.clone(),
                rows: self.area_rows,
                calls: self.walked.calls,
            });
        }
    }

    /// The area is known as of then; of several pages, as of the earliest.
    fn known_as_of(&mut self, at: Millis) {
        let kept = self.walked.as_of.entry(self.area.clone()).or_insert(at);
        *kept = at.min(*kept);
    }

    fn not_understood(&mut self, why: impl std::fmt::Display) {
        self.walked.not_understood += 1;
        if self.walked.told.len() < MAX_TOLD {
            self.walked.told.push(format!("{}: {why}", self.area));
        }
    }
}

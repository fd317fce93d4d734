//! Transactions, oldest first. Always with `after`: without it upstream hides all but 90 days.
//!
//! A page is continued where upstream says so, else by the time of its last row with a millisecond
//! of overlap: nobody says whether `after` is inclusive.

use std::collections::HashSet;

use ledger::{Change, Version};
use protocol::ids::TxId;
use protocol::model::transaction::Transaction;
use protocol::time::Millis;
use serde_json::value::RawValue;
use wire::client::ClientError;

use super::pages::rows;
use super::{SyncError, Walker};

/// Most rows of a page.
const LIMIT: usize = 500;

fn target(after: Millis, sort: &str) -> String {
    let after = after.plus(-1).0.max(0);
    format!("/v1/transactions?after={after}&orderBy=createdAt&sort={sort}&limit={LIMIT}")
}

/// A page that is in the books now.
struct Page {
    rows: usize,
    ids: HashSet<TxId>,
    latest: Option<Millis>,
    next: Option<String>,
}

impl Walker<'_> {
    pub(super) async fn transactions(&mut self, after: Millis) -> Result<(), SyncError> {
        let mut next = target(after, "ASC");
        let (mut asked, mut before) = (HashSet::new(), HashSet::new());
        let mut fullest = 0;
        loop {
            if !asked.insert(next.clone()) {
                return Err(ClientError::Pages("they go round").into());
            }
            let page = self.page(&next).await?;
            fullest = fullest.max(page.rows);
            next = match (page.next, page.latest) {
                (Some(next), _) => next,
                (None, None) if page.rows > 0 => {
                    return Err(ClientError::Pages("no row of a page is understood").into());
                }
                (None, None) => return Ok(()),
                (None, Some(latest)) => {
                    let further = target(latest, "ASC");
                    let stuck = asked.contains(&further) || page.ids.is_subset(&before);
                    match (stuck, page.rows < fullest) {
                        (false, _) => further,
                        (true, true) => return Ok(()),
                        (true, false) => return self.ends_at(latest, &page.ids).await,
                    }
                }
            };
            before = page.ids;
        }
    }

    /// A page that is as full as any, and leads nowhere: either upstream has no more, or more of
    /// one millisecond than it puts on a page. The list's other end tells.
    async fn ends_at(&mut self, latest: Millis, known: &HashSet<TxId>) -> Result<(), SyncError> {
        let end = self.page(&target(latest, "DESC")).await?;
        if end.ids.is_subset(known) {
            Ok(())
        } else {
            Err(SyncError::Crowded(latest))
        }
    }

    pub(super) async fn transaction(&mut self, id: TxId) -> Result<(), SyncError> {
        let answer = self.get(&format!("/v1/transactions/{id}")).await?.answer;
        let read: Vec<Transaction> = rows(self, &[answer.json()?]).await;
        self.take(read).await
    }

    async fn page(&mut self, target: &str) -> Result<Page, SyncError> {
        let answer = self.get(target).await?.answer;
        let listed: Vec<Box<RawValue>> = answer.json()?;
        let read: Vec<Transaction> = rows(self, &listed).await;
        let page = Page {
            rows: listed.len(),
            ids: read.iter().map(|transaction| transaction.id).collect(),
            latest: read.iter().map(|transaction| transaction.created_at).max(),
            next: answer.next_page,
        };
        self.take(read).await?;
        Ok(page)
    }

    async fn take(&mut self, read: Vec<Transaction>) -> Result<(), SyncError> {
        let translate = &self.options.translate;
        let changes = read.into_iter().map(|transaction| {
            let (transaction, origin) = translate.transaction(transaction);
            let version = Version::of_transaction(&transaction);
            (version, Change::Transaction(Box::new(transaction), origin))
        });
        let changes = changes.collect();
        self.apply(changes).await
    }
}

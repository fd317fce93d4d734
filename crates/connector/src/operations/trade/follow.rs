//! Following a transfer to its end: by our books, which webhooks keep, and by asking now and then.

use ledger::Scope;
use protocol::ids::TxId;
use protocol::model::transaction::{Transaction, TransactionStatus};
use std::time::Duration;
use sync::held;
use tokio::time::Instant;

use super::{ASK_AT_LEAST_EVERY, ASK_FIRST, SeenBy, Step, Trade};
use crate::Error;
use crate::reconcile::Work;

/// How often our own books are looked at.
const BOOKS_EVERY: Duration = Duration::from_millis(250);

/// A transfer that is followed.
pub(super) struct Following<'a> {
    pub(super) trade: &'a Trade,
    pub(super) id: TxId,
    pub(super) steps: Vec<Step>,
    pub(super) last: Option<Transaction>,
}

impl Following<'_> {
    /// Until it is final, or the time is over.
    pub(super) async fn follow(&mut self, work: &Work<'_>) -> Result<(), Error> {
        let scope = Scope::whole(work.client.workspace);
        let give_up = Instant::now() + self.trade.follow;
        let (mut ask_at, mut wait) = (Instant::now() + ASK_FIRST, ASK_FIRST);
        while Instant::now() < give_up && !self.is_final() {
            if let Some(held) = held::transaction(&work.books, &scope, self.id).await? {
                self.see(held, SeenBy::Webhook);
            }
            if !self.is_final() && Instant::now() >= ask_at {
                match work
                    .upstream
                    .get(&format!("/v1/transactions/{}", self.id))
                    .await
                {
                    Ok(answer) => self.see(answer.json()?, SeenBy::Asked),
                    // What is asked again is no reason to give up.
                    Err(error) => tracing::debug!(%error, "following a transaction"),
                }
                wait = (wait * 2).min(ASK_AT_LEAST_EVERY);
                ask_at = Instant::now() + wait;
            }
            if !self.is_final() {
                tokio::time::sleep(BOOKS_EVERY).await;
            }
        }
        Ok(())
    }

    fn is_final(&self) -> bool {
        self.steps.last().is_some_and(|step| step.status.is_final())
    }

    /// Takes in what was seen, unless something later was seen before.
    fn see(&mut self, transaction: Transaction, seen: SeenBy) {
        let version = ledger::Version::of_transaction(&transaction);
        let known = self.last.as_ref().map(ledger::Version::of_transaction);
        if known.is_some_and(|known| known >= version) {
            return;
        }
        self.step(
            transaction.status,
            &transaction.sub_status,
            &transaction.tx_hash,
            seen,
        );
        self.last = Some(transaction);
    }

    /// Takes a step down, unless nothing in it is new.
    pub(super) fn step(
        &mut self,
        status: TransactionStatus,
        sub_status: &str,
        tx_hash: &str,
        seen: SeenBy,
    ) {
        let step = Step {
            status,
            sub_status: sub_status.to_owned(),
            tx_hash: tx_hash.to_owned(),
            seen,
        };
        let same = |last: &Step| {
            (last.status, &last.sub_status, &last.tx_hash)
                == (step.status, &step.sub_status, &step.tx_hash)
        };
        if self.steps.last().is_some_and(same) {
            return;
        }
        if let Some(progress) = &self.trade.progress {
            progress(&step);
        }
        self.steps.push(step);
    }
}

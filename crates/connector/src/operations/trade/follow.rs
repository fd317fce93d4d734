//! Following a transfer to its end: by our books, which webhooks keep, and by asking now and then.

use std::sync::Arc;
use std::time::Duration;

use ledger::Scope;
use protocol::ids::TxId;
use protocol::model::transaction::{Transaction, TransactionStatus};
use sync::held;
use tokio::time::Instant;
use wire::client::ClientError;

use super::{ASK_AT_LEAST_EVERY, ASK_FIRST, OnStep, SeenBy, Step, Traded};
use crate::client_name::ClientName;
use crate::reconcile::Work;
use crate::{Connector, Error};

/// How often our own books are looked at.
const BOOKS_EVERY: Duration = Duration::from_millis(250);

/// A transfer that was proposed before.
#[derive(Clone)]
pub struct Follow {
    /// At which client.
    pub client: ClientName,
    /// Its id there.
    pub id: TxId,
    /// How long it is followed; only looked at where that is nothing.
    pub wait: Duration,
    /// Told at each step.
    pub progress: Option<Arc<OnStep>>,
}

impl std::fmt::Debug for Follow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Follow({} at {})", self.id, self.client)
    }
}

/// Follows a transfer that was proposed before, to its end. It only reads.
pub async fn follow(connector: &Connector, of: &Follow) -> Result<Traded, Error> {
    let (client, _) = connector.client(&of.client).await?;
    let work = Work::of(connector, &client).await?;
    let mut following = Following::new(of.id, of.progress.as_deref());
    let first = match following.ask(&work).await {
        Err(ClientError::Status { status: 404, .. }) => {
            return Err(Error::NoTransaction {
                client: client.name,
                id: of.id,
            });
        }
        asked => asked?,
    };
    let (external, status) = (first.external_tx_id.clone(), first.status);
    following.see(first, SeenBy::Asked);
    following.follow(&work, of.wait).await?;
    following.ended(&of.client, external.unwrap_or_default(), status, of.wait)
}

/// A transfer that is followed.
pub(super) struct Following<'a> {
    id: TxId,
    progress: Option<&'a OnStep>,
    steps: Vec<Step>,
    last: Option<Transaction>,
}

impl<'a> Following<'a> {
    pub(super) fn new(id: TxId, progress: Option<&'a OnStep>) -> Self {
        Self {
            id,
            progress,
            steps: Vec::new(),
            last: None,
        }
    }

    /// Until it is final, or the time is over.
    pub(super) async fn follow(&mut self, work: &Work<'_>, wait: Duration) -> Result<(), Error> {
        let scope = Scope::whole(work.client.workspace);
        let give_up = Instant::now() + wait;
        let (mut ask_at, mut wait) = (Instant::now() + ASK_FIRST, ASK_FIRST);
        while Instant::now() < give_up && !self.is_final() {
            if let Some(held) = held::transaction(&work.books, &scope, self.id).await? {
                self.see(held, SeenBy::Webhook);
            }
            if !self.is_final() && Instant::now() >= ask_at {
                match self.ask(work).await {
                    Ok(transaction) => self.see(transaction, SeenBy::Asked),
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

    async fn ask(&self, work: &Work<'_>) -> Result<Transaction, ClientError> {
        let target = format!("/v1/transactions/{}", self.id);
        work.upstream.get(&target).await?.json()
    }

    /// What it came to; trouble where it was followed, and not to its end.
    pub(super) fn ended(
        self,
        client: &ClientName,
        external_tx_id: String,
        first: TransactionStatus,
        wait: Duration,
    ) -> Result<Traded, Error> {
        let status = self.steps.last().map_or(first, |step| step.status);
        if !status.is_final() && !wait.is_zero() {
            return Err(Error::NotFinal {
                client: client.clone(),
                id: self.id,
                status,
            });
        }
        let last = self.last.as_ref();
        Ok(Traded {
            id: self.id,
            external_tx_id,
            status,
            sub_status: last.map(|last| last.sub_status.clone()).unwrap_or_default(),
            tx_hash: last.map(|last| last.tx_hash.clone()).unwrap_or_default(),
            steps: self.steps,
        })
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
        if let Some(progress) = self.progress {
            progress(&step);
        }
        self.steps.push(step);
    }
}

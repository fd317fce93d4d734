//! Who leads: what only one gate may do, it does for as long as it holds the store's claim.
//!
//! The database gives the claim to one session, and to another once that one is gone: of a process
//! that was killed at once. Until a gate has noticed that its claim is gone another may lead already;
//! what both then do is settled by the store's transactions, and a proposal is not sent by either
//! without a lease.

use std::sync::Arc;
use std::time::Duration;

use protocol::ids::WorkspaceId;
use store::{Claim, StoreError};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use wire::hooks_out::{Dispatcher, Sender};

use crate::gate::Gate;
use crate::relay::RelayOutbox;
use crate::start::checkpoints;
use crate::{mail, proposals, reminders, rows, scopes, upstream, witnesses};

use super::{GateName, pulse};

/// How often a gate looks whether its claim is still its own.
const WATCH: Duration = Duration::from_secs(2);
/// How often a gate that does not lead copies the log's head.
const HEAD: Duration = Duration::from_secs(1);
/// Attempts at once per provider: its events arrive in their order, mostly.
const PER_WEBHOOK: usize = 1;

/// What the one gate of a workspace has claimed that leads; with a name: the one gate of that name.
pub(crate) fn claim_of(workspace: WorkspaceId, name: Option<&GateName>) -> String {
    match name {
        None => format!("gate-{workspace}"),
        Some(name) => format!("gate-{workspace}-named-{name}"),
    }
}

/// What leading needs.
pub(crate) struct Lead {
    pub(crate) gate: Arc<Gate>,
    /// What posts webhooks.
    pub(crate) sender: Sender,
    pub(crate) shutdown: CancellationToken,
}

impl Lead {
    /// Leads whenever the claim is this gate's, until told to end. At the end the claim is kept: the
    /// log's last head is signed under it.
    pub(crate) async fn keep(self, mut claim: Option<Claim>) {
        loop {
            let held = match claim.take() {
                Some(claim) => claim,
                None => match self.wait().await {
                    Some(claim) => claim,
                    None => return,
                },
            };
            let held = Arc::new(held);
            if let Err(error) = self.begin().await {
                tracing::error!(%error, "this gate cannot lead now");
                drop(held);
                tokio::time::sleep(WATCH).await;
                continue;
            }
            self.gate.leading.store(Some(Arc::clone(&held)));
            tracing::info!("this gate leads");
            let term = self.shutdown.child_token();
            let mut tasks = self.tasks(&term);
            self.watch(&held).await;
            term.cancel();
            while tasks.join_next().await.is_some() {}
            if self.shutdown.is_cancelled() {
                return;
            }
            tracing::error!("the database let go of this gate, and another one leads now");
            self.gate.leading.store(None);
        }
    }

    /// Until this gate is to lead; nothing: until it is to end. Meanwhile it keeps the log's head, too.
    async fn wait(&self) -> Option<Claim> {
        let name = claim_of(self.gate.workspace(), None);
        let claim = async {
            loop {
                match self.gate.store.claim(&name).await {
                    Ok(Some(claim)) => return claim,
                    Ok(None) => {}
                    Err(error) => {
                        tracing::warn!(%error, "which gate leads is not known now");
                        tokio::time::sleep(WATCH).await;
                    }
                }
            }
        };
        let head = async {
            loop {
                if let Err(error) = self.gate.keeper().follow().await {
                    tracing::error!(%error, "the log's head is not kept");
                }
                tokio::time::sleep(HEAD).await;
            }
        };
        tokio::select! {
            () = self.shutdown.cancelled() => None,
            claim = claim => Some(claim),
            () = head => None,
        }
    }

    /// Takes in what the one before has done.
    async fn begin(&self) -> Result<(), StoreError> {
        let gate = &self.gate;
        if gate.lease.instance().is_some() {
            pulse::follow(gate).await?;
        }
        let workspace = gate.workspace();
        let read = gate
            .store
            .read(move |reading| rows::proposals::gone_up(reading, workspace));
        for proposal in &read.await? {
            gate.translations.know(proposal);
        }
        Ok(())
    }

    /// What only one gate does.
    fn tasks(&self, term: &CancellationToken) -> JoinSet<()> {
        let mut tasks = JoinSet::new();
        let gate = || Arc::clone(&self.gate);
        tasks.spawn(upstream::keep(gate(), term.clone()));
        tasks.spawn(proposals::dispatch(gate(), term.clone()));
        tasks.spawn(reminders::watch(gate(), term.clone()));
        tasks.spawn(mail::keep(gate(), term.clone()));
        tasks.spawn(scopes::watch(gate(), term.clone()));
        tasks.spawn(checkpoints(gate(), term.clone()));
        tasks.spawn(witnesses::keep(gate(), term.clone()));
        let webhooks = Dispatcher::with_sender(
            Arc::new(RelayOutbox(gate())),
            Arc::new(Arc::clone(&self.gate.clock)),
            Arc::clone(&self.gate.deliveries),
            self.sender.clone(),
            PER_WEBHOOK,
        );
        tasks.spawn(webhooks.run(term.clone()));
        tasks
    }

    /// Until the claim is another's, or the gate is to end.
    async fn watch(&self, claim: &Claim) {
        loop {
            tokio::select! {
                () = self.shutdown.cancelled() => return,
                () = tokio::time::sleep(WATCH) => {}
            }
            match claim.is_held().await {
                Ok(true) => {}
                Ok(false) => return,
                // Nothing can be written meanwhile.
                Err(error) => tracing::warn!(%error, "which gate leads is not known now"),
            }
        }
    }
}

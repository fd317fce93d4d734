//! The providers' face: the same API as the workspace's, in scope, from the books.

mod failures;
mod own;
mod refused;
mod seen;

use std::net::IpAddr;
use std::sync::Arc;

use ledger::reads::{self, Ask};
use ledger::{Fault, Scope};
use protocol::certificate::SpkiPin;
use protocol::error::ApiError;
use protocol::exchange::{Params, Reply};
use protocol::ids::UserId;
use protocol::model::transaction::Transaction;
use protocol::operations::{Access, Operation};
use protocol::role::ProviderRole;
use protocol::time::Millis;
use store::StoreError;
use wire::server::{Admitted, Call, Refusal, Route, Workspace};

use crate::access::{self, What};
use crate::ages::{self, Stale, Subject};
use crate::connections::{BudgetName, Provider};
use crate::forward;
use crate::gate::Gate;
use crate::log::Origin;
use crate::proposals;
use crate::records::Record;
use crate::rows;
use failures::Failures;
use seen::LastSeen;

/// As of when an answer holds, in milliseconds since the epoch.
const AS_OF_HEADER: &str = "vestibule-as-of";

/// What is told while it is not known whether a connection has changed.
const UNSURE: &str = "This gate cannot see now who may come in: try again, or at another gate";

/// The gate, as the wire's server sees it.
#[derive(Debug)]
pub(crate) struct Face {
    gate: Arc<Gate>,
    failures: Failures,
    seen: LastSeen,
}

impl Face {
    pub(crate) fn new(gate: Arc<Gate>) -> Self {
        Self {
            gate,
            failures: Failures::default(),
            seen: LastSeen::default(),
        }
    }

    async fn operation(
        &self,
        provider: &Provider,
        call: &Call,
        operation: &'static Operation,
        params: &Params,
    ) -> Result<Reply, ApiError> {
        let permit = access::decide(&provider.connection, operation)
            .map_err(|denial| denial.told(operation))?;
        match permit.what() {
            What::Propose if self.gate.filled() => {
                self.gate.fresh_for(&provider.connection, &ages::PROPOSED)?;
                let origin = Origin::of(call.from, call.request_id);
                Box::pin(origin.during(proposals::make(&self.gate, provider, call))).await
            }
            What::Propose => Err(Stale::Never(Subject::Transactions).into()),
            What::Forward => {
                Box::pin(forward::answer(
                    &self.gate, provider, call, operation, params,
                ))
                .await
            }
            What::Read => {
                provider
                    .meter
                    .any(BudgetName::RowsPerDay, call.received_at)?;
                // Taken before the read: what it tells is no older.
                let subjects = ages::behind(operation.id.as_str());
                let as_of = self.gate.fresh_for(&provider.connection, subjects)?;
                let reply = self.read(provider, call, operation, params).await?;
                Ok(reply.with(AS_OF_HEADER, as_of.to_string()))
            }
        }
    }

    async fn read(
        &self,
        provider: &Provider,
        call: &Call,
        operation: &Operation,
        params: &Params,
    ) -> Result<Reply, ApiError> {
        let beside = self.beside(provider, operation).await?;
        let ask = Ask {
            books: &self.gate.books,
            scope: &provider.scope,
            params,
            query: &call.query,
            origin: &self.gate.public,
            now: call.received_at,
            beside: &beside,
            seal: Some(&provider.seal),
        };
        reads::answer(operation, ask)
            .await
            .unwrap_or_else(|| Err(ApiError::not_found()))
    }

    /// Writes down that it came; the answer does not wait for that.
    fn was_here(&self, provider: &Provider, now: Millis) {
        let name = &provider.connection.name;
        if !self.seen.is_news(name, now) {
            return;
        }
        let (gate, name) = (Arc::clone(&self.gate), name.clone());
        tokio::spawn(async move {
            let workspace = gate.workspace();
            let write = gate
                .store
                .write(move |writing| rows::operators::put_seen(writing, workspace, &name, now));
            if let Err(error) = write.await {
                tracing::warn!(%error, "a last visit is not written down");
            }
        });
    }

    /// The caller's own proposals that the books do not hold yet, or never will.
    async fn beside(
        &self,
        provider: &Provider,
        operation: &Operation,
    ) -> Result<Vec<Transaction>, ApiError> {
        let of_transactions = matches!(
            operation.id.as_str(),
            "getTransactions" | "getTransaction" | "getTransactionByExternalId"
        );
        if provider.connection.role != ProviderRole::Editor || !of_transactions {
            return Ok(Vec::new());
        }
        let (name, by) = (
            provider.connection.name.clone(),
            provider.connection.api_key,
        );
        let workspace = self.gate.workspace();
        // Whether the books have it at all, in this provider's scope or not any more.
        let whole = Scope::whole(workspace);
        let read = self.gate.store.read(move |reading| {
            let mut beside = rows::proposals::kept_here(reading, workspace, &name)?;
            for sent in rows::proposals::just_sent(reading, workspace, &name)? {
                if !reads::holds(reading, &whole, sent.id)? {
                    beside.push(sent);
                }
            }
            Ok::<_, StoreError>(beside.iter().map(|one| one.shown(by)).collect())
        });
        read.await.map_err(|error| Fault::from(error).into())
    }
}

impl Workspace for Face {
    type Guest = Provider;

    fn ready(&self) -> Result<(), ApiError> {
        if self.gate.may_serve() {
            Ok(())
        } else {
            Err(ApiError::uncoded(503, UNSURE.to_owned()))
        }
    }

    fn door(&self, user: UserId, from: IpAddr) -> Option<Admitted<Provider>> {
        let now = self.gate.clock.now();
        if !self.failures.room(user, from, now) {
            return None;
        }
        let guest = Arc::clone(self.gate.directory.load().open(user, from, now)?);
        let (key, before) = guest.keys.at(now)?;
        Some(Admitted { key, before, guest })
    }

    fn certified(&self, guest: &Provider, certificate: Option<SpkiPin>) -> bool {
        guest.connection.is_certified(certificate)
    }

    fn failed(&self, user: UserId, from: IpAddr) {
        self.failures.add(user, from, self.gate.clock.now());
    }

    /// Only who has proven its key is counted.
    fn in_rate(&self, guest: &Provider) -> Result<(), ApiError> {
        guest.meter.call(self.gate.clock.now())
    }

    fn may(&self, guest: &Provider, operation: &'static Operation) -> Result<(), ApiError> {
        access::decide(&guest.connection, operation)
            .map(drop)
            .map_err(|denial| denial.told(operation))
    }

    fn refused(&self, refusal: &Refusal<'_>) {
        refused::note(&self.gate, refusal);
    }

    async fn answer(&self, guest: Arc<Provider>, call: Call) -> Reply {
        if let Err(unsure) = self.ready() {
            return unsure.into();
        }
        // The connection and its keys may have changed since the door.
        let now = self.gate.clock.now();
        let Some(provider) = self
            .gate
            .directory
            .load()
            .open(call.user, call.from, now)
            .filter(|provider| provider.connection.is_certified(call.certificate))
            .filter(|provider| provider.keys.used(call.signed_with, now))
            .cloned()
        else {
            return ApiError::from(protocol::token::TokenError::NotAccepted).into();
        };
        drop(guest);
        self.was_here(&provider, now);
        let answer = match &call.route {
            Route::Operation { operation, params } => {
                self.operation(&provider, &call, operation, params).await
            }
            Route::Own { method, path } => {
                Box::pin(own::answer(&self.gate, &provider, &call, method, path)).await
            }
        };
        // What was read may have been closed to it meanwhile. What was done is told as it is.
        let answer = match self.ready() {
            Err(unsure) if !call.changes() => Err(unsure),
            _ => answer,
        };
        let answer = match answer {
            Ok(reply) => self.recorded(&provider, &call, reply),
            // That there is no such thing is an answer, too.
            Err(error) if error.status() == 404 => self.recorded(&provider, &call, error.into()),
            Err(error) => Err(error),
        };
        answer.unwrap_or_else(|error| {
            if (400..500).contains(&error.status()) {
                self.refused(&Refusal {
                    request_id: call.request_id,
                    at: call.received_at,
                    from: call.from,
                    certificate: call.certificate,
                    user: Some(call.user),
                    proven: true,
                    target: &call.target,
                    error: &error,
                });
            }
            error.into()
        })
    }
}

impl Face {
    /// The answer of a read, once its rows are counted and its record is taken. What is over the budget,
    /// or cannot be recorded, is not answered.
    fn recorded(&self, provider: &Provider, call: &Call, reply: Reply) -> Result<Reply, ApiError> {
        let (operation, one) = match &call.route {
            Route::Operation { operation, .. } if operation.access == Access::Read => {
                (operation.id.as_str(), Some(1))
            }
            // Who it is and what its books prove are no rows of them.
            Route::Own { method, path } if method == "GET" => (path.as_str(), Some(0)),
            _ => return Ok(reply),
        };
        let rows = if reply.status < 300 {
            reply.rows.or(one)
        } else {
            Some(0)
        };
        let rows_told = rows.unwrap_or(0);
        provider
            .meter
            .take(BudgetName::RowsPerDay, rows_told, call.received_at)?;
        let connection = &provider.connection;
        let taken = self.gate.recorder.record(Record {
            at: call.received_at,
            connection: connection.name.as_str().into(),
            key: connection.api_key,
            fingerprint: connection.fingerprint.as_str().into(),
            from: call.from,
            operation: operation.into(),
            target: call.target.as_str().into(),
            scope: provider.scope_id.to_string().into(),
            status: reply.status,
            rows,
            bytes: reply.body.len(),
            request: call.request_id,
        });
        taken.map_err(|unrecorded| ApiError::uncoded(503, unrecorded.to_string()))?;
        Ok(reply)
    }
}

#[cfg(test)]
mod tests;

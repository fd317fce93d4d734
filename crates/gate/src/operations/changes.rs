//! Changes that the quorum makes: asked for, signed, turned down; made in the transaction of the
//! signature that completes them, so that no two signatures make one twice.

pub(super) mod make;

use std::sync::Arc;

use ledger::Fault;
use protocol::error::ApiError;
use protocol::ids::WorkspaceId;
use protocol::time::Millis;
use serde::{Deserialize, Serialize};
use store::{Query, StoreError};
use uuid::Uuid;

use super::proposals::Verdict;
use super::{Operator, reason, refused, release, upstream};
use crate::admin_api::page::{Page, Rows};
use crate::changes::{Change, ChangeRequest, ChangeState, MAX_WAIT, Signed, signed_text};
use crate::gate::{Deed, Gate};
use crate::log::{Actor, Event};
use crate::operators::OperatorRole;
use crate::rows;

/// The setting that holds the quorum.
const QUORUM: &str = "quorum";

/// A change request, with what a decision is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// The request.
    #[serde(flatten)]
    pub request: ChangeRequest,
    /// What a decision is over, hex.
    pub digest: String,
    /// It, in a few words.
    pub what: String,
    /// How many signatures count now.
    pub counts: u32,
    /// How many it takes.
    pub needed: u32,
    /// Until when it can be signed.
    pub waits_until: Millis,
}

/// Who may sign, and how many must.
pub(super) struct Electorate {
    operators: Vec<Operator>,
    pub(super) needed: u32,
}

impl Electorate {
    pub(super) fn read(query: &mut impl Query, workspace: WorkspaceId) -> Result<Self, StoreError> {
        let text = rows::connections::setting(query, workspace, QUORUM)?;
        // What cannot be read is no quorum that anybody reaches.
        let needed = text.map_or(1, |text| text.parse().unwrap_or(u32::MAX));
        Ok(Self {
            operators: rows::operators::all(query, workspace)?,
            needed,
        })
    }

    pub(super) fn role_of(&self, name: &str) -> Option<OperatorRole> {
        let found = self.operators.iter().find(|one| one.name == name);
        found.map(|one| one.role)
    }

    /// Whose key has this modulus.
    pub(super) fn with_key(&self, modulus: &[u8]) -> Option<&str> {
        let found = self
            .operators
            .iter()
            .find(|one| one.key.modulus() == modulus);
        found.map(|one| one.name.as_str())
    }

    /// How many owners there would be, if one of them were or became something else.
    pub(super) fn owners_if(&self, name: &str, role: Option<OperatorRole>) -> usize {
        let others = self.operators.iter().filter(|one| one.name != name);
        let others = others.filter(|one| one.role == OperatorRole::Owner).count();
        others + usize::from(role == Some(OperatorRole::Owner))
    }

    pub(super) fn owners(&self) -> usize {
        let owners = |one: &&Operator| one.role == OperatorRole::Owner;
        self.operators.iter().filter(owners).count()
    }

    /// Whether enough have signed.
    fn reached(&self, request: &ChangeRequest) -> bool {
        request.counts(|name| self.role_of(name)) >= self.needed
    }

    fn shown(&self, request: ChangeRequest) -> Shown {
        Shown {
            digest: request.digest(),
            what: request.change.words(),
            counts: request.counts(|name| self.role_of(name)),
            needed: self.needed,
            waits_until: request.asked_at.plus(MAX_WAIT),
            request,
        }
    }

    /// Whether this operator may ask for such a change and sign it, as it is written down now.
    fn check(&self, operator: &str, change: &Change) -> Result<(), ApiError> {
        match self.role_of(operator) {
            Some(role) if change.may(role) => Ok(()),
            _ => Err(refused(
                403,
                format_args!("your role may not sign this: {}", change.words()),
            )),
        }
    }
}

/// How many must sign.
pub(crate) async fn needed(gate: &Gate) -> Result<u32, ApiError> {
    let workspace = gate.workspace();
    let read = gate
        .store
        .read(move |reading| Electorate::read(reading, workspace));
    let electorate = read
        .await
        .map_err(|error: StoreError| refused(500, error))?;
    Ok(electorate.needed)
}

/// The newest changes.
pub(crate) async fn list(gate: &Gate, page: &Page) -> Result<Rows<Shown>, ApiError> {
    let workspace = gate.workspace();
    let after = page.key(|text| {
        let (at, id) = text.split_once(' ')?;
        Some((Millis(at.parse().ok()?), id.parse().ok()?))
    })?;
    let wanted = page.wanted();
    let read = gate.store.read(move |reading| {
        let electorate = Electorate::read(reading, workspace)?;
        let changes = rows::operators::changes(reading, workspace, after, wanted)?;
        let shown = |request| electorate.shown(request);
        Ok::<_, StoreError>(changes.into_iter().map(shown).collect())
    });
    let all: Vec<Shown> = read.await.map_err(|error| refused(500, error))?;
    let key = |one: &Shown| format!("{} {}", one.request.asked_at, one.request.id);
    Ok(page.cut(all, key))
}

/// One change.
pub(crate) async fn show(gate: &Gate, id: Uuid) -> Result<Shown, ApiError> {
    let workspace = gate.workspace();
    let read = gate.store.read(move |reading| {
        let electorate = Electorate::read(reading, workspace)?;
        let found = rows::operators::change(reading, workspace, id)?;
        Ok::<_, StoreError>(found.map(|request| electorate.shown(request)))
    });
    let found = read.await.map_err(|error| refused(500, error))?;
    found.ok_or_else(no_change)
}

fn no_change() -> ApiError {
    refused(404, "there is no such change")
}

/// Asks for a change; where the asker is quorum enough, it is made at once.
pub(crate) async fn ask(
    gate: &Arc<Gate>,
    operator: &Operator,
    change: Change,
    why: String,
) -> Result<Shown, ApiError> {
    prepare(gate, &change).await?;
    ask_prepared(gate, operator, change, why).await
}

/// The same, where what must be there before is there.
pub(super) async fn ask_prepared(
    gate: &Arc<Gate>,
    operator: &Operator,
    change: Change,
    why: String,
) -> Result<Shown, ApiError> {
    let request = ChangeRequest::new(change, why, &operator.name, gate.clock.now());
    let done = gate.deed(move |deed| asked(deed, request.clone())).await;
    let done = done?;
    renew(gate).await?;
    Ok(done)
}

/// A change is asked for, in the transaction of what else the asker does.
pub(super) fn asked(deed: &mut Deed<'_, '_>, request: ChangeRequest) -> Result<Shown, Fault> {
    let electorate = Electorate::read(deed.writing, deed.workspace)?;
    let asker = request.signed.first().map(|one| one.operator.clone());
    let asker = asker.unwrap_or_default();
    electorate.check(&asker, &request.change)?;
    // What could not be made is not asked for.
    make::check(deed, &electorate, &request)?;
    if !electorate.reached(&request) {
        let event = Event::ChangeAsked {
            change: request.id.to_string(),
            what: request.change.words(),
            digest: request.digest(),
            reason: request.reason.clone(),
        };
        deed.log(Actor::Operator(asker.clone()), event)?;
    }
    settled(deed, &electorate, request, &asker)
}

/// Makes the change if enough have signed, and writes down how far it is.
fn settled(
    deed: &mut Deed<'_, '_>,
    electorate: &Electorate,
    mut request: ChangeRequest,
    last: &str,
) -> Result<Shown, Fault> {
    if electorate.reached(&request) {
        make::check(deed, electorate, &request)?;
        make::make(deed, &request, last)?;
        request.state = ChangeState::Made;
        if let [_, _, ..] = request.signed.as_slice() {
            let signed = request.signed.iter().map(|one| one.operator.clone());
            let event = Event::ChangeMade {
                change: request.id.to_string(),
                digest: request.digest(),
                signed: signed.collect(),
            };
            deed.log(Actor::Gate, event)?;
        }
    }
    rows::operators::put_change(deed.writing, deed.workspace, &request)?;
    Ok(electorate.shown(request))
}

/// What must be there before the change is: a scope's rows, before its first read; upstream's word on
/// what was not sent, before it is; that a key can do no more than it is for.
async fn prepare(gate: &Gate, change: &Change) -> Result<(), ApiError> {
    let (connection, terms) = match change {
        Change::Activate { connection, terms } | Change::Resume { connection, terms } => {
            (connection, terms)
        }
        Change::Terms {
            connection, after, ..
        } => (connection, after),
        Change::Release(_) => return release::looked_up(gate).await.map(drop),
        Change::ReplaceUpstream { replaced } => {
            for one in replaced {
                upstream::not_too_much(gate, one.identity, one.after).await?;
            }
            return Ok(());
        }
        _ => return Ok(()),
    };
    let scope = ledger::Scope::part(gate.workspace(), terms.part.clone()).for_reader(connection);
    gate.books
        .register(&scope)
        .await
        .map_err(|error| refused(500, error))
}

/// The desk and the doors know of what was written down.
pub(super) async fn renew(gate: &Arc<Gate>) -> Result<(), ApiError> {
    gate.reload().await.map_err(|error| refused(500, error))?;
    gate.deliveries.notify_one();
    gate.proposals.notify_one();
    gate.ends.notify_one();
    Ok(())
}

/// Decides on a change: signs it, or turns it down.
pub(crate) async fn decide(
    gate: &Arc<Gate>,
    operator: &Operator,
    id: Uuid,
    approve: bool,
    verdict: Verdict,
) -> Result<Shown, ApiError> {
    verdict.check(operator, &signed_text(approve, id, &verdict.digest))?;
    let why = if approve {
        String::new()
    } else {
        reason(&verdict.reason)?
    };
    let seen = show(gate, id).await?;
    if approve {
        prepare(gate, &seen.request.change).await?;
    }
    let name = operator.name.clone();
    let done = gate.deed(move |deed| {
        let electorate = Electorate::read(deed.writing, deed.workspace)?;
        let known = rows::operators::change(deed.writing, deed.workspace, id)?;
        let known = known.ok_or_else(no_change)?;
        if known.digest() != verdict.digest {
            return Err(refused(409, "the digest is not this change's: look at it again").into());
        }
        electorate.check(&name, &known.change)?;
        let unfit = |unfit| refused(409, unfit);
        let (change, digest) = (id.to_string(), verdict.digest.clone());
        let evidence = verdict.signature.clone();
        let actor = Actor::Operator(name.clone());
        if !approve {
            let next = known.reject(&name, why.clone(), deed.at).map_err(unfit)?;
            let reason = why.clone();
            let event = Event::ChangeRejected {
                change,
                digest,
                evidence,
                reason,
            };
            deed.log(actor, event)?;
            rows::operators::put_change(deed.writing, deed.workspace, &next)?;
            return Ok(electorate.shown(next));
        }
        let by = Signed {
            operator: name.clone(),
            at: deed.at,
            signature: Some(verdict.signature.clone()),
        };
        let next = known.sign(by).map_err(unfit)?;
        let event = Event::ChangeSigned {
            change,
            digest,
            evidence,
        };
        deed.log(actor, event)?;
        settled(deed, &electorate, next, &name)
    });
    let done = done.await?;
    renew(gate).await?;
    Ok(done)
}

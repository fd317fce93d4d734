//! The HTTP face of the operations: the admin listener, where each call is signed with an operator's
//! own key. [`OPERATIONS`] is the table of all of them: routes, rights and the OpenAPI document
//! (`/openapi.json`) come from it. To add one: a row there, a line in `Desk::operation`, its schemas.

mod document;
pub(crate) mod page;
mod problem;
mod table;

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use protocol::error::ApiError;
use protocol::exchange::Reply;
use protocol::ids::UserId;
use protocol::operations::Operation as WorkspaceOperation;
use protocol::token::TokenError;
use serde::de::DeserializeOwned;
use serde_json::Value;
use wire::server::{Admitted, Call, Refusal, Route, Workspace};

use crate::connections::{Move, ShownKey};
use crate::gate::Gate;
use crate::log::Origin;
use crate::operations::proposals::Word;
use crate::operations::{
    Operator, backup, changes, connections, editor, keys, life, log_entries, operators, posture,
    preview, probe, proposals, record, refused, release, report, request, resume, review, status,
    upstream,
};
use crate::refusals::{Kind, Who};
use page::Page;

pub use document::document;
pub use table::{Name, OPERATIONS, Operation, find, may};

/// The admin listener, as the wire's server sees it.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) gate: Arc<Gate>,
    /// How it is reached.
    pub(crate) origin: String,
}

/// What is served to anybody: the document that tells what there is.
pub(crate) fn open() -> Router {
    let document = Arc::new(document());
    let serve = move || {
        let document = Arc::clone(&document);
        async move { axum::Json(Value::clone(&document)) }
    };
    Router::new().route(document::PATH, get(serve))
}

impl Workspace for Desk {
    type Guest = Operator;

    fn ready(&self) -> Result<(), ApiError> {
        if self.gate.may_serve() {
            Ok(())
        } else {
            Err(refused(
                503,
                "this gate cannot see now what other gates over its store change, so it serves nobody: is its database there?",
            ))
        }
    }

    fn door(&self, user: UserId, _from: IpAddr) -> Option<Admitted<Operator>> {
        let operator = self.gate.roster.load().get(user).cloned()?;
        Some(Admitted {
            key: operator.key.clone(),
            before: None,
            guest: operator,
        })
    }

    fn failed(&self, user: UserId, from: IpAddr) {
        tracing::warn!(%user, %from, "a call of the admin listener was refused");
    }

    fn refused(&self, refusal: &Refusal<'_>) {
        let roster = self.gate.roster.load();
        let known = refusal.user.is_some_and(|user| roster.get(user).is_some());
        let who = match refusal.user {
            Some(user) if refusal.proven => Who::Key(user),
            _ => Who::Address(refusal.from),
        };
        let why = match (refusal.proven, known) {
            (true, _) => "an operator's call that this gate does not carry out",
            (false, true) => "an operator's key, but its token was not accepted",
            (false, false) => "it is no operator's key",
        };
        let status = refusal.error.status();
        self.gate.refusals.note(who, Kind { status, why }, refusal);
    }

    fn may(
        &self,
        _guest: &Operator,
        _operation: &'static WorkspaceOperation,
    ) -> Result<(), ApiError> {
        // The workspace's own API is not here.
        Err(ApiError::not_found())
    }

    fn told(&self, error: ApiError) -> Reply {
        problem::told(&error)
    }

    async fn answer(&self, guest: Arc<Operator>, call: Call) -> Reply {
        // The end waits for what is under way: the log's last checkpoint covers it.
        let _under_way = self.gate.under_way.read().await;
        drop(guest);
        let origin = Origin::of(call.from, call.request_id);
        let answer = origin.during(self.route(&call)).await;
        answer.unwrap_or_else(|error| {
            if matches!(error.status(), 401 | 403) || call.changes() {
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
            self.told(error)
        })
    }
}

/// How many witnesses must have cosigned what proves an entry.
const WITNESS_QUORUM: &str = "witnessQuorum";

/// What a call brings.
struct Given<'c> {
    path: &'c str,
    /// The path's parameters, in order.
    names: Vec<&'c str>,
    body: Option<&'c Value>,
    call: &'c Call,
}

impl<'c> Given<'c> {
    fn name(&self) -> &'c str {
        self.names.first().copied().unwrap_or_default()
    }

    fn second(&self) -> &'c str {
        self.names.get(1).copied().unwrap_or_default()
    }

    fn id<T: std::str::FromStr>(&self, what: &str) -> Result<T, ApiError> {
        let none = |_| refused(404, format_args!("there is no such {what}"));
        self.name().parse().map_err(none)
    }

    fn input<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        let empty = Value::Object(serde_json::Map::new());
        protocol::objects::read(self.body.unwrap_or(&empty)).map_err(ApiError::bad_body)
    }

    fn page(&self) -> Result<Page, ApiError> {
        Page::of(&self.call.query)
    }
}

impl Desk {
    async fn route(&self, call: &Call) -> Result<Reply, ApiError> {
        let Route::Own { method, path } = &call.route else {
            return Err(ApiError::not_found());
        };
        let (operation, names) = find(method, path).ok_or_else(ApiError::not_found)?;
        // The operators may have changed since the door.
        let who = self.gate.roster.load().get(call.user).cloned();
        let who = who.ok_or(TokenError::NotAccepted)?;
        if !operation.may(who.role) {
            let roles: Vec<_> = operation.who.iter().map(|role| role.as_str()).collect();
            return Err(refused(
                403,
                format_args!(
                    "{} is not for the role {}: it is for {}",
                    operation.id,
                    who.role,
                    roles.join(", ")
                ),
            ));
        }
        let given = Given {
            path,
            names,
            body: call.body.as_ref(),
            call,
        };
        let (status, _) = operation.answers;
        self.operation(operation.name, &who, &given, status).await
    }

    async fn operation(
        &self,
        name: Name,
        who: &Operator,
        given: &Given<'_>,
        status: u16,
    ) -> Result<Reply, ApiError> {
        let gate = &self.gate;
        Ok(match name {
            Name::Status => Reply::json(status, &status::status(gate).await?),
            Name::SetUpstream => {
                Reply::json(status, &upstream::set(gate, who, given.input()?).await?)
            }
            Name::Refresh => {
                upstream::refresh(gate)?;
                Reply::empty(status)
            }
            Name::Posture => {
                let (page, all) = (given.page()?, posture::posture(gate).await?);
                let rows = page.part(all, |one| one.connection.clone());
                rows.reply(&self.origin, given.path, &page)
            }
            Name::Log => {
                let page = given.page()?;
                let rows = log_entries::latest(gate, &page).await?;
                rows.reply(&self.origin, given.path, &page)
            }
            Name::LogEntries => {
                let from = given.id("entry")?;
                Reply::json(status, &log_entries::since(gate, from).await?)
            }
            Name::LogProof => {
                let index = given.id("entry")?;
                let bad = |_| refused(400, format_args!("{WITNESS_QUORUM} is a number"));
                let quorum = given.call.query.read(WITNESS_QUORUM, bad)?.unwrap_or(0);
                Reply::json(status, &log_entries::prove(gate, index, quorum).await?)
            }
            Name::LogFile => log_entries::file(gate, given.name()).await?,
            Name::EraseLog => Reply::json(
                status,
                &log_entries::erase(gate, who, given.input()?).await?,
            ),
            Name::Backup => Reply::json(status, &backup::backup(gate, who, given.input()?).await?),
            Name::Release => {
                Reply::json(status, &release::release(gate, who, given.input()?).await?)
            }
            Name::ResumeDispatch => {
                Reply::json(status, &resume::resume(gate, who, given.input()?).await?)
            }
            Name::Connections => {
                let page = given.page()?;
                let rows = page.part(connections::list(gate), |one| one.connection.name.clone());
                rows.reply(&self.origin, given.path, &page)
            }
            Name::RequestConnection => {
                Reply::json(status, &request::request(gate, who, given.input()?).await?)
            }
            Name::Connection => Reply::json(status, &connections::show(gate, given.name())?),
            Name::ApproveConnection => {
                let grant = given.input()?;
                let done = connections::approve(gate, who, given.name(), grant).await?;
                Reply::json(status, &done)
            }
            Name::HandBack => Reply::json(status, &connections::hand_back(gate, given.name())?),
            Name::SuspendConnection | Name::RevokeConnection => {
                let what = match name {
                    Name::RevokeConnection => Move::Revoke,
                    _ => Move::Suspend,
                };
                let done = life::close(gate, who, given.name(), what, given.input()?);
                Reply::json(status, &done.await?)
            }
            Name::ResumeConnection | Name::ActivateConnection => {
                let what = match name {
                    Name::ActivateConnection => Move::Activate,
                    _ => Move::Resume,
                };
                let done = life::open(gate, who, given.name(), what, given.input()?);
                Reply::json(status, &done.await?)
            }
            Name::ChangeConnection => {
                let done = life::change(gate, who, given.name(), given.input()?);
                Reply::json(status, &done.await?)
            }
            Name::ConnectionEditor => {
                Reply::json(status, &editor::csr(gate, who, given.name()).await?)
            }
            Name::PreviewConnection => {
                let done = preview::preview(gate, given.name(), given.input()?);
                Reply::json(status, &done.await?)
            }
            Name::Review => {
                let (page, all) = (given.page()?, review::review(gate).await?);
                let rows = page.part(all, |one| one.shown.connection.name.clone());
                rows.reply(&self.origin, given.path, &page)
            }
            Name::ConfirmConnection => {
                let done = review::confirm(gate, who, given.name(), given.input()?);
                Reply::json(status, &done.await?)
            }
            Name::ConnectionRecord => {
                Reply::json(status, &record::record(gate, given.name()).await?)
            }
            Name::Changes => {
                let page = given.page()?;
                let rows = changes::list(gate, &page).await?;
                rows.reply(&self.origin, given.path, &page)
            }
            Name::Change => Reply::json(status, &changes::show(gate, given.id("change")?).await?),
            Name::ApproveChange | Name::RejectChange => {
                let (id, yes) = (given.id("change")?, name == Name::ApproveChange);
                let done = changes::decide(gate, who, id, yes, given.input()?);
                Reply::json(status, &done.await?)
            }
            Name::Keys => {
                let page = given.page()?;
                let mut all = keys::list(gate, given.name()).await?;
                // In the order in which they came.
                let place = |one: &ShownKey| format!("{:020} {}", one.added_at.0, one.fingerprint);
                all.sort_by_key(place);
                let rows = page.part(all, place);
                rows.reply(&self.origin, given.path, &page)
            }
            Name::KeptCsr => Reply::json(status, &keys::csr::csr(gate, given.name()).await?),
            Name::RotateKey => {
                let done = keys::rotate(gate, who, given.name(), given.input()?);
                Reply::json(status, &done.await?)
            }
            Name::ConfirmKey => {
                let done = keys::confirm(gate, who, given.name(), given.second(), given.input()?);
                Reply::json(status, &done.await?)
            }
            Name::RefuseKey => {
                let done = keys::refuse(gate, who, given.name(), given.second(), given.input()?);
                Reply::json(status, &done.await?)
            }
            Name::ExpireKey => {
                let done = keys::expire(gate, who, given.name(), given.second(), given.input()?);
                Reply::json(status, &done.await?)
            }
            Name::Proposals => {
                let page = given.page()?;
                let rows = proposals::list(gate, &page).await?;
                rows.reply(&self.origin, given.path, &page)
            }
            Name::Proposal => {
                let shown = proposals::show(gate, given.id("proposal")?).await?;
                Reply::json(status, &shown)
            }
            Name::ApproveProposal => {
                let word = Word::Yes(given.input()?);
                let done = proposals::decide(gate, who, given.id("proposal")?, word);
                Reply::json(status, &done.await?)
            }
            Name::RejectProposal => {
                let word = Word::No(given.input()?);
                let done = proposals::decide(gate, who, given.id("proposal")?, word);
                Reply::json(status, &done.await?)
            }
            Name::MakeProbe => Reply::json(status, &probe::probe(gate, who, given.input()?).await?),
            Name::CreateReport => {
                Reply::json(status, &report::create(gate, who, given.input()?).await?)
            }
            Name::Operators => {
                let page = given.page()?;
                let rows = page.part(operators::list(gate), |one| one.name.clone());
                rows.reply(&self.origin, given.path, &page)
            }
            Name::AddOperator => {
                Reply::json(status, &operators::add(gate, who, given.input()?).await?)
            }
            Name::SetOperatorRole => {
                let done = operators::set_role(gate, who, given.name(), given.input()?);
                Reply::json(status, &done.await?)
            }
            Name::RemoveOperator => {
                let done = operators::remove(gate, who, given.name(), given.input()?);
                Reply::json(status, &done.await?)
            }
            Name::Quorum => Reply::json(status, &operators::quorum(gate).await?),
            Name::SetQuorum => Reply::json(
                status,
                &operators::set_quorum(gate, who, given.input()?).await?,
            ),
        })
    }
}

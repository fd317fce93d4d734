//! The Admin Quorum: what needs it is asked of its members, and comes about once enough of them
//! have said yes. Where people act by themselves, they say yes at once.
//!
//! To add something that needs the quorum: a variant of [`Ask`], and what follows from a decision
//! in `effects`.

mod ask;
mod effects;
mod members;
mod request;
mod settings;

use std::sync::Arc;

use ledger::{Fault, positions};
use protocol::error::ApiError;
use protocol::ids::UserId;
use serde::{Deserialize, Serialize};

use crate::audit::By;
use crate::deed::Deed;
use crate::hall::Hall;
use crate::operations::workspace;
use crate::shelf::Kept;
use request::Unheard;

pub(crate) use ask::{Action, Ask, Attachment, TagLook};
pub(crate) use members::Members;
pub(crate) use request::{Request, State};
pub(crate) use settings::{DeleteUsers, QuorumSettings, Threshold};

/// A request that waits.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
struct Open(Request);

/// A request that is decided.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
struct Closed(Request);

impl Kept for Open {
    const KIND: &'static str = "quorum_open";

    fn key(&self) -> String {
        self.0.id.to_string()
    }
}

impl Kept for Closed {
    const KIND: &'static str = "quorum_closed";

    fn key(&self) -> String {
        self.0.id.to_string()
    }
}

/// What a member says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    Yes,
    No,
}

fn unknown() -> ApiError {
    ApiError::uncoded(404, "Approval request not found")
}

/// What is asked for waits already; in the shape of the operations that ask for such things.
fn pending_already(ask: &Ask) -> ApiError {
    let why = "A similar request is pending";
    if matches!(ask, Ask::PolicyChange { .. } | Ask::CosignerKey { .. }) {
        return ApiError::uncoded(409, why);
    }
    match (ask.is_of_tags(), ask.is_in_approvals()) {
        (true, _) => ApiError::uncoded(400, why),
        (_, true) => ApiError::uncoded(409, why),
        _ => ApiError::typed(409, "CONFLICT", why),
    }
}

impl Deed<'_, '_> {
    /// The quorum's members.
    pub(crate) fn members(&mut self) -> Result<Members, Fault> {
        Ok(Members::of(&self.batch.users(self.writing)?))
    }

    pub(crate) fn quorum_settings(&mut self) -> Result<QuorumSettings, Fault> {
        Ok(self.kept::<QuorumSettings>("")?.unwrap_or_default())
    }

    /// The requests that wait.
    pub(crate) fn open_requests(&mut self) -> Result<Vec<Request>, Fault> {
        let open = self.all_kept::<Open>()?;
        Ok(open.into_iter().map(|Open(request)| request).collect())
    }

    /// A request, whatever became of it.
    pub(crate) fn request(&mut self, id: i64) -> Result<Option<Request>, Fault> {
        let key = id.to_string();
        if let Some(Open(request)) = self.kept::<Open>(&key)? {
            return Ok(Some(request));
        }
        let closed = self.kept::<Closed>(&key)?;
        Ok(closed.map(|Closed(request)| request))
    }

    /// Asks the quorum. The request, as far as it is then.
    pub(crate) fn ask(&mut self, ask: Ask, by: Option<UserId>) -> Result<Request, Fault> {
        let subject = ask.subject();
        let same = |other: &Request| subject.is_some() && other.ask.subject() == subject;
        if self.open_requests()?.iter().any(same) {
            return Err(pending_already(&ask).into());
        }
        let members = self.members()?;
        let mut request = Request {
            id: positions::bump(self.writing, self.hall.id(), "quorum")?,
            asked_by: by,
            asked_at: self.at,
            threshold: match ask.takes_one() {
                true => 1,
                false => self.quorum_settings()?.threshold.of(members.all().len()),
            },
            owner: members.owner().filter(|_| ask.needs_owner()),
            approved_by: Vec::new(),
            state: State::Pending,
            ask,
        };
        self.audit_some(request.ask.told().submitted, by.into())?;
        for who in given(&request, &members) {
            self.yes(&mut request, who, &members)?;
        }
        if !self.hall.house.manual {
            self.everybody(&mut request, &members)?;
        }
        self.settled(&mut request)?;
        Ok(request)
    }

    /// A member says yes.
    fn yes(&mut self, request: &mut Request, who: UserId, members: &Members) -> Result<(), Fault> {
        request.approve(who, members).map_err(ApiError::from)?;
        self.audit_some(request.ask.told().approved, By::User(who))
    }

    /// As many members say yes as are needed.
    fn everybody(&mut self, request: &mut Request, members: &Members) -> Result<(), Fault> {
        let silent: Vec<_> = request.silent(members).collect();
        for who in silent {
            if request.state == State::Pending {
                self.yes(request, who, members)?;
            }
        }
        Ok(())
    }

    /// Keeps a request, and does what follows from how far it is.
    fn settled(&mut self, request: &mut Request) -> Result<(), Fault> {
        if request.state == State::Pending {
            return Ok(self.keep(&Open(request.clone()))?);
        }
        self.discard::<Open>(&request.id.to_string())?;
        if request.state == State::Approved {
            match effects::come_about(self, &request.ask) {
                Ok(()) => self.audit_some(request.ask.told().done, request.asked_by.into())?,
                Err(Fault::Refused(error)) => {
                    tracing::info!(%error, "what the quorum approved has become impossible");
                    request.state = State::Failed;
                }
                Err(fault) => return Err(fault),
            }
        }
        if request.state != State::Approved {
            effects::come_to_nothing(self, &request.ask)?;
        }
        Ok(self.keep(&Closed(request.clone()))?)
    }

    /// A member says yes or no to a request. Nobody named: as many say yes as are needed, or the
    /// first says no.
    pub(crate) fn decide(
        &mut self,
        id: i64,
        word: Word,
        who: Option<UserId>,
    ) -> Result<Request, Fault> {
        workspace::check_standing(self, "")?;
        let mut request = self.request(id)?.ok_or_else(unknown)?;
        let members = self.members()?;
        match (word, who) {
            (Word::Yes, Some(who)) => self.yes(&mut request, who, &members)?,
            (Word::Yes, None) => {
                let first = request.silent(&members).next();
                let first = first.ok_or(Unheard::NotAMember).map_err(ApiError::from)?;
                self.yes(&mut request, first, &members)?;
                self.everybody(&mut request, &members)?;
            }
            (Word::No, who) => {
                let who = who.or_else(|| members.all().first().copied());
                let who = who.ok_or(Unheard::NotAMember).map_err(ApiError::from)?;
                request.reject(who, &members).map_err(ApiError::from)?;
                self.audit_some(request.ask.told().rejected, By::User(who))?;
            }
        }
        self.settled(&mut request)?;
        Ok(request)
    }

    /// A request is taken back.
    pub(crate) fn take_back(&mut self, id: i64, by: By) -> Result<(), Fault> {
        let mut request = self.request(id)?.ok_or_else(unknown)?;
        if request.state != State::Pending {
            return Err(ApiError::from(Unheard::NotPending).into());
        }
        request.state = State::Cancelled;
        self.audit_some(request.ask.told().cancelled, by)?;
        self.settled(&mut request)
    }

    /// The requests of this kind are taken back: what they are about is no more.
    pub(crate) fn take_back_all(
        &mut self,
        about: impl Fn(&Ask) -> bool,
        by: By,
    ) -> Result<(), Fault> {
        for request in self.open_requests()? {
            if about(&request.ask) {
                self.take_back(request.id, by)?;
            }
        }
        Ok(())
    }
}

/// Who has said yes by the asking alone.
fn given(request: &Request, members: &Members) -> Vec<UserId> {
    let asker = request.asked_by.filter(|who| members.has(*who));
    match &request.ask {
        Ask::Threshold { .. } => members.api_admins().to_vec(),
        ask if ask.counts_who_asks() => asker.into_iter().collect(),
        _ => Vec::new(),
    }
}

/// Requests that nobody has decided on in time come to nothing. Whether there were any.
pub(crate) async fn expire(hall: &Arc<Hall>) -> Result<bool, Fault> {
    let now = hall.clock.now();
    let late = |Open(request): &Open| now >= request.expires_at();
    if !hall.all_kept::<Open>().await?.iter().any(late) {
        return Ok(false);
    }
    let work = |deed: &mut Deed<'_, '_>| {
        for mut request in deed.open_requests()? {
            if deed.at >= request.expires_at() {
                request.state = State::Expired;
                deed.settled(&mut request)?;
            }
        }
        Ok(())
    };
    hall.change(work).await?;
    Ok(true)
}

impl Hall {
    /// The requests that wait.
    pub(crate) async fn open_requests(self: &Arc<Self>) -> Result<Vec<Request>, ApiError> {
        let open = self.all_kept::<Open>().await?;
        Ok(open.into_iter().map(|Open(request)| request).collect())
    }

    /// A request, whatever became of it.
    pub(crate) async fn request(self: &Arc<Self>, id: i64) -> Result<Option<Request>, ApiError> {
        let key = id.to_string();
        if let Some(Open(request)) = self.kept::<Open>(&key).await? {
            return Ok(Some(request));
        }
        let closed = self.kept::<Closed>(&key).await?;
        Ok(closed.map(|Closed(request)| request))
    }

    /// The quorum's members.
    pub(crate) fn members(&self) -> Members {
        Members::of(&self.books.users(&ledger::Scope::whole(self.id())))
    }
}

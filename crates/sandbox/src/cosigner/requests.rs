//! What administrators ask of co-signers, and people agree to: pairing an API user, changing its
//! callback handler, unpairing it.

use ledger::Fault;
use protocol::error::ApiError;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Cosigner, Handler, Pairing, user};
use crate::deed::Deed;
use crate::request::{Needs, Request};
use crate::shelf::Kept;

/// A request about an API user's pairing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct KeyRequest {
    pub(crate) id: String,
    pub(crate) command: Command,
    pub(crate) status: Status,
    pub(crate) cosigner: String,
    /// Of a co-signer that is to be made by it: its name.
    pub(crate) new_cosigner: Option<String>,
    pub(crate) api_key: String,
    pub(crate) handler: Option<Handler>,
    pub(crate) request: Request,
}

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Command {
    PairApiKey,
    UpdateCallbackHandler,
    UnpairApiKey,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Status {
    WaitingForApproval,
    Cancelled,
    Rejected,
    Completed,
}

impl Status {
    pub(crate) fn waits(self) -> bool {
        self == Self::WaitingForApproval
    }
}

impl Kept for KeyRequest {
    const KIND: &'static str = "cosigner_request";

    fn key(&self) -> String {
        self.id.clone()
    }
}

impl Command {
    /// Whose word it needs.
    pub(crate) const fn needs(self) -> Needs {
        match self {
            Self::PairApiKey | Self::UpdateCallbackHandler => Needs::Owner,
            Self::UnpairApiKey => Needs::Admin,
        }
    }
}

impl KeyRequest {
    /// Asks people for it. An API user waits for one at a time.
    pub(crate) fn ask(
        deed: &mut Deed<'_, '_>,
        command: Command,
        cosigner: String,
        api_key: String,
        asked_by: String,
    ) -> Result<Self, Fault> {
        let waits = |other: &Self| other.api_key == api_key && other.status.waits();
        if deed.all_kept::<Self>()?.iter().any(waits) {
            let why = "a request about the API key waits for its approval";
            return Err(ApiError::uncoded(409, why).into());
        }
        Ok(Self {
            id: deed.chance.uuid().to_string(),
            command,
            status: Status::WaitingForApproval,
            cosigner,
            new_cosigner: None,
            api_key,
            handler: None,
            request: Request::new(asked_by, deed.at),
        })
    }

    /// As the API shows it.
    pub(crate) fn shown(&self) -> Value {
        json!({"status": self.status, "type": self.command})
    }
}

/// People have agreed: it is done.
pub(crate) fn settle(deed: &mut Deed<'_, '_>, mut request: KeyRequest) -> Result<(), Fault> {
    if let Some(name) = &request.new_cosigner {
        let (id, name) = (request.cosigner.clone(), name.clone());
        let made_at = deed.at;
        deed.keep(&Cosigner { id, name, made_at })?;
    }
    let known = match user(deed.hall, &request.api_key) {
        Some(user) => Pairing::of(deed.writing, deed.hall, &user)?,
        None => None,
    };
    // Whoever cannot sign any more, or was moved elsewhere, is left as it is.
    let pairing = known.filter(|known| {
        request.command == Command::PairApiKey || known.cosigner.as_ref() == Some(&request.cosigner)
    });
    let Some(mut pairing) = pairing else {
        request.status = Status::Cancelled;
        return Ok(deed.keep(&request)?);
    };
    match request.command {
        Command::PairApiKey => {
            pairing.cosigner = Some(request.cosigner.clone());
            pairing.handler.clone_from(&request.handler);
            pairing.paired_at = deed.at;
        }
        Command::UpdateCallbackHandler => pairing.handler.clone_from(&request.handler),
        Command::UnpairApiKey => {
            pairing.cosigner = None;
            pairing.handler = None;
        }
    }
    request.status = Status::Completed;
    deed.keep(&pairing)?;
    Ok(deed.keep(&request)?)
}

/// Nobody agreed in time.
pub(crate) fn expire(deed: &mut Deed<'_, '_>, mut request: KeyRequest) -> Result<(), Fault> {
    request.status = Status::Cancelled;
    Ok(deed.keep(&request)?)
}

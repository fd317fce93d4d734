//! What administrators ask of co-signers, and people agree to: pairing an API user, changing its
//! callback handler, unpairing it.

use ledger::Fault;
use protocol::error::ApiError;
use protocol::ids::UserId;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Cosigner, Handler, Pairing, user};
use crate::deed::Deed;
use crate::quorum::{Ask, State};
use crate::shelf::Kept;

/// A request about an API user's pairing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct KeyRequest {
    pub(crate) id: String,
    /// What people decide on.
    pub(crate) quorum_request: i64,
    pub(crate) command: Command,
    pub(crate) cosigner: String,
    /// Of a co-signer that is to be made by it: its name.
    pub(crate) new_cosigner: Option<String>,
    pub(crate) api_key: String,
    pub(crate) handler: Option<Handler>,
}

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Command {
    PairApiKey,
    UpdateCallbackHandler,
    UnpairApiKey,
}

impl Kept for KeyRequest {
    const KIND: &'static str = "cosigner_request";

    fn key(&self) -> String {
        self.id.clone()
    }
}

/// How the API shows what people have said.
const fn status(state: State) -> &'static str {
    match state {
        State::Pending => "WAITING_FOR_APPROVAL",
        State::Approved => "COMPLETED",
        State::Rejected => "REJECTED",
        State::Failed | State::Cancelled | State::Expired => "CANCELLED",
    }
}

impl KeyRequest {
    /// One of which people have not heard.
    pub(crate) fn new(
        deed: &mut Deed<'_, '_>,
        command: Command,
        cosigner: &str,
        key: &str,
    ) -> Self {
        Self {
            id: deed.chance.uuid().to_string(),
            quorum_request: 0,
            command,
            cosigner: cosigner.to_owned(),
            new_cosigner: None,
            api_key: key.to_owned(),
            handler: None,
        }
    }

    /// Asks people for it. An API user waits for one at a time.
    pub(crate) fn ask(mut self, deed: &mut Deed<'_, '_>, by: UserId) -> Result<Self, Fault> {
        deed.keep(&self)?;
        let ask = Ask::CosignerKey {
            request: self.id.clone(),
            api_key: self.api_key.clone(),
            command: self.command,
        };
        self.quorum_request = deed.ask(ask, Some(by))?.id;
        deed.keep(&self)?;
        Ok(self)
    }

    /// As the API shows it.
    pub(crate) fn shown(&self, state: State) -> Value {
        json!({"status": status(state), "type": self.command})
    }
}

/// People have agreed: it is done. Refused where the API user cannot sign any more, or was moved
/// elsewhere.
pub(crate) fn settle(deed: &mut Deed<'_, '_>, request: &str) -> Result<(), Fault> {
    let gone = || ApiError::uncoded(409, "The API key is not there any more");
    let request = deed.kept::<KeyRequest>(request)?.ok_or_else(gone)?;
    let user = user(deed.hall, &request.api_key).ok_or_else(gone)?;
    let known = Pairing::of(deed.writing, deed.hall, &user)?;
    let known = known.filter(|known| {
        request.command == Command::PairApiKey || known.cosigner.as_ref() == Some(&request.cosigner)
    });
    let mut pairing = known.ok_or_else(gone)?;
    if let Some(name) = &request.new_cosigner {
        let (id, name) = (request.cosigner.clone(), name.clone());
        let made_at = deed.at;
        deed.keep(&Cosigner { id, name, made_at })?;
    }
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
    Ok(deed.keep(&pairing)?)
}

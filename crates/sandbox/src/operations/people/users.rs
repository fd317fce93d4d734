//! API users: made from CSRs, admitted by the quorum.

use ledger::Change;
use protocol::csr::{self, CertificateSigningRequest};
use protocol::error::ApiError;
use protocol::exchange::Reply;
use protocol::ids::UserId;
use protocol::model::user::{
    CreateApiUser, User, UserStatus, UserType, WhitelistIpAddressesResponse,
};
use protocol::role::Role;
use protocol::time::Millis;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::deed::Deed;
use crate::lives;
use crate::operations::{Visit, area};
use crate::quorum::Ask;
use crate::rows::{self, KeyRow};
use crate::shelf::Kept;

area! { visit;
    "createApiUser" => create(visit).await,
    "issueApiUserPairingToken" => pairing_token(visit).await,
    "getWhitelistIpAddresses" => addresses(visit),
}

/// Longest name.
const MAX_NAME: usize = 30;
/// How long a pairing token can be used.
const PAIRING: i64 = Millis::HOUR;

fn invalid(why: impl Into<String>) -> ApiError {
    ApiError::typed(400, "VALIDATION", why)
}

/// `POST /management/api_users`: an empty answer; the quorum decides, then the user is listed as
/// ready.
async fn create(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let new: CreateApiUser = visit.body().map_err(|error| invalid(error.message()))?;
    if new.name.trim().is_empty() || new.name.chars().count() > MAX_NAME {
        return Err(invalid(format!(
            "name must have 1 to {MAX_NAME} characters"
        )));
    }
    if new.role == Role::Owner {
        return Err(invalid("an API user cannot be the owner"));
    }
    let request = CertificateSigningRequest::from_pem(&new.csr_pem)
        .map_err(|error| invalid(error.to_string()))?;
    let key = csr::check(&request).map_err(|broken| {
        let rules: Vec<_> = broken.iter().map(ToString::to_string).collect();
        invalid(format!("csrPem is refused: {}", rules.join("; ")))
    })?;
    let key = key.public_key().clone();
    let user = User {
        id: UserId(Uuid::nil()),
        first_name: None,
        last_name: None,
        email: None,
        name: Some(new.name),
        role: new.role,
        enabled: false,
        status: UserStatus::PendingActivation,
        user_type: UserType::Api,
    };
    let (workspace, by) = (visit.hall.id(), visit.guest.user);
    let work = move |deed: &mut Deed<'_, '_>| {
        let id = UserId(deed.chance.uuid());
        deed.apply(Change::User(User { id, ..user.clone() }))?;
        let row = KeyRow {
            user: id,
            workspace,
            spki: key.spki_der().to_vec(),
            addresses: String::new(),
        };
        rows::put_key(deed.writing, &row)?;
        deed.ask(Ask::NewUser { user: id }, Some(by))?;
        Ok(Reply::empty(200))
    };
    let reply = visit.hall.effect(visit.call, work).await?;
    visit.hall.open_doors().await?;
    Ok(reply)
}

/// What a co-signer shows to be paired with an API user.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PairingToken {
    pub(crate) token: String,
    pub(crate) user: UserId,
    pub(crate) expires_at: Millis,
}

impl Kept for PairingToken {
    const KIND: &'static str = "pairing_token";

    fn key(&self) -> String {
        self.token.clone()
    }
}

/// `POST /management/api_users/{userId}/pairing_token`.
async fn pairing_token(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let unknown = || ApiError::uncoded(404, "API user not found");
    let id: UserId = visit.param("userId", unknown)?;
    let work = move |deed: &mut Deed<'_, '_>| {
        let user = deed.batch.user(deed.writing, id)?;
        let user = user.filter(|user| user.user_type == UserType::Api);
        let user = user.ok_or_else(unknown)?;
        if user.enabled || user.status != UserStatus::PendingActivation {
            let why = "The API user is not in PENDING_ACTIVATION status";
            return Err(ApiError::uncoded(409, why).into());
        }
        let token = PairingToken {
            token: hex::encode(deed.chance.bytes::<32>()),
            user: id,
            expires_at: deed.at.plus(PAIRING),
        };
        deed.keep(&token)?;
        let mut told = serde_json::to_value(&user).unwrap_or_default();
        told["pairingToken"] = token.token.into();
        Ok(Reply::json(201, &told))
    };
    visit.hall.effect(visit.call, work).await
}

/// `GET /management/api_users/{userId}/whitelist_ip_addresses`.
fn addresses(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let id: UserId = visit.param("userId", lives::not_found)?;
    let guest = visit
        .hall
        .house
        .doors
        .get(id)
        .filter(|guest| guest.workspace == visit.hall.id())
        .ok_or_else(lives::not_found)?;
    let list: Vec<_> = guest.addresses.iter().map(ToString::to_string).collect();
    let shown = WhitelistIpAddressesResponse {
        user_id: id,
        whitelisted_ips: (!list.is_empty()).then_some(list),
    };
    Ok(Reply::json(200, &shown))
}

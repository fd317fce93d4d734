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
use uuid::Uuid;

use super::{Visit, area};
use crate::deed::Deed;
use crate::rows::{self, KeyRow};

area! { visit;
    "createApiUser" => create(visit).await,
    "getWhitelistIpAddresses" => addresses(visit),
}

/// Longest name.
const MAX_NAME: usize = 30;

fn invalid(why: impl Into<String>) -> ApiError {
    ApiError::typed(400, "VALIDATION", why)
}

/// `POST /management/api_users`: an empty answer; the quorum decides, then the user is listed as
/// ready. By default it decides at once.
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
    let ready = !visit.hall.house.manual;
    let user = User {
        id: UserId(Uuid::nil()),
        first_name: None,
        last_name: None,
        email: None,
        name: Some(new.name),
        role: new.role,
        enabled: true,
        status: if ready {
            UserStatus::Ready
        } else {
            UserStatus::PendingActivation
        },
        user_type: UserType::Api,
    };
    let workspace = visit.hall.id();
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
        Ok(Reply::empty(200))
    };
    let reply = visit.hall.effect(visit.call, work).await?;
    visit.hall.open_doors().await?;
    Ok(reply)
}

/// `GET /management/api_users/{userId}/whitelist_ip_addresses`.
fn addresses(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let unknown = || ApiError::typed(404, "NOT_FOUND", "User not found");
    let id: UserId = visit.param("userId", unknown)?;
    let guest = visit
        .hall
        .house
        .doors
        .get(id)
        .filter(|guest| guest.workspace == visit.hall.id())
        .ok_or_else(unknown)?;
    let list: Vec<_> = guest.addresses.iter().map(ToString::to_string).collect();
    let shown = WhitelistIpAddressesResponse {
        user_id: id,
        whitelisted_ips: (!list.is_empty()).then_some(list),
    };
    Ok(Reply::json(200, &shown))
}

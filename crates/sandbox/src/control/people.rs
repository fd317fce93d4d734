//! What people do: the quorum's members decide, the Owner deletes users and sets IP lists, a person
//! sets a device up, and Fireblocks' support lets a frozen workspace go on.

use std::net::IpAddr;

use axum::Json;
use axum::extract::State;
use protocol::error::ApiError;
use protocol::ids::{UserId, WalletId, WorkspaceId};
use serde::Deserialize;
use serde_json::{Value, json};

use super::asked::{Asked, At};
use super::calls::Calls;
use super::{Desk, Refusal, WHO, Who};
use crate::audit::{By, Event};
use crate::deed::Deed;
use crate::hall::Hall;
use crate::jobs;
use crate::lives::{self, Turn};
use crate::operations::workspace::{self, Standing};
use crate::quorum::{Ask, DeleteUsers, QuorumSettings, Request, Threshold, Word};
use crate::rows::{self, KeyRow};
use ledger::Fault;

const QUORUM: &str = r#"{"type":"object","additionalProperties":false,"properties":{
"threshold":{"oneOf":[{"type":"integer","minimum":1},{"enum":["ALL"]}]},"deleteUsers":{"enum":["OWNER_ONLY","ADMIN_QUORUM"]}}}"#;
const ADDRESSES: &str = r#"{"type":"object","required":["addresses"],"additionalProperties":false,"properties":{"addresses":{"type":"array","items":{"type":"string"}}}}"#;

pub(super) fn calls() -> Calls {
    Calls::default()
        .get(
            "/workspaces/{workspace}/quorum",
            "getQuorum",
            "The quorum's threshold, its members, and what waits for it",
            quorum,
        )
        .put(
            "/workspaces/{workspace}/quorum",
            "setQuorum",
            "The Owner sets the quorum",
            set_quorum,
        )
        .taking(QUORUM)
        .post(
            "/workspaces/{workspace}/quorum/{id}/{decision}",
            "decide",
            "A member, or the whole quorum, decides on a request: approve, reject or cancel",
            decide,
        )
        .taking(WHO)
        .delete(
            "/workspaces/{workspace}/users/{id}",
            "deleteUser",
            "The Owner deletes a user, at once",
            delete_user,
        )
        .post(
            "/workspaces/{workspace}/users/{id}/set_up_device",
            "setUpDevice",
            "A person sets a device up",
            set_up_device,
        )
        .post(
            "/workspaces/{workspace}/users/{id}/{decision}",
            "decideOnUser",
            "The quorum decides on a new user: approve or reject",
            user,
        )
        .taking(WHO)
        .put(
            "/workspaces/{workspace}/users/{id}/ip_addresses",
            "setIpAddresses",
            "The Owner sets a key's IP allow-list",
            ip_addresses,
        )
        .taking(ADDRESSES)
        .post(
            "/workspaces/{workspace}/wallets/{id}/{decision}",
            "decideOnAddresses",
            "The quorum decides on the addresses of a list's entry: approve or reject",
            addresses,
        )
        .taking(WHO)
        .post(
            "/workspaces/{workspace}/unfreeze",
            "unfreeze",
            "A frozen workspace goes on",
            unfreeze,
        )
        .post(
            "/workspaces/{workspace}/jobs/work",
            "workOnJobs",
            "The job that has waited longest goes on by one part",
            work,
        )
}

pub(super) fn word(text: &str) -> Result<Word, Refusal> {
    match text {
        "approve" => Ok(Word::Yes),
        "reject" => Ok(Word::No),
        _ => Err(Refusal(ApiError::uncoded(404, "approve or reject"))),
    }
}

fn shown(request: &Request) -> Value {
    let mut told = serde_json::to_value(request).unwrap_or_default();
    told["id"] = request.id.to_string().into();
    told["expiresAt"] = json!(request.expires_at());
    told
}

/// Threshold, members, and what waits.
async fn quorum(
    State(desk): State<Desk>,
    At(workspace): At<WorkspaceId>,
) -> Result<Json<Value>, Refusal> {
    let hall = desk.hall(workspace)?;
    let settings = hall.kept::<QuorumSettings>("").await?.unwrap_or_default();
    let requests = hall.open_requests().await?;
    Ok(Json(json!({
        "settings": settings,
        "members": hall.members().all(),
        "requests": requests.iter().map(shown).collect::<Vec<_>>(),
    })))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Settings {
    threshold: Option<Threshold>,
    delete_users: Option<DeleteUsers>,
}

/// The Owner sets the quorum, as in the Console. Requests that wait keep their threshold.
async fn set_quorum(
    State(desk): State<Desk>,
    At(workspace): At<WorkspaceId>,
    Asked(wanted): Asked<Settings>,
) -> Result<Json<Value>, Refusal> {
    let work = move |deed: &mut Deed<'_, '_>| {
        let known = deed.quorum_settings()?;
        let members = deed.members()?;
        let threshold = wanted.threshold.unwrap_or(known.threshold);
        if !(1..=members.all().len()).contains(&threshold.of(members.all().len())) {
            let must = "1 to the number of members, or ALL";
            return Err(ApiError::invalid("threshold", must).into());
        }
        let settings = QuorumSettings {
            threshold,
            delete_users: wanted.delete_users.unwrap_or(known.delete_users),
        };
        deed.keep(&settings)?;
        if threshold != known.threshold {
            deed.audit(Event::QuorumThresholdChanged, members.owner().into())?;
        }
        Ok(settings)
    };
    let settings = desk.hall(workspace)?.deed(work).await?;
    Ok(Json(json!({ "settings": settings })))
}

/// A member decides on a request; nobody named: the whole quorum.
async fn decide(
    State(desk): State<Desk>,
    At((workspace, id, text)): At<(WorkspaceId, i64, String)>,
    Asked(who): Asked<Who>,
) -> Result<Json<Value>, Refusal> {
    let hall = desk.hall(workspace)?;
    if text == "cancel" {
        let by = By::from(who.user);
        hall.deed(move |deed| deed.take_back(id, by)).await?;
        let request = hall.request(id).await?;
        return Ok(Json(request.as_ref().map_or(Value::Null, shown)));
    }
    let word = word(&text)?;
    let decided = hall.deed(move |deed| deed.decide(id, word, who.user));
    Ok(Json(shown(&decided.await?)))
}

/// Decides on every request of some kind. How many there were.
pub(super) async fn decide_all(
    hall: &std::sync::Arc<Hall>,
    about: impl Fn(&Ask) -> bool + Send + 'static,
    word: Word,
    who: Option<UserId>,
) -> Result<usize, Fault> {
    let work = move |deed: &mut Deed<'_, '_>| {
        let mut requests = deed.open_requests()?;
        requests.retain(|request| about(&request.ask));
        for request in &requests {
            deed.decide(request.id, word, who)?;
        }
        Ok(requests.len())
    };
    hall.deed(work).await
}

fn known(hall: &Hall, id: UserId) -> Result<(), Refusal> {
    let user = hall.books.user(id);
    let user = user.ok_or_else(|| Refusal(ApiError::uncoded(404, "no such user")));
    user.map(|_| ())
}

/// A person sets a device up.
async fn set_up_device(
    State(desk): State<Desk>,
    At((workspace, id)): At<(WorkspaceId, UserId)>,
) -> Result<Json<Value>, Refusal> {
    let hall = desk.hall(workspace)?;
    known(&hall, id)?;
    let work = move |deed: &mut Deed<'_, '_>| {
        lives::turn(deed, id, Turn::DeviceSetUp)?;
        Ok(deed.audit(Event::DeviceEnrolled, By::User(id))?)
    };
    hall.deed(work).await?;
    Ok(Json(json!({ "success": true })))
}

/// The quorum decides on a new user.
async fn user(
    State(desk): State<Desk>,
    At((workspace, id, text)): At<(WorkspaceId, UserId, String)>,
    Asked(who): Asked<Who>,
) -> Result<Json<Value>, Refusal> {
    let hall = desk.hall(workspace)?;
    known(&hall, id)?;
    let about = move |ask: &Ask| matches!(ask, Ask::NewUser { user } if *user == id);
    if decide_all(&hall, about, word(&text)?, who.user).await? == 0 {
        let why = "nothing about this user waits for the quorum";
        return Err(Refusal(ApiError::uncoded(409, why)));
    }
    Ok(Json(json!({ "success": true })))
}

/// The Owner deletes a user, a person or an API user, at once.
async fn delete_user(
    State(desk): State<Desk>,
    At((workspace, id)): At<(WorkspaceId, UserId)>,
) -> Result<Json<Value>, Refusal> {
    let work = move |deed: &mut Deed<'_, '_>| {
        lives::delete(deed, id)?;
        let owner = deed.members()?.owner();
        Ok(deed.audit(Event::UserDeleted, owner.into())?)
    };
    desk.hall(workspace)?.deed(work).await?;
    Ok(Json(json!({ "success": true })))
}

/// The quorum decides on the addresses of a whitelist's entry that wait for it.
async fn addresses(
    State(desk): State<Desk>,
    At((workspace, id, text)): At<(WorkspaceId, WalletId, String)>,
    Asked(who): Asked<Who>,
) -> Result<Json<Value>, Refusal> {
    use protocol::model::whitelist::WhitelistKind::{Contract, External, Internal};
    let (word, hall) = (word(&text)?, desk.hall(workspace)?);
    let lists = [Internal, External, Contract];
    if !lists
        .iter()
        .any(|kind| hall.books.whitelist_name(*kind, id).is_some())
    {
        return Err(Refusal(ApiError::uncoded(404, "no such wallet")));
    }
    let about =
        move |ask: &Ask| matches!(ask, Ask::WhitelistAddress { wallet, .. } if *wallet == id);
    let decided = decide_all(&hall, about, word, who.user).await?;
    Ok(Json(json!({ "decided": decided })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Addresses {
    addresses: Vec<IpAddr>,
}

/// The Owner sets a key's IP allow-list, as in the Console. An empty one means any address.
async fn ip_addresses(
    State(desk): State<Desk>,
    At((workspace, id)): At<(WorkspaceId, UserId)>,
    Asked(wanted): Asked<Addresses>,
) -> Result<Json<Value>, Refusal> {
    let hall = desk.hall(workspace)?;
    let guest = desk
        .house
        .doors
        .get(id)
        .filter(|guest| guest.workspace == workspace);
    let guest = guest.ok_or_else(|| ApiError::uncoded(404, "no such API user"))?;
    let list: Vec<_> = wanted.addresses.iter().map(ToString::to_string).collect();
    let (spki, addresses) = (guest.key.spki_der().to_vec(), list.join(","));
    let work = move |deed: &mut Deed<'_, '_>| {
        let row = KeyRow {
            user: id,
            workspace,
            spki: spki.clone(),
            addresses: addresses.clone(),
        };
        rows::put_key(deed.writing, &row)?;
        let owner = deed.members()?.owner();
        Ok(deed.audit(Event::IpListUpdated, owner.into())?)
    };
    hall.deed(work).await?;
    hall.open_doors().await?;
    Ok(Json(json!({ "whitelistedIps": list })))
}

/// A frozen workspace goes on.
async fn unfreeze(
    State(desk): State<Desk>,
    At(workspace): At<WorkspaceId>,
) -> Result<Json<Value>, Refusal> {
    let work = |deed: &mut Deed<'_, '_>| workspace::stand(deed, Standing::Active);
    desk.hall(workspace)?.deed(work).await?;
    Ok(Json(json!({ "status": Standing::Active })))
}

/// The job that has waited longest goes on by one part.
async fn work(
    State(desk): State<Desk>,
    At(workspace): At<WorkspaceId>,
) -> Result<Json<Value>, Refusal> {
    let worked = jobs::work(&desk.hall(workspace)?).await?;
    Ok(Json(json!({ "worked": worked })))
}

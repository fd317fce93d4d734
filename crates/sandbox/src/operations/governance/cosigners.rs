//! Co-signers, the API users paired with them, and their callback handlers.

use std::sync::Arc;

use protocol::error::ApiError;
use protocol::exchange::Reply;
use protocol::keys::PublicKey;
use protocol::model::user::{User, UserStatus};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

use crate::cosigner::{Command, Cosigner, Handler, KeyRequest, Pairing, is_machine, user};
use crate::deed::Deed;
use crate::hall::Hall;
use crate::hosts;
use crate::operations::paging::{First, page};
use crate::operations::{Visit, area};

/// Rows of a page where the query does not say.
const PAGE: usize = 10;
/// The one length of handlers' keys.
const KEY_BITS: usize = 2_048;

area! { visit;
    "getCosigners" => list(visit).await,
    "addCosigner" => add(visit).await,
    "getCosigner" => one(visit).await,
    "renameCosigner" => rename(visit).await,
    "getApiKeys" => keys(visit).await,
    "getApiKey" => key(visit).await,
    "pairApiKey" => pair(visit).await,
    "updateCallbackHandler" => update(visit).await,
    "unpairApiKey" => unpair(visit).await,
    "getRequestStatus" => status(visit).await,
}

fn no_cosigner() -> ApiError {
    ApiError::uncoded(404, "Cosigner not found")
}

fn no_key() -> ApiError {
    ApiError::uncoded(404, "API key not found")
}

async fn list(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let all = visit.hall.cosigners().await?;
    let key = |one: &Cosigner| (one.made_at.0, String::new(), one.id.clone());
    let page = page(&visit.call.query, all, PAGE, First::Newest, key)?;
    let data: Vec<_> = page.data.iter().map(Cosigner::shown).collect();
    Ok(Reply::json(200, &json!({"data": data, "next": page.next})))
}

/// The co-signer of the path.
async fn cosigner(visit: &Visit<'_>) -> Result<Cosigner, ApiError> {
    let id: Uuid = visit.param("cosignerId", no_cosigner)?;
    let found = visit.hall.cosigners().await?.into_iter();
    let mut found = found.filter(|one| one.id == id.to_string());
    found.next().ok_or_else(no_cosigner)
}

async fn one(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    Ok(Reply::json(200, &cosigner(visit).await?.shown()))
}

/// A name that can be one.
fn named(name: &str) -> Result<String, ApiError> {
    if name.trim().is_empty() {
        return Err(ApiError::invalid("name", "at least one character"));
    }
    Ok(name.to_owned())
}

#[derive(Deserialize)]
struct Rename {
    name: Option<String>,
}

async fn rename(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let wanted: Rename = visit.body()?;
    let name = wanted.name.as_deref().map(named).transpose()?;
    let id = cosigner(visit).await?.id;
    let work = move |deed: &mut Deed<'_, '_>| {
        let all = Cosigner::all(deed.writing, deed.hall)?;
        let found = all.into_iter().find(|one| one.id == id);
        let mut renamed = found.ok_or_else(no_cosigner)?;
        if let Some(name) = &name {
            renamed.name.clone_from(name);
            deed.keep(&renamed)?;
        }
        Ok(Reply::json(200, &renamed.shown()))
    };
    visit.hall.effect(visit.call, work).await
}

async fn keys(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let cosigner = cosigner(visit).await?;
    let all = visit.hall.paired_with(&cosigner.id).await?;
    let key = |one: &Pairing| (one.paired_at.0, String::new(), one.api_key.clone());
    let page = page(&visit.call.query, all, PAGE, First::Newest, key)?;
    let data: Vec<_> = page.data.iter().map(Pairing::shown).collect();
    Ok(Reply::json(200, &json!({"data": data, "next": page.next})))
}

/// The pairing of the path.
async fn pairing(visit: &Visit<'_>) -> Result<Pairing, ApiError> {
    let cosigner = cosigner(visit).await?;
    let id = visit.params.get("apiKeyId");
    let paired = visit.hall.paired_with(&cosigner.id).await?.into_iter();
    let mut found = paired.filter(|one| one.api_key == id);
    found.next().ok_or_else(no_key)
}

async fn key(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    Ok(Reply::json(200, &pairing(visit).await?.shown()))
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct HandlerWanted {
    url: String,
    public_key: Option<String>,
    cert: Option<String>,
}

impl HandlerWanted {
    /// A handler that can be asked, and whose answers can be verified.
    fn checked(&self, hall: &Hall) -> Result<Handler, ApiError> {
        let bad =
            |field: &str, why: &str| ApiError::invalid(&format!("callbackHandler.{field}"), why);
        let url: Url = self.url.parse().map_err(|_| bad("url", "a URL"))?;
        let reached = hall.house.caller.check(&url);
        reached.map_err(|refused| bad("url", &refused.to_string()))?;
        let own = hosts::not_fireblocks(&url);
        own.map_err(|refused| bad("url", &refused.to_string()))?;
        if url.query().is_some() || url.fragment().is_some() {
            return Err(bad("url", "a URL that paths can be added to"));
        }
        if self.cert.is_some() {
            let why =
                "handlers with a pinned certificate are not served by this sandbox: give publicKey";
            return Err(bad("cert", why));
        }
        let key = self.public_key.as_deref();
        let text = key.ok_or_else(|| bad("publicKey", "it is required"))?;
        let key = PublicKey::from_pem(text.trim());
        let right = key.ok().filter(|key| key.bits() == KEY_BITS);
        let why = "an RSA public key of 2048 bits, PEM";
        right.ok_or_else(|| bad("publicKey", why))?;
        Ok(Handler {
            url: self.url.clone(),
            public_key: text.to_owned(),
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HandlerBody {
    callback_handler: Option<HandlerWanted>,
}

impl HandlerBody {
    fn read(visit: &Visit<'_>) -> Result<Option<Handler>, ApiError> {
        let body: Self = visit.body()?;
        let wanted = body.callback_handler.as_ref();
        wanted.map(|wanted| wanted.checked(visit.hall)).transpose()
    }
}

/// An API user that co-signers can act for.
fn machine(hall: &Arc<Hall>, id: &str) -> Result<User, ApiError> {
    let found = user(hall, id).ok_or_else(no_key)?;
    if !is_machine(&found) {
        let why = "an API user that signs or approves";
        return Err(ApiError::invalid("apiKeyId", why));
    }
    if found.status != UserStatus::Ready {
        return Err(ApiError::uncoded(
            409,
            "The API user waits for its approval",
        ));
    }
    Ok(found)
}

/// Asks people for it; the answer shows the key as it is to be.
async fn ask(
    visit: &Visit<'_>,
    command: Command,
    cosigner: Cosigner,
    handler: Option<Handler>,
    shown: Value,
) -> Result<Reply, ApiError> {
    let key = visit.params.get("apiKeyId").to_owned();
    let by = visit.guest.user;
    let at = format!(
        "{}/v1/cosigners/{}/api_keys/{key}",
        visit.hall.house.origin, cosigner.id
    );
    let work = move |deed: &mut Deed<'_, '_>| {
        let mut request = KeyRequest::new(deed, command, &cosigner.id, &key);
        request.handler.clone_from(&handler);
        let request = request.ask(deed, by)?;
        let location = format!("{at}/{}", request.id);
        Ok(Reply::json(202, &shown).with("location", location))
    };
    visit.hall.effect(visit.call, work).await
}

fn with_handler(id: &str, handler: Option<&Handler>) -> Value {
    let mut shown = json!({ "id": id });
    if let Some(handler) = handler {
        shown["callbackHandler"] = json!(handler);
    }
    shown
}

async fn pair(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let handler = HandlerBody::read(visit)?;
    let cosigner = cosigner(visit).await?;
    let user = machine(visit.hall, visit.params.get("apiKeyId"))?;
    let shown = with_handler(&user.id.to_string(), handler.as_ref());
    ask(visit, Command::PairApiKey, cosigner, handler, shown).await
}

async fn update(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let handler = HandlerBody::read(visit)?;
    let (cosigner, pairing) = (cosigner(visit).await?, pairing(visit).await?);
    let shown = with_handler(&pairing.api_key, handler.as_ref());
    ask(
        visit,
        Command::UpdateCallbackHandler,
        cosigner,
        handler,
        shown,
    )
    .await
}

async fn unpair(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let (cosigner, pairing) = (cosigner(visit).await?, pairing(visit).await?);
    ask(
        visit,
        Command::UnpairApiKey,
        cosigner,
        None,
        pairing.shown(),
    )
    .await
}

async fn status(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let found = visit
        .hall
        .kept::<KeyRequest>(visit.params.get("requestId"))
        .await?
        .filter(|request| {
            request.cosigner == visit.params.get("cosignerId")
                && request.api_key == visit.params.get("apiKeyId")
        });
    let missing = || ApiError::uncoded(404, "Request not found");
    let found = found.ok_or_else(missing)?;
    let asked = visit.hall.request(found.quorum_request).await?;
    let state = asked.ok_or_else(missing)?.state;
    Ok(Reply::json(200, &found.shown(state)))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Add {
    api_key_id: Uuid,
    name: String,
    #[serde(default)]
    existing_cosigner: bool,
}

/// A co-signer is there once its first API user is paired with it.
async fn add(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let wanted: Add = visit.body()?;
    let name = named(&wanted.name)?;
    let user = machine(visit.hall, &wanted.api_key_id.to_string())?;
    let by = visit.guest.user;
    let work = move |deed: &mut Deed<'_, '_>| {
        let (id, key) = (deed.chance.uuid().to_string(), user.id.to_string());
        let mut request = KeyRequest::new(deed, Command::PairApiKey, &id, &key);
        request.new_cosigner = Some(name.clone());
        let request = request.ask(deed, by)?;
        let answer = json!({
            "apiKeyId": request.api_key,
            "name": name,
            "existingCosigner": wanted.existing_cosigner,
            "pendingCosignerId": request.cosigner,
        });
        Ok(Reply::json(201, &answer))
    };
    visit.hall.effect(visit.call, work).await
}

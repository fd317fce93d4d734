//! The policy editor of the newer shape: the rules of some types at once.

use std::collections::BTreeSet;

use protocol::error::ApiError;
use protocol::exchange::Reply;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::deed::Deed;
use crate::operations::{Visit, area};
use crate::policy::check::{Checked, World, check};
use crate::policy::kept::{Act, Version};
use crate::policy::{Participant, Quota, Wanted, Written, quota};

area! { visit;
    "getActivePolicy" => active(visit).await,
    "getDraft" => draft(visit).await,
    "updateDraft" => update(visit).await,
    "publishDraft" => publish(visit).await,
    "getPolicyRuleQuota" => rule_quota(visit).await,
}

/// The types that a query asks for.
fn types_asked(visit: &Visit<'_>) -> Vec<String> {
    let asked = visit.call.query.many("policyType");
    asked.map(str::to_owned).collect()
}

/// The rules of some types, as far as the newer shape has words for them.
fn printed<'v>(version: &'v Version, types: &[String]) -> (Vec<Value>, Vec<&'v Written>) {
    let of_types = |rule: &&Written| types.iter().any(|kind| kind == rule.kind());
    version
        .rules
        .iter()
        .filter(of_types)
        .filter_map(|rule| Some((rule.as_v2()?, rule)))
        .unzip()
}

fn checked(version: &Version, types: &[String], world: &World) -> Checked {
    check(printed(version, types).1.into_iter(), world)
}

/// The same for each type.
fn metadata(version: &Version, types: &[String]) -> Value {
    let of_type = |kind: &String| (kind.clone(), version.metadata());
    types.iter().map(of_type).collect::<Map<_, _>>().into()
}

async fn active(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let types = types_asked(visit);
    let world = World::of(visit.hall).await?;
    let active = visit.hall.policy().await?.active;
    let answer = json!({
        "policy": {"rules": printed(&active, &types).0, "metadata": metadata(&active, &types)},
        "validation": checked(&active, &types, &world).validation(),
    });
    Ok(Reply::json(200, &answer))
}

fn shown(draft: &Version, types: &[String], world: &World) -> Value {
    json!({
        "draftResponse": {
            "draftId": draft.id,
            "status": "UNVALIDATED",
            "rules": printed(draft, types).0,
            "metadata": metadata(draft, types),
        },
        "validation": checked(draft, types, world).validation(),
    })
}

async fn draft(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let types = types_asked(visit);
    let world = World::of(visit.hall).await?;
    let policy = visit.hall.policy().await?;
    Ok(Reply::json(200, &shown(policy.draft(), &types, &world)))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Update {
    policy_types: Vec<String>,
    rules: Vec<Value>,
}

impl Update {
    fn read(visit: &Visit<'_>) -> Result<Self, ApiError> {
        let update: Self = visit.body()?;
        some_type(&update.policy_types)?;
        let mut ids = BTreeSet::new();
        for rule in &update.rules {
            let text = |field: &str| rule.get(field).and_then(Value::as_str).unwrap_or_default();
            if !update.policy_types.iter().any(|kind| kind == text("type")) {
                let why = "the type of each is one of policyTypes";
                return Err(ApiError::invalid("rules", why));
            }
            if text("id").is_empty() || !ids.insert(text("id")) {
                let why = "each has an id of its own";
                return Err(ApiError::invalid("rules", why));
            }
        }
        Ok(update)
    }
}

fn some_type(types: &[String]) -> Result<(), ApiError> {
    if types.is_empty() {
        return Err(ApiError::invalid("policyTypes", "at least one"));
    }
    Ok(())
}

async fn update(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let update = Update::read(visit)?;
    let world = World::of(visit.hall).await?;
    let by = visit.guest.user.to_string();
    let work = move |deed: &mut Deed<'_, '_>| {
        let mut policy = deed.policy()?;
        let rules = update.rules.iter().cloned().map(Written::v2).collect();
        let (types, by) = (&update.policy_types, by.clone());
        let by = Act { by, at: deed.at };
        policy.save_types(deed.chance.uuid().to_string(), types, rules, by);
        deed.keep(&policy)?;
        Ok(Reply::json(200, &shown(policy.draft(), types, &world)))
    };
    visit.hall.effect(visit.call, work).await
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Publish {
    policy_types: Vec<String>,
    draft_id: String,
}

async fn publish(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let wanted: Publish = visit.body()?;
    some_type(&wanted.policy_types)?;
    let world = World::of(visit.hall).await?;
    let by = visit.guest.user;
    let work = move |deed: &mut Deed<'_, '_>| {
        let types = &wanted.policy_types;
        let policy = deed.policy()?;
        let draft = policy.draft_of(Some(&wanted.draft_id))?;
        let mut version = policy.with_types(&draft, types);
        let checked = checked(&version, types, &world);
        let status = if checked.is_valid() {
            version = deed.publish(policy, version, by)?;
            "AWAITING_QUORUM"
        } else {
            "INVALID_CONFIGURATION"
        };
        let answer = json!({
            "status": status,
            "rules": printed(&version, types).0,
            "checkResult": checked.shown(),
            "metadata": metadata(&version, types),
        });
        Ok(Reply::json(201, &answer))
    };
    visit.hall.effect(visit.call, work).await
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct QuotaAsked {
    rule_id: String,
    initiator: Option<String>,
    source: Option<Participant>,
    destination: Option<Participant>,
}

async fn rule_quota(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let asked: QuotaAsked = visit.body()?;
    let wanted = Wanted {
        rule: asked.rule_id,
        initiator: asked.initiator,
        source: asked.source,
        destination: asked.destination,
    };
    let work = move |deed: &mut Deed<'_, '_>| match quota(deed, &wanted)? {
        Quota::Counted(counted) => Ok(Reply::json(200, &counted)),
        Quota::NoRule => Err(ApiError::uncoded(404, "Policy rule not found").into()),
        Quota::NoWindow => {
            let why = "the rule limits no amount over time";
            Err(ApiError::invalid("ruleId", why).into())
        }
        Quota::Missing(name) => {
            let why = "the rule counts for each of them by itself: name one";
            Err(ApiError::invalid(name, why).into())
        }
    };
    visit.hall.effect(visit.call, work).await
}

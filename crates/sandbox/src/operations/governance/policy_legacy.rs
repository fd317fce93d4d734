//! The policy editor of the older shape: the whole policy at once.

use ledger::Fault;
use protocol::error::ApiError;
use protocol::exchange::Reply;
use protocol::ids::UserId;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::deed::Deed;
use crate::operations::{Visit, area};
use crate::policy::Written;
use crate::policy::check::{Checked, World, check};
use crate::policy::kept::{Act, Policy, Version};

area! { visit;
    "getActivePolicyLegacy" => active(visit).await,
    "getDraftLegacy" => draft(visit).await,
    "updateDraftLegacy" => update(visit).await,
    "publishDraftLegacy" => publish(visit).await,
    "publishPolicyRules" => publish_rules(visit).await,
}

/// The rules, as far as the older shape has words for them.
fn printed(version: &Version) -> (Vec<Value>, Vec<&Written>) {
    version
        .rules
        .iter()
        .filter_map(|rule| Some((rule.as_legacy()?, rule)))
        .unzip()
}

fn checked(version: &Version, world: &World) -> Checked {
    check(printed(version).1.into_iter(), world)
}

async fn active(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let world = World::of(visit.hall).await?;
    let active = visit.hall.policy().await?.active;
    let answer = json!({
        "policy": {"rules": printed(&active).0, "metadata": active.metadata()},
        "validation": checked(&active, &world).validation(),
    });
    Ok(Reply::json(200, &answer))
}

fn shown(draft: &Version, world: &World) -> Value {
    let checked = checked(draft, world);
    json!({
        "draftResponse": {
            "draftId": draft.id,
            "status": "UNVALIDATED",
            "rules": printed(draft).0,
            "metadata": draft.metadata(),
        },
        "validation": checked.validation(),
    })
}

async fn draft(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let world = World::of(visit.hall).await?;
    let policy = visit.hall.policy().await?;
    Ok(Reply::json(200, &shown(policy.draft(), &world)))
}

#[derive(Deserialize)]
struct Rules {
    #[serde(default)]
    rules: Option<Vec<Value>>,
}

/// The rules of a body. A body without any would be a policy without any, and is refused.
fn rules(visit: &Visit<'_>) -> Result<Vec<Value>, ApiError> {
    let read: Rules = visit.body()?;
    read.rules
        .ok_or_else(|| ApiError::invalid("rules", "it is required"))
}

/// Saves the rules as the draft.
fn save(deed: &mut Deed<'_, '_>, rules: &[Value], by: UserId) -> Result<Policy, Fault> {
    let mut policy = deed.policy()?;
    let mut written: Vec<Written> = Vec::new();
    for rule in rules {
        let mut rule = Written::legacy(rule.clone(), || deed.chance.uuid().to_string());
        // A descriptor that stands twice names one rule.
        if written.iter().any(|other| other.id == rule.id) {
            rule.id = deed.chance.uuid().to_string();
        }
        written.push(rule);
    }
    let by = Act {
        by: by.to_string(),
        at: deed.at,
    };
    policy.save(deed.chance.uuid().to_string(), written, by);
    Ok(policy)
}

async fn update(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let (rules, world) = (rules(visit)?, World::of(visit.hall).await?);
    let by = visit.guest.user;
    let work = move |deed: &mut Deed<'_, '_>| {
        let policy = save(deed, &rules, by)?;
        deed.keep(&policy)?;
        Ok(Reply::json(200, &shown(policy.draft(), &world)))
    };
    visit.hall.effect(visit.call, work).await
}

/// Asks people for a version of the policy, if it can be one; else it is a draft.
fn ask(
    deed: &mut Deed<'_, '_>,
    policy: Policy,
    version: Version,
    by: UserId,
    world: &World,
) -> Result<Reply, Fault> {
    let checked = check(version.rules.iter(), world);
    let (status, version) = if checked.is_valid() {
        ("AWAITING_QUORUM", deed.publish(policy, version, by)?)
    } else {
        deed.keep(&policy)?;
        ("INVALID_CONFIGURATION", version)
    };
    let answer = json!({
        "status": status,
        "rules": printed(&version).0,
        "checkResult": checked.shown(),
        "metadata": version.metadata(),
    });
    Ok(Reply::json(201, &answer))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Publish {
    #[serde(default)]
    draft_id: Option<String>,
}

async fn publish(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let wanted: Publish = visit.body()?;
    let world = World::of(visit.hall).await?;
    let by = visit.guest.user;
    let work = move |deed: &mut Deed<'_, '_>| {
        let policy = deed.policy()?;
        let version = policy.draft_of(wanted.draft_id.as_deref())?;
        ask(deed, policy, version, by, &world)
    };
    visit.hall.effect(visit.call, work).await
}

async fn publish_rules(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let (rules, world) = (rules(visit)?, World::of(visit.hall).await?);
    let by = visit.guest.user;
    let work = move |deed: &mut Deed<'_, '_>| {
        let policy = save(deed, &rules, by)?;
        let version = policy.draft().clone();
        ask(deed, policy, version, by, &world)
    };
    visit.hall.effect(visit.call, work).await
}

//! Security findings: the workspace is looked at whenever somebody asks. Some are accepted, and
//! opened again.

use std::sync::Arc;

use ledger::{Fault, Scope};
use protocol::error::ApiError;
use protocol::exchange::Reply;
use protocol::ids::UserId;
use protocol::model::user::User;
use protocol::role::Role;
use protocol::token::TokenError;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::Group;
use super::dates::date_time;
use super::paging::{First, page, words};
use super::{Visit, area};
use crate::cosigner::Pairing;
use crate::deed::Deed;
use crate::findings::{Approvals, Finding, Look, Said, Severity, Status, changed};
use crate::hall::Hall;
use crate::policy::{self, Action};
use crate::rows;

area! { visit;
    "getSecurityFindings" => list(visit).await,
    "getSecurityFindingById" => one(visit).await,
    "updateSecurityFindingById" => update(visit).await,
}

/// Rows of a page where the query does not say.
const PAGE: usize = 50;

fn not_found() -> ApiError {
    ApiError::uncoded(404, "Finding not found")
}

/// Only these: the newest client says so, the operations table does not.
fn only(visit: &Visit<'_>, roles: &[Role]) -> Result<(), ApiError> {
    if roles.contains(&visit.guest.role) {
        Ok(())
    } else {
        Err(TokenError::Role.into())
    }
}

/// Looks at the workspace: every finding, as it is then.
fn look(deed: &mut Deed<'_, '_>) -> Result<Vec<Finding>, Fault> {
    let workspace = deed.hall.id();
    let users = deed.hall.books.users(&Scope::whole(workspace));
    let keys = rows::keys(deed.writing, workspace)?;
    let from_anywhere: Vec<UserId> = keys
        .iter()
        .filter(|key| key.addresses.is_empty())
        .map(|key| key.user)
        .collect();
    let mut without_callback = Vec::new();
    for user in &users {
        let pairing = Pairing::of(deed.writing, deed.hall, user)?;
        if user.role.signs() && pairing.is_some_and(|pairing| pairing.handler.is_none()) {
            without_callback.push(user.id);
        }
    }
    let (approvals, settings) = (approvals(deed, &users)?, deed.quorum_settings()?);
    let admins = deed.members()?.all().len();
    let look = Look {
        users: &users,
        from_anywhere: &from_anywhere,
        without_callback: &without_callback,
        approvals: &approvals,
        quorum: (admins, settings.threshold.of(admins)),
    };
    let known = deed.all_kept::<Finding>()?;
    for finding in changed(workspace, &known, &look, deed.at) {
        deed.keep(&finding)?;
    }
    Ok(deed.all_kept()?)
}

/// How many can approve, by rule and group of the policy.
fn approvals(deed: &mut Deed<'_, '_>, users: &[User]) -> Result<Vec<Approvals>, Fault> {
    let roster = policy::check::roster(users.to_vec(), deed.all_kept::<Group>()?);
    let mut all = Vec::new();
    for (rule, written) in (1..).zip(deed.policy()?.active.rules) {
        let Ok(Some(read)) = written.read() else {
            continue;
        };
        let Action::Go(Some(approval), _) = read.action else {
            continue;
        };
        all.extend(approval.groups.iter().map(|group| Approvals {
            rule,
            people: roster.approvers(&group.people).len(),
            threshold: group.threshold,
        }));
    }
    Ok(all)
}

async fn looked(hall: &Arc<Hall>) -> Result<Vec<Finding>, ApiError> {
    Ok(hall.deed(look).await?)
}

fn shown(finding: &Finding) -> Value {
    json!({
        "id": finding.id,
        "type": finding.kind,
        "status": finding.status,
        "severity": finding.kind.severity(),
        "category": finding.kind.category(),
        "createdAt": date_time(finding.created),
        "title": finding.title,
    })
}

/// With all that is known of it.
fn detailed(finding: &Finding) -> Value {
    let mut shown = shown(finding);
    shown["info"] = json!({ "about": finding.about });
    shown["complianceReqs"] = json!([]);
    shown["riskExplanation"] = finding.kind.risk().into();
    shown["mitigationGuidance"] = finding.kind.mitigation().into();
    if let Some(said) = &finding.said {
        shown["statusUpdatedAt"] = date_time(said.at).into();
        shown["statusUpdatedByUserId"] = said.by.clone().into();
        if let Some(why) = &said.why {
            shown["statusUpdatedReason"] = why.clone().into();
        }
    }
    shown
}

/// The one word that a filter asks for.
fn word<T: DeserializeOwned>(visit: &Visit<'_>, name: &'static str) -> Result<Option<T>, ApiError> {
    Ok(words(&visit.call.query, name)?.into_iter().next())
}

/// `GET /security/fspm/findings`, the newest first.
async fn list(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let query = &visit.call.query;
    let status: Option<Status> = word(visit, "status")?;
    // No finding of a sandbox's is only for information.
    let informs = query.one("severity") == Some("INFO");
    let severity: Option<Severity> = if informs {
        None
    } else {
        word(visit, "severity")?
    };
    let mut all = looked(visit.hall).await?;
    all.retain(|finding| {
        !informs
            && status.is_none_or(|status| finding.status == status)
            && severity.is_none_or(|severity| finding.kind.severity() == severity)
            && query
                .one("category")
                .is_none_or(|category| finding.kind.category() == category)
    });
    let total = all.len();
    let key = |finding: &Finding| (finding.created.0, String::new(), finding.id.clone());
    let page = page(query, all, PAGE, First::Newest, key)?;
    let shown = page.map(|finding| shown(&finding));
    Ok(Reply::json(200, &shown.counted(total)))
}

/// `GET /security/fspm/findings/{id}`.
async fn one(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    only(visit, &[Role::SecurityAdmin, Role::SecurityAuditor])?;
    let id = visit.params.get("id");
    let all = looked(visit.hall).await?;
    let found = all.iter().find(|finding| finding.id == id);
    Ok(Reply::json(200, &detailed(found.ok_or_else(not_found)?)))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wanted {
    status: Status,
    #[serde(default)]
    status_updated_reason: Option<String>,
}

/// `PATCH /security/fspm/findings/{id}`: accepted for a reason, or opened again.
async fn update(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    only(visit, &[Role::SecurityAdmin])?;
    let wanted: Wanted = visit.body()?;
    let why = match wanted.status {
        Status::Accepted => {
            let why = wanted.status_updated_reason.filter(|why| !why.is_empty());
            let must = "it is required to accept a finding";
            Some(why.ok_or_else(|| ApiError::invalid("statusUpdatedReason", must))?)
        }
        Status::Open => None,
        Status::Resolved => return Err(ApiError::invalid("status", "ACCEPTED or OPEN")),
    };
    let (id, user) = (visit.params.get("id").to_owned(), visit.guest.user);
    let work = move |deed: &mut Deed<'_, '_>| {
        let all = look(deed)?;
        let found = all.into_iter().find(|finding| finding.id == id);
        let mut finding = found.ok_or_else(not_found)?;
        if finding.status == Status::Resolved {
            return Err(ApiError::uncoded(400, "The finding is resolved").into());
        }
        finding.status = wanted.status;
        finding.said = Some(Said {
            by: user.to_string(),
            at: deed.at,
            why: why.clone(),
        });
        deed.keep(&finding)?;
        Ok(Reply::json(200, &detailed(&finding)))
    };
    visit.hall.effect(visit.call, work).await
}

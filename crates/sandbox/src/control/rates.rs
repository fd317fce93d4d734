//! The rate limits of a workspace: shown, set, taken off. They end with the process.

use axum::Json;
use axum::extract::State;
use protocol::ids::WorkspaceId;
use serde::{Deserialize, Serialize};

use super::asked::{Asked, At};
use super::calls::Calls;
use super::{Desk, Refusal};
use crate::rates::{Limits, Profile};

const RATES: &str = r#"{"oneOf":[{"type":"object","required":["profile"],"additionalProperties":false,"properties":{"profile":{"enum":["sandbox","testnet","mainnet"]}}},
{"type":"object","required":["shared_by","window","limits"],"additionalProperties":false,"properties":{
 "shared_by":{"enum":["user","workspace"]},"window":{"type":"integer","minimum":1,"maximum":86400},
 "limits":{"type":"object","additionalProperties":{"type":"integer","minimum":0}}}}]}"#;

pub(super) fn calls() -> Calls {
    Calls::default()
        .get(
            "/workspaces/{workspace}/rate_limits",
            "getRateLimits",
            "How often may be called",
            show,
        )
        .put(
            "/workspaces/{workspace}/rate_limits",
            "setRateLimits",
            "Set how often may be called",
            set,
        )
        .taking(RATES)
        .delete(
            "/workspaces/{workspace}/rate_limits",
            "dropRateLimits",
            "As often as anybody likes",
            off,
        )
}

/// Limits, by the name of their profile or one by one.
#[derive(Deserialize)]
#[serde(untagged)]
enum Wanted {
    Profile(Named),
    Limits(Limits),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    profile: Profile,
}

/// Nothing: there are none.
#[derive(Serialize)]
struct Shown {
    rate_limits: Option<Limits>,
}

async fn show(
    State(desk): State<Desk>,
    At(workspace): At<WorkspaceId>,
) -> Result<Json<Shown>, Refusal> {
    let rate_limits = desk.hall(workspace)?.rates.limits();
    Ok(Json(Shown { rate_limits }))
}

async fn set(
    State(desk): State<Desk>,
    At(workspace): At<WorkspaceId>,
    Asked(wanted): Asked<Wanted>,
) -> Result<Json<Shown>, Refusal> {
    let hall = desk.hall(workspace)?;
    let limits = match wanted {
        Wanted::Profile(named) => named.profile.limits(),
        Wanted::Limits(limits) => limits.checked()?,
    };
    hall.rates.set(Some(limits));
    let rate_limits = hall.rates.limits();
    Ok(Json(Shown { rate_limits }))
}

async fn off(
    State(desk): State<Desk>,
    At(workspace): At<WorkspaceId>,
) -> Result<Json<Shown>, Refusal> {
    desk.hall(workspace)?.rates.set(None);
    Ok(Json(Shown { rate_limits: None }))
}

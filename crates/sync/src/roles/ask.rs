//! Asking upstream what a key may do: by reading alone.

use protocol::operations;
use protocol::role::ProviderRole;
use serde::Serialize;
use wire::client::{Client, ClientError};

use super::{Answered, Judgement, Observation, PROBES, judge};

/// What is known of a key's role, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RoleSeen {
    /// The judgement.
    #[serde(flatten)]
    pub judgement: Judgement,
    /// What it rests on.
    pub observations: Vec<Observation>,
    /// How it is known, in a sentence.
    pub how: String,
}

impl RoleSeen {
    /// Judges what was observed.
    pub fn of(observations: Vec<Observation>, how: String) -> Self {
        Self {
            judgement: judge(&observations),
            observations,
            how,
        }
    }

    /// Whether any read was open to the key: if none was, it is not in use yet, and nothing is known.
    pub fn any_allowed(&self) -> bool {
        let allowed = |seen: &Observation| match seen {
            Observation::Gate { .. } => true,
            Observation::Read { answered, .. } => *answered == Answered::Allowed,
        };
        self.observations.iter().any(allowed)
    }

    /// The role, if it is known for certain.
    pub const fn role(&self) -> Option<ProviderRole> {
        match &self.judgement {
            Judgement::Proven { role } => Some(*role),
            _ => None,
        }
    }
}

/// Asks with the key itself: a call for each of [`PROBES`]. An outage is no answer of anybody's and
/// an error: taken for "unclear", it would let a key pass that could not be judged just then.
pub async fn by_reading(upstream: &Client) -> Result<RoleSeen, ClientError> {
    let mut observations = Vec::new();
    for id in PROBES {
        let Some(operation) = operations::by_id(id) else {
            continue;
        };
        let target = format!("{}{}", operations::PREFIX, operation.path);
        let answered = match upstream.get(&target).await {
            Ok(answer) => Answered::of(answer.status, None),
            Err(ClientError::Status { status, code, .. }) if !passes(status) => {
                Answered::of(status, code)
            }
            // What says nothing of the role, and stands in the way of everything.
            Err(error) => return Err(error),
        };
        observations.push(Observation::Read {
            operation: id,
            answered,
        });
    }
    let of = |wanted: Answered| {
        let ids: Vec<_> = observations
            .iter()
            .filter_map(|seen| match seen {
                Observation::Read {
                    operation,
                    answered,
                } if *answered == wanted => Some(*operation),
                _ => None,
            })
            .collect();
        if ids.is_empty() {
            "none".to_owned()
        } else {
            ids.join(", ")
        }
    };
    let how = format!(
        "{} reads compared with the roles that Fireblocks' contract names for them: allowed {}; forbidden {}; unclear {}",
        observations.len(),
        of(Answered::Allowed),
        of(Answered::Forbidden),
        of(Answered::Unclear)
    );
    Ok(RoleSeen::of(observations, how))
}

/// Whether an answer is about the moment, not about the key.
const fn passes(status: u16) -> bool {
    matches!(status, 408 | 429 | 500..)
}

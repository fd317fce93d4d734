//! What a provider would see, before and after a change that is only thought of.

use std::sync::Arc;

use ledger::{PartScope, Preview};
use protocol::error::ApiError;
use serde::{Deserialize, Serialize};

use super::connections::{find, scope_todo};
use super::refused;
use crate::connections::{Budgets, Connection, ScopeGrant, Terms};
use crate::gate::Gate;

/// A change to look at.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Change {
    /// The scope as it would be granted; what it does not name stays. Nothing: as it is.
    pub scope: Option<ScopeGrant>,
}

/// A scope, and what its reader would see.
#[derive(Debug, Serialize, Deserialize)]
pub struct Sight {
    /// The scope's name.
    pub scope: String,
    /// What is in it.
    pub part: PartScope,
    /// Whether what the books do not hold is asked upstream.
    pub forward: bool,
    /// How much it may use.
    pub budgets: Budgets,
    /// What would be seen.
    pub sees: Preview,
}

/// What a provider would see.
#[derive(Debug, Serialize, Deserialize)]
pub struct Previewed {
    /// As it is, or as it was asked for.
    pub before: Sight,
    /// As it would be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Sight>,
}

/// Previews, for who may grant it: it shows rows of the books, in any scope that is thought of.
/// Nothing changes, and nothing is logged.
pub(crate) async fn preview(
    gate: &Arc<Gate>,
    name: &str,
    change: Change,
) -> Result<Previewed, ApiError> {
    let connection = find(gate, name)?;
    if !gate.filled() {
        return Err(refused(
            503,
            "the gate's books are not filled yet: try again in a minute",
        ));
    }
    let after = match change.scope {
        None => None,
        Some(grant) => {
            let mut terms = Terms::of(&connection);
            grant
                .put(gate.filled_books(), name, &mut terms)
                .map_err(|bad| refused(400, bad))?;
            let mut after = connection.clone();
            terms.put(&mut after);
            scope_todo(gate, &after.part)?;
            Some(sight(gate, &after).await?)
        }
    };
    Ok(Previewed {
        before: sight(gate, &connection).await?,
        after,
    })
}

async fn sight(gate: &Arc<Gate>, connection: &Connection) -> Result<Sight, ApiError> {
    let scope = connection.scope(gate.workspace());
    let sees = gate.books.preview(&scope).await;
    Ok(Sight {
        scope: scope.id().to_string(),
        part: connection.part.clone(),
        forward: connection.forward,
        budgets: connection.budgets,
        sees: sees.map_err(|error| refused(500, error))?,
    })
}

//! What is to be, as a file says it: the difference to what is, as steps that the quorum decides on
//! like any other change. Pure.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use ipnet::IpNet;
use ledger::PartScope;
use protocol::certificate::SpkiPin;
use protocol::ids::UserId;
use protocol::role::ProviderRole;
use protocol::time::Millis;
use serde::{Deserialize, Serialize};

use crate::changes::{Change, MAX_QUORUM};
use crate::connections::{
    BudgetGrant, Connection, Direction, Followed, Mode, Move, Place, State, Terms, classify,
};
use crate::mail::MailAddress;
use crate::operators::{OperatorRole, enough};

/// Largest file, in bytes.
pub const MAX_LEN: usize = 4 * 1024 * 1024;

/// The file: `access.toml`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Declared {
    /// How many must sign; as it is if missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quorum: Option<u32>,
    /// Every operator's role; as they are if missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operators: Option<BTreeMap<String, OperatorRole>>,
    /// Every connection that may come in.
    #[serde(default)]
    pub connections: BTreeMap<String, DeclaredConnection>,
}

/// A connection, as the file says it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeclaredConnection {
    /// How far it is.
    pub state: State,
    /// How it works with the workspace.
    #[serde(default)]
    pub mode: Mode,
    /// What it may do.
    pub role: ProviderRole,
    /// Where its transactions are approved.
    #[serde(default)]
    pub place: Place,
    /// The API user upstream that proposes for it alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub editor: Option<UserId>,
    /// When it ends, as RFC 3339 writes a moment.
    #[serde(with = "moment")]
    pub until: Millis,
    /// Who of the provider's is written to before that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<MailAddress>,
    /// Where it may come from.
    pub addresses: Vec<IpNet>,
    /// Why a wide range among them is right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub addresses_reason: Option<String>,
    /// The key of the client certificate that it must show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_certificate: Option<SpkiPin>,
    /// What it may see.
    pub scope: PartScope,
    /// Accounts that come and go with protected tags: those of the scope are as of when it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub followed: Option<Followed>,
    /// Whether what the books do not hold is asked upstream for it.
    #[serde(default)]
    pub forward: bool,
    /// How much it may use; of a budget that is not named, as much as now.
    #[serde(default, skip_serializing_if = "BudgetGrant::is_empty")]
    pub budgets: BudgetGrant,
}

/// What there is.
#[derive(Clone, Debug, Default)]
pub struct Present {
    /// How many must sign.
    pub quorum: u32,
    /// Every operator's role.
    pub operators: BTreeMap<String, OperatorRole>,
    /// Every connection.
    pub connections: Vec<Connection>,
    /// Which of the operators asks, where that is known.
    pub asker: Option<String>,
}

/// One step to what is to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Step {
    /// Another quorum.
    SetQuorum {
        /// How many must sign then.
        needed: u32,
    },
    /// An operator's role becomes another.
    SetRole {
        /// Whose.
        operator: String,
        /// What it may do then.
        role: OperatorRole,
    },
    /// An operator comes in no more.
    RemoveOperator {
        /// Who.
        operator: String,
    },
    /// A connection's terms become others.
    SetTerms {
        /// Whose.
        connection: String,
        /// Whether that narrows or widens.
        direction: Direction,
        /// What it may do now.
        before: Box<Terms>,
        /// What it may do then.
        after: Box<Terms>,
        /// Whether its door opens with that, by one change: one to open it under the terms of before
        /// would be stale by then.
        #[serde(skip_serializing_if = "Option::is_none")]
        opens: Option<Move>,
    },
    /// A connection is moved.
    Go {
        /// Which.
        connection: String,
        /// How.
        #[serde(rename = "move")]
        what: Move,
    },
}

impl Step {
    /// The connection that it is about.
    pub fn connection(&self) -> Option<&str> {
        match self {
            Self::SetTerms { connection, .. } | Self::Go { connection, .. } => Some(connection),
            Self::SetQuorum { .. } | Self::SetRole { .. } | Self::RemoveOperator { .. } => None,
        }
    }

    /// The change that the quorum is asked for by this step, as things are.
    pub fn asks(&self, present: &Present) -> Option<Change> {
        Some(match self {
            Self::SetQuorum { needed } => Change::SetQuorum {
                before: present.quorum,
                after: *needed,
            },
            Self::SetRole { operator, role } => Change::SetOperatorRole {
                operator: operator.clone(),
                before: *present.operators.get(operator)?,
                after: *role,
            },
            Self::RemoveOperator { operator } => Change::RemoveOperator {
                operator: operator.clone(),
            },
            Self::SetTerms {
                direction: Direction::Narrows,
                ..
            } => return None,
            Self::SetTerms {
                connection,
                before,
                after,
                opens,
                ..
            } => Change::Terms {
                connection: connection.clone(),
                before: before.clone(),
                after: after.clone(),
                opens: *opens,
            },
            Self::Go { connection, what } => {
                let mut known = present.connections.iter();
                let known = known.find(|one| one.name == *connection)?;
                let (connection, terms) = (connection.clone(), Box::new(Terms::of(known)));
                match what {
                    Move::Activate => Change::Activate { connection, terms },
                    Move::Resume => Change::Resume { connection, terms },
                    Move::Approve | Move::Suspend | Move::Revoke => return None,
                }
            }
        })
    }
}

/// Why a file is not read, or cannot be made so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It is too large.
    #[error("the file is larger than {} KiB", MAX_LEN / 1024)]
    TooLarge,
    /// It is not in the form of one.
    #[error("{0}")]
    Form(String),
    /// Some of what it says cannot be made here.
    #[error("{}", .0.join("\n"))]
    Cannot(Vec<String>),
}

impl Declared {
    /// Reads a file.
    pub fn read(text: &str) -> Result<Self, Fault> {
        if text.len() > MAX_LEN {
            return Err(Fault::TooLarge);
        }
        toml::from_str(text).map_err(|error| Fault::Form(error.to_string()))
    }

    /// The file.
    pub fn write(&self) -> Result<String, Fault> {
        toml::to_string_pretty(self).map_err(|error| Fault::Form(error.to_string()))
    }

    /// What is, as a file says it. Who is revoked is no part of it.
    pub fn of(present: &Present) -> Self {
        let all = present.connections.iter();
        let held = all.filter(|one| one.state != State::Revoked);
        Self {
            quorum: Some(present.quorum),
            operators: Some(present.operators.clone()),
            connections: held
                .map(|one| (one.name.clone(), DeclaredConnection::of(one)))
                .collect(),
        }
    }
}

impl DeclaredConnection {
    fn of(connection: &Connection) -> Self {
        let terms = Terms::of(connection);
        Self {
            state: connection.state,
            mode: terms.mode,
            role: terms.role,
            place: terms.place,
            editor: terms.editor,
            until: terms.until,
            contact: terms.contact,
            addresses: terms.addresses,
            addresses_reason: terms.addresses_reason,
            client_certificate: terms.client_certificate,
            scope: terms.part,
            followed: terms.followed,
            forward: terms.forward,
            budgets: terms.budgets.into(),
        }
    }

    /// The terms of a connection that is known. Where it follows what it followed, its accounts are
    /// what their tags say, and no file's.
    fn terms(&self, known: &Connection) -> Terms {
        let mut part = self.scope.clone();
        if self.followed.is_some() && self.followed == known.followed {
            part.accounts = known.part.accounts.clone();
        }
        Terms {
            mode: self.mode,
            role: self.role,
            addresses: self.addresses.clone(),
            addresses_reason: self.addresses_reason.clone(),
            client_certificate: self.client_certificate,
            part,
            followed: self.followed.clone(),
            forward: self.forward,
            budgets: known.budgets.granting(&self.budgets),
            place: self.place,
            editor: self.editor,
            until: self.until,
            contact: self.contact.clone(),
        }
    }
}

/// The steps from what is to what the file says: what closes or narrows first, then people, then what
/// opens or widens. A connection that may come in and is not in the file is suspended.
pub fn plan(present: &Present, declared: &Declared) -> Result<Vec<Step>, Fault> {
    let People {
        steps: people,
        own,
        mut faults,
    } = people(present, declared);
    let (mut closing, mut opening) = (Vec::new(), Vec::new());
    for known in &present.connections {
        let Some(wanted) = declared.connections.get(&known.name) else {
            if known.state == State::Active {
                closing.push(go(&known.name, Move::Suspend));
            }
            continue;
        };
        if wanted.state == State::Revoked {
            // What it might do is of no more use.
            if known.state != State::Revoked {
                closing.push(go(&known.name, Move::Revoke));
            }
            continue;
        }
        if known.state == State::Revoked {
            faults.push(format!("connection {} is REVOKED for ever", known.name));
            continue;
        }
        let what = way(known.state, wanted.state);
        if what.is_none() && known.state != wanted.state {
            faults.push(format!(
                "connection {} is {} and cannot become {}",
                known.name,
                known.state.as_str(),
                wanted.state.as_str()
            ));
            continue;
        }
        let (closes, mut opens) = match what {
            Some(Move::Suspend) => (what, None),
            _ => (None, what),
        };
        closing.extend(closes.map(|what| go(&known.name, what)));
        let (before, after) = (Terms::of(known), wanted.terms(known));
        if before != after {
            let direction = classify(&before, &after);
            let widens = direction == Direction::Widens;
            let step = Step::SetTerms {
                connection: known.name.clone(),
                direction,
                before: before.into(),
                after: after.into(),
                // An approval is by itself: what is only asked for becomes another at once.
                opens: opens.take_if(|what| widens && what.opens()),
            };
            let steps = if widens { &mut opening } else { &mut closing };
            steps.push(step);
        }
        opening.extend(opens.map(|what| go(&known.name, what)));
    }
    let known = |name: &&String| present.connections.iter().any(|one| one.name == **name);
    for name in declared.connections.keys().filter(|name| !known(name)) {
        faults.push(format!(
            "there is no connection {name}: it begins with the provider's CSR (vestibule gate connection request)"
        ));
    }
    if !faults.is_empty() {
        return Err(Fault::Cannot(faults));
    }
    let steps = [closing, people, opening, own];
    Ok(steps.concat())
}

/// What becomes of the operators and of the quorum.
struct People {
    steps: Vec<Step>,
    /// What takes something from who asks: last of all, since nobody can ask for more than it may.
    own: Vec<Step>,
    faults: Vec<String>,
}

/// Who may do more comes before who may do less, and a lower quorum between them, a higher one after
/// them: so there are at every step as many owners as must sign, if there are in the end.
fn people(present: &Present, declared: &Declared) -> People {
    let (mut steps, mut less, mut own) = (Vec::new(), Vec::new(), Vec::new());
    let mut faults = Vec::new();
    let mut goes_down = |operator: &String, step| {
        let asks = present.asker.as_ref() == Some(operator);
        let steps = if asks { &mut own } else { &mut less };
        steps.push(step);
    };
    if let Some(wanted) = &declared.operators {
        for (operator, role) in wanted {
            match present.operators.get(operator) {
                None => faults.push(format!(
                    "there is no operator {operator}: one begins with a CSR (vestibule gate operator add)"
                )),
                Some(known) => {
                    let step = Step::SetRole {
                        operator: operator.clone(),
                        role: *role,
                    };
                    match role.cmp(known) {
                        // The role that may most is the first.
                        Ordering::Less => steps.push(step),
                        Ordering::Greater => goes_down(operator, step),
                        Ordering::Equal => {}
                    }
                }
            }
        }
        let gone = present.operators.keys();
        for operator in gone.filter(|name| !wanted.contains_key(*name)) {
            let step = Step::RemoveOperator {
                operator: operator.clone(),
            };
            goes_down(operator, step);
        }
    }
    match declared.quorum {
        Some(needed) if !(1..=MAX_QUORUM).contains(&needed) => {
            faults.push(format!("a quorum is a number from 1 to {MAX_QUORUM}"));
        }
        Some(needed) if needed < present.quorum => {
            steps.push(Step::SetQuorum { needed });
            steps.extend(less);
        }
        Some(needed) if needed > present.quorum => {
            steps.extend(less);
            steps.push(Step::SetQuorum { needed });
        }
        _ => steps.extend(less),
    }
    if faults.is_empty() && !(steps.is_empty() && own.is_empty()) {
        let roles = declared.operators.as_ref().unwrap_or(&present.operators);
        let owners = roles.values().filter(|role| **role == OperatorRole::Owner);
        let few = enough(owners.count(), declared.quorum.unwrap_or(present.quorum));
        faults.extend(few.err().map(|few| few.to_string()));
    }
    People { steps, own, faults }
}

fn go(connection: &str, what: Move) -> Step {
    Step::Go {
        connection: connection.to_owned(),
        what,
    }
}

/// The move from one state to another; an approval opens the door itself, if the quorum lets it.
const fn way(from: State, to: State) -> Option<Move> {
    match (from, to) {
        (State::Requested, State::Active) => Some(Move::Approve),
        (State::Approved, State::Active) => Some(Move::Activate),
        (State::Active, State::Suspended) => Some(Move::Suspend),
        (State::Suspended, State::Active) => Some(Move::Resume),
        _ => None,
    }
}

/// A moment, as a file has it.
mod moment {
    use jiff::Timestamp;
    use protocol::time::Millis;
    use serde::de::Error as _;
    use serde::ser::Error as _;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(at: &Millis, to: S) -> Result<S::Ok, S::Error> {
        let at = Timestamp::from_millisecond(at.0).map_err(S::Error::custom)?;
        to.collect_str(&at)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Millis, D::Error> {
        let text = String::deserialize(from)?;
        let at: Timestamp = text.parse().map_err(D::Error::custom)?;
        Ok(Millis(at.as_millisecond()))
    }
}

#[cfg(test)]
mod tests;

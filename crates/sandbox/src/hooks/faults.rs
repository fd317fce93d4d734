//! What goes wrong on the way of a webhook's next notifications, as the control plane asks for it.

use protocol::ids::WorkspaceId;
use serde::{Deserialize, Serialize};

/// Longest delay, in milliseconds: what is later than every retry is a drop.
const MAX_DELAY: i64 = 24 * 3_600 * 1_000;
/// Most notifications of one fault.
const MAX_COUNT: u32 = 10_000;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It is never sent.
    Drop,
    /// It is first sent so many milliseconds later.
    Delay(i64),
    /// It is sent once more after it was taken.
    Double,
    /// It is held until as many as asked for have come together; then the last goes first.
    Reorder,
    /// Both signatures are of another body.
    WrongSignature,
    /// It is signed with the key that does not sign now.
    OldKey,
    /// It says that it is another workspace's: this one's, or any other's.
    OtherWorkspace(Option<WorkspaceId>),
}

/// A fault of so many notifications.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Told", into = "Told")]
pub(crate) struct Planned {
    pub(crate) kind: Kind,
    pub(crate) count: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Word {
    Drop,
    Delay,
    Double,
    Reorder,
    WrongSignature,
    OldKey,
    OtherWorkspace,
}

/// A fault as it is asked for and kept.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Told {
    kind: Word,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    millis: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    workspace_id: Option<WorkspaceId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    count: Option<u32>,
}

impl TryFrom<Told> for Planned {
    type Error = String;

    fn try_from(told: Told) -> Result<Self, String> {
        let kind = match (told.kind, told.millis, told.workspace_id) {
            (Word::Drop, None, None) => Kind::Drop,
            (Word::Delay, Some(millis @ 1..=MAX_DELAY), None) => Kind::Delay(millis),
            (Word::Delay, _, _) => return Err(format!("DELAY has millis, 1 to {MAX_DELAY}")),
            (Word::Double, None, None) => Kind::Double,
            (Word::Reorder, None, None) => Kind::Reorder,
            (Word::WrongSignature, None, None) => Kind::WrongSignature,
            (Word::OldKey, None, None) => Kind::OldKey,
            (Word::OtherWorkspace, None, workspace) => Kind::OtherWorkspace(workspace),
            _ => return Err("millis are DELAY's, workspaceId is OTHER_WORKSPACE's".to_owned()),
        };
        let usual = if kind == Kind::Reorder { 2 } else { 1 };
        let count = told.count.unwrap_or(usual);
        if !(1..=MAX_COUNT).contains(&count) {
            return Err(format!("count is 1 to {MAX_COUNT}"));
        }
        Ok(Self { kind, count })
    }
}

impl From<Planned> for Told {
    fn from(planned: Planned) -> Self {
        let (kind, millis, workspace_id) = match planned.kind {
            Kind::Drop => (Word::Drop, None, None),
            Kind::Delay(millis) => (Word::Delay, Some(millis), None),
            Kind::Double => (Word::Double, None, None),
            Kind::Reorder => (Word::Reorder, None, None),
            Kind::WrongSignature => (Word::WrongSignature, None, None),
            Kind::OldKey => (Word::OldKey, None, None),
            Kind::OtherWorkspace(workspace) => (Word::OtherWorkspace, None, workspace),
        };
        Self {
            kind,
            millis,
            workspace_id,
            count: Some(planned.count),
        }
    }
}

/// How a body's signatures are not what they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Forged {
    WrongSignature,
    OldKey,
}

/// What is done to one notification.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Treatment {
    pub(crate) lost: bool,
    pub(crate) delay: i64,
    pub(crate) copies: i64,
    pub(crate) held: bool,
    /// All that are held go, the last first.
    pub(crate) released: bool,
    pub(crate) forged: Option<Forged>,
    pub(crate) other_workspace: Option<Option<WorkspaceId>>,
}

impl Treatment {
    /// That of the next notification: the first fault of each kind, which is one less after it.
    pub(crate) fn next(planned: &mut Vec<Planned>) -> Self {
        let mut treatment = Self::default();
        let mut seen = Vec::new();
        for fault in planned.iter_mut() {
            let kind = std::mem::discriminant(&fault.kind);
            if seen.contains(&kind) {
                continue;
            }
            seen.push(kind);
            fault.count = fault.count.saturating_sub(1);
            match fault.kind {
                Kind::Drop => treatment.lost = true,
                Kind::Delay(millis) => treatment.delay = millis,
                Kind::Double => treatment.copies = 1,
                Kind::Reorder => {
                    treatment.held = true;
                    treatment.released = fault.count == 0;
                }
                Kind::WrongSignature => treatment.forged = Some(Forged::WrongSignature),
                Kind::OldKey => treatment.forged = Some(Forged::OldKey),
                Kind::OtherWorkspace(workspace) => treatment.other_workspace = Some(workspace),
            }
        }
        planned.retain(|fault| fault.count > 0);
        treatment
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_is_of_so_many_and_kinds_go_together() {
        let mut planned = vec![
            Planned {
                kind: Kind::Delay(5),
                count: 1,
            },
            Planned {
                kind: Kind::Reorder,
                count: 2,
            },
            Planned {
                kind: Kind::Delay(7),
                count: 1,
            },
        ];
        let first = Treatment::next(&mut planned);
        assert_eq!((first.delay, first.held, first.released), (5, true, false));
        let second = Treatment::next(&mut planned);
        assert_eq!(
            (second.delay, second.held, second.released),
            (7, true, true)
        );
        assert_eq!(Treatment::next(&mut planned), Treatment::default());
        assert!(planned.is_empty());
    }

    #[test]
    fn it_is_read_and_shown_in_the_same_words() {
        for text in [
            r#"{"kind":"DROP","count":2}"#,
            r#"{"kind":"DELAY","millis":5000,"count":1}"#,
            r#"{"kind":"OTHER_WORKSPACE","count":1}"#,
        ] {
            let read: Planned = serde_json::from_str(text).expect(text);
            assert_eq!(serde_json::to_string(&read).expect("JSON"), text);
        }
        let read: Planned = serde_json::from_str(r#"{"kind":"REORDER"}"#).expect("two");
        assert_eq!(read.count, 2);
        for bad in [
            r#"{"kind":"DROP","count":0}"#,
            r#"{"kind":"DROP","millis":5}"#,
            r#"{"kind":"DELAY"}"#,
            r#"{"kind":"DELAY","millis":0}"#,
            r#"{"kind":"DROP","count":10001}"#,
            r#"{"kind":"DOUBLE","workspaceId":"00000000-0000-0000-0000-000000000000"}"#,
            r#"{"kind":"LOSE"}"#,
        ] {
            assert!(serde_json::from_str::<Planned>(bad).is_err(), "{bad}");
        }
    }
}

//! As of when each subject of the books is.

use protocol::ids::WorkspaceId;
use protocol::time::Millis;
use store::{Query, StoreError, Writing};

use super::connections::{set, setting};
use super::corrupt;
use crate::ages::{Ages, Subject};

fn name(subject: Subject) -> String {
    format!("as_of.{subject}")
}

pub(crate) fn ages(query: &mut impl Query, workspace: WorkspaceId) -> Result<Ages, StoreError> {
    let mut walked = Vec::new();
    for subject in Subject::ALL {
        let name = name(subject);
        if let Some(text) = setting(query, workspace, &name)? {
            let at = text
                .parse()
                .map_err(|_| corrupt("gate_settings", "value", name))?;
            walked.push((subject, Millis(at)));
        }
    }
    Ok(walked.into_iter().collect())
}

pub(crate) fn walked(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    subject: Subject,
    began: Millis,
) -> Result<(), StoreError> {
    set(writing, workspace, &name(subject), &began.to_string())
}

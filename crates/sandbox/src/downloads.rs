//! Links to report files: unguessable, and good for an hour.

use std::collections::HashMap;

use parking_lot::Mutex;
use protocol::ids::WorkspaceId;
use protocol::time::Millis;
use uuid::Uuid;

/// Most links that live at once; the oldest goes first.
const MAX_LINKS: usize = 10_000;

/// The links that live now.
#[derive(Debug, Default)]
pub(crate) struct Downloads(Mutex<HashMap<Uuid, (WorkspaceId, Uuid, Millis)>>);

impl Downloads {
    /// A new link to a report.
    pub(crate) fn issue(&self, workspace: WorkspaceId, report: Uuid, until: Millis) -> Uuid {
        let token = Uuid::new_v4();
        let mut links = self.0.lock();
        if links.len() >= MAX_LINKS {
            let oldest = links
                .iter()
                .min_by_key(|(_, (_, _, until))| *until)
                .map(|(token, _)| *token);
            oldest.map(|token| links.remove(&token));
        }
        links.insert(token, (workspace, report, until));
        token
    }

    /// What a link leads to.
    pub(crate) fn find(&self, token: Uuid, now: Millis) -> Option<(WorkspaceId, Uuid)> {
        let mut links = self.0.lock();
        links.retain(|_, (_, _, until)| *until > now);
        links
            .get(&token)
            .map(|(workspace, report, _)| (*workspace, *report))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_ends_in_its_time_and_the_oldest_makes_room() {
        let (links, workspace) = (Downloads::default(), WorkspaceId(Uuid::from_u128(1)));
        let report = Uuid::from_u128(2);
        let first = links.issue(workspace, report, Millis(100));
        assert_eq!(links.find(first, Millis(99)), Some((workspace, report)));
        assert_eq!(links.find(first, Millis(100)), None);
        let first = links.issue(workspace, report, Millis(100));
        for _ in 0..MAX_LINKS {
            links.issue(workspace, report, Millis(200));
        }
        assert_eq!(links.find(first, Millis(50)), None, "it made room");
        assert_eq!(links.0.lock().len(), MAX_LINKS);
    }
}

//! When each subject is walked next. Pure: moments come in.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::ages::{Pace, Subject};

/// A subject that was walked rests this many times as long as its walk took: walks of a large
/// workspace never fill the whole budget, nor all of the time.
const REST: u32 = 3;
/// How soon a subject is tried again that upstream would not tell.
const AGAIN: Duration = Duration::from_secs(15);

/// When each of some subjects is walked next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Schedule(BTreeMap<Subject, Instant>);

impl FromIterator<(Subject, Instant)> for Schedule {
    fn from_iter<T: IntoIterator<Item = (Subject, Instant)>>(due: T) -> Self {
        Self(due.into_iter().collect())
    }
}

impl Schedule {
    /// The first subject, in their order, that is due.
    pub(super) fn due(&self, now: Instant) -> Option<Subject> {
        let due = self.0.iter().find(|(_, at)| **at <= now);
        due.map(|(subject, _)| *subject)
    }

    /// When the next one is due; never, if there is none.
    pub(super) fn next(&self) -> Option<Instant> {
        self.0.values().min().copied()
    }

    /// All are due now.
    pub(super) fn all(&mut self, now: Instant) {
        self.0.values_mut().for_each(|at| *at = now);
    }

    /// A subject was walked.
    pub(super) fn walked(&mut self, subject: Subject, pace: Pace, began: Instant, ended: Instant) {
        let rest = ended.saturating_duration_since(began) * REST;
        self.0
            .insert(subject, (began + pace.every()).max(ended + rest));
    }

    /// A subject could not be walked.
    pub(super) fn failed(&mut self, subject: Subject, pace: Pace, ended: Instant) {
        self.0.insert(subject, ended + pace.every().min(AGAIN));
    }

    /// A subject is walked no more.
    pub(super) fn done(&mut self, subject: Subject) {
        self.0.remove(&subject);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ages::Areas;

    fn after(start: Instant, seconds: u64) -> Instant {
        start + Duration::from_secs(seconds)
    }

    #[tokio::test]
    async fn each_subject_is_walked_at_its_own_pace_in_order() {
        let (start, areas) = (Instant::now(), Areas::default());
        let of = [Subject::Addresses, Subject::Accounts];
        let mut schedule: Schedule = of.map(|subject| (subject, start)).into_iter().collect();
        assert_eq!(
            schedule.due(start),
            Some(Subject::Accounts),
            "it comes first"
        );
        schedule.walked(Subject::Accounts, areas.accounts, start, after(start, 1));
        assert_eq!(schedule.due(after(start, 1)), Some(Subject::Addresses));
        schedule.walked(
            Subject::Addresses,
            areas.addresses,
            after(start, 1),
            after(start, 2),
        );
        assert_eq!(schedule.due(after(start, 2)), None);
        assert_eq!(schedule.next(), Some(after(start, 60)));
        assert_eq!(schedule.due(after(start, 60)), Some(Subject::Accounts));
        schedule.done(Subject::Accounts);
        assert_eq!(schedule.next(), Some(after(start, 901)));
        schedule.all(after(start, 9));
        assert_eq!(schedule.due(after(start, 9)), Some(Subject::Addresses));
    }

    /// However much there is to walk, and however slow upstream: most of the time is rest.
    #[tokio::test]
    async fn a_long_walk_is_followed_by_a_longer_rest() {
        let (start, areas) = (Instant::now(), Areas::default());
        let mut schedule = Schedule::default();
        schedule.walked(
            Subject::Transactions,
            areas.transactions,
            start,
            after(start, 100),
        );
        assert_eq!(schedule.next(), Some(after(start, 400)));
    }

    #[tokio::test]
    async fn what_upstream_would_not_tell_is_tried_again_soon() {
        let (start, areas) = (Instant::now(), Areas::default());
        let mut schedule = Schedule::default();
        schedule.failed(Subject::Assets, areas.assets, start);
        assert_eq!(schedule.next(), Some(start + AGAIN));
    }
}

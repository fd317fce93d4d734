//! One call of a walk: the answer, and as of when it holds.

use std::time::Duration;

use protocol::time::Millis;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use tokio::time::Instant;
use wire::client::{Answer, ClientError};

use super::{SyncError, Walker};

/// A gate tells here as of when its books hold, in milliseconds.
const AS_OF: &str = "vestibule-as-of";

/// An answer, and a moment of upstream's clock at which it was not yet read.
pub(super) struct Dated {
    pub(super) answer: Answer,
    pub(super) as_of: Millis,
}

impl Walker<'_> {
    /// One call.
    pub(super) async fn get(&mut self, target: &str) -> Result<Dated, ClientError> {
        let (asked, began) = (self.options.clock.now(), Instant::now());
        self.walked.calls += 1;
        let answer = self.client.get(target).await?;
        Ok(self.dated(answer, asked, began.elapsed()))
    }

    /// When an answer holds, noted for the area.
    pub(super) fn dated(&mut self, answer: Answer, asked: Millis, took: Duration) -> Dated {
        let as_of = as_of(&answer, asked, took);
        let as_of = self.options.since.map_or(as_of, |since| as_of.max(since));
        self.known_as_of(as_of);
        Dated { answer, as_of }
    }
}

/// Every page of a list, each handed on with its rows.
macro_rules! each_page {
    ($walker:ident, $target:expr, $paging:expr, |$page:ident| $body:block) => {{
        let client = $walker.client;
        let mut pages = client.pages($target, $paging);
        loop {
            let (asked, began) = ($walker.options.clock.now(), tokio::time::Instant::now());
            let Some(answer) = pages.next().await? else {
                break;
            };
            $walker.walked.calls += 1;
            let $page = $walker.dated(answer, asked, began.elapsed());
            $body
        }
    }};
}
pub(super) use each_page;

/// A moment of upstream's clock before the answer was read there.
fn as_of(answer: &Answer, asked: Millis, took: Duration) -> Millis {
    // One more, since the time taken is cut to whole milliseconds.
    let took = i64::try_from(took.as_millis())
        .unwrap_or(i64::MAX)
        .saturating_add(1);
    let dated = answer.date.map_or(asked, |date| date.plus(-took));
    let books = answer
        .headers
        .get(AS_OF)
        .and_then(|value| value.to_str().ok());
    let books = books.and_then(|text| text.trim().parse().ok()).map(Millis);
    books.map_or(dated, |books| books.min(dated))
}

/// So many rows are read at a stretch; whoever else waits for this thread is let in between.
const STRETCH: usize = 32;

/// Rows that are read one by one: one that is not understood does not hide the others.
pub(super) async fn rows<T: DeserializeOwned>(
    walker: &mut Walker<'_>,
    rows: &[Box<RawValue>],
) -> Vec<T> {
    walker.count(rows.len());
    let mut read = Vec::with_capacity(rows.len());
    for (at, row) in rows.iter().enumerate() {
        if at % STRETCH == STRETCH - 1 {
            tokio::task::yield_now().await;
        }
        match serde_json::from_str(row.get()) {
            Ok(row) => read.push(row),
            Err(error) => walker.not_understood(error),
        }
    }
    read
}

/// Whether upstream said that the key may not.
pub(super) fn forbidden(error: &ClientError) -> bool {
    matches!(
        error,
        ClientError::Status { status: 403, .. }
            | ClientError::Status {
                status: 401,
                code: Some(-8),
                ..
            }
    )
}

/// Whether upstream said that there is no such thing.
pub(super) fn absent(error: &SyncError) -> bool {
    matches!(
        error,
        SyncError::Client(ClientError::Status { status: 404, .. })
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(date: Option<i64>, books: Option<&str>) -> Answer {
        let mut headers = http::HeaderMap::new();
        if let Some(books) = books {
            headers.insert(AS_OF, books.parse().expect("a header"));
        }
        Answer {
            status: 200,
            date: date.map(Millis),
            next_page: None,
            headers,
            body: Default::default(),
        }
    }

    #[test]
    fn a_row_is_no_later_than_the_moment_it_was_asked_for() {
        let took = Duration::from_millis(40);
        // Asked at 12.300 of upstream's clock, answered at 12.340: `Date` shows 12.
        assert_eq!(
            as_of(&answer(Some(12_000), None), Millis(99), took),
            Millis(11_959)
        );
        // Answered at 13.010: `Date` shows 13, later than it was asked for.
        let late = Duration::from_millis(710);
        assert!(as_of(&answer(Some(13_000), None), Millis(99), late) <= Millis(12_300));
        assert_eq!(
            as_of(&answer(None, None), Millis(12_300), took),
            Millis(12_300)
        );
        assert_eq!(
            as_of(&answer(Some(12_000), Some("5000")), Millis(99), took),
            Millis(5_000)
        );
        assert_eq!(
            as_of(&answer(Some(12_000), Some("99000")), Millis(99), took),
            Millis(11_959)
        );
        assert_eq!(
            as_of(&answer(Some(12_000), Some("x")), Millis(99), took),
            Millis(11_959)
        );
    }
}

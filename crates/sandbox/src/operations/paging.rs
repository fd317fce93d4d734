//! Pages of lists that are read whole: `pageCursor`, `pageSize`, `order`. A cursor names the row
//! next to the page, so nothing is lost or doubled while rows are added.

use std::cmp::Ordering;

use protocol::error::ApiError;
use protocol::exchange::Query;
use serde::de::{DeserializeOwned, IntoDeserializer as _};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Most rows of a page.
const MAX_SIZE: usize = 100;
/// Longest cursor read, in bytes.
const MAX_CURSOR: usize = 2_048;

/// What a list is ordered by: a number, a text, and what no two rows share.
pub(super) type Key = (i64, String, String);

/// One page.
#[derive(Debug, Serialize)]
pub(super) struct Page<T> {
    pub(super) data: Vec<T>,
    pub(super) next: Option<String>,
    #[serde(skip)]
    pub(super) prev: Option<String>,
}

impl<T> Page<T> {
    /// The page with each row shown in another way.
    pub(super) fn map<U>(self, show: impl FnMut(T) -> U) -> Page<U> {
        Page {
            data: self.data.into_iter().map(show).collect(),
            next: self.next,
            prev: self.prev,
        }
    }
}

impl<T: Serialize> Page<T> {
    /// As lists that count all their rows show it: `next` is there only where there is more.
    pub(super) fn counted(&self, total: usize) -> Value {
        let mut shown = json!({"data": self.data, "total": total});
        if let Some(next) = &self.next {
            shown["next"] = next.clone().into();
        }
        shown
    }
}

/// Which rows come first where the query does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum First {
    Newest,
    Oldest,
}

#[derive(Serialize, Deserialize)]
struct Place {
    key: Key,
    /// Whether the page ends there.
    back: bool,
}

impl Place {
    fn read(text: &str) -> Option<Self> {
        if text.len() > MAX_CURSOR {
            return None;
        }
        serde_json::from_slice(&hex::decode(text).ok()?).ok()
    }

    fn cursor(key: &Key, back: bool) -> String {
        let key = key.clone();
        hex::encode(serde_json::to_vec(&Self { key, back }).unwrap_or_default())
    }
}

/// Whether the query asks for pages of at most so many rows.
pub(super) fn sized(query: &Query, max: usize) -> Result<(), ApiError> {
    let must = || ApiError::invalid("pageSize", format_args!("a number from 1 to {max}"));
    let size = query.read::<usize, _>("pageSize", |_| must())?;
    if size.is_none_or(|size| (1..=max).contains(&size)) {
        Ok(())
    } else {
        Err(must())
    }
}

/// The page that a query asks for.
pub(super) fn page<T>(
    query: &Query,
    rows: Vec<T>,
    default_size: usize,
    first: First,
    key: impl Fn(&T) -> Key,
) -> Result<Page<T>, ApiError> {
    page_within(query, rows, (default_size, MAX_SIZE), first, key)
}

/// The page that a query asks for, of a list with a usual and a greatest size of its own.
pub(super) fn page_within<T>(
    query: &Query,
    rows: Vec<T>,
    sizes: (usize, usize),
    first: First,
    key: impl Fn(&T) -> Key,
) -> Result<Page<T>, ApiError> {
    let (size, down) = shape(query, sizes, first)?;
    let place = place(query, "pageCursor")?;
    Ok(cut(rows, size, down, place.as_ref(), key))
}

/// How many rows a query asks for, and whether the last come first.
fn shape(
    query: &Query,
    (default_size, max_size): (usize, usize),
    first: First,
) -> Result<(usize, bool), ApiError> {
    let must = || ApiError::invalid("pageSize", format_args!("a number from 1 to {max_size}"));
    let size = query
        .read::<usize, _>("pageSize", |_| must())?
        .unwrap_or(default_size);
    if !(1..=max_size).contains(&size) {
        return Err(must());
    }
    let down = match query.one("order") {
        None => first == First::Newest,
        Some("DESC") => true,
        Some("ASC") => false,
        Some(_) => return Err(ApiError::invalid("order", "ASC or DESC")),
    };
    Ok((size, down))
}

/// A page of a list that is too long to be read whole.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) size: usize,
    pub(super) down: bool,
    /// The last row of the page before.
    pub(super) past: Option<Key>,
}

impl Asked {
    pub(super) fn of(query: &Query, default_size: usize, first: First) -> Result<Self, ApiError> {
        let (size, down) = shape(query, (default_size, MAX_SIZE), first)?;
        let past = place(query, "pageCursor")?.map(|place| place.key);
        Ok(Self { size, down, past })
    }

    /// The page, of rows of which one more was read than it holds, if there is one.
    pub(super) fn page<T>(&self, mut rows: Vec<T>, key: impl Fn(&T) -> Key) -> Page<T> {
        let more = rows.len() > self.size;
        rows.truncate(self.size);
        let last = rows.last().filter(|_| more);
        Page {
            next: last.map(|row| Place::cursor(&key(row), false)),
            prev: None,
            data: rows,
        }
    }
}

/// The place that a cursor of an answer names, if the query has one.
fn place(query: &Query, name: &'static str) -> Result<Option<Place>, ApiError> {
    let Some(text) = query.one(name) else {
        return Ok(None);
    };
    let place = Place::read(text);
    place
        .map(Some)
        .ok_or_else(|| ApiError::invalid(name, "a cursor of an answer"))
}

/// The page that a query asks for by `before` or `after`, oldest first.
pub(super) fn page_between<T>(
    query: &Query,
    rows: Vec<T>,
    size: usize,
    key: impl Fn(&T) -> Key,
) -> Result<Page<T>, ApiError> {
    let place = match (place(query, "before")?, place(query, "after")?) {
        (Some(_), Some(_)) => return Err(ApiError::paging_changed_direction()),
        (Some(place), None) => Some(Place {
            back: true,
            ..place
        }),
        (None, Some(place)) => Some(Place {
            back: false,
            ..place
        }),
        (None, None) => None,
    };
    Ok(cut(rows, size, false, place.as_ref(), key))
}

fn cut<T>(
    rows: Vec<T>,
    size: usize,
    down: bool,
    place: Option<&Place>,
    key: impl Fn(&T) -> Key,
) -> Page<T> {
    let compare = |a: &Key, b: &Key| if down { b.cmp(a) } else { a.cmp(b) };
    let mut rows: Vec<(Key, T)> = rows.into_iter().map(|row| (key(&row), row)).collect();
    rows.sort_by(|(a, _), (b, _)| compare(a, b));
    let (start, size) = match place {
        None => (0, size),
        Some(Place { key, back: false }) => {
            let past = |(known, _): &(Key, T)| compare(known, key) != Ordering::Greater;
            (rows.partition_point(past), size)
        }
        // No more than there is before it: what is at the place was on the page after it.
        Some(Place { key, back: true }) => {
            let end = rows.partition_point(|(known, _)| compare(known, key) == Ordering::Less);
            (end.saturating_sub(size), size.min(end))
        }
    };
    let more = rows.len() > start.saturating_add(size);
    let page: Vec<(Key, T)> = rows.into_iter().skip(start).take(size).collect();
    let cursor = |row: Option<&(Key, T)>, back| row.map(|(key, _)| Place::cursor(key, back));
    Page {
        next: cursor(page.last().filter(|_| more), false),
        prev: cursor(page.first().filter(|_| start > 0), true),
        data: page.into_iter().map(|(_, row)| row).collect(),
    }
}

/// Every value of a filter, each of which must be a word of its list.
pub(super) fn words<T: DeserializeOwned>(
    query: &Query,
    name: &'static str,
) -> Result<Vec<T>, ApiError> {
    let read = |word: &str| {
        let read = T::deserialize(word.into_deserializer());
        read.map_err(|error: serde::de::value::Error| ApiError::invalid(name, error))
    };
    query.many(name).map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(rows: &[i64], query: &str) -> Result<Page<i64>, ApiError> {
        let query = Query::parse(query).expect("a query");
        let key = |row: &i64| (*row, String::new(), String::new());
        page(&query, rows.to_vec(), 2, First::Newest, key)
    }

    #[test]
    fn everything_once_in_both_directions_while_rows_are_added() {
        let first = ask(&[1, 2, 3, 4, 5], "").expect("a page");
        assert_eq!((first.data, first.prev), (vec![5, 4], None));
        let query = format!("pageCursor={}", first.next.expect("more"));
        let second = ask(&[1, 2, 3, 4, 5, 6, 7], &query).expect("a page");
        assert_eq!(second.data, [3, 2]);
        let query = format!("pageCursor={}", second.prev.expect("a page before"));
        assert_eq!(ask(&[1, 2, 3, 4, 5], &query).expect("a page").data, [5, 4]);
        let query = format!("pageCursor={}", second.next.expect("more"));
        let last = ask(&[1, 2, 3, 4, 5, 6, 7], &query).expect("a page");
        assert_eq!((last.data, last.next), (vec![1], None));
        let upwards = ask(&[3, 1, 2], "order=ASC&pageSize=3").expect("a page");
        assert_eq!(upwards.data, [1, 2, 3]);
    }

    #[test]
    fn a_page_before_or_after_one() {
        let ask = |query: &str| {
            let query = Query::parse(query).expect("a query");
            let key = |row: &i64| (*row, String::new(), String::new());
            page_between(&query, vec![3, 1, 2, 5, 4], 2, key)
        };
        let first = ask("").expect("a page");
        assert_eq!((first.data, first.prev), (vec![1, 2], None));
        let after = first.next.expect("more");
        let second = ask(&format!("after={after}")).expect("a page");
        assert_eq!(second.data, [3, 4]);
        let before = second.prev.expect("a page before");
        assert_eq!(ask(&format!("before={before}")).expect("it").data, [1, 2]);
        let both = ask(&format!("before={before}&after={after}"));
        assert_eq!(both.expect_err("both").code(), Some(1408));
        assert_eq!(ask("after=5").expect_err("made up").status(), 400);
    }

    #[test]
    fn what_no_answer_said_is_refused() {
        let long = format!("pageCursor={}", "ab".repeat(MAX_CURSOR));
        for bad in [
            "pageSize=0",
            "pageSize=101",
            "pageSize=x",
            "order=UP",
            "pageCursor=5",
            "pageCursor=7b7d",
            "pageCursor=%C3%BC",
            &long,
        ] {
            assert_eq!(ask(&[1], bad).expect_err(bad).status(), 400, "{bad}");
        }
    }
}

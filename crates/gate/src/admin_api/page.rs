//! Lists, page by page: `limit` and `pageCursor` in, rows and `next-page` out.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use protocol::error::ApiError;
use protocol::exchange::{Query, Reply};
use serde::Serialize;
use wire::server::OWN_PREFIX;

use crate::operations::refused;

/// Most rows of a page, and how many there are where nobody says.
pub const MAX_ROWS: u32 = 500;

/// Which part of a list is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    /// How many rows at most.
    pub(crate) limit: u32,
    /// The key of the last row that was told before.
    pub(crate) after: Option<String>,
}

/// A part of a list, and where it goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rows<T> {
    rows: Vec<T>,
    next: Option<String>,
}

impl Page {
    /// Reads what is asked for; anything else in the query is a slip.
    pub(crate) fn of(query: &Query) -> Result<Self, ApiError> {
        if let Some((name, _)) = query
            .pairs()
            .find(|(name, _)| !["limit", "pageCursor"].contains(name))
        {
            return Err(refused(
                400,
                format_args!("there is no parameter '{name}': a list takes limit and pageCursor"),
            ));
        }
        let bad = |_| refused(400, format_args!("limit is a number from 1 to {MAX_ROWS}"));
        let limit = query.read("limit", bad)?.unwrap_or(MAX_ROWS);
        if !(1..=MAX_ROWS).contains(&limit) {
            return Err(refused(
                400,
                format_args!("limit is a number from 1 to {MAX_ROWS}"),
            ));
        }
        let after = query.one("pageCursor").map(|cursor| {
            let bytes = URL_SAFE_NO_PAD.decode(cursor).ok();
            bytes
                .and_then(|bytes| String::from_utf8(bytes).ok())
                .ok_or_else(|| refused(400, "the pageCursor is none of this list's"))
        });
        Ok(Self {
            limit,
            after: after.transpose()?,
        })
    }

    /// The key of the last row that was told before, read as the list has it.
    pub(crate) fn key<T>(
        &self,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, ApiError> {
        let Some(text) = &self.after else {
            return Ok(None);
        };
        let bad = || refused(400, "the pageCursor is none of this list's");
        read(text).map(Some).ok_or_else(bad)
    }

    /// How many rows to look for: one more shows whether the list goes on.
    pub(crate) fn wanted(&self) -> u32 {
        self.limit + 1
    }

    /// The page of up to [`Page::wanted`] rows that come after its key.
    pub(crate) fn cut<T>(&self, mut rows: Vec<T>, key: impl Fn(&T) -> String) -> Rows<T> {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| more).map(key);
        Rows { rows, next }
    }

    /// The page of a whole list, sorted by its key.
    pub(crate) fn part<T>(&self, all: Vec<T>, key: impl Fn(&T) -> String) -> Rows<T> {
        let after = self.after.as_deref().unwrap_or_default();
        let rest = all.into_iter().filter(|row| *after < *key(row));
        let wanted = usize::try_from(self.wanted()).unwrap_or(usize::MAX);
        self.cut(rest.take(wanted).collect(), key)
    }
}

impl<T: Serialize> Rows<T> {
    /// As it is answered by a listener that is reached there.
    pub(crate) fn reply(&self, origin: &str, path: &str, page: &Page) -> Reply {
        let reply = Reply::json(200, &self.rows);
        match &self.next {
            None => reply,
            Some(key) => {
                let cursor = URL_SAFE_NO_PAD.encode(key);
                let limit = page.limit;
                reply.with(
                    "next-page",
                    format!("{origin}{OWN_PREFIX}{path}?limit={limit}&pageCursor={cursor}"),
                )
            }
        }
    }
}

#[cfg(test)]
impl Page {
    /// As much as one page holds, from the beginning.
    pub(crate) fn whole() -> Self {
        Self {
            limit: MAX_ROWS,
            after: None,
        }
    }
}

#[cfg(test)]
impl<T> Rows<T> {
    /// What is on it.
    pub(crate) fn rows(&self) -> &[T] {
        &self.rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(query: &str) -> Result<Page, ApiError> {
        Page::of(&Query::parse(query).expect("a query"))
    }

    #[test]
    fn pages_make_up_the_list() {
        let all: Vec<_> = (10..17).map(|number| number.to_string()).collect();
        let (mut seen, mut next) = (Vec::new(), Some(String::new()));
        while let Some(cursor) = next {
            let page = page(&format!("limit=3&pageCursor={cursor}")).expect("a page");
            let rows = page.part(all.clone(), Clone::clone);
            assert!((1..=3).contains(&rows.rows.len()));
            seen.extend(rows.rows);
            next = rows.next.map(|key| URL_SAFE_NO_PAD.encode(key));
        }
        assert_eq!(seen, all);
    }

    #[test]
    fn a_slip_in_the_query_is_named() {
        for bad in [
            "limit=0",
            "limit=501",
            "limit=x",
            "pageCursor=%21",
            "offset=1",
        ] {
            let error = page(bad).expect_err(bad);
            assert_eq!(error.status(), 400);
        }
        let whole = page("").expect("a page");
        assert_eq!((whole.limit, whole.after), (MAX_ROWS, None));
    }
}

//! One request's parameters and one answer, without HTTP itself: what the books are asked and
//! what they say, the same for every server that asks them.

use std::str::FromStr;

use bytes::Bytes;
use serde::Serialize;

use crate::error::ApiError;

/// Most pairs taken from one query string.
pub const MAX_QUERY_PAIRS: usize = 256;
/// Longest query string taken, in bytes.
pub const MAX_QUERY_LEN: usize = 16 * 1024;

/// The decoded parameters of a path, by the contract's names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Params(Vec<(&'static str, String)>);

impl Params {
    /// The parameter of that name; empty if the operation has none.
    pub fn get(&self, name: &str) -> &str {
        self.0
            .iter()
            .find(|(key, _)| *key == name)
            .map_or("", |(_, value)| value)
    }
}

impl FromIterator<(&'static str, String)> for Params {
    fn from_iter<I: IntoIterator<Item = (&'static str, String)>>(pairs: I) -> Self {
        Self(pairs.into_iter().collect())
    }
}

/// The decoded pairs of a query string, in order; a name may stand several times.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query(Vec<(String, String)>);

/// A query string that is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadQuery {
    /// It is too long.
    #[error("the query string is longer than {MAX_QUERY_LEN} bytes")]
    TooLong,
    /// It has too many pairs.
    #[error("the query string has more than {MAX_QUERY_PAIRS} parameters")]
    TooMany,
}

impl Query {
    /// Reads what stands after the `?` (`application/x-www-form-urlencoded`).
    pub fn parse(raw: &str) -> Result<Self, BadQuery> {
        if raw.len() > MAX_QUERY_LEN {
            return Err(BadQuery::TooLong);
        }
        let pairs: Vec<_> = form_urlencoded::parse(raw.as_bytes())
            .into_owned()
            .take(MAX_QUERY_PAIRS + 1)
            .filter(|(name, _)| !name.is_empty())
            .collect();
        if pairs.len() > MAX_QUERY_PAIRS {
            return Err(BadQuery::TooMany);
        }
        Ok(Self(pairs))
    }

    /// The first value of that name. An empty value counts as missing.
    pub fn one(&self, name: &str) -> Option<&str> {
        self.many(name).next()
    }

    /// Every value of that name that is not empty, in order.
    pub fn many<'a, 'n>(&'a self, name: &'n str) -> impl Iterator<Item = &'a str> + use<'a, 'n> {
        self.0
            .iter()
            .filter(move |(key, value)| key == name && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }

    /// The first value of that name, read as a `T`; an error of the caller's making if it is none.
    pub fn read<T: FromStr, E>(
        &self,
        name: &str,
        otherwise: impl FnOnce(T::Err) -> E,
    ) -> Result<Option<T>, E> {
        self.one(name)
            .map(T::from_str)
            .transpose()
            .map_err(otherwise)
    }

    /// Every pair, in order.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// Every header that an answer has beside the usual ones.
const HEADERS: [&str; 6] = [
    "content-type",
    "location",
    "next-page",
    "prev-page",
    "vestibule-as-of",
    "vestibule-position",
];

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// Headers beside the usual ones.
    pub headers: Vec<(&'static str, String)>,
    /// The body: JSON, or nothing.
    pub body: Bytes,
    /// How many rows of the books are in it, where it is a list.
    pub rows: Option<usize>,
}

impl Reply {
    /// A JSON answer.
    pub fn json(status: u16, body: &impl Serialize) -> Self {
        match serde_json::to_vec(body) {
            Ok(body) => Self {
                status,
                headers: Vec::new(),
                body: body.into(),
                rows: None,
            },
            Err(_) => Self {
                status: 500,
                headers: Vec::new(),
                body: Bytes::new(),
                rows: None,
            },
        }
    }

    /// An answer without a body.
    pub fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Bytes::new(),
            rows: None,
        }
    }

    /// Its headers, a line each, to be kept with it.
    pub fn header_lines(&self) -> String {
        self.headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}\n"))
            .collect()
    }

    /// An answer that was kept, with its headers.
    pub fn kept(status: i64, header_lines: &str, body: Vec<u8>) -> Self {
        let header = |line: &str| {
            let (name, value) = line.split_once(": ")?;
            let name = HEADERS.into_iter().find(|known| *known == name)?;
            Some((name, value.to_owned()))
        };
        Self {
            status: u16::try_from(status).unwrap_or(200),
            headers: header_lines.lines().filter_map(header).collect(),
            body: body.into(),
            rows: None,
        }
    }

    /// The same answer; it is a list of this many rows.
    #[must_use]
    pub fn of_rows(mut self, rows: usize) -> Self {
        self.rows = Some(rows);
        self
    }

    /// The same answer with one more header.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

impl From<ApiError> for Reply {
    fn from(error: ApiError) -> Self {
        let reply = Self {
            status: error.status(),
            headers: Vec::new(),
            body: error.body().into(),
            rows: None,
        };
        if error.status() != 429 {
            return reply;
        }
        // Official clients look for whole seconds there.
        let Some(limit) = error.limit() else {
            return reply.with("retry-after", "1");
        };
        let told = [
            ("retry-after", Some(limit.retry_after)),
            ("x-ratelimit-limit", Some(limit.limit)),
            ("x-ratelimit-remaining", Some(limit.remaining)),
            ("x-ratelimit-windowsize", limit.window),
            ("x-ratelimit-reset", limit.reset),
        ];
        let told = told.into_iter();
        told.filter_map(|(name, number)| Some((name, number?)))
            .fold(reply, |reply, (name, number)| {
                reply.with(name, number.to_string())
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn repeated_names_and_both_blanks_are_read() {
        let query =
            Query::parse("statuses=FAILED&statuses=ON_HOLD&name=a%20b+c&empty=").expect("a query");
        assert_eq!(
            query.many("statuses").collect::<Vec<_>>(),
            ["FAILED", "ON_HOLD"]
        );
        assert_eq!(query.one("name"), Some("a b c"));
        assert_eq!(query.one("empty"), None);
    }

    #[test]
    fn a_kept_answer_is_the_same_answer() {
        let mut reply = Reply::json(202, &"x");
        for name in HEADERS {
            reply = reply.with(name, format!("/{name}: a b"));
        }
        let lines = reply.header_lines();
        assert_eq!(Reply::kept(202, &lines, reply.body.to_vec()), reply);
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(raw in ".{0,200}") {
            let _ = Query::parse(&raw);
        }
    }
}

//! Lists of several pages, in each of the ways that Fireblocks continues them.

use std::collections::HashSet;

use protocol::operations::Paging;
use serde::Deserialize;
use url::form_urlencoded;

use super::{Answer, Client, ClientError};

/// Most pages followed of one list.
const MAX_PAGES: usize = 100_000;

/// The pages of one list, in order.
#[derive(Debug)]
pub struct Pages<'a> {
    client: &'a Client,
    paging: Paging,
    first: String,
    next: Option<String>,
    seen: HashSet<String>,
}

impl Client {
    /// The pages that begin with this target.
    pub fn pages(&self, target: &str, paging: Paging) -> Pages<'_> {
        Pages {
            client: self,
            paging,
            first: target.to_owned(),
            next: Some(target.to_owned()),
            seen: HashSet::new(),
        }
    }
}

impl Pages<'_> {
    /// The next page; `None` after the last one.
    pub async fn next(&mut self) -> Result<Option<Answer>, ClientError> {
        let Some(target) = self.next.take() else {
            return Ok(None);
        };
        if self.seen.len() >= MAX_PAGES {
            return Err(ClientError::Pages("there are too many"));
        }
        let answer = self.client.get(&target).await?;
        self.seen.insert(target);
        self.next = self.after(&answer)?;
        match &self.next {
            Some(next) if self.seen.contains(next) => Err(ClientError::Pages("they go round")),
            _ => Ok(Some(answer)),
        }
    }

    fn after(&self, answer: &Answer) -> Result<Option<String>, ClientError> {
        let (name, cursor) = match self.paging {
            Paging::None => return Ok(None),
            Paging::Headers => return Ok(answer.next_page.clone()),
            Paging::BeforeAfter => ("after", answer.json::<Cursors>()?.paging.after),
            Paging::PageCursor => ("pageCursor", answer.json::<Cursors>()?.next),
            Paging::Next => ("next", answer.json::<Cursors>()?.next),
            Paging::Cursor => {
                let cursors = answer.json::<Cursors>()?;
                ("cursor", cursors.cursor.or(cursors.next))
            }
        };
        Ok(cursor
            .filter(|cursor| !cursor.is_empty())
            .map(|cursor| with_cursor(&self.first, name, &cursor)))
    }
}

/// Where the next page begins, of whatever kind.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Cursors {
    paging: BeforeAfter,
    next: Option<String>,
    cursor: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct BeforeAfter {
    after: Option<String>,
}

/// The first page's target with this cursor in place of any other.
fn with_cursor(first: &str, name: &str, cursor: &str) -> String {
    let (path, query) = first.split_once('?').unwrap_or((first, ""));
    let mut pairs = form_urlencoded::Serializer::new(String::new());
    pairs.extend_pairs(form_urlencoded::parse(query.as_bytes()).filter(|(key, _)| key != name));
    pairs.append_pair(name, cursor);
    format!("{path}?{}", pairs.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_takes_the_place_of_the_one_before() {
        assert_eq!(
            with_cursor("/v1/x", "after", "a+/="),
            "/v1/x?after=a%2B%2F%3D"
        );
        assert_eq!(
            with_cursor("/v1/x?after=old&limit=5", "after", "new"),
            "/v1/x?limit=5&after=new"
        );
    }
}

//! A list walked in pages, and compared with what its maker expects.

use std::collections::BTreeSet;

use protocol::exchange::{Params, Query, Reply};
use protocol::operations;
use rand::Rng as _;
use rand::rngs::StdRng;
use serde_json::Value;

use super::world::NOW;
use crate::books::Books;
use crate::change::{Change, Version};
use crate::reads::{Ask, answer};
use crate::scope::Scope;

/// How the pages of a list are asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// By the whole URL in `next-page` and `prev-page`.
    Headers,
    /// By `after` and `before`, as `paging` says.
    Between,
}

/// A list, as one reader sees it.
pub(super) struct List<'a> {
    pub(super) books: &'a Books,
    pub(super) scope: &'a Scope,
    pub(super) operation: &'static str,
    pub(super) params: Params,
    pub(super) style: Style,
    /// Where its rows are in the answer.
    pub(super) rows: &'static str,
    /// What tells its rows apart.
    pub(super) key: fn(&Value) -> String,
}

/// One page: its rows, and the queries of those next to it.
pub(super) struct Page {
    pub(super) rows: Vec<Value>,
    next: Option<String>,
    prev: Option<String>,
}

impl List<'_> {
    pub(super) async fn page(&self, query: &str) -> Page {
        let reply = self.reply(query).await;
        assert_eq!(reply.status, 200, "{query}: {:?}", reply.body);
        let body: Value = serde_json::from_slice(&reply.body).expect("JSON");
        let rows = body.pointer(self.rows).and_then(Value::as_array);
        let rows = rows.expect("rows").clone();
        let link = |header: &str, name: &str| match self.style {
            Style::Headers => {
                let (_, url) = reply.headers.iter().find(|(known, _)| *known == header)?;
                // As the legacy Python client follows it: without the last character.
                let url = &url[..url.len() - 1];
                Some(url.split_once('?').expect("a query").1.to_owned())
            }
            Style::Between => {
                let cursor = body.pointer(&format!("/paging/{name}"))?.as_str()?;
                Some(format!("{}&{name}={cursor}", without_place(query)))
            }
        };
        let (next, prev) = (link("next-page", "after"), link("prev-page", "before"));
        Page { rows, next, prev }
    }

    pub(super) async fn reply(&self, query: &str) -> Reply {
        let query = Query::parse(query).expect("a query");
        let ask = Ask {
            books: self.books,
            scope: self.scope,
            params: &self.params,
            query: &query,
            origin: "http://x",
            now: NOW,
            beside: &[],
            seal: None,
        };
        let operation = operations::by_id(self.operation).expect("an operation");
        let answered = answer(operation, ask).await.expect("served");
        answered.unwrap_or_else(Into::into)
    }

    fn keys(&self, page: &Page) -> Vec<String> {
        page.rows.iter().map(self.key).collect()
    }

    /// To the end and back: exactly what is expected, in full pages.
    pub(super) async fn to_the_end_and_back(&self, query: &str, limit: usize, expected: &[String]) {
        let mut page = self.page(&format!("limit={limit}&{query}")).await;
        assert!(page.prev.is_none(), "{query}: nothing is before the first");
        let mut pages = expected.chunks(limit);
        let mut count = 0;
        loop {
            assert_eq!(
                self.keys(&page),
                pages.next().unwrap_or_default(),
                "{query}, page {count}"
            );
            let Some(next) = &page.next else { break };
            count += 1;
            page = self.page(next).await;
        }
        assert_eq!(pages.next(), None, "{query}: all");
        for at in (0..count).rev() {
            let prev = page.prev.expect("a way back");
            page = self.page(&prev).await;
            assert_eq!(
                self.keys(&page),
                expected[at * limit..][..limit],
                "{query}, back at {at}"
            );
        }
        assert!(page.prev.is_none(), "{query}: it is the first again");
    }

    /// To the end, while rows are added: what was there comes once, in order; nothing comes twice.
    pub(super) async fn while_rows_are_added(
        &self,
        query: &str,
        limit: usize,
        there: &[String],
        mut add: impl FnMut() -> Vec<(Version, Change)>,
    ) {
        let (mut seen, mut page) = (
            Vec::new(),
            self.page(&format!("limit={limit}&{query}")).await,
        );
        loop {
            seen.extend(self.keys(&page));
            self.books.apply(NOW, add()).await.expect("applied");
            let Some(next) = &page.next else { break };
            page = self.page(next).await;
        }
        let known = BTreeSet::from_iter(there);
        let old: Vec<_> = seen
            .iter()
            .filter(|key| known.contains(key))
            .cloned()
            .collect();
        assert_eq!(old, there, "{query}");
        assert_eq!(
            BTreeSet::from_iter(&seen).len(),
            seen.len(),
            "{query}: nothing twice"
        );
    }
}

fn without_place(query: &str) -> String {
    let pairs = query.split('&');
    let own = pairs.filter(|pair| !pair.starts_with("after=") && !pair.starts_with("before="));
    own.collect::<Vec<_>>().join("&")
}

/// Some of these filters, each with a value of its own.
pub(super) fn some(random: &mut StdRng, names: &[&'static str]) -> Vec<&'static str> {
    let chance = [0.0, 0.15, 0.4][random.random_range(0..3)];
    let mut some: Vec<_> = names
        .iter()
        .copied()
        .filter(|_| random.random_bool(chance))
        .collect();
    if some.is_empty() && random.random_bool(0.8) {
        some.push(names[random.random_range(0..names.len())]);
    }
    some
}

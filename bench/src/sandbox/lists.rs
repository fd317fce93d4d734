//! Every page of the lists that grow, in the workspace of
//! `bench/large.toml`, beside the first page of a small one: without a filter and with one.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::Context;
use serde_json::Value;

use crate::cores;
use crate::figures::Figures;
use crate::load::{Answer, Line};
use crate::product::{Product, Running, free_port};
use crate::tokens::{self, Call};
use crate::workspace::{Signer, Workspace};

/// Rows of a page that is measured.
pub(crate) const PAGE: usize = 20;
/// Longest wait for the large workspace to be made.
const MAKING: Duration = Duration::from_secs(1_800);
/// Times each page is asked for, in turns with the first page of the small workspace; the medians count.
const TIMES: usize = 15;
/// Pages that a walk with a filter goes.
const FAR: usize = 300;
/// Pages of a walk that are measured, evenly apart.
const PLACES: usize = 10;

/// A list, and how it is walked.
struct List {
    name: &'static str,
    path: &'static str,
    /// Most rows of a page.
    most: usize,
    /// Where its rows are in the answer; nothing: the answer is the rows.
    rows: Option<&'static str>,
    /// What each filter is called, and where a value for it is in a row; nothing: as it says.
    filters: &'static [Filter],
}

/// A filter: its name, and where a row has a value for it.
enum Filter {
    /// At this place of a row in the middle of the list.
    From(&'static str, &'static str),
    /// This text.
    Is(&'static str, &'static str),
}

use Filter::{From, Is};

const LISTS: [List; 3] = [
    List {
        name: "vault accounts",
        path: "/v1/vault/accounts_paged",
        most: 500,
        rows: Some("accounts"),
        filters: &[
            From("namePrefix", "/name"),
            From("nameSuffix", "/name"),
            Is("namePrefix", "deposit-0001"),
            Is("nameSuffix", "77"),
            Is("assetId", "SOL"),
            Is("assetId", "USDC"),
            Is("minAmountThreshold", "4000"),
            Is("orderBy", "ASC"),
        ],
    },
    List {
        name: "asset wallets",
        path: "/v1/vault/asset_wallets",
        most: 1_000,
        rows: Some("assetWallets"),
        filters: &[
            Is("assetId", "SOL"),
            Is("assetId", "USDC"),
            Is("totalAmountLargerThan", "4000"),
            Is("orderBy", "ASC"),
        ],
    },
    List {
        name: "transactions",
        path: "/v1/transactions",
        most: 500,
        rows: None,
        filters: &[
            Is("status", "COMPLETED"),
            Is("status", "BLOCKED"),
            Is("status", "BROADCASTING"),
            Is("sourceType", "VAULT_ACCOUNT"),
            Is("sourceType", "UNKNOWN"),
            Is("destType", "EXTERNAL_WALLET"),
            From("sourceId", "/source/id"),
            From("destId", "/destination/id"),
            Is("assets", "USDC"),
            Is("assets", "BTC,ETH"),
            From("txHash", "/txHash"),
            From("before", "/createdAt"),
            From("after", "/createdAt"),
            Is("orderBy", "lastUpdated"),
            Is("sort", "ASC"),
        ],
    },
];

/// What it came to.
#[derive(Debug)]
pub(crate) struct Lists {
    pub(crate) lines: Vec<Measured>,
    /// Seconds that the large workspace took to be made.
    pub(crate) making: f64,
    /// Seconds from the start of the process to its ready file, with the large workspace there.
    pub(crate) ready: f64,
    /// MB of memory before all these calls, and after them.
    pub(crate) resident: (f64, f64),
}

/// One list with one filter, or none.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) name: &'static str,
    pub(crate) filter: String,
    pub(crate) first: Page,
    /// The page that took longest beside the small workspace's.
    pub(crate) slowest: Page,
    /// How many pages were measured, of how many rows in all.
    pub(crate) pages: usize,
    pub(crate) rows: usize,
}

/// What a page took, in seconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Page {
    pub(crate) took: f64,
    /// The first page of the small workspace, without a filter, asked for in turns with it.
    pub(crate) small: f64,
}

impl Page {
    pub(crate) fn times_small(&self) -> f64 {
        self.took / self.small
    }
}

/// Measures.
pub(crate) fn measure(product: &Product, folder: &Path, large: &Path) -> anyhow::Result<Lists> {
    let program = || Command::new(product.program());
    println!("--- the large workspace is made");
    let data = folder.join("large.db");
    let arguments = || -> anyhow::Result<Vec<String>> {
        let listen = format!("127.0.0.1:{}", free_port()?);
        let texts = ["sandbox", "--control", "127.0.0.1:0", "--listen", &listen];
        let mut arguments: Vec<String> = texts.map(str::to_owned).into();
        for (name, place) in [("--data", data.as_path()), ("--workspace", large)] {
            arguments.extend([name.to_owned(), place.display().to_string()]);
        }
        Ok(arguments)
    };
    let (running, _, making) = product.serve_within(MAKING, program(), &arguments()?)?;
    running.end()?;
    let (running, said, ready) = product.serve_within(MAKING, program(), &arguments()?)?;
    let (small, small_said, _) = product.serve(program(), &product.fresh_sandbox())?;
    let (here, there) = (Desk::of(&said)?, Desk::of(&small_said)?);
    let before = running.resident()?;
    let mut lines = Vec::new();
    for list in &LISTS {
        println!("--- pages of {}", list.name);
        lines.extend(cores::wait(of_list(list, &here, &there))?);
    }
    let resident = (before, running.resident()?);
    running.end()?;
    Running::end(small)?;
    Ok(Lists {
        lines,
        making: making.as_secs_f64(),
        ready: ready.as_secs_f64(),
        resident,
    })
}

/// Where it is asked, and as whom.
struct Desk {
    workspace: Workspace,
    signer: Signer,
}

impl Desk {
    fn of(said: &Value) -> anyhow::Result<Self> {
        let workspace = Workspace::of(said)?;
        let signer = workspace.user("viewer")?;
        Ok(Self { workspace, signer })
    }

    async fn line(&self) -> anyhow::Result<Line> {
        Line::open(self.workspace.address()?).await
    }

    async fn read(&self, line: &mut Line, target: &str) -> anyhow::Result<(Answer, Duration)> {
        let Signer { user, key } = &self.signer;
        let request = tokens::request(*user, key, &Call::get(target))?;
        line.call(&request).await
    }
}

/// A desk and its connection.
struct Caller<'a> {
    desk: &'a Desk,
    line: Line,
}

impl<'a> Caller<'a> {
    async fn of(desk: &'a Desk) -> anyhow::Result<Self> {
        let line = desk.line().await?;
        Ok(Self { desk, line })
    }

    async fn seconds(&mut self, target: &str) -> anyhow::Result<f64> {
        let (_, took) = self.desk.read(&mut self.line, target).await?;
        Ok(took.as_secs_f64())
    }
}

async fn of_list(list: &List, here: &Desk, there: &Desk) -> anyhow::Result<Vec<Measured>> {
    let mut large = Caller::of(here).await?;
    let everything = format!("{}?limit={PAGE}{}", list.path, whole_history(list));
    let sample = middle(list, here, &mut large.line).await?;
    let mut lines = Vec::new();
    for filter in [None].into_iter().chain(list.filters.iter().map(Some)) {
        let text = match filter {
            None => String::new(),
            Some(Is(name, value)) => format!("{name}={value}"),
            Some(From(name, place)) => format!("{name}={}", value(&sample, place)?),
        };
        let walk = walk(list, here, &mut large.line, &text).await?;
        // Only now: a connection that idles for the length of a walk is closed.
        let (mut pages, mut small) = (Vec::new(), Caller::of(there).await?);
        for cursor in &walk.cursors {
            let target = format!("{}?limit={PAGE}&{cursor}", list.path);
            pages.push(in_turns(&mut large, &target, &mut small, &everything).await?);
        }
        let slowest = |a: &&Page, b: &&Page| a.times_small().total_cmp(&b.times_small());
        lines.push(Measured {
            name: list.name,
            filter: shown(&text),
            first: *pages.first().context("a first page")?,
            slowest: *pages.iter().max_by(slowest).context("a page")?,
            pages: pages.len(),
            rows: walk.rows,
        });
    }
    Ok(lines)
}

/// A page beside the small workspace's: whatever slows the machine down for a moment slows both.
async fn in_turns(
    large: &mut Caller<'_>,
    target: &str,
    small: &mut Caller<'_>,
    everything: &str,
) -> anyhow::Result<Page> {
    let (mut took, mut beside) = (Figures::default(), Figures::default());
    for _ in 0..TIMES {
        took.add(large.seconds(target).await?);
        beside.add(small.seconds(everything).await?);
    }
    Ok(Page {
        took: took.median(),
        small: beside.median(),
    })
}

/// Without it, transactions of the last 90 days alone are listed.
fn whole_history(list: &List) -> &'static str {
    if list.rows.is_none() { "&after=0" } else { "" }
}

/// A filter as a table shows it: without what is random.
fn shown(text: &str) -> String {
    match text.split_once('=') {
        Some((name @ ("txHash" | "before" | "after"), _)) => format!("{name}=..."),
        _ => text.to_owned(),
    }
}

fn value(row: &Value, place: &str) -> anyhow::Result<String> {
    let found = row
        .pointer(place)
        .with_context(|| format!("a row with {place}"))?;
    Ok(found
        .as_str()
        .map_or_else(|| found.to_string(), str::to_owned))
}

/// A whole walk: how many rows, and some of the cursors, the first page's first.
struct Walk {
    rows: usize,
    cursors: Vec<String>,
}

/// Walks a list by its largest pages: without a filter to its end, with one to its end or far into it.
async fn walk(list: &List, desk: &Desk, line: &mut Line, filter: &str) -> anyhow::Result<Walk> {
    let all = match filter.split('=').next() {
        Some("before" | "after") => "",
        _ => whole_history(list),
    };
    let own = format!("{filter}{all}");
    let (mut rows, mut cursors, mut next) = (0, vec![own.clone()], None);
    loop {
        let query = next.as_ref().unwrap_or(&own);
        let target = format!("{}?limit={}&{query}", list.path, list.most);
        let (answer, _) = desk.read(line, &target).await?;
        let (count, after) = page(list, &answer)?;
        rows += count;
        let Some(after) = after else { break };
        if !filter.is_empty() && cursors.len() == FAR {
            break;
        }
        let cursor = format!("{own}&{after}");
        cursors.push(cursor.clone());
        next = Some(cursor);
    }
    let apart = cursors.len().div_ceil(PLACES).max(1);
    let last = cursors.last().cloned();
    let mut some: Vec<_> = cursors.into_iter().step_by(apart).collect();
    some.extend(last);
    Ok(Walk {
        rows,
        cursors: some,
    })
}

/// The rows of a page, and the parameter that asks for the next.
fn page(list: &List, answer: &Answer) -> anyhow::Result<(usize, Option<String>)> {
    let body: Value = serde_json::from_slice(&answer.body)?;
    let Some(place) = list.rows else {
        let rows = body.as_array().map_or(0, Vec::len);
        return Ok((rows, next_page(&answer.head)));
    };
    let rows = body
        .get(place)
        .and_then(Value::as_array)
        .map_or(0, Vec::len);
    let after = body.pointer("/paging/after").and_then(Value::as_str);
    Ok((rows, after.map(|after| format!("after={after}"))))
}

/// The cursor of a `next-page` header.
fn next_page(head: &str) -> Option<String> {
    let line = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("next-page").then_some(value)
    })?;
    let (_, query) = line.trim().split_once('?')?;
    let next = query.split('&').find(|pair| pair.starts_with("next="))?;
    Some(next.to_owned())
}

/// A row in the middle of a list that has all that the filters ask for.
async fn middle(list: &List, desk: &Desk, line: &mut Line) -> anyhow::Result<Value> {
    let walk = walk(list, desk, line, "").await?;
    let at = walk.cursors.get(walk.cursors.len() / 2).context("a page")?;
    let target = format!("{}?limit={}&{at}", list.path, list.most);
    let (answer, _) = desk.read(line, &target).await?;
    let body: Value = serde_json::from_slice(&answer.body)?;
    let rows = match list.rows {
        Some(place) => body.get(place),
        None => Some(&body),
    };
    let rows = rows.and_then(Value::as_array).context("rows")?;
    let has_all = |row: &&Value| {
        list.filters.iter().all(|filter| match filter {
            From(_, place) => row.pointer(place).is_some(),
            Is(..) => true,
        })
    };
    Ok(rows.iter().find(has_all).context("such a row")?.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_read_from_its_header() {
        let head = "HTTP/1.1 200 OK\r\nNext-Page: http://a/v1/transactions?limit=5&next=abc&\r\n";
        assert_eq!(next_page(head).as_deref(), Some("next=abc"));
        assert_eq!(next_page("HTTP/1.1 200 OK\r\n"), None);
    }
}

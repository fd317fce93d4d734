//! The audit log, read.

use protocol::error::ApiError;
use protocol::exchange::{Query, Reply};
use protocol::ids::WorkspaceId;
use protocol::time::Millis;
use serde_json::{Value, json};

use super::{Visit, area};
use crate::audit::{Entry, Place};

area! { visit;
    "getAuditLogs" => list(visit).await,
    "getAudits" => former(visit).await,
}

/// Rows of a page where the query does not say, and most of them.
const PAGE: usize = 200;
const MAX_PAGE: usize = 500;
/// How far back a query may begin.
const FARTHEST: i64 = 366 * Millis::DAY;
/// Rows read at once.
const BATCH: i64 = 512;

/// From when until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Window {
    start: Millis,
    end: Millis,
}

impl Window {
    fn read(query: &Query, now: Millis) -> Result<Self, ApiError> {
        let time = |name: &'static str| {
            let must = "milliseconds since the epoch";
            let read = query.read::<i64, _>(name, |_| ApiError::invalid(name, must))?;
            match read {
                Some(time) if time < 0 => Err(ApiError::invalid(name, must)),
                read => Ok(read.map(Millis)),
            }
        };
        let end = time("endTime")?.unwrap_or(now);
        let start = match (time("startTime")?, query.one("timePeriod")) {
            (Some(start), _) => start,
            (None, Some("WEEK")) => now.plus(-7 * Millis::DAY),
            (None, None | Some("DAY")) => now.plus(-Millis::DAY),
            (None, Some(_)) => return Err(ApiError::invalid("timePeriod", "DAY or WEEK")),
        };
        if start < now.plus(-FARTHEST) {
            return Err(ApiError::invalid("startTime", "at most a year ago"));
        }
        if end <= start {
            return Err(ApiError::invalid("endTime", "after startTime"));
        }
        Ok(Self { start, end })
    }
}

/// What an entry must be: any of the values of a field, and so of each field.
struct Filters<'q> {
    category: Vec<&'q str>,
    subject: Vec<&'q str>,
    event: Vec<&'q str>,
    user: Vec<&'q str>,
    user_id: Vec<&'q str>,
}

impl<'q> Filters<'q> {
    fn read(query: &'q Query) -> Self {
        let all = |name: &'static str| query.many(name).collect();
        Self {
            category: all("category"),
            subject: all("subject"),
            event: all("event"),
            user: all("user"),
            user_id: all("userId"),
        }
    }

    fn pass(&self, entry: &Entry) -> bool {
        let any = |wanted: &[&str], is: &str| wanted.is_empty() || wanted.contains(&is);
        let id = entry.user_id.map(|id| id.to_string());
        any(&self.category, entry.event.category())
            && any(&self.subject, entry.event.subject())
            && any(&self.event, entry.event.event())
            && any(&self.user, &entry.user)
            && any(&self.user_id, id.as_deref().unwrap_or_default())
    }
}

fn page_size(query: &Query) -> Result<usize, ApiError> {
    let must = || ApiError::invalid("pageSize", format_args!("a number from 1 to {MAX_PAGE}"));
    let size = query.read::<usize, _>("pageSize", |_| must())?;
    match size.unwrap_or(PAGE) {
        size @ 1..=MAX_PAGE => Ok(size),
        _ => Err(must()),
    }
}

/// `GET /management/audit_logs`.
async fn list(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let query = &visit.call.query;
    let window = Window::read(query, visit.hall.clock.now())?;
    let (filters, size) = (Filters::read(query), page_size(query)?);
    let down = query.one("order") != Some("ASC");
    let cursor = query.one("pageCursor").or_else(|| query.one("cursor"));
    let bad = || ApiError::invalid("pageCursor", "a cursor of an answer");
    let after = cursor
        .map(|text| Place::read(text).ok_or_else(bad))
        .transpose()?;
    // The bounds count among the window.
    let mut from = Place::at(window.start).before();
    let mut to = Place::at(window.end.plus(1));
    match after {
        Some(after) if down => to = to.min(after),
        Some(after) => from = from.max(after),
        None => {}
    }
    let mut found: Vec<Entry> = Vec::new();
    while found.len() <= size {
        let between = (from.number(), to.number());
        let batch = visit
            .hall
            .kept_between::<Entry>(between, down, BATCH)
            .await?;
        let Some(last) = batch.last().map(|entry| entry.place) else {
            break;
        };
        if down {
            to = last;
        } else {
            from = last;
        }
        found.extend(batch.into_iter().filter(|entry| filters.pass(entry)));
    }
    let more = found.len() > size;
    found.truncate(size);
    let next = found.last().filter(|_| more).map(|entry| entry.place.key());
    let id = visit.hall.id();
    let data: Vec<_> = found.iter().map(|entry| shown(entry, id)).collect();
    Ok(Reply::json(
        200,
        &json!({ "data": data, "next": next, "cursor": next }),
    ))
}

/// `GET /audits`, of clients of an older age: a day or a week, whole.
async fn former(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let window = Window::read(&visit.call.query, visit.hall.clock.now())?;
    let between = (
        Place::at(window.start).before().number(),
        Place::at(window.end.plus(1)).number(),
    );
    let entries = visit.hall.kept_between::<Entry>(between, true, i64::MAX);
    let id = visit.hall.id();
    let data: Vec<_> = entries
        .await?
        .iter()
        .map(|entry| shown(entry, id))
        .collect();
    let total = data.len();
    Ok(Reply::json(200, &json!({ "data": data, "total": total })))
}

fn shown(entry: &Entry, workspace: WorkspaceId) -> Value {
    let mut told = json!({
        "id": entry.id,
        "timestamp": entry.at,
        "createdAt": entry.at,
        "user": entry.user,
        "subject": entry.event.subject(),
        "event": entry.event.event(),
        "category": entry.event.category(),
        "tenantId": workspace,
    });
    if let Some(id) = entry.user_id {
        told["userId"] = json!(id);
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = Millis(1_790_000_000_000);

    fn window(query: &str) -> Result<(i64, i64), u16> {
        let query = Query::parse(query).expect("a query");
        let read = Window::read(&query, NOW);
        let ago = |moment: Millis| (NOW.0 - moment.0) / Millis::HOUR;
        read.map(|window| (ago(window.start), ago(window.end)))
            .map_err(|error| error.status())
    }

    #[test]
    fn a_day_where_nothing_else_is_asked_for() {
        assert_eq!(window(""), Ok((24, 0)));
        assert_eq!(window("timePeriod=WEEK"), Ok((168, 0)));
        let start = NOW.0 - 3 * Millis::HOUR;
        let end = NOW.0 - Millis::HOUR;
        assert_eq!(
            window(&format!("startTime={start}&endTime={end}&timePeriod=WEEK")),
            Ok((3, 1))
        );
    }

    #[test]
    fn windows_that_are_none() {
        let long_ago = NOW.0 - 400 * Millis::DAY;
        for bad in [
            "startTime=x".to_owned(),
            "startTime=-1".to_owned(),
            "timePeriod=MONTH".to_owned(),
            format!("startTime={long_ago}"),
            format!("startTime={}", NOW.0),
            format!("startTime={}&endTime={}", NOW.0 - 5, NOW.0 - 5),
        ] {
            assert_eq!(window(&bad), Err(400), "{bad}");
        }
    }
}

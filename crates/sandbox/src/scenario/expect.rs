//! What must be seen, and the judgement over what was. Pure.

use std::fmt;

use protocol::amount::Amount;
use regex::Regex;
use serde::Serialize;
use serde_json::Value;
use serde_json_path::JsonPath;

use super::variables::{Unknown, Variables, names, names_of, text_of};

/// Longest text of something seen that is told.
const MAX_TOLD: usize = 400;

/// What a step expects. Nothing said about the status: that all is well.
#[derive(Clone, Debug, Default)]
pub(super) struct Expectations {
    pub(super) status: Option<Status>,
    /// Fireblocks' code of an error.
    pub(super) code: Option<(usize, i64)>,
    pub(super) headers: Vec<Expected<String>>,
    pub(super) fields: Vec<Expected<JsonPath>>,
}

/// What a call must come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    /// An answer of this status.
    Is(usize, u16),
    /// No answer: the connection is cut.
    Cut(usize),
}

/// What must be true of one place.
#[derive(Clone, Debug)]
pub(super) struct Expected<P> {
    pub(super) line: usize,
    pub(super) place: P,
    pub(super) test: Test,
}

/// What must be true.
#[derive(Clone, Debug)]
pub(super) enum Test {
    Is(Value),
    Not(Value),
    AnyOf(Vec<Value>),
    Matches(Regex),
    Absent,
    Present,
    Count(usize),
    Number(Vec<(Order, String)>),
}

/// How a number stands to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Equal,
    Greater,
    AtLeast,
    Less,
    AtMost,
}

/// An expectation that was not met.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// Where it stands in its file, from 1.
    pub line: usize,
    /// Of what.
    pub what: String,
    /// What was expected.
    pub expected: String,
    /// What was seen.
    pub seen: String,
}

/// What came of a step.
#[derive(Clone, Debug)]
pub(super) enum Seen {
    Answer {
        status: u16,
        headers: http::HeaderMap,
        /// Null where it is empty, a text where it is no JSON.
        body: Value,
    },
    /// No answer, and why.
    Cut(String),
    /// A fact: of receivers, webhooks.
    Fact(Value),
}

impl Seen {
    pub(super) fn body(&self) -> &Value {
        match self {
            Self::Answer { body, .. } | Self::Fact(body) => body,
            Self::Cut(_) => &Value::Null,
        }
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answer { status, body, .. } => write!(f, "{status} {}", told(body)),
            Self::Cut(why) => write!(f, "no answer: {why}"),
            Self::Fact(fact) => write!(f, "{}", told(fact)),
        }
    }
}

impl Order {
    const fn holds(self, order: std::cmp::Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::Greater => order.is_gt(),
            Self::AtLeast => order.is_ge(),
            Self::Less => order.is_lt(),
            Self::AtMost => order.is_le(),
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Equal => "equal to",
            Self::Greater => "greater than",
            Self::AtLeast => "at least",
            Self::Less => "less than",
            Self::AtMost => "at most",
        }
    }
}

/// A value as it is told, cut where it is long.
pub(super) fn told(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(MAX_TOLD) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

/// The sum that a text writes: `1.5`, `${before} + 2 - 0.1`. Blanks stand around the signs.
pub(super) fn sum(text: &str) -> Option<Amount> {
    let mut words = text.split_whitespace();
    let mut sum: Amount = words.next()?.parse().ok()?;
    while let Some(sign) = words.next() {
        let term: Amount = words.next()?.parse().ok()?;
        sum = match sign {
            "+" => sum.checked_add(&term)?,
            "-" => sum.checked_sub(&term)?,
            _ => return None,
        };
    }
    Some(sum)
}

fn number(value: &Value) -> Option<Amount> {
    match value {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => number.to_string().parse().ok(),
        _ => None,
    }
}

impl Test {
    /// The names in it.
    pub(super) fn names(&self) -> Vec<&str> {
        match self {
            Self::Is(value) | Self::Not(value) => names(value),
            Self::AnyOf(values) => values.iter().flat_map(names).collect(),
            Self::Number(orders) => orders.iter().flat_map(|(_, text)| names_of(text)).collect(),
            Self::Matches(_) | Self::Absent | Self::Present | Self::Count(_) => Vec::new(),
        }
    }

    /// What was expected, if it is not so of these.
    fn missed(&self, seen: &[&Value], known: &Variables) -> Result<Option<String>, Unknown> {
        let every = |holds: &dyn Fn(&Value) -> bool| {
            !seen.is_empty() && seen.iter().all(|value| holds(value))
        };
        let (holds, expected) = match self {
            Self::Is(value) => {
                let value = known.value(value)?;
                (every(&|seen| *seen == value), told(&value))
            }
            Self::Not(value) => {
                let value = known.value(value)?;
                (
                    every(&|seen| *seen != value),
                    format!("not {}", told(&value)),
                )
            }
            Self::AnyOf(values) => {
                let values = known.value(&Value::Array(values.clone()))?;
                let any = |seen: &Value| values.as_array().is_some_and(|all| all.contains(seen));
                (every(&any), format!("one of {}", told(&values)))
            }
            Self::Matches(pattern) => {
                let holds = every(&|seen| pattern.is_match(&text_of(seen)));
                (holds, format!("a match of {pattern}"))
            }
            Self::Absent => (seen.is_empty(), "nothing there".to_owned()),
            Self::Present => (!seen.is_empty(), "something there".to_owned()),
            Self::Count(count) => (seen.len() == *count, format!("{count} of them")),
            Self::Number(orders) => return compared(orders, seen, known),
        };
        Ok((!holds).then_some(expected))
    }
}

fn compared(
    orders: &[(Order, String)],
    seen: &[&Value],
    known: &Variables,
) -> Result<Option<String>, Unknown> {
    let mut expected = Vec::new();
    let mut holds = !seen.is_empty();
    for (order, text) in orders {
        let text = known.text(text)?;
        let Some(bound) = sum(&text) else {
            return Ok(Some(format!(
                "a number {} {text}, which is none",
                order.words()
            )));
        };
        let stands =
            |value: &&Value| number(value).is_some_and(|number| order.holds(number.cmp(&bound)));
        holds &= seen.iter().all(stands);
        let worked_out = if text == bound.to_string() {
            text
        } else {
            format!("{bound} ({text})")
        };
        expected.push(format!("{} {worked_out}", order.words()));
    }
    Ok((!holds).then(|| format!("a number {}", expected.join(" and "))))
}

fn seen_of(values: &[&Value]) -> String {
    match values {
        [] => "nothing".to_owned(),
        [one] => told(one),
        many => format!(
            "{} of them: {}",
            many.len(),
            told(&many.iter().copied().cloned().collect())
        ),
    }
}

impl Expectations {
    /// What was not met. `well` is the status where nothing is said about it; nothing: any 2xx.
    pub(super) fn judge(
        &self,
        step: usize,
        seen: &Seen,
        well: Option<u16>,
        known: &Variables,
    ) -> Result<Vec<Failure>, Unknown> {
        let mut failures: Vec<_> = self.status(step, seen, well).into_iter().collect();
        if let Some((line, code)) = self.code {
            let body = seen.body();
            let is = [&body["code"], &body["error"]["code"]];
            if !is.iter().any(|value| value.as_i64() == Some(code)) {
                failures.push(Failure {
                    line,
                    what: "the error's code".to_owned(),
                    expected: code.to_string(),
                    seen: seen.to_string(),
                });
            }
        }
        for header in &self.headers {
            let values = match seen {
                Seen::Answer { headers, .. } => {
                    headers.get_all(&header.place).into_iter().collect()
                }
                _ => Vec::new(),
            };
            let values: Vec<Value> = values
                .into_iter()
                .map(|value| {
                    String::from_utf8_lossy(value.as_bytes())
                        .into_owned()
                        .into()
                })
                .collect();
            let values: Vec<_> = values.iter().collect();
            let what = format!("the header {}", header.place);
            failures.extend(header.judge(what, &values, known)?);
        }
        for field in &self.fields {
            let values = field.place.query(seen.body()).all();
            failures.extend(field.judge(field.place.to_string(), &values, known)?);
        }
        Ok(failures)
    }

    fn status(&self, step: usize, seen: &Seen, well: Option<u16>) -> Option<Failure> {
        let (line, holds, expected) = match (self.status, seen) {
            (_, Seen::Fact(_)) => return None,
            (Some(Status::Cut(line)), Seen::Cut(_)) => (line, true, String::new()),
            (Some(Status::Cut(line)), _) => (line, false, "no answer".to_owned()),
            (Some(Status::Is(line, status)), Seen::Answer { status: is, .. }) => {
                (line, *is == status, status.to_string())
            }
            (Some(Status::Is(line, status)), _) => (line, false, status.to_string()),
            (None, Seen::Answer { status: is, .. }) => {
                let holds = well.map_or((200..300).contains(is), |well| well == *is);
                let expected = well.map_or("2xx".to_owned(), |well| well.to_string());
                (step, holds, expected)
            }
            (None, Seen::Cut(_)) => (step, false, "an answer".to_owned()),
        };
        (!holds).then(|| Failure {
            line,
            what: "the status".to_owned(),
            expected,
            seen: seen.to_string(),
        })
    }
}

impl<P> Expected<P> {
    fn judge(
        &self,
        what: String,
        values: &[&Value],
        known: &Variables,
    ) -> Result<Option<Failure>, Unknown> {
        let missed = self.test.missed(values, known)?;
        Ok(missed.map(|expected| Failure {
            line: self.line,
            what,
            expected,
            seen: seen_of(values),
        }))
    }
}

#[cfg(test)]
mod tests;

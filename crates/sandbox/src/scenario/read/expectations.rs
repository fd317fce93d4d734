//! What a step expects, read.

use http::HeaderName;
use regex::Regex;
use serde_json::Value;
use serde_json_path::JsonPath;
use toml::Spanned;

use super::super::expect::{Expectations, Expected, Order, Status, Test, sum};
use super::super::target::Target;
use super::super::variables::names_of;
use super::super::written::{self, Table};
use super::Reader;
use super::values::json;

/// The words of a test.
const WORDS: &str = "is, not, any, matches, absent, count, or the numbers eq, gt, ge, lt and le";

impl Reader<'_> {
    pub(super) fn expectations(&mut self, written: written::Expect) -> Expectations {
        let status = written.status.and_then(|status| {
            let line = self.line(&status);
            match status.get_ref() {
                toml::Value::Integer(number @ 100..600) => {
                    let number = u16::try_from(*number).unwrap_or_default();
                    Some(Status::Is(line, number))
                }
                toml::Value::String(word) if word == "cut" => Some(Status::Cut(line)),
                _ => {
                    self.wrong(&status, "a status is a number, or \"cut\": no answer comes");
                    None
                }
            }
        });
        let mut headers = Vec::new();
        for (name, value) in in_order(written.headers) {
            if HeaderName::from_bytes(name.as_bytes()).is_err() {
                self.wrong(&value, format!("'{name}' is no header's name"));
            }
            headers.extend(self.expected(name, &value));
        }
        let mut fields = Vec::new();
        for (path, value) in in_order(written.body) {
            if let Some(place) = self.path(&value, &path) {
                fields.extend(self.expected(place, &value));
            }
        }
        Expectations {
            status,
            code: written
                .code
                .map(|code| (self.line(&code), code.into_inner())),
            headers,
            fields,
        }
    }

    /// A JSONPath.
    pub(super) fn path<T>(&mut self, place: &Spanned<T>, text: &str) -> Option<JsonPath> {
        match JsonPath::parse(text) {
            Ok(path) => Some(path),
            Err(error) => {
                let what = format!("'{text}' is no JSONPath, like $.status or $[0].id: {error}");
                self.wrong(place, what);
                None
            }
        }
    }

    fn expected<P>(&mut self, place: P, value: &Spanned<toml::Value>) -> Option<Expected<P>> {
        let test = match test(value.get_ref()) {
            Ok(test) => test,
            Err(what) => {
                self.wrong(value, what);
                return None;
            }
        };
        self.used(value, &test.names());
        Some(Expected {
            line: self.line(value),
            place,
            test,
        })
    }
}

fn in_order(table: Table) -> Vec<(String, Spanned<toml::Value>)> {
    let mut all: Vec<_> = table.into_iter().collect();
    all.sort_by_key(|(_, value)| value.span().start);
    all
}

/// A value is what must stand there; a table says what else.
fn test(value: &toml::Value) -> Result<Test, String> {
    let toml::Value::Table(table) = value else {
        return json(value).map(Test::Is);
    };
    let numbers: Option<Vec<_>> = table
        .iter()
        .map(|(word, value)| Some((order(word)?, value)))
        .collect();
    if let Some(numbers) = numbers.filter(|numbers| !numbers.is_empty()) {
        let numbers = numbers
            .into_iter()
            .map(|(order, value)| Ok((order, number(value)?)));
        return Ok(Test::Number(numbers.collect::<Result<_, String>>()?));
    }
    let mut entries = table.iter();
    match (entries.next(), entries.next()) {
        (Some((word, value)), None) => one(word, value),
        _ => Err(format!("one thing is said of a place: {WORDS}")),
    }
}

fn one(word: &str, value: &toml::Value) -> Result<Test, String> {
    match (word, value) {
        ("is", value) => json(value).map(Test::Is),
        ("not", value) => json(value).map(Test::Not),
        ("any", toml::Value::Array(values)) => {
            let values: Result<_, _> = values.iter().map(json).collect();
            values.map(Test::AnyOf)
        }
        ("any", _) => Err("any takes a list".to_owned()),
        ("matches", toml::Value::String(pattern)) => Regex::new(pattern)
            .map(Test::Matches)
            .map_err(|error| format!("'{pattern}' is no regular expression: {error}")),
        ("matches", _) => Err("matches takes a text".to_owned()),
        ("absent", toml::Value::Boolean(true)) => Ok(Test::Absent),
        ("absent", toml::Value::Boolean(false)) => Ok(Test::Present),
        ("absent", _) => Err("absent takes true or false".to_owned()),
        ("count", toml::Value::Integer(count)) => usize::try_from(*count)
            .map(Test::Count)
            .map_err(|_| "count takes a number from 0".to_owned()),
        ("count", _) => Err("count takes a number".to_owned()),
        _ => Err(format!(
            "'{word}' says nothing of a place; there are: {WORDS}"
        )),
    }
}

fn order(word: &str) -> Option<Order> {
    Some(match word {
        "eq" => Order::Equal,
        "gt" => Order::Greater,
        "ge" => Order::AtLeast,
        "lt" => Order::Less,
        "le" => Order::AtMost,
        _ => return None,
    })
}

/// A number, or a text that is a sum of numbers and names.
fn number(value: &toml::Value) -> Result<String, String> {
    let text = match json(value)? {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text,
        _ => return Err("a number, or a text like \"${before} + 2.5\"".to_owned()),
    };
    let mut likeness = text.clone();
    for name in names_of(&text) {
        likeness = likeness.replace(&format!("${{{name}}}"), "1");
    }
    match sum(&likeness) {
        Some(_) => Ok(text),
        None => Err(format!(
            "'{}' is no number: it is like 2.5 or \"${{before}} + 2.5 - 0.1\"",
            Target::likeness(&text)
        )),
    }
}

//! Answers of the control listener, for people and for scripts.

use serde_json::{Map, Value};

use super::desk::Answer;
use crate::output::{Output, printable};

pub(super) fn answer(answer: &Answer, out: Output) -> anyhow::Result<()> {
    match answer {
        Answer::Nothing => Ok(()),
        Answer::Text(text) => out.line(text.trim_end()),
        Answer::Json(value) => match value["data"].as_array() {
            Some(rows) => list(rows, out),
            None => out.show(value, |value| lines(value, "")),
        },
    }
}

/// A list: its plain columns.
fn list(rows: &[Value], out: Output) -> anyhow::Result<()> {
    let columns: Vec<&str> = rows
        .first()
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .filter(|(_, value)| !value.is_array())
        .map(|(name, _)| name.as_str())
        .collect();
    out.table(rows, &columns, |row| {
        columns.iter().map(|name| word(&row[*name])).collect()
    })
}

fn word(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A line for each plain member, those within others indented.
fn lines(value: &Value, before: &str) -> String {
    let empty = Map::new();
    let members = value.as_object().unwrap_or(&empty);
    let wide = members.keys().map(String::len).max().unwrap_or(0);
    let mut text = String::new();
    for (name, member) in members {
        match member {
            Value::Object(_) => {
                text.push_str(&format!(
                    "{before}{name}\n{}",
                    lines(member, &format!("{before}  "))
                ));
            }
            Value::Array(parts) if parts.iter().any(Value::is_object) => {
                for part in parts {
                    text.push_str(&format!(
                        "{before}{name}\n{}",
                        lines(part, &format!("{before}  "))
                    ));
                }
            }
            plain => {
                let shown = printable(&word(plain));
                text.push_str(&format!("{before}{name:<wide$}  {shown}\n"));
            }
        }
    }
    text
}

/// A line of a stream; only what is told is printed.
pub(super) fn heard(line: &[u8], out: Output) -> anyhow::Result<()> {
    let text = String::from_utf8_lossy(line);
    let Some(data) = text.trim_end().strip_prefix("data: ") else {
        return Ok(());
    };
    let Ok(value) = serde_json::from_str::<Value>(data) else {
        return Ok(());
    };
    out.show(&value, |value| {
        let part = |name: &str| printable(&word(&value[name]));
        match value["kind"].as_str() {
            Some("call") => format!(
                "call    {} {} {}  {}  {}  {}",
                part("status"),
                part("method"),
                part("path"),
                part("operation"),
                part("role"),
                part("why")
            ),
            Some("change") => format!("change  {}  {}", part("event_type"), part("resource_id")),
            _ => printable(data),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_within_stands_below() {
        let value =
            json!({"now": 5, "limits": {"read": 1}, "users": [{"name": "a\u{1b}b"}], "none": null});
        let text = lines(&value, "");
        assert_eq!(
            text,
            "now     5\nlimits\n  read  1\nusers\n  name  a\\u001bb\nnone    \n"
        );
    }
}

//! `vestibule gate log tail`: entries in order, for a SIEM.

use std::time::Duration;

use clap::ValueEnum;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use url::Url;
use wire::client::ClientError;

use super::Entry;
use super::syslog::Frame;
use crate::gate::At;
use crate::gate::desk::{self, Desk};
use crate::output::{Output, note};
use crate::shutdown;

/// How often it is looked for new entries.
const TURN: Duration = Duration::from_secs(1);
/// How long after a gate has not answered it is asked again, at first.
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// And at the longest.
const LONGEST_WAIT: Duration = Duration::from_secs(15);

/// Entries in order, for a SIEM: JSON lines, CEF or syslog.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  vestibule gate log tail                    every entry, a JSON line each
  vestibule gate log tail --from 100 --follow --format cef | logger -t vestibule
                                             from an entry on, and what comes, as CEF
  vestibule gate log tail --follow --format syslog | ncat siem.example 601
                                             CEF as messages of RFC 5424, a line each")]
pub(crate) struct Args {
    /// Go on with what comes, also where the gate has not started yet or was away, until Ctrl-C.
    #[arg(long)]
    follow: bool,
    /// From this entry on: one more than the last that was taken in.
    #[arg(long, value_name = "INDEX", default_value_t = 0)]
    from: u64,
    /// How.
    #[arg(long, value_enum, default_value_t = Format::Json)]
    format: Format,
}

/// How entries are written.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// A JSON object a line.
    Json,
    /// ArcSight's Common Event Format, a line each.
    Cef,
    /// The same as syslog messages (RFC 5424), a line each.
    Syslog,
    /// JSON as syslog messages.
    SyslogJson,
}

#[derive(Deserialize)]
struct Gate {
    public_url: Url,
}

pub(super) async fn run(at: &At, args: &Args, out: Output) -> anyhow::Result<()> {
    let mut page = Pages {
        at,
        desk: Desk::open(at)?,
        next: args.from,
        follow: args.follow,
    };
    let end = shutdown::on_signal();
    let Gate { public_url } = tokio::select! {
        () = end.cancelled() => return Ok(()),
        gate = page.ask("/status") => gate?,
    };
    let frame = Frame::of(&public_url);
    loop {
        let entries = tokio::select! {
            () = end.cancelled() => return Ok(()),
            entries = page.next() => entries?,
        };
        for entry in &entries {
            let json = || serde_json::to_string(entry);
            let framed = |message: &str| frame.around(entry, severity(entry), message);
            match args.format {
                Format::Json => out.line(json()?)?,
                Format::Cef => out.line(cef(entry))?,
                Format::Syslog => out.octets(&framed(&cef(entry)))?,
                Format::SyslogJson => out.octets(&framed(&json()?))?,
            }
        }
        if !entries.is_empty() {
            continue;
        }
        if !args.follow {
            return Ok(());
        }
        tokio::select! {
            () = end.cancelled() => return Ok(()),
            () = tokio::time::sleep(TURN) => {}
        }
    }
}

/// The log, page after page.
struct Pages<'a> {
    at: &'a At,
    desk: Desk,
    /// The first entry that nobody has seen.
    next: u64,
    /// Whether it is waited for a gate that is away.
    follow: bool,
}

impl Pages<'_> {
    /// What comes next; none, where that is all for now.
    async fn next(&mut self) -> anyhow::Result<Vec<Entry>> {
        let path = format!("/log/entries/{}", self.next);
        let page: Vec<Entry> = self.ask(&path).await?;
        self.next = page.last().map_or(self.next, |last| last.index + 1);
        Ok(page)
    }

    /// Asks. Who follows waits for a gate that is away, or has not started yet, and is told so once.
    async fn ask<T: DeserializeOwned>(&mut self, path: &str) -> anyhow::Result<T> {
        let mut wait: Option<Duration> = None;
        loop {
            let error = match self.desk.try_get(path).await {
                Ok(answer) => return Ok(answer),
                Err(error) if self.follow && is_away(&error) => error,
                Err(error) => return Err(desk::told(error)),
            };
            if wait.is_none() {
                note(format_args!(
                    "{:#}; it is asked again until it answers, and what it logs from entry {} on follows",
                    desk::told(error),
                    self.next
                ));
            }
            let now = wait.unwrap_or(FIRST_WAIT);
            wait = Some((now * 2).min(LONGEST_WAIT));
            tokio::time::sleep(now).await;
            // It may listen elsewhere by now.
            if let Ok(desk) = Desk::open(self.at) {
                self.desk = desk;
            }
        }
    }
}

/// Whether the gate does not answer now, and may later: it ends, starts, or has too much to do.
fn is_away(error: &ClientError) -> bool {
    match error {
        ClientError::Unreachable { .. } | ClientError::Budget(_) => true,
        ClientError::Status { status, .. } => *status >= 500 || *status == 429,
        _ => false,
    }
}

/// How bad, of 10: what was refused or taken back is looked at first.
fn severity(entry: &Entry) -> u8 {
    match entry.kind.as_str() {
        "dispatch_stopped" => 10,
        // Nothing holds what the gate sends; and two keys of one maker are as good as known.
        "probe_judged" if told(entry).get("held") == Some(&Value::Bool(false)) => 9,
        "orphan_seen" | "store_restored" | "keys_factored" => 9,
        "private_key_refused" => 8,
        "refused" | "enrolment_refused" | "operator_refused" | "proposal_failed"
        | "key_offer_refused" => 6,
        "connection_suspended"
        | "connection_revoked"
        | "payloads_erased"
        | "store_released"
        | "dispatch_resumed" => 5,
        _ => 3,
    }
}

/// The facts of an entry; none, where they are erased.
fn told(entry: &Entry) -> Map<String, Value> {
    let told = entry.entry.as_ref();
    told.and_then(|told| serde_json::from_str(told.get()).ok())
        .unwrap_or_default()
}

/// One line of CEF: nothing that an entry tells can end the line, or begin another field.
fn cef(entry: &Entry) -> String {
    let told = told(entry);
    let mut line = format!(
        "CEF:0|Vestibule|gate|{}|{}|{}|{}|",
        env!("CARGO_PKG_VERSION"),
        header(&entry.kind),
        header(&entry.kind.replace('_', " ")),
        severity(entry)
    );
    let mut fields = vec![
        ("rt".to_owned(), entry.at.to_string()),
        ("externalId".to_owned(), entry.index.to_string()),
    ];
    for (name, value) in &told {
        let text = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        match (name.as_str(), value) {
            ("event", _) => {}
            ("actor", Value::Object(who)) => fields.extend(who.iter().map(|(kind, name)| {
                (
                    "suser".to_owned(),
                    format!("{kind}:{}", name.as_str().unwrap_or_default()),
                )
            })),
            ("actor", _) => fields.push(("suser".to_owned(), text)),
            ("from", _) => fields.push(("src".to_owned(), text)),
            ("request", _) => fields.push(("externalRequestId".to_owned(), text)),
            ("reason" | "why", _) => fields.push(("reason".to_owned(), text)),
            ("count", _) => fields.push(("cnt".to_owned(), text)),
            ("target", _) => fields.push(("request".to_owned(), text)),
            (name, _) => fields.push((key(name), text)),
        }
    }
    let fields: Vec<_> = fields
        .iter()
        .map(|(name, value)| format!("{name}={}", extension(value)))
        .collect();
    line += &fields.join(" ");
    line
}

/// A name of a field: letters and digits alone.
fn key(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    let rest = words.map(|word| {
        let (first, rest) = word.split_at_checked(1).unwrap_or((word, ""));
        first.to_ascii_uppercase() + rest
    });
    let key = first + &rest.collect::<String>();
    key.chars().filter(char::is_ascii_alphanumeric).collect()
}

fn header(text: &str) -> String {
    let one_line = text.replace(['\r', '\n'], " ");
    one_line.replace('\\', "\\\\").replace('|', "\\|")
}

fn extension(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('=', "\\=")
        .replace('\n', "\\n")
        .replace('\r', "\\r")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn entry(kind: &str, told: Value) -> Entry {
        let told = serde_json::value::to_raw_value(&told).expect("JSON");
        Entry {
            index: 7,
            at: 1_790_000_000_000,
            kind: kind.to_owned(),
            entry: Some(told),
        }
    }

    #[test]
    fn an_entry_is_one_line_with_its_facts() {
        let told = json!({
            "actor": {"connection": "acme"}, "event": "refused", "from": "192.0.2.1",
            "request": "00000000-0000-0000-0000-000000000005", "count": 12, "api_key": null,
            "target": "/v1/transactions?limit=1", "why": "it called too often",
        });
        assert_eq!(
            cef(&entry("refused", told)),
            format!(
                "CEF:0|Vestibule|gate|{}|refused|refused|6|rt=1790000000000 externalId=7 suser=connection:acme src=192.0.2.1 externalRequestId=00000000-0000-0000-0000-000000000005 cnt=12 apiKey=null request=/v1/transactions?limit\\=1 reason=it called too often",
                env!("CARGO_PKG_VERSION")
            )
        );
    }

    /// Alarms are as bad as they are; what is only told is not.
    #[test]
    fn alarms_are_told_as_such() {
        for (kind, told, bad) in [
            ("probe_judged", json!({"held": false}), 9),
            ("probe_judged", json!({"held": true}), 3),
            ("probe_judged", json!({"held": null}), 3),
            ("keys_factored", json!({"burned": ["f"]}), 9),
            ("key_offer_refused", json!({"reason": "not theirs"}), 6),
            ("key_offered", json!({}), 3),
        ] {
            let one = entry(kind, told);
            assert_eq!(severity(&one), bad, "{kind}");
            let header = cef(&one);
            assert_eq!(header.split('|').nth(6), Some(bad.to_string().as_str()));
        }
    }

    /// A provider's words stay in their field, whatever they are.
    #[test]
    fn nothing_that_is_told_begins_a_line_or_a_field() {
        let evil = "x\nCEF:0|Evil|gate|1|a|b|1| suser=owner\r\n\\|= \u{2028}\u{1b}[2J";
        let told =
            json!({"actor": {"operator": evil}, "event": "e", "reason": evil, "a|b=c": evil});
        let line = cef(&entry("connection_suspended", told));
        assert!(!line.contains(['\n', '\r']), "{line}");
        let mut fields = line.split("reason=").nth(1).expect("a reason").chars();
        let mut escaped = false;
        let ends = fields.position(|char| {
            let bare = char == '=' && !escaped;
            escaped = char == '\\' && !escaped;
            bare
        });
        // The next bare '=' is that of the next field, whose name is ours.
        let told = line.split("reason=").nth(1).expect("a reason");
        let upto: String = told.chars().take(ends.expect("a field")).collect();
        assert!(upto.ends_with(" abc"), "{line}");
        let header = cef(&entry("a|b\\c\nd", json!({})));
        assert!(header.contains("|a\\|b\\\\c d|"), "{header}");
        let json = serde_json::to_string(&entry("x", json!({"reason": evil}))).expect("JSON");
        assert!(!json.contains(['\n', '\r', '\u{1b}']), "{json}");
    }
}

//! Syslog (RFC 5424): the frame around an entry. A line each, as RFC 6587 §3.4.2 sends them over TCP.

use jiff::Timestamp;
use url::Url;

use super::Entry;
use crate::output::printable;

/// Facility 13: log audit.
const FACILITY: u8 = 13;
/// Longest names, in characters.
const MAX_HOST: usize = 255;
const MAX_MSGID: usize = 32;
/// A sequence number begins again at 1 after this.
const MAX_SEQUENCE: u64 = 2_147_483_647;
/// Says that a message is UTF-8.
const BOM: char = '\u{feff}';

/// What stands before each message of a gate.
pub(super) struct Frame {
    host: String,
}

impl Frame {
    /// Of the gate at this address.
    pub(super) fn of(public: &Url) -> Self {
        Self {
            host: word(public.host_str().unwrap_or_default(), MAX_HOST),
        }
    }

    /// An entry as one message. `how_bad` counts to 10, as CEF does.
    pub(super) fn around(&self, entry: &Entry, how_bad: u8, message: &str) -> String {
        // What would end the line or act on a terminal is escaped, whatever the message is.
        let message = printable(message);
        let bom = if message.is_ascii() {
            String::new()
        } else {
            BOM.to_string()
        };
        format!(
            "<{}>1 {} {} vestibule - {} [origin{}{}][meta{}] {bom}{message}",
            FACILITY * 8 + severity(how_bad),
            time(entry.at),
            self.host,
            word(&entry.kind, MAX_MSGID),
            parameter("software", "vestibule gate"),
            parameter("swVersion", env!("CARGO_PKG_VERSION")),
            parameter("sequenceId", &(entry.index % MAX_SEQUENCE + 1).to_string()),
        )
    }
}

/// From CEF's severities to syslog's: critical, error, warning, notice, information.
const fn severity(how_bad: u8) -> u8 {
    match how_bad {
        10.. => 2,
        8..=9 => 3,
        6..=7 => 4,
        4..=5 => 5,
        0..=3 => 6,
    }
}

/// RFC 3339 in UTC; the nil value where there is no such time.
fn time(at: i64) -> String {
    Timestamp::from_millisecond(at).map_or_else(
        |_| "-".to_owned(),
        |at| at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
    )
}

/// A field of the header: printable ASCII without a space, and not too long; the nil value is nothing.
fn word(text: &str, longest: usize) -> String {
    let fits = text.chars().filter(char::is_ascii_graphic);
    let word: String = fits.take(longest).collect();
    if word.is_empty() {
        "-".to_owned()
    } else {
        word
    }
}

/// A parameter of structured data.
fn parameter(name: &str, value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    for char in printable(value).chars() {
        if matches!(char, '"' | '\\' | ']') {
            escaped.push('\\');
        }
        escaped.push(char);
    }
    format!(" {name}=\"{escaped}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(kind: &str, index: u64) -> Entry {
        Entry {
            index,
            at: 1_790_000_000_007,
            kind: kind.to_owned(),
            entry: None,
        }
    }

    fn frame() -> Frame {
        Frame::of(&"https://gate.example/v1".parse().expect("a URL"))
    }

    #[test]
    fn a_message_is_as_rfc_5424_says() {
        let version = env!("CARGO_PKG_VERSION");
        assert_eq!(
            frame().around(&entry("connection_suspended", 7), 5, "CEF:0|Vestibule"),
            format!(
                "<109>1 2026-09-21T14:13:20.007Z gate.example vestibule - connection_suspended [origin software=\"vestibule gate\" swVersion=\"{version}\"][meta sequenceId=\"8\"] CEF:0|Vestibule"
            )
        );
        for (how_bad, priority) in [(10, 106), (9, 107), (8, 107), (6, 108), (5, 109), (3, 110)] {
            let line = frame().around(&entry("x", 0), how_bad, "m");
            assert!(line.starts_with(&format!("<{priority}>1 ")), "{line}");
        }
    }

    /// The byte order mark is what says UTF-8; ASCII needs none.
    #[test]
    fn what_is_not_ascii_is_marked_as_utf_8() {
        let line = frame().around(&entry("x", 0), 3, "Zürich");
        assert!(line.ends_with("] \u{feff}Zürich"), "{line}");
        let line = frame().around(&entry("x", 0), 3, "Bern");
        assert!(line.ends_with("] Bern") && line.is_ascii(), "{line}");
    }

    #[test]
    fn nothing_that_is_told_ends_a_line_or_begins_a_field() {
        let evil = "x\n<106>1 - evil\r\u{1b}[2J\u{202e}\u{0}";
        let line = frame().around(&entry(evil, 0), 3, evil);
        assert!(!line.contains(char::is_control), "{line:?}");
        let fields: Vec<_> = line.splitn(7, ' ').collect();
        assert_eq!(fields[5], "x<106>1-evil[2J", "a message's kind is one word");
        assert!(fields[6].starts_with("[origin "), "{line}");
        assert!(
            line.contains("x\\n<106>1 - evil\\r\\u001b[2J\\u202e\\u0000"),
            "{line}"
        );
        let long = frame().around(&entry(&"k".repeat(90), 0), 3, "m");
        assert_eq!(long.split(' ').nth(5).map(str::len), Some(MAX_MSGID));
        assert_eq!(
            parameter("a", "1\"]\\\n"),
            " a=\"1\\\"\\]\\\\\\\\n\"",
            "what is escaped for a terminal is escaped once more"
        );
    }

    #[test]
    fn what_is_not_known_is_nil_and_numbers_begin_again() {
        let nobody = Frame::of(&"data:x".parse().expect("a URL"));
        let lost = Entry {
            at: i64::MAX,
            ..entry("é", MAX_SEQUENCE)
        };
        let line = nobody.around(&lost, 3, "m");
        assert!(
            line.starts_with("<110>1 - - vestibule - - [origin"),
            "{line}"
        );
        assert!(line.contains("[meta sequenceId=\"1\"]"), "{line}");
    }
}

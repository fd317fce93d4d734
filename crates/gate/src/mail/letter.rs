//! What a letter says. Headers are made of the gate's own words, of parsed addresses and of names that
//! have nothing in them but what can be seen. Pure.

use std::time::{Duration, UNIX_EPOCH};

use lettre::Message;
use lettre::message::Mailbox;
use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use protocol::csr::is_printable;
use protocol::ids::WorkspaceId;
use protocol::time::Millis;
use uuid::Uuid;

use super::owed::{Owed, Side};
use super::{Mail, MailAddress};
use crate::connections::{DAY, DEFAULT_DAYS, Mode};

/// Most characters of a name that a letter repeats.
const MAX_NAME: usize = 80;

/// From which gate a letter comes.
pub(super) struct Writer<'g> {
    pub(super) mail: &'g Mail,
    pub(super) workspace: WorkspaceId,
    /// How providers reach the gate.
    pub(super) public: &'g str,
}

/// No machine answers it (RFC 3834).
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

impl Writer<'_> {
    /// The letter. Sent twice, it is the same one: mail systems know it by its id.
    pub(super) fn letter(&self, owed: &Owed, now: Millis) -> Result<Message, lettre::error::Error> {
        let mailbox = |name: Option<&str>, address: &MailAddress| {
            Mailbox::new(name.map(str::to_owned), address.address())
        };
        let sent = u64::try_from(now.0).unwrap_or_default();
        Message::builder()
            .date(UNIX_EPOCH + Duration::from_millis(sent))
            .message_id(Some(self.id(owed)))
            .from(mailbox(Some("Vestibule"), &self.mail.from))
            .to(mailbox(None, &owed.to))
            .subject(format!(
                "Connection {} ends on {}",
                seen(&owed.connection),
                moment(owed.until)
            ))
            .header(AutoSubmitted)
            .header(ContentType::TEXT_PLAIN)
            .body(self.text(owed, now))
    }

    fn id(&self, owed: &Owed) -> String {
        let name = format!(
            "{} {} {} {} {}",
            self.workspace, owed.connection, owed.to, owed.until, owed.days
        );
        let id = Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes());
        format!("<{id}@{}>", self.mail.from.domain())
    }

    fn text(&self, owed: &Owed, now: Millis) -> String {
        let name = seen(&owed.connection);
        let left = match owed.until.0.saturating_sub(now.0).max(0) / DAY {
            0 => "less than a day".to_owned(),
            1 => "a day".to_owned(),
            days => format!("{days} days"),
        };
        let then = match owed.mode {
            Mode::Guarded => "its requests are refused, and it gets no more webhooks.",
            Mode::Fed => "it gets no more reports and webhooks.",
            Mode::Watched => {
                "its key should be nobody's. It is straight at Fireblocks, where nothing\r\nends by itself."
            }
        };
        let ends = match (owed.mode, owed.side) {
            (Mode::Watched, Side::Client) => {
                "If it is to end,\r\ndelete its API user in the Console: nothing else ends it."
            }
            (Mode::Watched, Side::Provider) => {
                "If it is to end,\r\nthe client deletes its API user at Fireblocks."
            }
            _ => "If it is to end,\r\nthere is nothing to do.",
        };
        let (extends, told) = match owed.side {
            Side::Client => (
                "To extend it, an admin of the gate runs",
                "because gate.toml names this address in [mail]",
            ),
            Side::Provider => (
                "To extend it, ask the client: an admin of its gate runs",
                "because this address is the connection's contact",
            ),
        };
        let later = day(owed.until.plus(DEFAULT_DAYS * DAY));
        format!(
            "The connection {name} of the provider \"{provider}\"\r\nat the gate {gate}\r\nends on {until}, in {left}.\r\n\r\nFrom then on {then}\r\n\r\n{extends}\r\n\r\n    vestibule gate connection change {name} --until {later} --reason 'WHY'\r\n\r\nand as many operators sign as the gate's quorum asks for. {ends}\r\n\r\n--\r\nThis was sent {told}:\r\n14, 7 and 1 days before the end. No answer to it is read.\r\n",
            provider = seen(&owed.provider),
            gate = seen(self.public),
            until = moment(owed.until),
        )
    }
}

/// A text from outside: one line of what can be seen, and not too much of it.
pub(super) fn seen(text: &str) -> String {
    let shown = |char| if is_printable(char) { char } else { '\u{fffd}' };
    text.chars().take(MAX_NAME).map(shown).collect()
}

fn moment(at: Millis) -> String {
    written(at, "%Y-%m-%d %H:%M UTC")
}

fn day(at: Millis) -> String {
    written(at, "%Y-%m-%d")
}

fn written(at: Millis, form: &str) -> String {
    let at = jiff::Timestamp::from_millisecond(at.0);
    at.map_or_else(|_| "DATE".to_owned(), |at| at.strftime(form).to_string())
}

#[cfg(test)]
mod tests;

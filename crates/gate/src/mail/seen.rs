//! How far the letters are, and whether the server would take them now.

use std::fmt;
use std::time::Duration;

use protocol::time::Millis;
use serde::{Deserialize, Serialize};
use store::StoreError;

use super::owed::{Owed, Side};
use super::send::all_owed;
use super::session::{Session, Trouble};
use super::{Mail, MailAddress};
use crate::gate::Gate;

/// How long somebody who looks waits for the server.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a letter may wait untried before that is a fault, in milliseconds.
const LATE: i64 = Millis::HOUR;

/// A letter that no mail server has taken yet, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// About which connection.
    pub connection: String,
    /// To which side.
    pub side: Side,
    /// To whom.
    pub to: MailAddress,
    /// How many days before the end it was to say so.
    pub days: i64,
    /// How often it was tried.
    pub tries: u32,
    /// When it is tried next.
    pub next_at: Millis,
    /// What was wrong last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

impl From<Owed> for Waiting {
    fn from(owed: Owed) -> Self {
        Self {
            connection: owed.connection,
            side: owed.side,
            to: owed.to,
            days: owed.days,
            tries: owed.tries,
            next_at: owed.due_at,
            trouble: owed.trouble,
        }
    }
}

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", self.connection, self.to)?;
        match &self.trouble {
            Some(trouble) => write!(f, " (tried {} times: {trouble})", self.tries),
            None => f.write_str(" (not tried yet)"),
        }
    }
}

/// What was seen.
pub(crate) struct Look {
    /// As what, and whether the server lets the gate in.
    pub(crate) server: (String, Result<(), Trouble>),
    /// What it has not taken.
    pub(crate) waiting: Vec<Waiting>,
    /// The connections that have no contact.
    pub(crate) silent: Vec<String>,
    at: Millis,
}

impl Look {
    /// Whether every letter has gone out that had the time to.
    pub(crate) fn is_well(&self) -> bool {
        let late = |one: &Waiting| self.at.0.saturating_sub(one.next_at.0) > LATE;
        !self
            .waiting
            .iter()
            .any(|one| one.trouble.is_some() || late(one))
    }
}

/// Looks; nothing where no mail is configured. The server is asked now.
pub(crate) async fn look(gate: &Gate) -> Result<Option<Look>, StoreError> {
    let Some(mail) = &gate.config.mail else {
        return Ok(None);
    };
    let server = Session::open(gate, mail, PATIENCE).await;
    let server = match server {
        Ok(session) => {
            session.quit().await;
            Ok(())
        }
        Err(trouble) => Err(trouble),
    };
    let waiting = all_owed(gate, mail).await?;
    let at = gate.clock.now();
    let directory = gate.directory.load();
    let silent = directory
        .living(at)
        .filter(|one| one.connection.contact.is_none());
    Ok(Some(Look {
        server: (place(mail), server),
        waiting: waiting.into_iter().map(Waiting::from).collect(),
        silent: silent.map(|one| one.connection.name.clone()).collect(),
        at,
    }))
}

fn place(mail: &Mail) -> String {
    let whom = mail.login.as_ref();
    let whom = whom.map_or_else(String::new, |login| format!(" as {}", login.user));
    format!("{}:{}{whom}", mail.server, mail.port())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::tests::address;
    use crate::testing::NOW;

    #[test]
    fn a_letter_that_was_refused_or_waits_long_is_a_fault() {
        let one = Waiting {
            connection: "acme".to_owned(),
            side: Side::Provider,
            to: address("ops@acme.example"),
            days: 7,
            tries: 0,
            next_at: NOW,
            trouble: None,
        };
        let is_well = |waiting: &[Waiting], at| {
            let look = Look {
                server: ("mail.example:587".to_owned(), Ok(())),
                waiting: waiting.to_vec(),
                silent: Vec::new(),
                at,
            };
            look.is_well()
        };
        let all = [one.clone()];
        assert!(is_well(&[], NOW) && is_well(&all, NOW) && is_well(&all, NOW.plus(LATE)));
        assert!(!is_well(&all, NOW.plus(LATE + 1)));
        let refused = Waiting {
            tries: 1,
            trouble: Some("550 no such user".to_owned()),
            ..one
        };
        assert!(!is_well(&[refused], NOW));
    }
}

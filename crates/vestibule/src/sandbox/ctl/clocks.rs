//! The clock of a workspace. Tokens are judged by the machine's all the same.

use clap::Subcommand;
use protocol::time::Millis;
use serde_json::json;

use super::{Ask, HERE};
use crate::sandbox::serve::moment;

#[derive(Debug, Subcommand)]
pub(super) enum Clock {
    /// What it shows.
    #[command(after_help = "Example:
  vestibule sandbox ctl clock show")]
    Show,
    /// It stands from now on.
    #[command(after_help = "Examples:
  vestibule sandbox ctl clock freeze
  vestibule sandbox ctl clock freeze --at 2030-01-01T00:00:00Z")]
    Freeze {
        /// Where; unless told, where it is.
        #[arg(long, value_name = "TIME", value_parser = moment)]
        at: Option<Millis>,
    },
    /// It runs on from where it stands.
    #[command(after_help = "Example:
  vestibule sandbox ctl clock unfreeze")]
    Unfreeze,
    /// It shows this: not before the workspace's last change.
    #[command(after_help = "Example:
  vestibule sandbox ctl clock set 2030-01-01T00:00:00Z")]
    Set {
        /// Milliseconds since 1970, or like 2026-01-31T12:00:00Z.
        #[arg(value_name = "TIME", value_parser = moment)]
        at: Millis,
    },
    /// Time passes.
    #[command(after_help = "Examples:
  vestibule sandbox ctl clock advance 24h
  vestibule sandbox ctl clock advance 1500             milliseconds
  vestibule sandbox ctl clock advance 30m --all        in every workspace")]
    Advance {
        /// Milliseconds, or like 24h, 30m, 90s.
        #[arg(value_name = "DURATION", value_parser = duration)]
        by: u64,
        /// In every workspace.
        #[arg(long)]
        all: bool,
    },
}

/// A duration in milliseconds.
fn duration(text: &str) -> Result<u64, String> {
    let millis = text.parse().ok().or_else(|| {
        let read: Option<jiff::SignedDuration> = text.parse().ok();
        u64::try_from(read?.as_millis()).ok()
    });
    millis.ok_or_else(|| "milliseconds, or like 24h, 30m, 90s".to_owned())
}

impl Clock {
    pub(super) fn ask(self) -> Ask {
        let turn = |act: &str, body| Ask::post(format!("{HERE}/clock/{act}"), body);
        match self {
            Self::Show => Ask::get(format!("{HERE}/clock")),
            Self::Freeze { at: None } => turn("freeze", json!({})),
            Self::Freeze { at: Some(at) } => turn("freeze", json!({ "at": at.0 })),
            Self::Unfreeze => turn("unfreeze", json!({})),
            Self::Set { at } => turn("set", json!({ "at": at.0 })),
            Self::Advance { by, all: true } => Ask::post("/clock/advance", json!({ "millis": by })),
            Self::Advance { by, all: false } => turn("advance", json!({ "millis": by })),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_a_number_or_has_units() {
        assert_eq!(duration("1500"), Ok(1_500));
        assert_eq!(duration("24h"), Ok(86_400_000));
        assert_eq!(duration("1m 30s"), Ok(90_000));
        for bad in ["", "soon", "-5s", "1 fortnight"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }
}

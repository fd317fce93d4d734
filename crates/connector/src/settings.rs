//! `connector.toml`: where the connector is, as clients see it.

use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use ipnet::IpNet;
use protocol::handover::parse_range;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use store::Location;
use url::Url;

use crate::Error;
use crate::files;

/// The file's name.
pub const FILE: &str = "connector.toml";
/// Largest file read, in bytes.
const MAX_FILE: u64 = 64 * 1024;

/// What `connector.toml` says. What is not there has a default; what is not known is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The provider's name, in every CSR.
    pub organization: String,
    /// The addresses that requests leave by: clients put them on their lists (practice P4).
    #[serde(deserialize_with = "ranges")]
    pub egress: Vec<IpNet>,
    /// What stands before `/webhooks/NAME` as clients reach it.
    pub public_url: Option<Url>,
    /// Where webhooks are taken in.
    pub listen: SocketAddr,
    /// A `postgres://` URL; a SQLite file in the folder where there is none.
    pub database: Option<String>,
    /// How often the books are compared with upstream, in seconds.
    pub reconcile_seconds: NonZeroU32,
    /// Most calls to one client's upstream in any minute.
    pub calls_per_minute: NonZeroU32,
}

const EVERY_QUARTER_HOUR: NonZeroU32 = NonZeroU32::MIN.saturating_add(899);
const A_CALL_A_SECOND: NonZeroU32 = NonZeroU32::MIN.saturating_add(59);

impl Default for Settings {
    fn default() -> Self {
        Self {
            organization: "Provider".to_owned(),
            egress: Vec::new(),
            public_url: None,
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8090)),
            database: None,
            reconcile_seconds: EVERY_QUARTER_HOUR,
            calls_per_minute: A_CALL_A_SECOND,
        }
    }
}

/// A plain address is a range of one, as in a hand-over file.
fn ranges<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<IpNet>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    let read = |text: &String| {
        parse_range(text).map_err(|why| D::Error::custom(format!("egress '{text}' {why}")))
    };
    texts.iter().map(read).collect()
}

impl Settings {
    /// Reads the file of a folder.
    pub fn read(folder: &Path) -> Result<Self, Error> {
        let path = folder.join(FILE);
        let content = match files::read_limited(&path, MAX_FILE) {
            Ok(content) => content,
            Err(why) if why.kind() == std::io::ErrorKind::NotFound => {
                return Err(Error::NoConnector(folder.to_owned()));
            }
            Err(why) => return Err(Error::file(&path, why)),
        };
        let bad = |why: String| Error::Settings {
            path: path.clone(),
            why,
        };
        let text = std::str::from_utf8(&content).map_err(|error| bad(error.to_string()))?;
        let settings: Self = toml::from_str(text).map_err(|error| bad(error.to_string()))?;
        settings.check().map_err(bad)?;
        Ok(settings)
    }

    /// Whether the settings can be worked with.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.organization.trim().is_empty() {
            return Err("organization must not be empty: it stands in every CSR".to_owned());
        }
        if let Some(wide) = self.egress.iter().find(|net| net.prefix_len() == 0) {
            return Err(format!("egress {wide} is every address there is"));
        }
        if let Some(url) = &self.public_url {
            let plain = matches!(url.scheme(), "http" | "https")
                && url.has_host()
                && url.query().is_none()
                && url.fragment().is_none()
                && url.username().is_empty();
            if !plain {
                return Err("public_url must be an http or https URL without a query".to_owned());
            }
        }
        Ok(())
    }

    /// Where the database is.
    pub(crate) fn location(&self, folder: &Path) -> Result<Location, Error> {
        match &self.database {
            Some(url) => Ok(url.parse()?),
            None => Ok(Location::SqliteFile(folder.join("books.sqlite"))),
        }
    }

    /// The file's text, with a word on each line.
    pub(crate) fn print(&self) -> String {
        let list: Vec<String> = self.egress.iter().map(|net| format!("\"{net}\"")).collect();
        let optional = |name: &str, value: Option<String>, example: &str| match value {
            Some(value) => format!("{name} = {}", toml::Value::String(value)),
            None => format!("# {name} = \"{example}\""),
        };
        format!(
            "# The provider's name, in every CSR.\n\
             organization = {}\n\
             # The addresses that requests leave by; clients put them on their lists.\n\
             egress = [{}]\n\
             # What stands before /webhooks/NAME as clients reach it.\n\
             {}\n\
             # Where webhooks are taken in.\n\
             listen = \"{}\"\n\
             # A SQLite file in this folder, unless there is a URL here.\n\
             {}\n\
             # How often the books are compared with upstream.\n\
             reconcile_seconds = {}\n\
             # Most calls to one client's upstream in any minute.\n\
             calls_per_minute = {}\n",
            toml::Value::String(self.organization.clone()),
            list.join(", "),
            optional(
                "public_url",
                self.public_url.as_ref().map(ToString::to_string),
                "https://hooks.example.com"
            ),
            self.listen,
            optional(
                "database",
                self.database.clone(),
                "postgres://connector@db/books"
            ),
            self.reconcile_seconds,
            self.calls_per_minute,
        )
    }
}

/// Where a folder's things are.
pub(crate) fn keys_folder(folder: &Path) -> PathBuf {
    folder.join("keys")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_read_again() {
        let full = Settings {
            organization: "Acme \"Books\"".to_owned(),
            egress: vec!["203.0.113.7/32".parse().expect("a net")],
            public_url: Some("https://hooks.example.com/x".parse().expect("a URL")),
            database: Some("postgres://a:b@c/d".to_owned()),
            ..Settings::default()
        };
        for settings in [Settings::default(), full] {
            let again: Settings = toml::from_str(&settings.print()).expect("its own print");
            assert_eq!(again, settings);
        }
    }

    #[test]
    fn a_plain_address_is_read_as_a_range_of_one() {
        let text = "egress = [\"127.0.0.1\", \"2001:db8::7\"]";
        let settings: Settings = toml::from_str(text).expect("settings");
        let nets = ["127.0.0.1/32", "2001:db8::7/128"];
        assert_eq!(settings.egress, nets.map(|net| net.parse().expect("a net")));
    }

    #[test]
    fn what_is_not_known_or_cannot_be_is_refused() {
        assert!(toml::from_str::<Settings>("listne = \"127.0.0.1:1\"").is_err());
        assert!(toml::from_str::<Settings>("reconcile_seconds = 0").is_err());
        assert!(toml::from_str::<Settings>("egress = [\"0.0.0.0/0\"]").is_err());
        for bad in [
            "organization = \" \"",
            "public_url = \"ftp://x\"",
            "public_url = \"https://x/?q\"",
        ] {
            let settings: Settings = toml::from_str(bad).expect("of the right form");
            assert!(settings.check().is_err(), "{bad}");
        }
    }
}

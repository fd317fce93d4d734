//! What a gate is told once: where its workspace is, where it listens, who it may send to.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::path::PathBuf;

use ipnet::IpNet;
use protocol::ids::WorkspaceId;
use serde::{Deserialize, Serialize};
use url::Url;
use wire::hooks_out::TargetPolicy;

pub use crate::ages::{Areas, Pace};
use crate::connections::addresses::list;
use crate::gates::GateName;
pub use crate::mail::{Login, Mail, MailAddress, MailTls, PasswordAt};
pub use crate::witnesses::{Log, NoWitnesses, Witness, Witnesses};

/// The gate's configuration, `gate.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The workspace behind the gate.
    pub upstream: Upstream,
    /// Where the gate is reached.
    pub serve: Serve,
    /// How often each subject of the books is walked, and how old it may get.
    #[serde(default)]
    pub areas: Areas,
    /// Where it keeps its books.
    #[serde(default)]
    pub store: StoreAt,
    /// What it keeps of what was read.
    #[serde(default)]
    pub records: Records,
    /// Who is written to before a connection ends, and by which server; missing: nobody is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mail: Option<Mail>,
    /// Where the client itself hears by webhook what providers are reminded of; missing: nowhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<ClientWebhook>,
    /// Who vouches for its log.
    #[serde(default, skip_serializing_if = "Log::is_silent")]
    pub log: Log,
    /// What only a demo, a test or a mishap allows.
    #[serde(default)]
    pub development: Development,
}

/// Where the client itself hears by webhook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientWebhook {
    /// The place.
    pub url: Url,
}

/// The workspace behind the gate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Upstream {
    /// Its API.
    pub base_url: Url,
    /// Which workspace: events of any other are refused, however well signed.
    pub workspace_id: WorkspaceId,
    /// The keys that sign its webhooks.
    pub jwks_url: Url,
    /// Most calls a minute.
    #[serde(default = "Upstream::budget")]
    pub calls_per_minute: NonZeroU32,
    /// How long an answer is waited for, in seconds.
    #[serde(default = "Upstream::timeout")]
    pub timeout_seconds: NonZeroU32,
}

impl Upstream {
    /// Calls a minute where nobody says otherwise.
    pub fn budget() -> NonZeroU32 {
        NonZeroU32::new(300).unwrap_or(NonZeroU32::MIN)
    }

    /// Seconds an answer is waited for where nobody says otherwise.
    pub fn timeout() -> NonZeroU32 {
        NonZeroU32::new(60).unwrap_or(NonZeroU32::MIN)
    }
}

/// Where the gate is reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Serve {
    /// Providers, and webhooks from upstream.
    pub listen: SocketAddr,
    /// The client's own people; loopback.
    pub admin: SocketAddr,
    /// What stands between the network and the providers' listener.
    #[serde(default)]
    pub entrance: Entrance,
    /// How providers reach it from outside; the listener's own address if missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_url: Option<Url>,
    /// The addresses it calls from: for the Console's IP lists and the providers' firewalls.
    #[serde(default)]
    pub egress_addresses: Vec<IpAddr>,
    /// Most calls a second of one connection.
    #[serde(default = "Serve::rate")]
    pub calls_per_second: NonZeroU32,
    /// Ranges that are not public, and may be webhook targets all the same.
    #[serde(default, deserialize_with = "list")]
    pub private_targets: Vec<IpNet>,
}

/// What stands between the network and a listener.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Entrance {
    /// The certificate that it shows; none: plain HTTP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsFiles>,
    /// Plain HTTP also beyond this machine: TLS ends elsewhere.
    pub plain_http: bool,
    /// The proxies that it stands behind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub behind: Option<Behind>,
}

/// A certificate and its key, PEM; read again when they change. Relative to the gate's folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsFiles {
    /// The chain, the gate's own first.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// Proxies that are believed when they say who calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Behind {
    /// Their addresses.
    #[serde(deserialize_with = "list")]
    pub proxies: Vec<IpNet>,
    /// How they say it.
    pub tell: Tell,
}

/// How a proxy says who calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tell {
    /// A preamble of the PROXY protocol, version 2, before anything else.
    #[default]
    ProxyProtocol,
    /// The header `Forwarded` (RFC 7239) of each request.
    Forwarded,
}

impl Serve {
    /// Where webhooks may go.
    pub fn targets(&self) -> TargetPolicy {
        TargetPolicy::Public {
            except: self.private_targets.clone(),
        }
    }

    /// Calls a second of one connection where nobody says otherwise.
    pub fn rate() -> NonZeroU32 {
        NonZeroU32::new(500).unwrap_or(NonZeroU32::MIN)
    }
}

/// Where the gate keeps its books.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoreAt {
    /// `postgres://...`; a file in the gate's folder if missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// What this gate is called among several over one database; each has a name of its own, or none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<GateName>,
}

/// Access records: what was read, by whom.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Records {
    /// For how many days; missing: for ever. Then they are deleted, and the log tells so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_days: Option<NonZeroU32>,
}

/// What only a demo or a test allows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Development {
    /// Take the sandbox's published keys from providers.
    #[serde(default)]
    pub allow_known_keys: bool,
    /// Start although the log has entries of later than now: the clock was ahead when they were written.
    #[serde(default)]
    pub clock_was_ahead: bool,
    /// Speak with the workspace, or fetch the keys of its webhooks, in clear beyond this machine.
    #[serde(default)]
    pub plain_upstream: bool,
}

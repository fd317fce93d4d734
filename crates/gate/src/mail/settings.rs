//! The mail server and who is written to, as `gate.toml` says it. Pure.

use std::net::IpAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::MailAddress;

/// Most of the client's people that are written to.
const MAX_TO: usize = 20;
/// Longest user name, in bytes.
const MAX_USER: usize = 320;

/// `[mail]`: the server that takes letters, and who is written to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mail {
    /// The server's name, as its certificate has it.
    pub server: String,
    /// Its port: 587, and 465 where TLS is implicit, if missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// How the way to it is secured.
    #[serde(default)]
    pub tls: MailTls,
    /// Certificates (PEM) that it may be vouched for by, beside those this machine trusts. Relative to
    /// the gate's folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust: Option<PathBuf>,
    /// As whom; missing: the server takes letters from whoever comes from here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login: Option<Login>,
    /// Who writes.
    pub from: MailAddress,
    /// The client's people.
    pub to: Vec<MailAddress>,
}

/// How the way to a mail server is secured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MailTls {
    /// TLS after a greeting; where the server offers none, nothing more is said.
    #[default]
    Starttls,
    /// TLS from the first byte.
    Implicit,
    /// None: on this machine alone.
    None,
    /// None, also beyond this machine. Whoever is on the way reads every letter.
    NoneAcrossTheNetwork,
}

/// As whom the gate comes to a mail server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Login {
    /// The user's name.
    pub user: String,
    /// Where its password is.
    pub password: PasswordAt,
}

/// Where a password is; read anew for each session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PasswordAt {
    /// A file that nobody but the gate's user can read: its first line. Relative to the gate's folder.
    File(PathBuf),
    /// A variable of the gate's environment.
    Variable(String),
}

/// A login as the file has it. Each place has a name of its own: a password that stands in the file by
/// mistake is no setting, and is not repeated as one that is wrong.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    user: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    password_file: Option<PathBuf>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    password_variable: Option<String>,
}

impl TryFrom<Written> for Login {
    type Error = &'static str;

    fn try_from(written: Written) -> Result<Self, &'static str> {
        let password = match (written.password_file, written.password_variable) {
            (Some(file), None) => PasswordAt::File(file),
            (None, Some(variable)) => PasswordAt::Variable(variable),
            _ => return Err("it takes either password_file or password_variable"),
        };
        Ok(Self {
            user: written.user,
            password,
        })
    }
}

impl From<Login> for Written {
    fn from(login: Login) -> Self {
        let (password_file, password_variable) = match login.password {
            PasswordAt::File(file) => (Some(file), None),
            PasswordAt::Variable(variable) => (None, Some(variable)),
        };
        Self {
            user: login.user,
            password_file,
            password_variable,
        }
    }
}

/// Why no letter would go out by these settings.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadMail {
    /// There is no such server.
    #[error("mail.server '{}' is neither a host's name nor an address", .0.escape_debug())]
    Server(String),
    /// Letters would cross the network in clear.
    #[error(
        "mail.tls is \"none\", and {0} is not this machine: set it to \"starttls\" or \"implicit\", or to \"none-across-the-network\" where everybody on the way may read the letters"
    )]
    Clear(String),
    /// A password would.
    #[error(
        "mail.login: a password never crosses the network in clear. Set mail.tls to \"starttls\" or \"implicit\""
    )]
    ClearLogin,
    /// Nobody is written to.
    #[error("mail.to names 1 to {MAX_TO} addresses of the client's own people")]
    To,
    /// That is nobody.
    #[error("mail.login.user must be 1 to {MAX_USER} characters, without control characters")]
    User,
}

impl Mail {
    /// Whether letters can go out by it, and none in clear that nobody meant to.
    pub fn check(&self) -> Result<(), BadMail> {
        if !self.is_server() {
            return Err(BadMail::Server(self.server.clone()));
        }
        let clear = matches!(self.tls, MailTls::None | MailTls::NoneAcrossTheNetwork);
        if self.tls == MailTls::None && !self.is_here() {
            return Err(BadMail::Clear(self.server.clone()));
        }
        if !(1..=MAX_TO).contains(&self.to.len()) {
            return Err(BadMail::To);
        }
        let Some(login) = &self.login else {
            return Ok(());
        };
        let user = &login.user;
        if !(1..=MAX_USER).contains(&user.len()) || user.chars().any(char::is_control) {
            return Err(BadMail::User);
        }
        if clear && !self.is_here() {
            return Err(BadMail::ClearLogin);
        }
        Ok(())
    }

    /// Where it listens.
    pub(super) fn port(&self) -> u16 {
        self.port.unwrap_or(match self.tls {
            MailTls::Starttls => 587,
            MailTls::Implicit => 465,
            MailTls::None | MailTls::NoneAcrossTheNetwork => 25,
        })
    }

    fn is_server(&self) -> bool {
        let domain = |host| matches!(host, url::Host::Domain(name) if name == self.server);
        self.server.parse::<IpAddr>().is_ok() || url::Host::parse(&self.server).is_ok_and(domain)
    }

    /// Whether it is this machine.
    fn is_here(&self) -> bool {
        let address: Result<IpAddr, _> = self.server.parse();
        self.server == "localhost" || address.is_ok_and(|address| address.is_loopback())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: &str = r#"
        server = "mail.example.com"
        from = "gate@example.com"
        to = ["treasury@example.com"]
    "#;
    const LOGIN: &str = "[login]\nuser = \"gate\"\npassword_file = \"mail-password\"";

    fn read(text: &str) -> Mail {
        toml::from_str(text).expect("settings")
    }

    #[test]
    fn what_is_not_said_is_the_safe_way() {
        let mail = read(LEAST);
        assert_eq!((mail.tls, mail.port()), (MailTls::Starttls, 587));
        assert_eq!(mail.check(), Ok(()));
        let implicit = read(&format!("tls = \"implicit\"{LEAST}{LOGIN}"));
        assert_eq!((implicit.port(), implicit.check()), (465, Ok(())));
        let written = toml::to_string(&implicit).expect("TOML");
        assert_eq!(read(&written), implicit);
    }

    #[test]
    fn nothing_goes_in_clear_beyond_this_machine_unless_it_was_said_and_a_password_never() {
        let clear = |server: &str, tls: &str, login: &str| {
            let text = LEAST.replace("mail.example.com", server);
            read(&format!("tls = \"{tls}\"{text}{login}")).check()
        };
        for here in ["127.0.0.1", "127.8.8.8", "::1", "localhost"] {
            assert_eq!(clear(here, "none", LOGIN), Ok(()), "{here}");
        }
        for there in ["mail.example.com", "10.0.0.1", "localhost.example.com"] {
            let refused = clear(there, "none", "").expect_err(there);
            assert_eq!(refused, BadMail::Clear(there.to_owned()));
            assert_eq!(clear(there, "none-across-the-network", ""), Ok(()));
            let refused = clear(there, "none-across-the-network", LOGIN);
            assert_eq!(refused, Err(BadMail::ClearLogin), "{there}");
        }
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for server in [
            "",
            "mail example",
            "mail\r\nexample",
            "https://mail.example",
            "mail/x",
        ] {
            let mail = Mail {
                server: server.to_owned(),
                ..read(LEAST)
            };
            assert_eq!(mail.check(), Err(BadMail::Server(server.to_owned())));
        }
        let mail = read(LEAST);
        for count in [0, MAX_TO + 1] {
            let to = vec![mail.from.clone(); count];
            let mail = Mail { to, ..mail.clone() };
            assert_eq!(mail.check(), Err(BadMail::To), "{count}");
        }
        for user in ["\"\"", "\"gate\\r\\nQUIT\""] {
            let login = LOGIN.replace("\"gate\"", user);
            let refused = read(&format!("{LEAST}{login}")).check();
            assert_eq!(refused, Err(BadMail::User));
        }
        for login in [
            "[login]\nuser = \"gate\"",
            &format!("{LOGIN}\npassword_variable = \"MAIL\""),
            &format!("{LOGIN}\npassword = \"hunter2\""),
        ] {
            let refused = toml::from_str::<Mail>(&format!("{LEAST}{login}"));
            let refused = refused.expect_err("no login");
            assert!(!refused.message().contains("hunter2"), "{refused}");
        }
    }
}

//! A session with the mail server: as safe as it was said, or none. Everything in it has its time.

use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use lettre::Message;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use secrecy::{ExposeSecret, SecretString};
use tokio::net::TcpStream;
use tokio::time::timeout;
use url::{Host, Url};

use super::letter::seen;
use super::stream::ByteByByte;
use super::{Login, Mail, MailTls, PasswordAt};
use crate::gate::Gate;

/// How long the server may take until it has let the gate in, or has taken one letter.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);
/// How long it may take to say goodbye.
const GOODBYE: Duration = Duration::from_secs(2);
/// Largest file of a password or of certificates, in bytes.
const MAX_FILE: u64 = 256 * 1024;

/// Why a letter does not go out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Trouble {
    /// Where the password is.
    #[error("the password in {0}: {1}")]
    Password(String, String),
    /// The certificates that the server may be vouched for by.
    #[error("mail.trust {0}: {1}")]
    Trust(PathBuf, String),
    /// The server would have been told everything in clear.
    #[error(
        "the server offers no STARTTLS, and nothing is sent in clear: mend it, or set mail.tls to \"implicit\""
    )]
    NoTls,
    /// It did not answer.
    #[error("it did not answer within {} seconds", .0.as_secs())]
    Slow(Duration),
    /// What it said, or what became of the connection.
    #[error("{0}")]
    Server(String),
    /// The letter cannot be written.
    #[error("the letter cannot be written: {0}")]
    Letter(String),
    /// The gate's own store.
    #[error("the store cannot be read or written: {0}")]
    Store(String),
}

impl From<lettre::transport::smtp::Error> for Trouble {
    fn from(error: lettre::transport::smtp::Error) -> Self {
        Self::Server(seen(&error.to_string()))
    }
}

/// A session; in the middle of something that it did not finish, it is over.
pub(super) struct Session {
    smtp: AsyncSmtpConnection,
    stuck: bool,
}

impl Session {
    /// Opens one: reached, secured, and let in.
    pub(super) async fn open(
        gate: &Gate,
        mail: &Mail,
        patience: Duration,
    ) -> Result<Self, Trouble> {
        let (folder, settings) = (gate.folder.path().to_owned(), mail.clone());
        // Files, and this machine's certificates among them.
        let made = tokio::task::spawn_blocking(move || {
            Ok::<_, Trouble>((tls(&folder, &settings)?, credentials(&folder, &settings)?))
        });
        let made = made
            .await
            .map_err(|error| Trouble::Server(error.to_string()));
        let (tls, credentials) = made??;
        let hello = hello(&gate.public);
        let opened = connect(mail, tls, credentials, &hello);
        let opened = timeout(patience, opened).await;
        opened.map_err(|_| Trouble::Slow(patience))?
    }

    /// The server has the letter once this returns.
    pub(super) async fn send(&mut self, letter: &Message) -> Result<(), Trouble> {
        let text = letter.formatted();
        let sent = self.smtp.send(letter.envelope(), &text);
        match timeout(PATIENCE, sent).await {
            Ok(taken) => Ok(taken.map(drop)?),
            Err(_) => {
                self.stuck = true;
                Err(Trouble::Slow(PATIENCE))
            }
        }
    }

    /// Whether nothing more can be sent by it.
    pub(super) fn is_over(&self) -> bool {
        self.stuck || self.smtp.has_broken()
    }

    /// Ends it in an orderly way, if the server lets it.
    pub(super) async fn quit(mut self) {
        if !self.is_over() {
            let _ = timeout(GOODBYE, self.smtp.quit()).await;
        }
    }
}

async fn connect(
    mail: &Mail,
    tls: Option<TlsParameters>,
    credentials: Option<Credentials>,
    hello: &ClientId,
) -> Result<Session, Trouble> {
    let at = (mail.server.as_str(), mail.port());
    let plain = || async {
        let stream = TcpStream::connect(at).await;
        let stream = stream.map_err(|error| Trouble::Server(error.to_string()))?;
        let stream = Box::new(ByteByByte(stream));
        Ok::<_, Trouble>(AsyncSmtpConnection::connect_with_transport(stream, hello).await?)
    };
    let mut session = match (mail.tls, tls) {
        (MailTls::Implicit, tls) => {
            AsyncSmtpConnection::connect_tokio1(at, Some(PATIENCE), hello, tls, None).await?
        }
        (MailTls::Starttls, Some(tls)) => {
            let mut session = plain().await?;
            if !session.can_starttls() {
                session.abort().await;
                return Err(Trouble::NoTls);
            }
            session.starttls(tls, hello).await?;
            session
        }
        (MailTls::Starttls | MailTls::None | MailTls::NoneAcrossTheNetwork, _) => plain().await?,
    };
    let clear = matches!(mail.tls, MailTls::None | MailTls::NoneAcrossTheNetwork);
    if !clear && !session.is_encrypted() {
        return Err(Trouble::NoTls);
    }
    if let Some(credentials) = credentials {
        let how = [Mechanism::Plain, Mechanism::Login];
        session.auth(&how, &credentials).await?;
    }
    Ok(Session {
        smtp: session,
        stuck: false,
    })
}

/// What the server's certificate is held against; nothing where there is no TLS.
fn tls(folder: &Path, mail: &Mail) -> Result<Option<TlsParameters>, Trouble> {
    if matches!(mail.tls, MailTls::None | MailTls::NoneAcrossTheNetwork) {
        return Ok(None);
    }
    let mut tls = TlsParameters::builder(mail.server.clone());
    if let Some(file) = &mail.trust {
        let file = folder.join(file);
        let bad = |why: String| Trouble::Trust(file.clone(), why);
        let text = read(&file).map_err(|error| bad(error.to_string()))?;
        let trusted = Certificate::from_pem(text.expose_secret().as_bytes());
        tls = tls.add_root_certificate(trusted.map_err(|error| bad(error.to_string()))?);
    }
    Ok(Some(tls.build()?))
}

/// What the gate is let in by.
fn credentials(folder: &Path, mail: &Mail) -> Result<Option<Credentials>, Trouble> {
    let password = |login: &Login| {
        let password = password(folder, &login.password)?;
        let secret = password.expose_secret().to_owned();
        Ok(Credentials::new(login.user.clone(), secret))
    };
    mail.login.as_ref().map(password).transpose()
}

fn password(folder: &Path, at: &PasswordAt) -> Result<SecretString, Trouble> {
    let (place, text) = match at {
        PasswordAt::Variable(name) => {
            let place = format!("the variable {}", seen(name));
            let text = std::env::var(name)
                .map(SecretString::from)
                .map_err(|_| Trouble::Password(place.clone(), "it is not set".to_owned()))?;
            (place, text)
        }
        PasswordAt::File(file) => {
            let file = folder.join(file);
            let place = file.display().to_string();
            let bad = |why: String| Trouble::Password(place.clone(), why);
            let about = fs::metadata(&file).map_err(|error| bad(error.to_string()))?;
            if about.permissions().mode() & 0o077 != 0 {
                return Err(bad("others may read it: chmod 600".to_owned()));
            }
            let text = read(&file).map_err(|error| bad(error.to_string()))?;
            (place, text)
        }
    };
    match text.expose_secret().lines().next() {
        Some(line) if !line.is_empty() => Ok(SecretString::from(line)),
        _ => Err(Trouble::Password(
            place,
            "its first line is empty".to_owned(),
        )),
    }
}

/// Reads a small file.
fn read(file: &Path) -> std::io::Result<SecretString> {
    let mut text = String::new();
    let mut file = fs::File::open(file)?.take(MAX_FILE + 1);
    file.read_to_string(&mut text)?;
    let text = SecretString::from(text);
    if text.expose_secret().len() as u64 > MAX_FILE {
        return Err(std::io::Error::other(format!(
            "it is larger than {} KiB",
            MAX_FILE / 1024
        )));
    }
    Ok(text)
}

/// By which name the gate greets: that by which it is reached, where it has one.
fn hello(public: &str) -> ClientId {
    let url = Url::parse(public).ok();
    match url.as_ref().and_then(Url::host) {
        Some(Host::Domain(name)) => ClientId::Domain(name.to_owned()),
        _ => ClientId::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::tests::mail;

    #[test]
    fn a_password_is_for_the_gates_user_alone_and_never_told() {
        let home = tempfile::tempdir().expect("a folder");
        let file = home.path().join("mail-password");
        let settings = Mail {
            login: Some(Login {
                user: "gate".to_owned(),
                password: PasswordAt::File("mail-password".into()),
            }),
            ..mail()
        };
        let set = |text: &str, mode| {
            fs::write(&file, text).expect("written");
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).expect("set");
            credentials(home.path(), &settings)
        };
        let expected = Credentials::new("gate".to_owned(), "hunter2".to_owned());
        for good in ["hunter2", "hunter2\n", "hunter2\r\nand a note\n"] {
            assert_eq!(set(good, 0o600), Ok(Some(expected.clone())), "{good:?}");
        }
        assert!(!format!("{expected:?}").contains("hunter2"));
        for (text, mode, why) in [
            ("hunter2", 0o644, "chmod 600"),
            ("hunter2", 0o640, "chmod 600"),
            ("", 0o600, "empty"),
            ("\nhunter2", 0o600, "empty"),
            (&"hunter2".repeat(100_000), 0o600, "larger than"),
        ] {
            let refused = set(text, mode).expect_err(why);
            let told = format!("{refused} {refused:?}");
            assert!(told.contains(why) && !told.contains("hunter2"), "{told}");
        }
        fs::remove_file(&file).expect("gone");
        credentials(home.path(), &settings).expect_err("it is not there");
    }

    #[test]
    fn a_password_of_the_environment_is_one_that_is_set() {
        // Every test has these: cargo sets the first.
        let at = |name: &str| password(Path::new("/"), &PasswordAt::Variable(name.to_owned()));
        let held = at("CARGO_MANIFEST_DIR").expect("it is set");
        assert!(held.expose_secret().ends_with("gate"));
        let refused = at("VESTIBULE_NO_SUCH_VARIABLE").expect_err("it is not");
        assert!(refused.to_string().contains("not set"), "{refused}");
    }

    #[test]
    fn the_gate_greets_by_the_name_that_it_is_reached_by() {
        let domain = ClientId::Domain("gate.example".to_owned());
        assert_eq!(hello("https://gate.example:8443"), domain);
        for address in ["http://127.0.0.1:1", "http://[::1]:1", "nowhere"] {
            assert_eq!(hello(address), ClientId::default());
        }
    }
}

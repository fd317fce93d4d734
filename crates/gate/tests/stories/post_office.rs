//! A mail server (RFC 5321, 3207, 4954) of this machine, which keeps what it is given, and how.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gate::config::{Login, Mail, MailTls, PasswordAt};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

const USER: &str = "gate";
const GREETING: &[u8] = b"220 post.example\r\n";
pub const PASSWORD: &str = "correct horse";

/// A server, or its place where it is down.
pub struct PostOffice {
    home: tempfile::TempDir,
    address: SocketAddr,
    desk: Arc<Desk>,
    /// Its place is taken, and nobody answers there.
    shut: Option<TcpSocket>,
}

/// How it behaves.
#[derive(Clone, Default)]
pub struct Manner {
    /// Offers no TLS.
    pub clear: bool,
    /// Begins with TLS.
    pub implicit: bool,
    /// Takes the connection, and says nothing.
    pub silent: bool,
    /// Somebody on the way says this as if it had, in one breath with its word that TLS may begin.
    pub feigned: Option<&'static str>,
    /// Takes no letter for this address.
    pub refuses: Option<&'static str>,
}

/// A letter that it took.
#[derive(Clone, Debug)]
pub struct Letter {
    pub to: String,
    pub text: String,
    /// Whether it came over TLS, from whom the server knows.
    pub safely: bool,
}

impl Letter {
    /// A header's line.
    pub fn header(&self, name: &str) -> String {
        let (head, _) = self.text.split_once("\n\n").expect("head and body");
        let line = head.lines().find(|line| line.starts_with(name));
        line.expect("the header").to_owned()
    }
}

struct Desk {
    tls: TlsAcceptor,
    manner: Mutex<Manner>,
    came: Mutex<usize>,
    /// What it was told without TLS.
    clear: Mutex<Vec<String>>,
    letters: Mutex<Vec<Letter>>,
}

impl PostOffice {
    /// One that is open.
    pub async fn open() -> Self {
        let mut office = Self::shut().await;
        office.opens();
        office
    }

    /// One that is down.
    pub async fn shut() -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
        std::fs::write(home.path().join("trust.pem"), cert.pem()).expect("written");
        let password = home.path().join("password");
        std::fs::write(&password, PASSWORD).expect("written");
        let own = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(&password, own).expect("set");
        let key = signing_key.serialize_der().try_into().expect("a key");
        let tls = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)
            .expect("a configuration");
        let socket = TcpSocket::new_v4().expect("a socket");
        let anywhere = "127.0.0.1:0".parse().expect("an address");
        socket.bind(anywhere).expect("a port");
        Self {
            home,
            address: socket.local_addr().expect("an address"),
            desk: Arc::new(Desk {
                tls: TlsAcceptor::from(Arc::new(tls)),
                manner: Mutex::default(),
                came: Mutex::default(),
                clear: Mutex::default(),
                letters: Mutex::default(),
            }),
            shut: Some(socket),
        }
    }

    /// It is up from now on.
    pub fn opens(&mut self) {
        let socket = self.shut.take().expect("it is shut");
        let listener = socket.listen(16).expect("a listener");
        tokio::spawn(serve(listener, Arc::clone(&self.desk)));
    }

    /// The settings of a gate that sends by it.
    pub fn mail(&self) -> Mail {
        let address = |text: &str| text.parse().expect("an address");
        Mail {
            server: self.address.ip().to_string(),
            port: Some(self.address.port()),
            tls: MailTls::Starttls,
            trust: Some(self.file("trust.pem")),
            login: Some(Login {
                user: USER.to_owned(),
                password: PasswordAt::File(self.file("password")),
            }),
            from: address("gate@client.example"),
            to: vec![address("treasury@client.example")],
        }
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// It behaves so from now on.
    pub fn is(&self, manner: Manner) {
        *self.desk.manner.lock().expect("a lock") = manner;
    }

    /// How many connections came.
    pub fn came(&self) -> usize {
        *self.desk.came.lock().expect("a lock")
    }

    pub fn letters(&self) -> Vec<Letter> {
        self.desk.letters.lock().expect("a lock").clone()
    }

    /// Everything that it was told without TLS.
    pub fn heard_in_clear(&self) -> Vec<String> {
        self.desk.clear.lock().expect("a lock").clone()
    }
}

async fn serve(listener: TcpListener, desk: Arc<Desk>) {
    while let Ok((stream, _)) = listener.accept().await {
        *desk.came.lock().expect("a lock") += 1;
        let manner = desk.manner.lock().expect("a lock").clone();
        // Who hangs up in the middle is no surprise.
        tokio::spawn(session(stream, Arc::clone(&desk), manner));
    }
}

async fn session(stream: TcpStream, desk: Arc<Desk>, manner: Manner) -> std::io::Result<()> {
    if manner.silent {
        let mut stream = BufReader::new(stream);
        stream.read_line(&mut String::new()).await?;
        return Ok(());
    }
    if manner.implicit {
        let mut secured = desk.tls.accept(stream).await?;
        secured.write_all(GREETING).await?;
        talk(&mut BufReader::new(secured), &desk, &manner, true).await?;
        return Ok(());
    }
    let mut stream = BufReader::new(stream);
    stream.write_all(GREETING).await?;
    if talk(&mut stream, &desk, &manner, false).await? {
        let secured = desk.tls.accept(stream.into_inner()).await?;
        talk(&mut BufReader::new(secured), &desk, &manner, true).await?;
    }
    Ok(())
}

/// Talks to the end; whether that is where TLS begins.
async fn talk<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut BufReader<S>,
    desk: &Desk,
    manner: &Manner,
    secured: bool,
) -> std::io::Result<bool> {
    let (mut known, mut to) = (false, String::new());
    let pass = format!(
        "AUTH PLAIN {}",
        STANDARD.encode(format!("\0{USER}\0{PASSWORD}"))
    );
    loop {
        let Some(line) = line(stream).await? else {
            return Ok(false);
        };
        if !secured {
            desk.clear.lock().expect("a lock").push(line.clone());
        }
        let refused = |address: &str| line == format!("RCPT TO:<{address}>");
        let answer: &[u8] = match line.split(' ').next().expect("a word") {
            "EHLO" if secured => b"250-post.example\r\n250 AUTH PLAIN LOGIN\r\n",
            "EHLO" if manner.clear => b"250-post.example\r\n250 AUTH PLAIN LOGIN\r\n",
            "EHLO" => b"250-post.example\r\n250 STARTTLS\r\n",
            "STARTTLS" if !secured && !manner.clear => {
                let feigned = manner.feigned.unwrap_or_default();
                let said = format!("220 go on\r\n{feigned}");
                stream.write_all(said.as_bytes()).await?;
                return Ok(true);
            }
            "AUTH" if line == pass => {
                known = true;
                b"235 welcome\r\n"
            }
            "AUTH" => b"535 who is that?\r\n",
            "RCPT" if manner.refuses.is_some_and(refused) => {
                b"550 no \x1b[31msuch\x1b[0m user here\r\n"
            }
            "RCPT" => {
                to = line.clone();
                b"250 fine\r\n"
            }
            "DATA" => {
                stream.write_all(b"354 go on\r\n").await?;
                let text = text(stream).await?;
                desk.letters.lock().expect("a lock").push(Letter {
                    to: to.trim_start_matches("RCPT TO:").to_owned(),
                    text,
                    safely: secured && known,
                });
                b"250 taken\r\n"
            }
            "QUIT" => {
                stream.write_all(b"221 bye\r\n").await?;
                return Ok(false);
            }
            _ => b"250 fine\r\n",
        };
        stream.write_all(answer).await?;
        stream.flush().await?;
    }
}

async fn line(stream: &mut (impl AsyncBufReadExt + Unpin)) -> std::io::Result<Option<String>> {
    let mut line = String::new();
    let read = stream.read_line(&mut line).await?;
    Ok((read > 0).then(|| line.trim_end().to_owned()))
}

/// What follows, until a dot by itself.
async fn text(stream: &mut (impl AsyncBufReadExt + Unpin)) -> std::io::Result<String> {
    let mut text = String::new();
    while let Some(line) = line(stream).await?.filter(|line| line != ".") {
        text.push_str(&line);
        text.push('\n');
    }
    Ok(text)
}

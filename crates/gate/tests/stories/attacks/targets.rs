//! Addresses that a gate is to call from inside the client's network: where its webhooks go, and where
//! the keys of a signature are said to be. A trap listens there, and must hear nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use protocol::keys::{KeySize, PrivateKey};
use protocol::signature::JWS_HEADER;
use serde_json::{Value, json};

use super::attempt::Attacker;
use crate::desk::{Desk, csr};

/// Counts who calls.
struct Trap {
    port: u16,
    heard: Arc<AtomicUsize>,
}

impl Trap {
    async fn set() -> Self {
        let listener = tokio::net::TcpListener::bind("[::]:0").await;
        let listener = listener.expect("a port");
        let (port, heard) = (
            listener.local_addr().expect("an address").port(),
            Arc::<AtomicUsize>::default(),
        );
        let counts = Arc::clone(&heard);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counts.fetch_add(1, Ordering::SeqCst);
                drop(stream);
            }
        });
        Self { port, heard }
    }

    fn heard(&self) -> usize {
        self.heard.load(Ordering::SeqCst)
    }
}

/// Hosts that are inside, each in a way of its own.
const INSIDE: [&str; 48] = [
    "localhost",
    "LOCALHOST.",
    "hooks.localhost",
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "0",
    "2130706433",
    "017700000001",
    "0x7f000001",
    "0x7f.1",
    "0x7f.0x0.0x0.0x1",
    "0177.0.0.1",
    "0177.0x0.0.1",
    "127.0.0.1.",
    "127\u{3002}0\u{3002}0\u{3002}1",
    "\u{ff11}\u{ff12}\u{ff17}.0.0.1",
    "\u{2460}\u{2461}\u{2466}.0.0.1",
    "%31%32%37.0.0.1",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]",
    "[fe80::1]",
    "[fc00::1]",
    "[fd00:ec2::254]",
    "[ff02::1]",
    "[100::1]",
    "[5f00::1]",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.169.254",
    "0xa9fea9fe",
    "2852039166",
    "[::ffff:169.254.169.254]",
    "100.100.100.200",
    "192.0.0.192",
    "198.18.0.1",
    "255.255.255.255",
];

/// Whole URLs that mean something else than they seem to.
fn twisted(port: u16) -> Vec<String> {
    let inside = format!("127.0.0.1:{port}");
    [
        format!("http://{inside}/"),
        format!("https://{inside}/"),
        format!("http://hooks.example:{port}/"),
        "http://hooks.example/".to_owned(),
        "https://hooks.example:22/".to_owned(),
        format!("https://hooks.example@{inside}/"),
        format!("https://{inside}@hooks.example/"),
        format!("https://{inside}#@hooks.example/"),
        format!("https://{inside}\\@hooks.example/"),
        format!("https:\\\\{inside}/"),
        format!("https:{inside}/"),
        format!("https://hooks.example/#@{inside}"),
        format!("gopher://{inside}/"),
        format!("ftp://{inside}/"),
        format!("dict://{inside}/"),
        format!("ws://{inside}/"),
        format!("http+unix://{inside}/"),
        "file:///etc/passwd".to_owned(),
        "data:text/plain,x".to_owned(),
        "javascript:alert(1)".to_owned(),
        "unix:/run/docker.sock".to_owned(),
        format!("//{inside}/"),
        "/hook".to_owned(),
        "https://".to_owned(),
        "https://local host/".to_owned(),
        "https://hooks.example/\u{0}".to_owned() + &"x".repeat(3_000),
    ]
    .into()
}

async fn ask(desk: &Desk, csr: &str, url: &str) -> u16 {
    let file = json!({
        "version": 1, "provider": "Mallory", "role": "VIEWER", "csr": csr, "addresses": ["192.0.2.1"],
        "webhook_url": url, "scope": {"vault_accounts": ["1"]},
    });
    let body = json!({"name": "mallory", "handover": file.to_string()});
    let asked = desk.ask(&desk.owner, "POST", "/connections", &body).await;
    asked.status
}

#[tokio::test]
async fn invariant_2_no_address_inside_becomes_a_webhooks_target() {
    let (trap, desk) = (
        Trap::set().await,
        Desk::with(|config| config.serve.private_targets.clear()).await,
    );
    let csr = csr(&PrivateKey::generate(KeySize::Rsa2048).expect("a key"));
    let mut urls = twisted(trap.port);
    for host in INSIDE {
        urls.push(format!("https://{host}/"));
        urls.push(format!("http://{host}:{}/", trap.port));
    }
    for url in &urls {
        assert_eq!(ask(&desk, &csr, url).await, 400, "{url}");
    }
    assert_eq!(desk.look("/connections").await, json!([]), "none is kept");
    assert_eq!(trap.heard(), 0);
    // A receiver that is outside is fine: the refusals above were not by chance.
    let fine = ask(&desk, &csr, "https://hooks.example/in").await;
    assert_eq!(fine, 201);
}

#[tokio::test]
async fn invariant_2_no_signature_says_where_its_keys_are() {
    let (trap, desk) = (Trap::set().await, Desk::new().await);
    let acme = desk.enrol("acme").await;
    let forger = Attacker {
        user: acme.user,
        key: PrivateKey::generate(KeySize::Rsa2048).expect("a key"),
    };
    let url = format!("http://127.0.0.1:{}/keys", trap.port);
    let http = reqwest::Client::builder().no_proxy().build();
    let http = http.expect("a client");
    let target = "/vestibule/v1/me";
    let body = r#"{"eventType": "transaction.created"}"#;
    for member in ["jku", "x5u", "iss", "kid", "url"] {
        let claims = Value::Object(forger.claims(target, b"")).to_string();
        let header = json!({"alg": "RS256", "typ": "JWT", member: url});
        let token = forger.signed(&header.to_string(), &claims);
        let read = http.get(format!("{}{target}", desk.gate.origin));
        let read = read.header("X-API-Key", acme.user.to_string());
        let read = read.bearer_auth(token).send().await.expect("an answer");
        assert_eq!(read.status().as_u16(), 401, "a token with {member}");
        let header = json!({"alg": "RS512", "kid": "new", member: url}).to_string();
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let jws = format!("{}..{}", part(&header), part("forged"));
        let event = http.post(format!("{}/webhooks/upstream", desk.gate.origin));
        let event = event.header(JWS_HEADER, jws).body(body).send().await;
        let status = event.expect("an answer").status().as_u16();
        assert_eq!(status, 401, "a webhook with {member}");
    }
    assert_eq!(trap.heard(), 0);
}

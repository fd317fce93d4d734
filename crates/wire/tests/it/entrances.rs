//! Who calls, behind proxies; and TLS.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use ipnet::IpNet;
use ppp::v2;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpSocket;
use wire::server::{Entrance, Proxies, Tls};

use crate::asks::{Ask, Line};
use crate::world::*;

const READ: &str = "/v1/vault/accounts_paged";
/// Where FOREIGN may come from.
const FOREIGNERS: &str = "203.0.113.7";
const NAME: &str = "gate.example";

fn this_machine() -> Vec<IpNet> {
    vec!["127.0.0.1/32".parse().expect("a net")]
}

async fn behind(proxies: Proxies) -> World {
    World::entered(|listener| Entrance::new(listener, proxies, None)).await
}

fn preamble(command: v2::Command, source: &str) -> Vec<u8> {
    let source: std::net::Ipv4Addr = source.parse().expect("an address");
    let addresses = v2::IPv4::new(source, std::net::Ipv4Addr::LOCALHOST, 4_711, 443);
    let version = v2::Version::Two | command;
    let built = v2::Builder::with_addresses(version, v2::Protocol::Stream, addresses);
    built.build().expect("a preamble")
}

#[tokio::test]
async fn invariant_2_a_trusted_proxys_preamble_says_who_calls() {
    let world = behind(Proxies::Preamble(this_machine())).await;
    let foreign = preamble(v2::Command::Proxy, FOREIGNERS);
    for (user, status) in [(FOREIGN, 200), (VIEWER, 401)] {
        let mut line = world.line().await;
        // In pieces, and the last together with the request.
        line.say(&foreign[..5]).await;
        line.say(&[&foreign[5..], &Ask::get(user, READ).bytes()].concat())
            .await;
        let answer = line.hear().await.expect("an answer");
        assert_eq!(answer.status, status, "{answer:?}");
    }
    // The proxy itself looks whether the server is there.
    let mut line = world.line().await;
    let local = preamble(v2::Command::Local, FOREIGNERS);
    line.say(&[local, Ask::get(VIEWER, READ).bytes()].concat())
        .await;
    assert_eq!(line.hear().await.expect("an answer").status, 200);
}

#[tokio::test]
async fn invariant_2_a_trusted_proxy_that_does_not_say_who_calls_is_not_heard() {
    let world = behind(Proxies::Preamble(this_machine())).await;
    let old = format!("PROXY TCP4 {FOREIGNERS} 127.0.0.1 1 2\r\n");
    for first in [Vec::new(), old.into_bytes()] {
        let mut line = world.line().await;
        line.try_say(&[first, Ask::get(VIEWER, READ).bytes()].concat())
            .await;
        assert_eq!(line.hear().await, None);
    }
    assert_eq!(world.answered(), 0);
}

#[tokio::test]
async fn invariant_2_nobody_else_is_believed() {
    let world = behind(Proxies::Preamble(vec![
        "192.0.2.1/32".parse().expect("a net"),
    ]))
    .await;
    let mut line = world.line().await;
    let foreign = preamble(v2::Command::Proxy, FOREIGNERS);
    line.try_say(&[foreign, Ask::get(FOREIGN, READ).bytes()].concat())
        .await;
    assert!(line.hear().await.is_none_or(|answer| answer.status == 400));
    assert_eq!(world.ask(&Ask::get(VIEWER, READ)).await.status, 200);

    let world = behind(Proxies::Forwarded(vec![
        "192.0.2.1/32".parse().expect("a net"),
    ]))
    .await;
    let forwarded = format!("for={FOREIGNERS}");
    let ask = Ask::get(FOREIGN, READ).and("forwarded", &forwarded);
    assert_eq!(world.ask(&ask).await.verdict(), (401, Some(-7)));
}

#[tokio::test]
async fn invariant_2_a_trusted_proxys_header_says_who_calls() {
    let world = behind(Proxies::Forwarded(this_machine())).await;
    let from = |user, value: &str| Ask::get(user, READ).and("forwarded", value);
    let foreign = format!("for=127.0.0.9, for={FOREIGNERS};proto=https, for=127.0.0.1");
    assert_eq!(world.ask(&from(FOREIGN, &foreign)).await.status, 200);
    assert_eq!(
        world.ask(&from(VIEWER, &foreign)).await.verdict(),
        (401, Some(-7))
    );
    // Two requests of one connection may be two callers.
    let mut line = world.line().await;
    for (user, status) in [(FOREIGN, 200), (VIEWER, 401), (FOREIGN, 200)] {
        line.say(&from(user, &format!("for={FOREIGNERS}")).bytes())
            .await;
        assert_eq!(line.hear().await.expect("an answer").status, status);
    }
    for untold in ["for=unknown", "proto=https", "for=127.0.0.1"] {
        assert_eq!(
            world.ask(&from(VIEWER, untold)).await.status,
            400,
            "{untold}"
        );
    }
    assert_eq!(world.ask(&Ask::get(VIEWER, READ)).await.status, 400);
}

/// A certificate in files: itself, as a client must know it.
fn show(folder: &Path) -> reqwest::Certificate {
    let made = generate_simple_self_signed([NAME.to_owned()]).expect("a certificate");
    let CertifiedKey { cert, signing_key } = made;
    std::fs::write(folder.join("key.pem"), signing_key.serialize_pem()).expect("written");
    std::fs::write(folder.join("certificate.pem"), cert.pem()).expect("written");
    reqwest::Certificate::from_pem(cert.pem().as_bytes()).expect("a certificate")
}

async fn read(at: SocketAddr, knows: &reqwest::Certificate) -> reqwest::Result<u16> {
    let client = reqwest::Client::builder()
        .no_proxy()
        .resolve(NAME, at)
        .tls_certs_only([knows.clone()])
        .build()?;
    let ask = Ask::get(VIEWER, READ);
    let mut request = client.get(format!("https://{NAME}:{}{READ}", at.port()));
    for (name, value) in ask.headers.iter().filter(|(name, _)| name != "host") {
        request = request.header(name, value);
    }
    Ok(request.send().await?.status().as_u16())
}

#[tokio::test]
async fn a_certificate_is_shown_and_the_next_one_once_it_is_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let (certificate, key) = (
        folder.path().join("certificate.pem"),
        folder.path().join("key.pem"),
    );
    let first = show(folder.path());
    let tls = Tls::read(&certificate, &key).expect("a certificate");
    let world = World::entered(|listener| Entrance::new(listener, Proxies::None, Some(tls))).await;
    assert_eq!(read(world.at, &first).await.expect("an answer"), 200);
    let stranger = show(tempfile::tempdir().expect("a folder").path());
    assert!(
        read(world.at, &stranger).await.is_err(),
        "another certificate"
    );
    // Whoever speaks in clear is not heard.
    let mut line = world.line().await;
    line.try_say(&Ask::get(VIEWER, READ).bytes()).await;
    assert!(line.hear().await.is_none_or(|answer| answer.status >= 400));
    assert_eq!(world.answered(), 1);

    // What cannot be read changes nothing.
    std::fs::write(&certificate, "no certificate").expect("written");
    assert!(Tls::read(&certificate, &key).is_err());
    assert_eq!(read(world.at, &first).await.expect("an answer"), 200);
    let second = show(folder.path());
    let shown = async {
        while read(world.at, &second).await.is_err() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let shown = tokio::time::timeout(Duration::from_secs(20), shown).await;
    shown.expect("the new certificate is shown in time");
    assert!(read(world.at, &first).await.is_err(), "the old one is gone");
}

/// Handshakes that never end keep nobody else waiting.
#[tokio::test]
async fn who_never_finishes_arriving_is_in_nobodys_way() {
    let world = behind(Proxies::Preamble(vec![
        "127.0.0.2/32".parse().expect("a net"),
    ]))
    .await;
    let mut waiting = Vec::new();
    for _ in 0..50 {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket
            .bind("127.0.0.2:0".parse().expect("an address"))
            .expect("bound");
        let mut stream = socket.connect(world.at).await.expect("a connection");
        stream.write_all(b"\r\n\r\n\0").await.expect("written");
        waiting.push(stream);
    }
    assert_eq!(world.ask(&Ask::get(VIEWER, READ)).await.status, 200);
    let mut line = Line::to(world.at).await;
    line.say(&Ask::get(VIEWER, READ).bytes()).await;
    assert_eq!(line.hear().await.expect("an answer").status, 200);
}

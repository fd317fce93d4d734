//! The gate's own listener, socket by socket: what a change does to one that is open, and whom those that
//! are slow or too many keep waiting.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Instant, timeout};

use crate::caller::Caller;
use crate::desk::{Desk, comes_in};
use crate::processes::address;
use crate::provider::viewer;
use crate::world::{World, until};

const ME: &str = "/vestibule/v1/me";
/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(60);
/// Longest time a head or a body may take at the gate, and some more on a busy machine.
const SLOW: Duration = Duration::from_secs(25);

async fn from(address: &str, to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    let own = format!("{address}:0").parse().expect("an address");
    socket.bind(own).expect("bound");
    socket.connect(to).await.expect("a connection")
}

/// A request's head; its body has this length.
fn head(who: &Caller, method: &str, target: &str, body: &[u8]) -> String {
    let (user, token) = (who.user, who.token(target, body, 0));
    let length = body.len();
    format!(
        "{method} {target} HTTP/1.1\r\nhost: gate\r\nx-api-key: {user}\r\nauthorization: Bearer {token}\r\ncontent-length: {length}\r\n\r\n"
    )
}

/// The status of the next answer, which is read whole; nothing: it was closed instead.
async fn hear(socket: &mut TcpStream) -> Option<u16> {
    let mut heard = Vec::new();
    let read = async {
        loop {
            let text = String::from_utf8_lossy(&heard).to_ascii_lowercase();
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let length = head
                    .lines()
                    .find_map(|line| line.strip_prefix("content-length: "));
                let length = length.map_or(0, |length| length.parse().expect("a number"));
                if body.len() >= length {
                    let status = head.split(' ').nth(1).expect("a status");
                    return Some(status.parse().expect("a number"));
                }
            }
            let mut some = [0; 4096];
            match socket.read(&mut some).await {
                Ok(0) | Err(_) => return None,
                Ok(count) => heard.extend_from_slice(&some[..count]),
            }
        }
    };
    timeout(PATIENCE, read)
        .await
        .expect("an answer, or an end, in time")
}

#[tokio::test]
async fn invariant_2_an_address_that_is_taken_off_the_list_is_out_over_an_open_socket() {
    let desk = Desk::new().await;
    let acme = desk.request("acme", json!({})).await;
    let both = json!({"addresses": ["127.0.0.1", "127.0.0.2"], "reason": "agreed"});
    desk.act(&desk.owner, "acme", "approve", both).await.fine();
    let at = address(&desk.gate.origin);
    let (mut stays, mut goes) = (from("127.0.0.1", at).await, from("127.0.0.2", at).await);
    for (addresses, status) in [(None, 200), (Some(json!(["127.0.0.1"])), 401)] {
        if let Some(addresses) = addresses {
            let narrower =
                json!({"addresses": addresses, "addresses_reason": null, "reason": "moved"});
            let done = desk.act(&desk.owner, "acme", "change", narrower).await;
            assert_eq!(done.fine()["direction"], "narrows");
        }
        for (socket, expected) in [(&mut goes, status), (&mut stays, 200)] {
            let ask = head(&acme, "GET", ME, b"");
            socket.write_all(ask.as_bytes()).await.expect("it is open");
            assert_eq!(hear(socket).await, Some(expected));
        }
    }
}

/// A byte now and then, for ever: heads and bodies end in time, with and without a right token.
#[tokio::test]
async fn a_slow_head_and_a_slow_body_end_in_time_and_keep_nobody_waiting() {
    let desk = Desk::new().await;
    let acme = desk.enrol("acme").await;
    let at = address(&desk.gate.origin);
    let body = json!({"csr": "x".repeat(20_000)}).to_string();
    let begun = head(&acme, "POST", "/vestibule/v1/keys", body.as_bytes());
    let stranger =
        "POST /webhooks/upstream HTTP/1.1\r\nhost: gate\r\ncontent-length: 20000\r\n\r\n";
    let half = begun.split_at(begun.len() / 2).0;
    let slow = [
        ("a head", half.to_owned(), "x", vec![Some(408), None]),
        ("a body", begun.clone(), &body[..1], vec![Some(408), None]),
        (
            "a stranger's body",
            stranger.to_owned(),
            "x",
            vec![Some(408), None],
        ),
    ]
    .map(|(what, first, drip, ends)| {
        let drip = drip.as_bytes().to_vec();
        tokio::spawn(async move {
            let mut socket = TcpStream::connect(at).await.expect("a connection");
            socket.write_all(first.as_bytes()).await.expect("written");
            let began = Instant::now();
            let (mut ear, mut mouth) = socket.split();
            let mut told = Vec::new();
            let heard = async {
                let mut some = [0; 4096];
                while let Ok(count @ 1..) = ear.read(&mut some).await {
                    told.extend_from_slice(&some[..count]);
                }
            };
            let dripped = async {
                // This is the attack, not a wait.
                while mouth.write_all(&drip).await.is_ok() {
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
            };
            let ended = async {
                tokio::select! { () = heard => {}, () = dripped => {} }
            };
            assert!(
                timeout(SLOW, ended).await.is_ok(),
                "{what} goes on for ever"
            );
            assert!(
                began.elapsed() > Duration::from_secs(5),
                "{what} had no time"
            );
            let told = String::from_utf8_lossy(&told).into_owned();
            let status = told
                .split(' ')
                .nth(1)
                .and_then(|status| status.parse::<u16>().ok());
            assert!(ends.contains(&status), "{what}: {told}");
        })
    });
    let meanwhile = async {
        loop {
            assert_eq!(comes_in(&acme).await, 200);
            if slow.iter().all(tokio::task::JoinHandle::is_finished) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    timeout(PATIENCE, meanwhile).await.expect("in time");
    for one in slow {
        one.await.expect("it ended in time");
    }
}

/// A stranger takes all the connections that it gets, even from the address that others come from.
#[tokio::test]
async fn while_a_stranger_holds_all_it_can_providers_and_webhooks_come_in() {
    let mut world = World::new().await;
    let acme = world.enrol("acme", viewer(&[1], None)).await;
    let at = address(&world.gate.origin);
    let mut held = Vec::new();
    for _ in 0..300 {
        let mut socket = TcpStream::connect(at).await.expect("a connection");
        let _ = socket.write_all(b"GET /v1/vault HTTP/1.1\r\n").await;
        held.push(socket);
    }
    // It does not get as many as it likes.
    let mut first = held.remove(0);
    assert_eq!(hear(&mut first).await, None);
    let paid = world.sandbox.pay_in(1, "ETH", "2.5").await;
    until("the event has come in, and gone out", || async {
        acme.caller.get(ME).await.status == 200 && !acme.hooks.about(&paid).is_empty()
    })
    .await;
    assert_eq!(comes_in(&acme.caller).await, 200);
}

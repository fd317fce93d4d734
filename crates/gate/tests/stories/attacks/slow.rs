//! Callers that take their time: heads and bodies that trickle in, answers that nobody reads. Each is ended
//! or waits alone: whoever comes meanwhile is served.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinSet;

use super::attempt::Attacker;
use super::scene::{Scene, statuses};
use crate::provider::transfer;

/// A caller's time from one byte to the next.
const BETWEEN_BYTES: Duration = Duration::from_millis(400);
/// No caller is listened to for longer than this.
const LONGEST: Duration = Duration::from_secs(45);
const READ: &str = "/v1/vault/accounts/1";
const WRITE: &str = "/v1/transactions";
/// How many do not read what they asked for, and how much at least each asks for, in bytes: more than
/// sockets hold.
const DEAF: usize = 4;
const UNREAD: usize = 8 << 20;
/// What such a caller's socket takes, in bytes.
const WINDOW: u32 = 8 * 1024;
/// Reads of others' meanwhile.
const MEANWHILE: usize = 20;

/// Comes at once, then byte by byte; what it may be told, if anything.
struct Slow {
    name: &'static str,
    at_once: Vec<u8>,
    by_and_by: Vec<u8>,
    told: &'static [&'static [u16]],
}

fn slow(by: &Attacker) -> Vec<Slow> {
    let body = transfer(1, 2, "0.5").to_string();
    let post = |length: &str| {
        let request = by.post(WRITE, body.as_bytes()).without("Content-Length");
        let (name, value) = length.split_once(": ").expect("a header");
        request.and(name, value).head()
    };
    let length = format!("Content-Length: {}", body.len());
    let unknown = by.post(WRITE, body.as_bytes());
    let unknown = unknown.with("X-API-Key", "00000000-0000-4000-8000-000000000000");
    let events = format!(
        "POST /webhooks/upstream HTTP/1.1\r\nHost: gate.example\r\nConnection: close\r\n{length}\r\n\r\n"
    );
    let endless = |text: &str| text.repeat(1_000).into_bytes();
    let in_time: &[&[u16]] = &[&[408]];
    let no_request: &[&[u16]] = &[&[], &[408], &[400]];
    vec![
        Slow {
            name: "a body that comes byte by byte",
            at_once: post(&length),
            by_and_by: body.clone().into_bytes(),
            told: in_time,
        },
        Slow {
            name: "a body that never comes",
            at_once: post(&length),
            by_and_by: Vec::new(),
            told: in_time,
        },
        Slow {
            name: "a body whose last byte never comes",
            at_once: [post(&length), body.as_bytes()[1..].to_vec()].concat(),
            by_and_by: Vec::new(),
            told: in_time,
        },
        Slow {
            name: "a body in chunks of a byte",
            at_once: post("Transfer-Encoding: chunked"),
            by_and_by: endless("1\r\n \r\n"),
            told: in_time,
        },
        Slow {
            name: "a chunk whose extension never ends",
            at_once: [post("Transfer-Encoding: chunked"), b"1;".to_vec()].concat(),
            by_and_by: endless("x=y;"),
            told: in_time,
        },
        Slow {
            name: "a body of nobody's, which is not waited for",
            at_once: unknown.head(),
            by_and_by: body.clone().into_bytes(),
            told: &[&[401]],
        },
        Slow {
            name: "an event of nobody's",
            at_once: events.into_bytes(),
            by_and_by: body.into_bytes(),
            told: in_time,
        },
        Slow {
            name: "nothing at all",
            at_once: Vec::new(),
            by_and_by: Vec::new(),
            told: no_request,
        },
        Slow {
            name: "a head that comes byte by byte",
            at_once: Vec::new(),
            by_and_by: by.get(READ).head(),
            told: no_request,
        },
        Slow {
            name: "headers without end, one by one",
            at_once: b"GET /v1/users HTTP/1.1\r\nHost: x\r\n".to_vec(),
            by_and_by: endless("X: y\r\n"),
            told: no_request,
        },
        Slow {
            name: "line ends without end",
            at_once: Vec::new(),
            by_and_by: endless("\r\n"),
            told: no_request,
        },
    ]
}

#[tokio::test]
async fn invariant_2_whoever_sends_slowly_is_ended_and_keeps_nobody_waiting() {
    let mut scene = Scene::new().await;
    let mut callers = JoinSet::new();
    for slow in slow(&scene.attacker()) {
        let mut stream = scene.connect(false).await;
        callers.spawn(async move {
            let talk = async {
                stream.write_all(&slow.at_once).await.expect("it is open");
                let (mut from, mut to) = stream.split();
                let mut heard = Vec::new();
                let mut bytes = slow.by_and_by.iter();
                let mut beat = tokio::time::interval(BETWEEN_BYTES);
                let mut some = [0; 4096];
                loop {
                    tokio::select! {
                        read = from.read(&mut some) => match read {
                            Ok(count @ 1..) => heard.extend_from_slice(&some[..count]),
                            Ok(0) | Err(_) => break,
                        },
                        _ = beat.tick(), if bytes.len() > 0 => {
                            let byte = bytes.next().copied();
                            if to.write_all(byte.as_slice()).await.is_err() {
                                break;
                            }
                        }
                    }
                }
                heard
            };
            let heard = tokio::time::timeout(LONGEST, talk).await;
            let heard = heard.unwrap_or_else(|_| panic!("{}: it is listened to still", slow.name));
            let heard = String::from_utf8_lossy(&heard).into_owned();
            let got = statuses(&heard);
            assert!(
                slow.told.contains(&got.as_slice()),
                "{}: {heard:.400}",
                slow.name
            );
        });
    }
    let mut served = 0;
    while !callers.is_empty() {
        scene.others_are_served().await;
        served += 1;
        while let Some(ended) = callers.try_join_next() {
            ended.expect("as it must be");
        }
    }
    assert!(served > 20, "{served}");
    scene.is_as_before("slow senders").await;
}

#[tokio::test]
async fn invariant_2_whoever_does_not_read_keeps_nobody_waiting() {
    let mut scene = Scene::new().await;
    let by = scene.attacker();
    let list = "/v1/transactions?after=0&limit=500";
    let (_, one) = scene.ask(&Vec::from(by.get(list)), false, false).await;
    let each = UNREAD / one.len() + 1;
    let before = scene.calls_left().await;
    let mut streams = Vec::new();
    for _ in 0..DEAF {
        let mut stream = scene.connect_with(false, Some(WINDOW)).await;
        let asked: Vec<u8> = (0..each)
            .flat_map(|_| by.get(list).without("Connection").head())
            .collect();
        // What does not go into the sockets any more is not waited for.
        let (from, to) = stream.split();
        let sent = to.try_write(&asked).expect("it is open");
        assert!(sent > 0 && from.peer_addr().is_ok());
        streams.push(stream);
    }
    for _ in 0..MEANWHILE {
        scene.others_are_served().await;
    }
    // Events come in and go out as ever.
    scene.an_event_is_relayed().await;
    let asked = before - scene.calls_left().await;
    assert!(asked > 0, "they are heard");
    let all = i64::try_from(DEAF * each).expect("a number");
    assert!(asked < all, "{asked} of {all}: nobody waited for a reader");
    drop(streams);
    scene.others_are_served().await;
}

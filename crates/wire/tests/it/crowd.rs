//! Strangers, crowds and those who do not listen: nobody else is kept waiting or out.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use ppp::v2;
use tokio::net::TcpSocket;
use tokio::time::timeout;
use wire::server::{Entrance, Limits, Proxies};

use crate::asks::{Ask, Line};
use crate::world::*;

const READ: &str = "/v1/vault/accounts_paged";
/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(20);

async fn within(limits: Limits) -> World {
    World::entered(|listener| Entrance::from(listener).within(limits)).await
}

fn limits(connections: usize, of_one: usize) -> Limits {
    Limits {
        connections,
        of_one,
        ..Limits::default()
    }
}

/// A connection from another address of this machine.
async fn from(address: [u8; 4], to: SocketAddr) -> Line {
    let socket = TcpSocket::new_v4().expect("a socket");
    let own = SocketAddr::new(IpAddr::V4(Ipv4Addr::from(address)), 0);
    socket.bind(own).expect("bound");
    Line::over(socket.connect(to).await.expect("a connection"))
}

/// A connection over which somebody has proven who they are.
async fn proven(world: &World) -> Line {
    let mut line = world.line().await;
    comes_in(&mut line, VIEWER).await;
    line
}

async fn comes_in(line: &mut Line, user: protocol::ids::UserId) {
    line.say(&Ask::get(user, READ).bytes()).await;
    assert_eq!(line.hear().await.expect("an answer").status, 200);
}

/// The other side closes it, and says nothing.
async fn closes(line: &mut Line) {
    let heard = timeout(PATIENCE, line.hear_head()).await;
    assert_eq!(heard.expect("it is closed in time"), None);
}

#[tokio::test]
async fn who_has_proven_nothing_gives_way_where_there_is_no_room() {
    let world = within(limits(8, 8)).await;
    let mut kept = proven(&world).await;
    let mut strangers = Vec::new();
    for last in 1..=24 {
        let mut line = from([127, 0, 0, 100 + last], world.at).await;
        line.try_say(b"GET /v1/ HTTP/1.1\r\n").await;
        strangers.push(line);
        // Somebody new comes in all the same, and so does who was here.
        assert_eq!(world.ask(&Ask::get(VIEWER, READ)).await.status, 200);
        comes_in(&mut kept, VIEWER).await;
    }
    // Each that came last has sent the first of them away.
    for stranger in &mut strangers[..16] {
        closes(stranger).await;
    }
}

#[tokio::test]
async fn an_address_has_a_share_of_the_connections() {
    let world = within(limits(100, 3)).await;
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(proven(&world).await);
    }
    closes(&mut world.line().await).await;
    // Everybody else comes in.
    let mut other = from([127, 0, 0, 2], world.at).await;
    other.say(&Ask::get(UNKNOWN, READ).bytes()).await;
    assert_eq!(other.hear().await.expect("an answer").status, 401);
    for line in &mut held {
        comes_in(line, VIEWER).await;
    }
    held.pop();
    let again = async {
        loop {
            let mut line = world.line().await;
            line.try_say(&Ask::get(VIEWER, READ).bytes()).await;
            if line.hear().await.is_some_and(|answer| answer.status == 200) {
                break;
            }
        }
    };
    timeout(PATIENCE, again).await.expect("there is room again");
}

/// Who shares an address with a stranger is not kept out by it.
#[tokio::test]
async fn a_stranger_at_ones_own_address_keeps_nobody_out() {
    let world = within(limits(100, 3)).await;
    let mut strangers = Vec::new();
    for _ in 0..9 {
        let mut line = world.line().await;
        line.try_say(b"GET /v1/ HTTP/1.1\r\n").await;
        strangers.push(line);
        drop(proven(&world).await);
    }
    closes(&mut strangers[0]).await;
}

#[tokio::test]
async fn behind_a_proxy_the_share_is_the_callers() {
    let here = || vec!["127.0.0.1/32".parse().expect("a net")];
    let world = World::entered(|listener| {
        Entrance::new(listener, Proxies::Preamble(here()), None).within(limits(100, 2))
    })
    .await;
    let told = |source: [u8; 4]| {
        let addresses = v2::IPv4::new(source, [127, 0, 0, 1], 4_711, 443);
        let version = v2::Version::Two | v2::Command::Proxy;
        v2::Builder::with_addresses(version, v2::Protocol::Stream, addresses)
            .build()
            .expect("a preamble")
    };
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut line = world.line().await;
        line.say(&told([203, 0, 113, 7])).await;
        comes_in(&mut line, FOREIGN).await;
        held.push(line);
    }
    let mut third = world.line().await;
    third.say(&told([203, 0, 113, 7])).await;
    closes(&mut third).await;
    let mut other = world.line().await;
    other.say(&told([203, 0, 113, 8])).await;
    other.say(&Ask::get(UNKNOWN, READ).bytes()).await;
    assert_eq!(other.hear().await.expect("an answer").status, 401);

    // One that tells callers request by request carries everybody's: it has no share.
    let world = World::entered(|listener| {
        Entrance::new(listener, Proxies::Forwarded(here()), None).within(limits(100, 2))
    })
    .await;
    let ask = Ask::get(FOREIGN, READ).and("forwarded", "for=203.0.113.7");
    let mut held = Vec::new();
    for _ in 0..5 {
        let mut line = world.line().await;
        line.say(
            &ask.clone()
                .token(&crate::token::Token::of(FOREIGN, READ, b"").text())
                .bytes(),
        )
        .await;
        assert_eq!(line.hear().await.expect("an answer").status, 200);
        held.push(line);
    }
}

/// Requests one behind the other, and none of the answers is taken.
#[tokio::test]
async fn who_takes_no_answers_is_let_go() {
    let world = within(Limits {
        unread: Duration::from_millis(500),
        ..Limits::default()
    })
    .await;
    let body = format!("{{\"note\":\"{}\"}}", "x".repeat(512 * 1024));
    let one = || Ask::post(EDITOR, "/v1/transactions", body.as_bytes()).bytes();
    let mut line = world.line().await;
    let talk = async {
        for _ in 0..64 {
            line.try_say(&one()).await;
        }
    };
    timeout(PATIENCE, talk).await.expect("it is let go in time");
    assert!(world.answered() < 64);
    assert_eq!(world.ask(&Ask::get(VIEWER, READ)).await.status, 200);
}

//! Reads through the gate, beside the limit of the machine and beside HAProxy.
//!
//! In each round every server answers the same requests, one server after the other, in an order
//! that turns from round to round: what the machine does meanwhile meets all of them alike.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Instant;

use anyhow::ensure;
use serde_json::Value;

use crate::figures::Figures;
use crate::load::{self, Requests};
use crate::peers::{self, Peer};
use crate::product::Running;
use crate::tokens::{self, Batch};
use crate::world::{Provider, World};
use crate::{cores, figures};

/// What is read.
const PATH: &str = "/v1/vault/accounts_paged";
/// Accounts an answer.
const ACCOUNTS: usize = 20;
/// Connections, and requests of a round by key size (signing for RSA-4096 is slow).
const SHAPES: [(usize, [usize; 2]); 2] = [(1, [3_000, 2_000]), (16, [6_000, 4_000])];
/// Tokens of one measurement of bare verification.
const VERIFIED: usize = 500;

/// What one key size and one number of connections came to.
#[derive(Debug, Default)]
pub(crate) struct Case {
    pub(crate) key: &'static str,
    pub(crate) connections: usize,
    /// Requests of each server in each round.
    pub(crate) requests: usize,
    pub(crate) gate: Served,
    pub(crate) nginx: Served,
    /// HAProxy and its nginx on the server's core, as the gate is.
    pub(crate) haproxy: Served,
    /// HAProxy alone on that core; its nginx on the load generator's.
    pub(crate) haproxy_spread: Served,
    /// Bare verification, in seconds.
    pub(crate) verify: Figures,
    /// Answers a second that verification and nginx's answer would leave room for.
    pub(crate) limit: Figures,
}

/// What one server came to.
#[derive(Debug, Default)]
pub(crate) struct Served {
    /// Answers a second.
    pub(crate) rate: Figures,
    /// Processor time an answer, in seconds.
    pub(crate) cost: Figures,
}

/// All of it.
#[derive(Debug)]
pub(crate) struct Reads {
    pub(crate) cases: Vec<Case>,
    /// Bytes of the answer's body.
    pub(crate) body: usize,
    /// Vault accounts in the gate's books.
    pub(crate) accounts: usize,
    /// The gate's memory after all that, in MB.
    pub(crate) gate_resident: f64,
}

/// One server of a round.
#[derive(Clone, Copy)]
enum Who {
    Gate,
    Nginx,
    Haproxy,
    HaproxySpread,
}

struct Peers {
    nginx: Peer,
    nginx_aside: Peer,
    haproxy: Peer,
    haproxy_spread: Peer,
}

/// Measures.
pub(crate) fn measure(
    world: &World,
    nginx: &Path,
    haproxy: &Path,
    rounds: u32,
) -> anyhow::Result<Reads> {
    let target = format!("{PATH}?limit={ACCOUNTS}");
    let mut cases = Vec::new();
    let mut length = 0;
    for (size, provider) in world.providers.iter().enumerate() {
        let body = sample(world.gate_address, provider, &target)?;
        length = body.len();
        let folder = world.folder.path();
        let static_at = |core| peers::nginx(nginx, folder, core, PATH, &body);
        let (here, aside) = (static_at(cores::SERVER)?, static_at(cores::LOAD)?);
        let pem = provider.key.public().spki_pem();
        let guarded = |behind| peers::haproxy(haproxy, folder, cores::SERVER, &pem, behind);
        let peers = Peers {
            haproxy: guarded(here.address)?,
            haproxy_spread: guarded(aside.address)?,
            nginx: here,
            nginx_aside: aside,
        };
        // Who lets a forged token through does less work than is measured here.
        let forged = tokens::forged(provider.user, &target)?;
        for guard in [
            world.gate_address,
            peers.haproxy.address,
            peers.haproxy_spread.address,
        ] {
            ensure!(
                load::refuses(guard, forged.clone())?,
                "{guard} lets a forged token through"
            );
        }
        for (connections, requests) in SHAPES {
            let requests = requests.get(size).copied().unwrap_or(VERIFIED);
            println!(
                "--- reads: {}, {connections} connections, {rounds} rounds of {requests}",
                provider.name
            );
            let mut case = Case {
                key: provider.name,
                connections,
                requests,
                ..Case::default()
            };
            // Warm: code, caches and connections to the file behind.
            let warm = tokens::sign(provider.user, &provider.key, &target, 400)?;
            turn(
                world,
                &peers,
                provider,
                &warm,
                0,
                &mut Case {
                    connections,
                    ..Case::default()
                },
            )?;
            for round in 0..rounds {
                let batch = tokens::sign(provider.user, &provider.key, &target, requests)?;
                turn(world, &peers, provider, &batch, round, &mut case)?;
            }
            cases.push(case);
        }
    }
    let gate_resident = match &world.gate {
        Some(gate) => gate.resident()?,
        None => f64::NAN,
    };
    Ok(Reads {
        cases,
        body: length,
        accounts: world.accounts,
        gate_resident,
    })
}

/// The answer that is measured; looked at once, so that it is the right one.
fn sample(gate: SocketAddr, provider: &Provider, target: &str) -> anyhow::Result<Vec<u8>> {
    let one = tokens::sign(provider.user, &provider.key, target, 1)?;
    let request = one.requests.first().cloned().unwrap_or_default();
    let body = load::body(gate, request)?;
    let read: Value = serde_json::from_slice(&body)?;
    let accounts = read.get("accounts").and_then(Value::as_array).map(Vec::len);
    ensure!(
        accounts == Some(ACCOUNTS),
        "the gate answers {accounts:?} accounts, not {ACCOUNTS}"
    );
    Ok(body)
}

/// One round: every server once.
fn turn(
    world: &World,
    peers: &Peers,
    provider: &Provider,
    batch: &Batch,
    round: u32,
    case: &mut Case,
) -> anyhow::Result<()> {
    let mut order = [Who::Gate, Who::Nginx, Who::Haproxy, Who::HaproxySpread];
    let start = usize::try_from(round)? % order.len();
    order.rotate_left(start);
    let verify = verification(provider)?;
    let mut plain = f64::NAN;
    for who in order {
        let requests = &batch.requests;
        match who {
            Who::Gate => {
                let running: Vec<_> = world.gate.iter().collect();
                serve(
                    &mut case.gate,
                    world.gate_address,
                    &running,
                    requests,
                    case.connections,
                )?;
                ensure!(
                    batch.since.elapsed() < tokens::FRESH,
                    "the tokens grew old before they were sent: this machine is too busy to measure on"
                );
            }
            Who::Nginx => {
                let running = [&peers.nginx.running];
                plain = serve(
                    &mut case.nginx,
                    peers.nginx.address,
                    &running,
                    requests,
                    case.connections,
                )?;
            }
            Who::Haproxy => {
                let running = [&peers.haproxy.running, &peers.nginx.running];
                serve(
                    &mut case.haproxy,
                    peers.haproxy.address,
                    &running,
                    requests,
                    case.connections,
                )?;
            }
            Who::HaproxySpread => {
                let running = [&peers.haproxy_spread.running, &peers.nginx_aside.running];
                let address = peers.haproxy_spread.address;
                serve(
                    &mut case.haproxy_spread,
                    address,
                    &running,
                    requests,
                    case.connections,
                )?;
            }
        }
    }
    case.verify.add(verify);
    case.limit.add(1.0 / (verify + 1.0 / plain));
    Ok(())
}

fn serve(
    served: &mut Served,
    address: SocketAddr,
    running: &[&Running],
    requests: &Requests,
    connections: usize,
) -> anyhow::Result<f64> {
    let busy = || {
        running
            .iter()
            .map(|one| one.busy())
            .sum::<anyhow::Result<f64>>()
    };
    let before = busy()?;
    let rate = load::per_second(address, requests, connections)?;
    let count = f64::from(u32::try_from(requests.len())?);
    served.rate.add(rate);
    served.cost.add((busy()? - before) / count);
    Ok(rate)
}

/// The time of one bare verification, on the server's core.
fn verification(provider: &Provider) -> anyhow::Result<f64> {
    // Each token another: nothing is learned from the last.
    let some = (0..32)
        .map(|_| tokens::signed(provider.user, &provider.key, PATH))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let key = provider.key.public().clone();
    cores::on(cores::SERVER, move || {
        let began = Instant::now();
        for (input, signature) in some.iter().cycle().take(VERIFIED) {
            ensure!(
                key.verifies_rs256(input.as_bytes(), signature),
                "a signature does not verify"
            );
        }
        Ok(1.0 / figures::per_second(VERIFIED, began.elapsed())?)
    })
}

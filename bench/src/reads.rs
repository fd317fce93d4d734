//! Pages of vault accounts read through the gate, beside the limit of the machine and beside HAProxy.

mod turn;

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::Value;

use crate::cores;
use crate::figures::Figures;
use crate::load;
use crate::peers::{self, Given};
use crate::quiet::{self, Rounds};
use crate::tokens;
use crate::world::{Provider, World};
use turn::{Measured, Servers, Turn};

/// What is read.
pub(crate) const PATH: &str = "/v1/vault/accounts_paged";
/// Accounts an answer.
pub(crate) const ACCOUNTS: usize = 20;
/// Connections, and requests of a round by key size (signing for RSA-4096 is slow).
pub(crate) type Shape = (usize, [usize; 2]);
/// Requests before the first round.
const WARM: usize = 400;
/// How long the rounds of one case may take before disturbed ones count, too.
const REPEAT_FOR: Duration = Duration::from_secs(40);

/// What one key size and one number of connections came to.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) key: &'static str,
    pub(crate) connections: usize,
    /// Requests of each server in each round.
    pub(crate) requests: usize,
    /// Rounds that were measured; the least disturbed of them count.
    pub(crate) measured: usize,
    /// What others took of one core, in the most disturbed round that counts.
    pub(crate) others: f64,
    pub(crate) gate: Served,
    pub(crate) nginx: Served,
    /// The one that copies its answer.
    pub(crate) nginx_copying: Served,
    /// HAProxy and its nginx on the server's core, as the gate is.
    pub(crate) haproxy: Served,
    /// HAProxy alone on that core; its nginx on the load generator's.
    pub(crate) haproxy_spread: Served,
    /// Bare verification, in seconds.
    pub(crate) verify: Figures,
    /// Answers a second that verification and nginx's answer would leave room for.
    pub(crate) limit: Figures,
    /// The same with an answer that is copied.
    pub(crate) limit_copying: Figures,
    /// The limit by processor time: of what the gate takes, how much it has to.
    pub(crate) needed: Figures,
}

/// What one server came to.
#[derive(Debug)]
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

impl Reads {
    /// What others took of one core in the most disturbed round that counts.
    pub(crate) fn others(&self) -> Option<f64> {
        self.cases.iter().map(|case| case.others).reduce(f64::max)
    }
}

/// The first page of the list.
pub(crate) fn first_page() -> String {
    format!("{PATH}?limit={ACCOUNTS}")
}

/// Measures: each read is of one of the provider's targets, all of as many accounts.
pub(crate) fn measure(
    world: &World,
    (nginx, haproxy): (&Path, &Path),
    rounds: u32,
    shapes: &[Shape],
    targets: impl Fn(&Provider) -> anyhow::Result<Vec<String>>,
) -> anyhow::Result<Reads> {
    let mut cases = Vec::new();
    let mut length = 0;
    for (size, provider) in world.providers.iter().enumerate() {
        let targets = targets(provider)?;
        let target = targets.first().context("a page")?;
        let body = sample(world.gate_address, provider, target)?;
        length = body.len();
        let folder = world.folder.path();
        let static_at = |core, given| peers::nginx(nginx, folder, core, PATH, &body, given);
        let here = static_at(cores::SERVER, Given::Uncopied)?;
        let aside = static_at(cores::LOAD, Given::Uncopied)?;
        let pem = provider.key.public().spki_pem();
        let guarded = |behind| peers::haproxy(haproxy, folder, cores::SERVER, &pem, behind);
        let servers = Servers {
            world,
            haproxy: guarded(here.address)?,
            haproxy_spread: guarded(aside.address)?,
            nginx: here,
            nginx_copying: static_at(cores::SERVER, Given::Copied)?,
            nginx_aside: aside,
        };
        forged_is_refused(&servers, provider, target)?;
        for (connections, requests) in shapes {
            let requests = requests.get(size).copied().unwrap_or(WARM);
            println!(
                "--- reads: {}, {connections} connections, {rounds} rounds of {requests}",
                provider.name
            );
            let turn = |round, requests| {
                turn::measure(&servers, provider, &targets, round, *connections, requests)
            };
            // Warm: code, caches and connections to the file behind.
            turn(0, WARM.max(*connections))?;
            let turns = quiet::rounds(rounds, REPEAT_FOR, |round| {
                let turn = turn(round, requests)?;
                Ok((turn, turn.others))
            })?;
            cases.push(Case::of(provider.name, *connections, requests, &turns));
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

impl Case {
    fn of(key: &'static str, connections: usize, requests: usize, rounds: &Rounds<Turn>) -> Self {
        let turns = &rounds.kept;
        let served = |who: fn(&Turn) -> &Measured| Served {
            rate: turns.iter().map(|turn| who(turn).rate).collect(),
            cost: turns.iter().map(|turn| who(turn).cost).collect(),
        };
        Self {
            key,
            connections,
            requests,
            measured: rounds.measured,
            others: rounds.others,
            gate: served(|turn| &turn.gate),
            nginx: served(|turn| &turn.nginx),
            nginx_copying: served(|turn| &turn.nginx_copying),
            haproxy: served(|turn| &turn.haproxy),
            haproxy_spread: served(|turn| &turn.haproxy_spread),
            verify: turns.iter().map(|turn| turn.verify).collect(),
            limit: turns.iter().map(|turn| turn.limit(&turn.nginx)).collect(),
            limit_copying: turns
                .iter()
                .map(|turn| turn.limit(&turn.nginx_copying))
                .collect(),
            needed: turns.iter().map(Turn::needed).collect(),
        }
    }
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

/// Who lets a forged token through does less work than is measured here.
fn forged_is_refused(
    servers: &Servers<'_>,
    provider: &Provider,
    target: &str,
) -> anyhow::Result<()> {
    let forged = tokens::forged(provider.user, target)?;
    for guard in [
        servers.world.gate_address,
        servers.haproxy.address,
        servers.haproxy_spread.address,
    ] {
        ensure!(
            load::refuses(guard, forged.clone())?,
            "{guard} lets a forged token through"
        );
    }
    Ok(())
}

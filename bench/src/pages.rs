//! Pages of a large workspace, at random, while events are applied: how many a second, and how late
//! they are where no more are asked than half of that.

pub(crate) mod events;

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::Value;

use crate::cores;
use crate::figures::Figures;
use crate::load::paced::{self, Pace};
use crate::load::{self, Load};
use crate::peers::{self, Given, Peer};
use crate::product::Running;
use crate::quiet::Since;
use crate::reads::verification;
use crate::tokens::{self, Batch, Call};
use crate::world::{Provider, World};
use events::Events;

const PATH: &str = "/v1/vault/accounts_paged";
/// Vault accounts in a provider's scope.
pub(crate) const IN_SCOPE: usize = 10_000;
/// Accounts of a page.
pub(crate) const ACCOUNTS: usize = 20;
/// Connections.
const CONNECTIONS: [usize; 2] = [16, 1_000];
/// Reads of a round.
const COUNT: usize = 6_000;
/// Requests to a server that has just started, before it is measured.
const WARM: usize = 1_000;
/// Accounts of a page by what its body is to be: about 1 kB, about 10 kB, and 200 rows.
const BODIES: [usize; 3] = [1, 13, 200];
/// Connections of an open loop.
pub(crate) const PACED: usize = 16;
/// Its seconds: a gate remembers so many nonces of a key, and no more.
const SECONDS: f64 = 1.0;

/// Pages a second, by connections.
#[derive(Debug)]
pub(crate) struct Rate {
    pub(crate) connections: usize,
    pub(crate) gate: Figures,
    /// Answers a second that verification and nginx's answer would leave room for.
    pub(crate) limit: Figures,
}

/// Seconds until an answer was whole, counted from when its request was due, at half of the gate's rate.
#[derive(Debug, Default)]
pub(crate) struct Paced {
    /// Bytes of the body.
    pub(crate) body: usize,
    /// Accounts in it.
    pub(crate) accounts: usize,
    /// Requests a second.
    pub(crate) rate: Figures,
    pub(crate) gate: Ends,
    pub(crate) nginx: Ends,
}

/// The middle, and the slowest hundredth.
#[derive(Debug, Default)]
pub(crate) struct Ends {
    pub(crate) median: Figures,
    pub(crate) slow: Figures,
}

/// All of it.
#[derive(Debug)]
pub(crate) struct Pages {
    pub(crate) rates: Vec<Rate>,
    pub(crate) paced: Vec<Paced>,
    /// Pages that were drawn from.
    pub(crate) pages: usize,
    /// Transactions made upstream meanwhile, and how soon the last of them was seen through the gate.
    pub(crate) events: (usize, Duration),
    /// The gate's memory after all that, in MB.
    pub(crate) resident: f64,
    /// What others took of one core, at most.
    pub(crate) others: f64,
}

/// Measures.
pub(crate) fn measure(world: &World, nginx: &Path, rounds: u32) -> anyhow::Result<Pages> {
    println!("--- pages: {rounds} rounds of {COUNT}, while events are applied");
    let provider = world.providers.first().context("a provider")?;
    let gate = world.gate.as_ref().context("the gate runs")?;
    let sandbox = world.sandbox.as_ref().context("the sandbox runs")?;
    let targets = targets(world.gate_address, provider)?;
    let events = Events::begin(world)?;
    let mut others = 0.0_f64;
    let mut rates: Vec<_> = CONNECTIONS.map(Rate::of).into();
    let mut paced: Vec<_> = BODIES.map(Paced::of).into();
    let page = body(
        world.gate_address,
        provider,
        &format!("{PATH}?limit={ACCOUNTS}"),
    )?;
    let folder = world.folder.path();
    let beside =
        |body: &[u8]| peers::nginx(nginx, folder, cores::SERVER, PATH, body, Given::Uncopied);
    let beside_page = beside(&page)?;
    for _ in 0..rounds {
        let since = Since::now(&[gate, sandbox, &beside_page.running])?;
        for rate in &mut rates {
            rate.round((world.gate_address, gate), &beside_page, provider, &targets)?;
        }
        others = others.max(since.others(&[gate, sandbox, &beside_page.running])?);
        for one in &mut paced {
            let target = format!("{PATH}?limit={}", one.accounts);
            let body = body(world.gate_address, provider, &target)?;
            one.body = body.len();
            one.round(
                (world.gate_address, gate),
                &beside(&body)?,
                provider,
                &target,
            )?;
        }
    }
    Ok(Pages {
        rates,
        paced,
        pages: targets.len(),
        events: events.end(world, provider)?,
        resident: gate.resident()?,
        others,
    })
}

impl Rate {
    fn of(connections: usize) -> Self {
        Self {
            connections,
            gate: Figures::default(),
            limit: Figures::default(),
        }
    }

    fn round(
        &mut self,
        (gate, running): (SocketAddr, &Running),
        nginx: &Peer,
        provider: &Provider,
        targets: &[String],
    ) -> anyhow::Result<()> {
        let batch = at_random(provider, targets, COUNT)?;
        let load = |server| Load::new(server, self.connections).awake();
        self.gate.add(load(gate).per_second(&batch.requests)?);
        // What the gate does for itself is not to cost the others anything.
        let (bare, verify) = running.paused(|| {
            let warm = at_random(provider, targets, WARM)?;
            load(nginx.address).per_second(&warm.requests)?;
            let bare = load(nginx.address).per_second(&batch.requests)?;
            Ok((bare, verification(provider, PATH)?))
        })?;
        self.limit.add(1.0 / (verify + 1.0 / bare));
        Ok(())
    }
}

impl Paced {
    fn of(accounts: usize) -> Self {
        Self {
            accounts,
            ..Self::default()
        }
    }

    fn round(
        &mut self,
        (gate, running): (SocketAddr, &Running),
        nginx: &Peer,
        provider: &Provider,
        target: &str,
    ) -> anyhow::Result<()> {
        let load = |server| Load::new(server, PACED);
        let batch = tokens::sign(provider.user, &provider.key, target, COUNT / 2)?;
        let rate = load(gate).awake().per_second(&batch.requests)? / 2.0;
        self.rate.add(rate);
        // Truncated: a request more or less is none.
        let count = (rate * SECONDS) as usize;
        let batch = tokens::sign(provider.user, &provider.key, target, count)?;
        let measure = |server, ends: &mut Ends| {
            let pace = Pace {
                load: load(server),
                requests: batch.requests.clone(),
                rate,
            };
            let latencies = paced::latencies(vec![pace])?;
            let of = latencies.first().context("one load")?;
            ends.median.add(of.quantile(0.5));
            ends.slow.add(of.quantile(0.99));
            anyhow::Ok(())
        };
        measure(gate, &mut self.gate)?;
        running.paused(|| {
            let warm = tokens::sign(provider.user, &provider.key, target, WARM)?;
            load(nginx.address).per_second(&warm.requests)?;
            measure(nginx.address, &mut self.nginx)
        })
    }
}

/// Reads of pages that are drawn at random.
pub(crate) fn at_random(
    provider: &Provider,
    targets: &[String],
    count: usize,
) -> anyhow::Result<Batch> {
    let mut calls = Vec::with_capacity(count);
    for _ in 0..count {
        let drawn = uuid::Uuid::new_v4().as_u128() % u128::try_from(targets.len().max(1))?;
        let target = targets.get(usize::try_from(drawn)?).context("a page")?;
        calls.push(Call::get(target.as_str()));
    }
    tokens::sign_all(provider.user, &provider.key, &calls)
}

/// Every page of the provider's list, by its cursor.
pub(crate) fn targets(gate: SocketAddr, provider: &Provider) -> anyhow::Result<Vec<String>> {
    let first = format!("{PATH}?limit={ACCOUNTS}");
    let mut targets = vec![first.clone()];
    let mut last = first.clone();
    while targets.len() < IN_SCOPE / ACCOUNTS {
        let page: Value = serde_json::from_slice(&body(gate, provider, &last)?)?;
        let Some(after) = page.pointer("/paging/after").and_then(Value::as_str) else {
            break;
        };
        last = format!("{first}&after={after}");
        targets.push(last.clone());
    }
    ensure!(
        targets.len() > 1,
        "the provider's list has more than one page"
    );
    Ok(targets)
}

pub(crate) fn body(gate: SocketAddr, provider: &Provider, target: &str) -> anyhow::Result<Vec<u8>> {
    let call = Call::get(target);
    load::body(gate, tokens::request(provider.user, &provider.key, &call)?)
}

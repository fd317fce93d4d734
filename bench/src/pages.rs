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
use crate::reads::{self, ACCOUNTS, PATH, Reads, Shape, first_page};
use crate::tokens::{self, Call};
use crate::world::{Provider, World};
use events::Events;

/// Vault accounts in a provider's scope.
pub(crate) const IN_SCOPE: usize = 10_000;
/// Connections, and reads of a round.
const SHAPES: [Shape; 4] = [
    (1, [3_000, 2_000]),
    (16, [6_000, 4_000]),
    (256, [6_000, 4_000]),
    (1_000, [6_000, 4_000]),
];
/// Reads in which the gate's rate is found that half of is asked.
const COUNT: usize = 3_000;
/// Requests to a server that has just started, before it is measured.
const WARM: usize = 1_000;
/// Accounts of a page by what its body is to be: about 1 kB, about 10 kB, and 200 rows.
const BODIES: [usize; 3] = [1, 13, 200];
/// Connections of an open loop.
pub(crate) const PACED: usize = 16;
/// Its seconds: a gate remembers so many nonces of a key, and no more.
const SECONDS: f64 = 1.0;

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
    /// Of the answers, how many could not be timed.
    pub(crate) missed: Figures,
    pub(crate) median: Figures,
    pub(crate) slow: Figures,
}

/// All of it.
#[derive(Debug)]
pub(crate) struct Pages {
    pub(crate) reads: Reads,
    pub(crate) paced: Vec<Paced>,
    /// Pages that were drawn from.
    pub(crate) pages: usize,
    /// Transactions made upstream meanwhile, and how soon the last of them was seen through the gate.
    pub(crate) events: (usize, Duration),
}

/// Measures.
pub(crate) fn measure(
    world: &World,
    (nginx, haproxy): (&Path, &Path),
    rounds: u32,
) -> anyhow::Result<Pages> {
    println!("--- pages: while events are applied");
    let provider = world.providers.first().context("a provider")?;
    let gate = world.gate.as_ref().context("the gate runs")?;
    let events = Events::begin(world)?;
    let drawn_from = |provider: &Provider| targets(world.gate_address, provider);
    let reads = reads::measure(world, (nginx, haproxy), rounds, &SHAPES, drawn_from)?;
    let mut paced: Vec<_> = BODIES.map(Paced::of).into();
    for _ in 0..rounds {
        for one in &mut paced {
            let target = format!("{PATH}?limit={}", one.accounts);
            let body = body(world.gate_address, provider, &target)?;
            one.body = body.len();
            let folder = world.folder.path();
            let nginx = peers::nginx(nginx, folder, cores::SERVER, PATH, &body, Given::Uncopied)?;
            one.round((world.gate_address, gate), &nginx, provider, &target)?;
        }
    }
    Ok(Pages {
        reads,
        paced,
        pages: drawn_from(provider)?.len(),
        events: events.end(world, provider)?,
    })
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
        let batch = tokens::sign(provider.user, &provider.key, target, COUNT)?;
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
            ends.missed.add(of.missed());
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

/// Every page of the provider's list, by its cursor.
pub(crate) fn targets(gate: SocketAddr, provider: &Provider) -> anyhow::Result<Vec<String>> {
    let first = first_page();
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

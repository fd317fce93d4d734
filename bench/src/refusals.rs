//! What it costs to refuse, and whether a flood of what is refused slows anybody else down.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use anyhow::Context;
use protocol::ids::UserId;
use uuid::Uuid;

use crate::figures::Figures;
use crate::load::paced::{self, Pace};
use crate::load::{Load, Requests};
use crate::quiet::Since;
use crate::tokens;
use crate::world::{Provider, World};

/// What is read, and refused.
const TARGET: &str = "/v1/vault/accounts_paged?limit=20";
/// What the same listener answers to anybody, from memory.
const BARE: &str = "/.well-known/jwks.json";
/// On no list.
const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
/// Connections of either side.
pub(crate) const CONNECTIONS: usize = 16;
/// Reads of a round; of everything else as many.
const COUNT: usize = 4_000;
/// Reads of the flooded provider, in a second, of all that one core answers.
pub(crate) const SHARE: f64 = 0.25;

/// Seconds of an answer, and of the slowest hundredth of reads beside a flood.
#[derive(Debug, Default)]
pub(crate) struct Refusals {
    pub(crate) bare: Figures,
    pub(crate) read: Figures,
    pub(crate) unknown_key: Figures,
    pub(crate) wrong_address: Figures,
    /// Reads a second, and refused calls a second beside them.
    pub(crate) rates: (Figures, Figures),
    pub(crate) quiet: Figures,
    pub(crate) flooded: Figures,
    /// What others took of one core, at most.
    pub(crate) others: f64,
}

impl Refusals {
    /// What a refusal costs beyond a bare answer, of what a read does.
    pub(crate) fn share_of(&self, refused: &Figures) -> Figures {
        refused
            .beyond(&self.bare)
            .over(&self.read.beyond(&self.bare))
    }
}

/// Measures.
pub(crate) fn measure(world: &World, rounds: u32) -> anyhow::Result<Refusals> {
    println!("--- refusals: {rounds} rounds of {COUNT}");
    let provider = world
        .providers
        .iter()
        .find(|provider| provider.name == "RSA-4096")
        .context("a provider with RSA-4096")?;
    let gate = world.gate.as_ref().context("the gate runs")?;
    let load = Load::new(world.gate_address, CONNECTIONS).awake();
    let bare = same(format!("GET {BARE} HTTP/1.1\r\nHost: localhost\r\n\r\n").into_bytes());
    let stranger = same(tokens::forged(UserId(Uuid::new_v4()), TARGET)?);
    let mut refusals = Refusals::default();
    for _ in 0..rounds {
        let since = Since::now(&[gate])?;
        let batch = tokens::sign(provider.user, &provider.key, TARGET, COUNT)?;
        let cost = |load: Load, requests: &Requests| {
            Ok::<_, anyhow::Error>(1.0 / load.per_second(requests)?)
        };
        refusals.bare.add(cost(load, &bare)?);
        // Their tokens are not looked at, and are good for the reads afterwards.
        let elsewhere = load.from(ELSEWHERE).refused(401);
        refusals
            .wrong_address
            .add(cost(elsewhere, &batch.requests)?);
        refusals
            .unknown_key
            .add(cost(load.refused(401), &stranger)?);
        let read = cost(load, &batch.requests)?;
        refusals.read.add(read);
        flooded(&mut refusals, (load, provider), &stranger, 1.0 / read)?;
        refusals.others = refusals.others.max(since.others(&[gate])?);
    }
    Ok(refusals)
}

/// Reads at a quarter of what the core answers, alone, and beside as many refused calls as it could
/// answer reads.
fn flooded(
    refusals: &mut Refusals,
    (load, provider): (Load, &Provider),
    stranger: &Requests,
    capacity: f64,
) -> anyhow::Result<()> {
    let rate = capacity * SHARE;
    for flood in [None, Some(capacity)] {
        let batch = tokens::sign(provider.user, &provider.key, TARGET, COUNT / 4)?;
        let mut paces = vec![Pace {
            load,
            requests: batch.requests,
            rate,
        }];
        if let Some(rate) = flood {
            paces.push(Pace {
                load: load.refused(401),
                requests: Arc::clone(stranger),
                rate,
            });
        }
        let latencies = paced::latencies(paces)?;
        let slowest = latencies.first().map_or(f64::NAN, |of| of.quantile(0.99));
        match flood {
            None => refusals.quiet.add(slowest),
            Some(_) => refusals.flooded.add(slowest),
        }
    }
    refusals.rates.0.add(rate);
    refusals.rates.1.add(capacity);
    Ok(())
}

fn same(request: Vec<u8>) -> Requests {
    Arc::new(vec![request; COUNT])
}

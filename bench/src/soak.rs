//! Minutes of random pages while events are applied: the gate's memory is to stay what it is.

use std::time::{Duration, Instant};

use anyhow::Context;

use crate::load::Load;
use crate::load::paced::{self, Pace};
use crate::pages::events::Events;
use crate::pages::targets;
use crate::tokens;
use crate::world::World;

/// Reads a second.
pub(crate) const RATE: u32 = 400;
/// Reads that are signed at once.
const BATCH: usize = 2_000;
/// Connections.
pub(crate) const CONNECTIONS: usize = 16;

/// Memory in MB, at the start and after each minute.
#[derive(Debug)]
pub(crate) struct Soaked {
    pub(crate) resident: Vec<f64>,
    pub(crate) reads: usize,
    pub(crate) events: (usize, Duration),
}

impl Soaked {
    /// The most of the first half and of the second.
    pub(crate) fn halves(&self) -> (f64, f64) {
        let (first, second) = self.resident.split_at(self.resident.len() / 2);
        let most = |part: &[f64]| part.iter().copied().fold(0.0, f64::max);
        (most(first), most(second))
    }
}

/// Measures.
pub(crate) fn measure(world: &World, minutes: u32) -> anyhow::Result<Soaked> {
    println!("--- soak: {minutes} minutes");
    let provider = world.providers.first().context("a provider")?;
    let gate = world.gate.as_ref().context("the gate runs")?;
    let targets = targets(world.gate_address, provider)?;
    let events = Events::begin(world)?;
    let began = Instant::now();
    let minute = Duration::from_secs(60);
    let mut resident = vec![gate.resident()?];
    let mut reads = 0;
    for number in 1..=minutes {
        while began.elapsed() < minute * number {
            let batch = tokens::drawn(provider.user, &provider.key, &targets, BATCH)?;
            reads += batch.requests.len();
            paced::latencies(vec![Pace {
                load: Load::new(world.gate_address, CONNECTIONS),
                requests: batch.requests,
                rate: f64::from(RATE),
            }])?;
        }
        resident.push(gate.resident()?);
    }
    Ok(Soaked {
        resident,
        reads,
        events: events.end(world, provider)?,
    })
}

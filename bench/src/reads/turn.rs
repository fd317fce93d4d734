//! One round: every server answers the same requests, one server after the other, in an order
//! that turns from round to round: what the machine does meanwhile meets all of them alike.

use std::time::Instant;

use anyhow::{Context, ensure};

use crate::load::{Load, Requests};
use crate::peers::Peer;
use crate::product::Running;
use crate::quiet::Since;
use crate::tokens;
use crate::world::{Provider, World};
use crate::{cores, figures};

/// Tokens of one measurement of bare verification.
const VERIFIED: usize = 500;

/// Everything that is measured side by side.
pub(super) struct Servers<'a> {
    pub(super) world: &'a World,
    pub(super) nginx: Peer,
    pub(super) nginx_copying: Peer,
    pub(super) nginx_aside: Peer,
    pub(super) haproxy: Peer,
    pub(super) haproxy_spread: Peer,
}

/// What a round came to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Turn {
    pub(super) gate: Measured,
    pub(super) nginx: Measured,
    pub(super) nginx_copying: Measured,
    pub(super) haproxy: Measured,
    pub(super) haproxy_spread: Measured,
    /// Bare verification, in seconds.
    pub(super) verify: f64,
    /// What others took of one core meanwhile.
    pub(super) others: f64,
}

/// What one server came to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Measured {
    /// Answers a second.
    pub(super) rate: f64,
    /// Processor time an answer, in seconds.
    pub(super) cost: f64,
}

#[derive(Clone, Copy)]
enum Who {
    Gate,
    Nginx,
    NginxCopying,
    Haproxy,
    HaproxySpread,
}

/// Signs the requests of one round, and measures it.
pub(super) fn measure(
    servers: &Servers<'_>,
    provider: &Provider,
    targets: &[String],
    round: u32,
    connections: usize,
    count: usize,
) -> anyhow::Result<Turn> {
    let batch = tokens::drawn(provider.user, &provider.key, targets, count)?;
    let target = targets.first().context("a target")?;
    let world = servers.world;
    let gate = world.gate.as_ref().context("the gate runs")?;
    let mut ours = vec![gate];
    ours.extend(&world.sandbox);
    for peer in [
        &servers.nginx,
        &servers.nginx_copying,
        &servers.nginx_aside,
        &servers.haproxy,
        &servers.haproxy_spread,
    ] {
        ours.push(&peer.running);
    }
    let serve = |load: Load, running: &[&Running]| served(load, running, &batch.requests);
    let load = |address| Load::new(address, connections);
    let awake = |address| load(address).awake();
    let since = Since::now(&ours)?;
    let mut turn = Turn {
        // What the gate does for itself meanwhile is not to make it longer.
        verify: gate.paused(|| verification(provider, target))?,
        ..Turn::default()
    };
    let mut order = [
        Who::Gate,
        Who::Nginx,
        Who::NginxCopying,
        Who::Haproxy,
        Who::HaproxySpread,
    ];
    let start = usize::try_from(round)? % order.len();
    order.rotate_left(start);
    for who in order {
        match who {
            Who::Gate => {
                turn.gate = serve(awake(world.gate_address), &[gate])?;
                ensure!(
                    batch.since.elapsed() < tokens::FRESH,
                    "the tokens grew old before they were sent: this machine is too busy to measure on"
                );
            }
            Who::Nginx => {
                turn.nginx = serve(awake(servers.nginx.address), &[&servers.nginx.running])?;
            }
            Who::NginxCopying => {
                let Peer { address, running } = &servers.nginx_copying;
                turn.nginx_copying = serve(awake(*address), &[running])?;
            }
            Who::Haproxy => {
                let running = [&servers.haproxy.running, &servers.nginx.running];
                turn.haproxy = serve(awake(servers.haproxy.address), &running)?;
            }
            Who::HaproxySpread => {
                let running = [
                    &servers.haproxy_spread.running,
                    &servers.nginx_aside.running,
                ];
                turn.haproxy_spread = serve(load(servers.haproxy_spread.address), &running)?;
            }
        }
    }
    turn.others = since.others(&ours)?;
    Ok(turn)
}

impl Turn {
    /// Answers a second of a server that verifies, and then does no more than this one.
    pub(super) fn limit(&self, answering: &Measured) -> f64 {
        1.0 / (self.verify + 1.0 / answering.rate)
    }

    /// Of the processor time that the gate takes for an answer, how much verification and nginx's answer take.
    pub(super) fn needed(&self) -> f64 {
        (self.verify + self.nginx.cost) / self.gate.cost
    }
}

fn served(load: Load, running: &[&Running], requests: &Requests) -> anyhow::Result<Measured> {
    let busy = || {
        running
            .iter()
            .map(|one| one.processor())
            .sum::<anyhow::Result<f64>>()
    };
    let before = busy()?;
    let rate = load.per_second(requests)?;
    let count = f64::from(u32::try_from(requests.len())?);
    Ok(Measured {
        rate,
        cost: (busy()? - before) / count,
    })
}

/// The time of one bare verification, on the server's core.
fn verification(provider: &Provider, target: &str) -> anyhow::Result<f64> {
    // Each token another: nothing is learned from the last.
    let some = (0..32)
        .map(|_| tokens::signed(provider.user, &provider.key, target))
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

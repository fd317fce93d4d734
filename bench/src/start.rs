//! How soon the programs are ready on what is there already, and what memory they hold idle.

use std::process::Command;
use std::time::Duration;

use crate::figures::Figures;
use crate::product::Running;
use crate::world::World;

/// How long a program idles before its memory is read.
const IDLE: Duration = Duration::from_secs(5);

/// One program.
#[derive(Debug, Default)]
pub(crate) struct Started {
    /// From the start of the process to its ready file, in seconds.
    pub(crate) ready: Figures,
    /// Memory after the idle time, in MB.
    pub(crate) resident: Figures,
}

/// Both.
#[derive(Debug)]
pub(crate) struct Starts {
    pub(crate) sandbox: Started,
    pub(crate) gate: Started,
}

/// Ends and starts the world's sandbox and gate; the last ones go on running.
pub(crate) fn measure(world: &mut World, rounds: u32) -> anyhow::Result<Starts> {
    println!("--- start and memory: {rounds} rounds");
    let (mut sandbox, mut gate) = (Started::default(), Started::default());
    let product = world.product.clone();
    for _ in 0..rounds {
        for old in [world.gate.take(), world.sandbox.take()]
            .into_iter()
            .flatten()
        {
            old.end()?;
        }
        let program = || Command::new(product.program());
        let (running, _, took) = product.serve(program(), &product.sandbox(world.sandbox_port))?;
        // Before a gate asks it for anything.
        sandbox.resident.add(idle(&running)?);
        world.sandbox = Some(running);
        sandbox.ready.add(took.as_secs_f64());
        let (running, _, took) = product.serve(program(), &product.gate(&["run"]))?;
        gate.resident.add(idle(&running)?);
        world.gate = Some(running);
        gate.ready.add(took.as_secs_f64());
    }
    Ok(Starts { sandbox, gate })
}

fn idle(running: &Running) -> anyhow::Result<f64> {
    std::thread::sleep(IDLE);
    running.resident()
}

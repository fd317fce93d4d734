//! Benchmark programs: the gate beside the limit of the machine and beside HAProxy, the sandbox beside
//! a mock server and with a large workspace, how soon the programs are ready, what they hold of memory,
//! how fast reports and webhooks go into the books.
//!
//! What may enter: the product's own commands as child processes, load, clocks, tables. What may
//! not: assertions by the clock; a figure is written down, and people judge it.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a developer's command talks to a terminal"
)]

mod books;
mod cores;
mod document;
mod figures;
mod import;
mod load;
mod machine;
mod peers;
mod product;
mod quiet;
mod reads;
mod sandbox;
mod start;
mod tokens;
mod webhooks;
mod workspace;
mod world;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context;
use clap::{Parser, ValueEnum};

/// Measures, and writes the tables. `cargo xtask bench` builds what is needed and calls this.
#[derive(Debug, Parser)]
#[command(name = "bench")]
struct Arguments {
    /// The product's release build.
    #[arg(long, value_name = "FILE")]
    vestibule: PathBuf,
    /// The nginx to measure beside.
    #[arg(long, value_name = "FILE", default_value = "nginx")]
    nginx: PathBuf,
    /// The HAProxy to measure beside; 2.6 or newer.
    #[arg(long, value_name = "FILE", default_value = "haproxy")]
    haproxy: PathBuf,
    /// The mock server to measure the sandbox beside: prism's program, for node.
    #[arg(long, value_name = "FILE")]
    prism: PathBuf,
    /// The description of the large workspace.
    #[arg(long, value_name = "FILE")]
    large: PathBuf,
    /// These parts of the sandbox alone, to the terminal.
    #[arg(long, value_name = "PART", value_delimiter = ',')]
    sandbox: Vec<sandbox::Part>,
    /// Rounds of each measurement.
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=50))]
    rounds: u32,
    /// Where the tables go; to the terminal alone if missing.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let began = Instant::now();
    let rounds = arguments.rounds;
    let site = sandbox::Site {
        vestibule: &arguments.vestibule,
        prism: &arguments.prism,
        large: &arguments.large,
        rounds,
    };
    if !arguments.sandbox.is_empty() {
        for part in &arguments.sandbox {
            println!("\n{}", document::part(&site.measure(*part)?)?);
        }
        return Ok(());
    }
    let machine = machine::Machine::look(&arguments.nginx, &arguments.haproxy)?;
    println!("--- a workspace, a gate in front of it, two providers");
    let mut world = world::World::set(&arguments.vestibule)?;
    let reads = reads::measure(&world, &arguments.nginx, &arguments.haproxy, rounds)?;
    let start = start::measure(&mut world, rounds)?;
    drop(world);
    let import = import::measure(rounds)?;
    let webhooks = webhooks::measure(rounds)?;
    let sandbox = sandbox::Part::value_variants().iter();
    let sandbox = sandbox
        .map(|part| site.measure(*part))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let load_after = machine::load()?;
    let text = document::write(&document::Measured {
        machine: &machine,
        load_after: &load_after,
        seconds: began.elapsed().as_secs(),
        rounds,
        reads: &reads,
        start: &start,
        import: &import,
        webhooks: &webhooks,
        sandbox: &sandbox,
    })?;
    println!("\n{text}");
    if let Some(file) = &arguments.output {
        std::fs::write(file, text)
            .with_context(|| format!("{} cannot be written", file.display()))?;
        println!("written: {}", file.display());
    }
    Ok(())
}

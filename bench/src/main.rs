//! Benchmark programs: the gate beside the limit of the machine and beside HAProxy, with many accounts,
//! refusing, and over some minutes; its log and posture; the sandbox beside a mock server and with a large
//! workspace; how soon the programs are ready, what they hold of memory, how fast reports and webhooks go
//! into the books.
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
mod evidence;
mod figures;
mod import;
mod load;
mod machine;
mod pages;
mod parts;
mod peers;
mod product;
mod quiet;
mod reads;
mod refusals;
mod sandbox;
mod soak;
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
use parts::{Part, Site};

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
    /// The description of the workspace with many accounts.
    #[arg(long, value_name = "FILE")]
    many: PathBuf,
    /// These parts alone, to the terminal.
    #[arg(long, value_name = "PART", value_delimiter = ',')]
    only: Vec<Part>,
    /// Rounds of each measurement.
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=50))]
    rounds: u32,
    /// Minutes over which the gate's memory is watched.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=600))]
    minutes: u32,
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
    let site = Site {
        vestibule: &arguments.vestibule,
        nginx: &arguments.nginx,
        haproxy: &arguments.haproxy,
        prism: &arguments.prism,
        large: &arguments.large,
        many: &arguments.many,
        rounds: arguments.rounds,
        minutes: arguments.minutes,
    };
    if !arguments.only.is_empty() {
        for part in &arguments.only {
            let mut text = String::new();
            document::part(&mut text, &site.measure(*part)?, arguments.rounds)?;
            println!("\n{text}");
        }
        return Ok(());
    }
    let machine = machine::Machine::look(&arguments.nginx, &arguments.haproxy)?;
    let parts = Part::value_variants().iter();
    let parts = parts
        .map(|part| {
            let measured = site.measure(*part)?;
            // What was measured is there, also where a later part cannot be.
            let mut text = String::new();
            document::part(&mut text, &measured, arguments.rounds)?;
            println!("\n{text}");
            Ok(measured)
        })
        .collect::<anyhow::Result<Vec<_>>>()?;
    let text = document::page(&document::Run {
        machine: &machine,
        load_after: &machine::load()?,
        seconds: began.elapsed().as_secs(),
        rounds: arguments.rounds,
        parts: &parts,
    })?;
    if let Some(file) = &arguments.output {
        std::fs::write(file, text)
            .with_context(|| format!("{} cannot be written", file.display()))?;
        println!("written: {}", file.display());
    }
    Ok(())
}

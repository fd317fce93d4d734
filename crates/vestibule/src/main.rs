//! `vestibule`: the one binary. Command line, configuration, and the demo; everything that
//! decides lives in the rooms below.
//!
//! What may enter: reading arguments, files and the environment, calling a room's operation,
//! printing its answer. What may not: decisions, SQL, HTTP handlers. A file per command.

mod cli;
mod connector;
mod demo;
mod durations;
mod enroll;
mod files;
mod gate;
mod given_key;
mod key;
mod output;
mod posture;
mod ready;
mod sandbox;
mod shutdown;
mod token;

use std::alloc::System;
use std::process::ExitCode;

use clap::Parser;
use zeroizing_alloc::ZeroAlloc;

/// Memory is overwritten when it is given back: what should not have come in, and what readers and
/// parsers of other people have copied of it, does not stay behind.
#[global_allocator]
static MEMORY: ZeroAlloc<System> = ZeroAlloc(System);

fn main() -> ExitCode {
    let cli = match cli::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return output::usage(&error),
    };
    if let Err(error) = output::start_log(cli.log.as_deref()) {
        return output::failed(&error, cli.json);
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return output::failed(&error.into(), cli.json),
    };
    let json = cli.json;
    let outcome = runtime.block_on(cli.run());
    runtime.shutdown_timeout(std::time::Duration::from_secs(5));
    match outcome {
        Ok(code) => code,
        Err(error) => output::failed(&error, json),
    }
}

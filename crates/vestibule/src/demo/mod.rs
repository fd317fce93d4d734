//! `vestibule demo`: a workspace, a gate and four providers on this machine, and the story of the
//! practices told by what they do. It calls what a user calls: nothing exists for it alone.

mod console;
mod leaflet;
mod provider;
mod stage;
mod step;
mod story;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;

use crate::files;
use crate::output::{Output, note};
use crate::{ready, shutdown};
use stage::Stage;
use step::Teller;

/// The whole story on this machine: workspace, gate and four providers.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  vestibule demo                              the story, then everything stays up to be tried
  vestibule demo --tour                       end after the story; 0 only if every step came out as told
  vestibule demo --tour --json | jq .         each step as a JSON line")]
pub(crate) struct Args {
    /// End after the story.
    #[arg(long)]
    tour: bool,
    /// Keep everything in this folder (new or empty); by default a temporary one, gone at the end.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// What the seeded fund is made from.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Write this file once the story is told and everything serves.
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
}

pub(crate) async fn run(args: Args, out: Output) -> anyhow::Result<ExitCode> {
    let temporary;
    let data = match &args.data {
        Some(folder) => {
            files::private_folder(folder)?;
            if std::fs::read_dir(folder)?.next().is_some() {
                bail!("{} is not empty: name a new folder", folder.display());
            }
            std::path::absolute(folder)?
        }
        None => {
            temporary = files::TemporaryFolder::new("vestibule-demo")?;
            temporary.path().to_owned()
        }
    };
    let shutdown = shutdown::on_signal();
    let mut teller = Teller::new(out);
    let told = async {
        let stage = Stage::set(&data, args.seed, shutdown.clone(), &mut teller).await?;
        let told = story::tell(&stage, &mut teller).await;
        Ok::<_, anyhow::Error>((stage, told))
    };
    let (stage, told) = tokio::select! {
        () = shutdown.cancelled() => return Ok(ExitCode::FAILURE),
        told = told => told?,
    };
    let outcome = teller.end(told)?;
    if let Some(file) = &args.ready_file {
        ready::write(file, &stage.ready()?)?;
    }
    if !args.tour {
        if !out.json {
            out.line(leaflet::print(&stage))?;
        }
        shutdown.cancelled().await;
        note("finishing what is under way; once more stops at once");
    }
    shutdown.cancel();
    stage.strike().await;
    Ok(outcome)
}

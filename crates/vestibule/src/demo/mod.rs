//! `vestibule demo`: a workspace, a gate and four providers on this machine, and the story of the
//! practices told by what they do. It calls what a user calls: nothing exists for it alone.

mod console;
mod leaflet;
mod provider;
mod stage;
mod step;
mod story;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::bail;
use tokio::runtime::Builder;
use tokio_util::sync::CancellationToken;

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

/// Tells the story in a runtime of its own. Its end waits for all that still runs (keys that are
/// being made, files that are being written), so nothing comes back into a folder that is gone.
pub(crate) fn run(args: &Args, out: Output) -> anyhow::Result<ExitCode> {
    let shutdown = shutdown::on_signal();
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
    let told = tokio::task::block_in_place(|| {
        let runtime = Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(tell(args, &data, out, shutdown))
    })?;
    Ok(told.unwrap_or_else(|| {
        note(match &args.data {
            Some(_) => format!(
                "ended before the story was told; what was made is in {}",
                data.display()
            ),
            None => "ended before the story was told; nothing of it is kept".to_owned(),
        });
        shutdown::interrupted()
    }))
}

/// How the story came out; nothing where a signal ended it.
async fn tell(
    args: &Args,
    data: &Path,
    out: Output,
    shutdown: CancellationToken,
) -> anyhow::Result<Option<ExitCode>> {
    let ending = || {
        note(format_args!(
            "finishing what is under way; once more stops at once, and leaves {} as it is",
            data.display()
        ));
    };
    let ready_file = ready::File::cleared(args.ready_file.clone())?;
    let mut teller = Teller::new(out);
    let told = async {
        let stage = Stage::set(data, args.seed, shutdown.clone(), &mut teller).await?;
        let told = story::tell(&stage, &mut teller).await;
        Ok::<_, anyhow::Error>((stage, told))
    };
    let (stage, told) = tokio::select! {
        biased;
        () = shutdown.cancelled() => {
            ending();
            return Ok(None);
        }
        told = told => told?,
    };
    let outcome = teller.end(told)?;
    ready_file.write(&stage.ready()?)?;
    if !args.tour {
        if !out.json {
            out.line(leaflet::print(&stage))?;
        }
        shutdown.cancelled().await;
        ending();
    }
    shutdown.cancel();
    stage.strike().await;
    Ok(Some(outcome))
}

//! Workspace files, as they are named on the command line: a file's path, or the name of one that is
//! part of the program.

use std::path::Path;

use anyhow::{Context, bail};
use protocol::csr::is_printable;
use sandbox::described::{MAX_BYTES, Shipped, Summary};
use sandbox::world::Network;
use sandbox::{File, Ground};

/// What stands behind a shipped name for test assets.
const TESTNET: &str = ":testnet";

/// What was named: a shipped file on a network, or one that was given.
pub(crate) enum Named {
    Shipped(Shipped, Network),
    Given(File),
}

impl Named {
    /// Reads it.
    pub(crate) fn read(named: &str) -> anyhow::Result<Self> {
        let (name, network) = named
            .strip_suffix(TESTNET)
            .map_or((named, Network::Mainnet), |name| (name, Network::Testnet));
        if let Ok(shipped) = name.parse() {
            return Ok(Self::Shipped(shipped, network));
        }
        let path = Path::new(named);
        let stem = path.file_stem().and_then(|stem| stem.to_str());
        let stem = stem.filter(|stem| stem.chars().all(is_printable));
        let stem = stem.with_context(|| format!("{named} has no name that can be written"))?;
        let size = std::fs::metadata(path).map(|about| about.len());
        let size = size.with_context(|| {
            format!("{named} cannot be read, and no shipped workspace is called so: fund, exchange, treasury, empty")
        })?;
        if usize::try_from(size).map_or(true, |size| size > MAX_BYTES) {
            bail!("{named} has {size} bytes: a workspace file has at most {MAX_BYTES}");
        }
        let text = std::fs::read(path).with_context(|| format!("{named} cannot be read"))?;
        let text = String::from_utf8(text).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            anyhow::anyhow!("{named}: expected UTF-8 text, found something else at byte {at}")
        })?;
        Ok(Self::Given(File::read(stem, named, text)?))
    }

    /// How much of everything there is in it.
    pub(crate) fn summary(&self) -> Summary {
        match self {
            Self::Shipped(shipped, network) => shipped.summary(*network),
            Self::Given(file) => file.plan().summary(),
        }
    }
}

/// Everything that was named, each once; all that is wrong with the files, together.
pub(crate) fn given(named: &[String]) -> anyhow::Result<(Vec<Ground>, Vec<File>)> {
    let (mut grounds, mut files, mut wrong) = (Vec::new(), Vec::<File>::new(), Vec::new());
    for named in named {
        let ground = match Named::read(named) {
            Ok(Named::Shipped(shipped, network)) => Ground::shipped(shipped, network),
            Ok(Named::Given(file)) => {
                let ground = Ground::File(file.name().to_owned());
                files.push(file);
                ground
            }
            Err(error) => {
                wrong.push(format!("{error:#}"));
                continue;
            }
        };
        if grounds.contains(&ground) {
            wrong.push(format!(
                "{named}: a workspace of that name is there already"
            ));
        }
        grounds.push(ground);
    }
    if !wrong.is_empty() {
        bail!("nothing was started\n{}", wrong.join("\n"));
    }
    Ok((grounds, files))
}

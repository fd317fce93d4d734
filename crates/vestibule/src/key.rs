//! `vestibule key`: which key is in a file, by the name that every gate calls it.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Subcommand;
use protocol::csr::{self, CsrError};
use protocol::keys::{PrivateKey, PublicKey};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::files::read_at_most;
use crate::output::{Output, note};

/// Which key is in a file.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  vestibule key fingerprint acme.csr      the same for the same key, at every gate")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print a key's fingerprint: SHA-256 of its modulus.
    #[command(after_help = "Examples:
  vestibule key fingerprint acme.csr
  vestibule --json key fingerprint public.pem
  vestibule --json gate connection list | jq -r .fingerprint | grep \"$(vestibule key fingerprint acme.csr)\"
                                          does any provider here use this key?

The file is a CSR (also in a mail or an archive), or a public or private key, PEM.")]
    Fingerprint {
        /// The file.
        file: PathBuf,
    },
}

/// A key that a file holds.
#[derive(Serialize)]
struct Found {
    /// SHA-256 of the modulus, hex.
    fingerprint: String,
    bits: usize,
    /// `csr`, `public` or `private`.
    form: &'static str,
}

impl Found {
    fn of(key: &PublicKey, form: &'static str) -> Self {
        Self {
            fingerprint: key.fingerprint().to_string(),
            bits: key.bits(),
            form,
        }
    }
}

pub(crate) fn run(args: &Args, out: Output) -> anyhow::Result<ExitCode> {
    let Command::Fingerprint { file } = &args.command;
    let found = find(file)?;
    if found.form == "private" {
        note("this is a private key: it never leaves its owner's machine");
    }
    out.show(&found, |found| found.fingerprint.clone())?;
    Ok(ExitCode::SUCCESS)
}

fn find(file: &Path) -> anyhow::Result<Found> {
    let bytes = Zeroizing::new(read_at_most(file, csr::intake::MAX_PASTE)?);
    let text = std::str::from_utf8(&bytes).unwrap_or_default();
    if let Ok(key) = PrivateKey::from_pem(text) {
        return Ok(Found::of(key.public(), "private"));
    }
    if let Ok(key) = PublicKey::from_pem(text).or_else(|_| PublicKey::from_der(&bytes)) {
        return Ok(Found::of(&key, "public"));
    }
    let bad = || format!("{}", file.display());
    match csr::intake::read(&bytes) {
        Ok(request) => {
            let spki = request.spki_der().with_context(bad)?;
            let key = PublicKey::from_der(&spki).with_context(bad)?;
            Ok(Found::of(&key, "csr"))
        }
        Err(CsrError::None) => bail!(
            "{}: there is no RSA key in it: a CSR, a public or a private key, PEM",
            file.display()
        ),
        Err(error) => Err(error).with_context(bad),
    }
}

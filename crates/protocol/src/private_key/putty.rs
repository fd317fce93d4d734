//! PuTTY's files (`.ppk`), versions 2 and 3. One under a passphrase is named by its header; one
//! without can be proven.

use zeroize::Zeroizing;

use super::{labels, prove};
use crate::keys::PublicKey;
use crate::unwrap::encoded;

const HEADER: &[u8] = b"PuTTY-User-Key-File-";
/// Longest file tried, in bytes.
const MAX_FILE: usize = 16 * 1024;

/// Every file in a text.
pub(super) fn files(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    labels::places(text, HEADER).filter_map(|at| text.get(at..(at + MAX_FILE).min(text.len())))
}

/// The public half, if the two parts hold together.
pub(super) fn prove(file: &[u8]) -> Option<PublicKey> {
    let public = part(file, b"Public-Lines:", b"Private-Lines:")?;
    let private = part(file, b"Private-Lines:", b"Private-MAC:")?;
    prove::putty(&public, &private)
}

/// The bytes between two headers; what stands first is how many lines there are.
fn part(file: &[u8], from: &[u8], to: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let start = labels::places(file, from).next()? + from.len();
    let rest = file.get(start..)?.trim_ascii_start();
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let rest = rest.get(digits..)?;
    let end = labels::places(rest, to).next().unwrap_or(rest.len());
    let chars = encoded::joined(rest.get(..end)?);
    chars.first().map(|chars| encoded::decode(chars))
}

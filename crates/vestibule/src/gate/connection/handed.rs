//! What a provider handed in, as it goes to the gate: byte for byte, since a private key in it may
//! be no text.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use protocol::handover::MAX_LEN;
use serde_json::{Value, json};

use crate::files::read_at_most;

/// A file's bytes; of one that is too large, one byte more than the gate takes.
pub(in crate::gate) fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    read_at_most(file, MAX_LEN)
}

/// As the gate takes it.
pub(in crate::gate) fn sent(bytes: &[u8]) -> Value {
    json!({ "base64": STANDARD.encode(bytes) })
}

/// A CSR's text. What is no text is DER, or should not be there: it goes into the same field as PEM
/// has it, where the gate looks through it.
pub(crate) fn csr_text(bytes: Vec<u8>) -> String {
    match String::from_utf8(bytes) {
        Ok(text) if !text.contains('\0') => text,
        other => {
            let bytes = other.map_or_else(|bad| bad.into_bytes(), String::into_bytes);
            let label = "CERTIFICATE REQUEST";
            let body = STANDARD.encode(bytes);
            format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
        }
    }
}

//! C2: a private key in what is handed in: refused, nothing of it kept, and the key is burned.

use std::path::Path;

use protocol::handover::HandOver;
use protocol::keys::{KeySize, PrivateKey};
use serde_json::{Value, json};

use crate::demo::stage::Stage;
use crate::demo::step::{Saw, Teller, refused};

/// How many bytes of a key are looked for in one piece.
const PIECE: usize = 24;
/// Where the private half begins in a PKCS#8 file of an RSA key of 2048 bits: behind the modulus,
/// which the gate keeps so that the key stays burned.
const PRIVATE_FROM: usize = 320;

pub(super) async fn tell(
    stage: &Stage,
    teller: &mut Teller,
    handover: &HandOver,
) -> anyhow::Result<()> {
    let ask = |text: String| {
        let body = json!({"name": "careless", "handover": text});
        async move {
            stage
                .desk
                .send::<Value>("POST", "/connections", &body)
                .await
        }
    };
    let key = tokio::task::spawn_blocking(|| PrivateKey::generate(KeySize::Rsa2048)).await??;
    let mut leaking: Value = serde_json::from_str(&handover.to_json())?;
    let pem = key.to_pkcs8_pem()?;
    leaking["note"] = json!(format!("here is our key:\n{}", pem.as_str()));
    let sent = ask(leaking.to_string()).await;
    teller.step(
        "C2",
        "client",
        "is sent a private key in a hand-over file",
        "refused and named; no connection, and no piece of the key in the gate's folder or store",
        nothing_kept(stage, &key, refused(sent, "a private key (PKCS#8)")).await,
    )?;
    let csr = protocol::csr::CertificateSigningRequest::new(&key, "Careless", None)?;
    let mut later = handover.clone();
    later.csr = csr.to_pem();
    teller.step(
        "C2",
        "client",
        "is sent the CSR of that same key, later",
        "refused: the key is burned",
        refused(ask(later.to_json()).await, "its key is burned"),
    )
}

/// Looks for what must not be there.
async fn nothing_kept(stage: &Stage, key: &PrivateKey, said: Saw) -> Saw {
    let (refused, said) = said?;
    let connections: Vec<Value> = stage.desk.get("/connections").await?;
    let pieces = pieces(key)?;
    // The store's own file is looked at in a copy: see `is_live`.
    let copy = stage.data.join("gate/copy-of-the-store");
    let made: anyhow::Result<Value> = stage
        .desk
        .send("POST", "/backups", &json!({ "file": copy }))
        .await;
    made?;
    let folder = stage.data.join("gate");
    let (files, found) = tokio::task::spawn_blocking(move || look(&folder, &pieces)).await??;
    std::fs::remove_file(copy)?;
    let none = connections.is_empty() && found.is_empty();
    let kept = if none {
        format!("nothing of it in {files} files")
    } else {
        format!(
            "connections: {}; in {}",
            connections.len(),
            found.join(", ")
        )
    };
    // An empty folder would prove nothing.
    Ok((refused && none && files > 0, format!("{said}; {kept}")))
}

/// Pieces of the private half, in each form in which they could have been written down.
fn pieces(key: &PrivateKey) -> anyhow::Result<Vec<Vec<u8>>> {
    let der = key.to_pkcs8_der()?;
    let pem = key.to_pkcs8_pem()?;
    let private = der.get(PRIVATE_FROM..).unwrap_or_default();
    let mut pieces = Vec::new();
    for piece in private.chunks_exact(PIECE).step_by(8) {
        pieces.push(piece.to_vec());
        let hex: String = piece.iter().map(|byte| format!("{byte:02x}")).collect();
        pieces.push(hex.into_bytes());
    }
    // A line of PEM is 48 bytes; the first is the label.
    let lines = pem.lines().skip(1 + PRIVATE_FROM.div_ceil(48));
    let whole = lines.filter(|line| line.len() == 64);
    pieces.extend(whole.map(|line| line.as_bytes().to_vec()));
    Ok(pieces)
}

/// Whether a file is one that this very process holds locks on: whoever opens and closes it anew
/// gives them up (POSIX), and SQLite relies on them. What is newest stands in its journal, which has
/// none.
fn is_live(file: &Path) -> bool {
    let name = file.file_name().and_then(|name| name.to_str());
    name.is_some_and(|name| name.ends_with(".db") || name.ends_with(".db-shm"))
}

/// How many files there are in a folder, and which of them hold one of the pieces.
fn look(folder: &Path, pieces: &[Vec<u8>]) -> anyhow::Result<(usize, Vec<String>)> {
    let (mut files, mut found) = (0, Vec::new());
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            if is_live(&path) {
                continue;
            }
            let content = match std::fs::read(&path) {
                // Half of a file that is being replaced, and is gone by now.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                content => content?,
            };
            files += 1;
            if holds_any(&content, pieces) {
                found.push(path.display().to_string());
            }
        }
    }
    Ok((files, found))
}

fn holds_any(content: &[u8], pieces: &[Vec<u8>]) -> bool {
    let starts: Vec<[u8; 8]> = pieces
        .iter()
        .filter_map(|piece| piece.first_chunk().copied())
        .collect();
    // Few places begin like a piece: only there is the whole compared.
    let begins: std::collections::HashSet<[u8; 8]> = starts.into_iter().collect();
    content.windows(8).enumerate().any(|(at, window)| {
        <[u8; 8]>::try_from(window).is_ok_and(|window| begins.contains(&window))
            && pieces.iter().any(|piece| {
                content
                    .get(at..)
                    .is_some_and(|rest| rest.starts_with(piece))
            })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_in_whatever_form_it_was_kept() {
        let key = PrivateKey::generate(KeySize::Rsa2048).expect("a key");
        let pieces = pieces(&key).expect("pieces");
        let folder = tempfile::tempdir().expect("a folder");
        let below = folder.path().join("below");
        std::fs::create_dir(&below).expect("a folder");
        let looked = || look(folder.path(), &pieces).expect("looks");

        let public = [key.public().spki_der(), key.public().spki_pem().as_bytes()].concat();
        std::fs::write(folder.path().join("public"), public).expect("written");
        assert_eq!(looked(), (1, Vec::new()));

        let der = key.to_pkcs8_der().expect("DER");
        let hex: String = der.iter().map(|byte| format!("{byte:02x}")).collect();
        let pem = key.to_pkcs8_pem().expect("PEM");
        let json = json!({ "note": pem.as_str() }).to_string();
        for kept in [
            der.as_slice(),
            hex.as_bytes(),
            pem.as_bytes(),
            json.as_bytes(),
        ] {
            let around = [b"before", kept, b"behind"].concat();
            std::fs::write(below.join("kept"), around).expect("written");
            let (files, found) = looked();
            assert_eq!((files, found.len()), (2, 1));
        }
    }
}

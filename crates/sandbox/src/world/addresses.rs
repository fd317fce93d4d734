//! Addresses that are valid for their chain, from random bytes.

use bech32::Hrp;
use sha3::{Digest, Keccak256};

use super::assets::{AddressForm, Chain};

/// An address, and its older form and tag where the chain has them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Address {
    /// The address.
    pub text: String,
    /// Its older form; empty where there is none.
    pub legacy: String,
    /// Its tag; empty where there is none.
    pub tag: String,
    /// The contract's word for its format.
    pub format: &'static str,
}

/// The address that these bytes make on this chain.
pub fn make(chain: &Chain, bytes: &[u8; 32]) -> Address {
    let hash: [u8; 20] = std::array::from_fn(|at| bytes[at]);
    match chain.form {
        AddressForm::Segwit(part) => {
            let text = Hrp::parse(part)
                .ok()
                .and_then(|hrp| bech32::segwit::encode_v0(hrp, &hash).ok());
            let version = if part == "bc" { 0x00 } else { 0x6f };
            Address {
                text: text.unwrap_or_default(),
                legacy: base58(version, &hash),
                tag: String::new(),
                format: "SEGWIT",
            }
        }
        AddressForm::Base58(version) => plain(base58(version, &hash), "LEGACY"),
        AddressForm::Evm => plain(evm(&hash), "BASE"),
        AddressForm::Solana => plain(bs58::encode(bytes).into_string(), "BASE"),
        AddressForm::Ripple => {
            let text = bs58::encode(hash)
                .with_alphabet(bs58::Alphabet::RIPPLE)
                .with_check_version(0)
                .into_string();
            let tag = u32::from_be_bytes([bytes[20], bytes[21], bytes[22], bytes[23]]);
            Address {
                text,
                tag: tag.to_string(),
                ..plain(String::new(), "BASE")
            }
        }
    }
}

fn plain(text: String, format: &'static str) -> Address {
    Address {
        text,
        legacy: String::new(),
        tag: String::new(),
        format,
    }
}

fn base58(version: u8, hash: &[u8; 20]) -> String {
    bs58::encode(hash).with_check_version(version).into_string()
}

/// EIP-55: a letter is a capital where the hash of the lower-case text says so.
fn evm(hash: &[u8; 20]) -> String {
    let lower = hex::encode(hash);
    let digest = Keccak256::digest(lower.as_bytes());
    let nibble = |at: usize| {
        digest.get(at / 2).map_or(0, |byte| {
            if at.is_multiple_of(2) {
                byte >> 4
            } else {
                byte & 15
            }
        })
    };
    let mixed = lower.char_indices().map(|(at, c)| {
        if nibble(at) >= 8 {
            c.to_ascii_uppercase()
        } else {
            c
        }
    });
    std::iter::once("0x".to_owned())
        .chain(mixed.map(String::from))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capitals_are_those_of_eip_55() {
        let address = "5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
        let mut hash = [0; 20];
        hex::decode_to_slice(address, &mut hash).expect("hex");
        assert_eq!(evm(&hash), format!("0x{address}"));
    }

    #[test]
    fn bitcoin_is_bip_173() {
        let mut hash = [0; 20];
        hex::decode_to_slice("751e76e8199196d454941c45d1b3a323f1433bd6", &mut hash).expect("hex");
        let mut bytes = [0; 32];
        bytes[..20].copy_from_slice(&hash);
        let chain = crate::world::assets::chains_of_network(false)
            .next()
            .expect("bitcoin");
        let address = make(chain, &bytes);
        assert_eq!(address.text, "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4");
        assert_eq!(address.legacy, "1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH");
    }
}

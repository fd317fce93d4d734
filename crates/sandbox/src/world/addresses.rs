//! Addresses that are valid for their chain: of keys, and of nobody's.

use bech32::Hrp;
use ripemd::{Digest as _, Ripemd160};

use super::assets::{AddressForm, Chain};
use super::keys::{keccak256, sha256};

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

/// The address of a public key: 64 bytes on chains of Ethereum's kind, 32 on Solana, else the 33
/// of its compressed form.
pub fn of_key(chain: &Chain, public: &[u8]) -> Address {
    match chain.form {
        AddressForm::Solana => plain(bs58::encode(public).into_string(), "BASE"),
        AddressForm::Evm => {
            let hash = keccak256(public);
            of_hash(chain, &std::array::from_fn(|at| hash[12 + at]))
        }
        _ => of_hash(chain, &Ripemd160::digest(sha256(public)).into()),
    }
}

/// An address of nobody's: somebody's outside the workspace.
pub fn of_nobody(chain: &Chain, bytes: &[u8; 32]) -> Address {
    if chain.form == AddressForm::Solana {
        return of_key(chain, bytes);
    }
    let mut address = of_hash(chain, &std::array::from_fn(|at| bytes[at]));
    if chain.form == AddressForm::Ripple {
        let tag = u32::from_be_bytes([bytes[20], bytes[21], bytes[22], bytes[23]]);
        address.tag = tag.to_string();
    }
    address
}

/// The address of a key's hash.
fn of_hash(chain: &Chain, hash: &[u8; 20]) -> Address {
    match chain.form {
        AddressForm::Segwit(part) => {
            let text = Hrp::parse(part)
                .ok()
                .and_then(|hrp| bech32::segwit::encode_v0(hrp, hash).ok());
            let version = if part == "bc" { 0x00 } else { 0x6f };
            Address {
                text: text.unwrap_or_default(),
                legacy: base58(version, hash),
                tag: String::new(),
                format: "SEGWIT",
            }
        }
        AddressForm::Base58(version) => plain(base58(version, hash), "LEGACY"),
        AddressForm::Evm => plain(evm(hash), "BASE"),
        AddressForm::Solana => plain(String::new(), "BASE"),
        AddressForm::Ripple => plain(
            bs58::encode(hash)
                .with_alphabet(bs58::Alphabet::RIPPLE)
                .with_check_version(0)
                .into_string(),
            "BASE",
        ),
    }
}

/// Whether an address is one of the chain's: its alphabet, length, check and network.
pub fn is_valid(chain: &Chain, text: &str) -> bool {
    match chain.form {
        AddressForm::Segwit(part) => {
            let hrp = Hrp::parse(part).ok();
            let segwit = bech32::segwit::decode(text).ok();
            let versions = if part == "bc" {
                [0x00, 0x05]
            } else {
                [0x6f, 0xc4]
            };
            segwit.is_some_and(|(found, _, _)| Some(found) == hrp) || is_base58(&versions, text)
        }
        // Beside its own keys' addresses, a chain has those of scripts.
        AddressForm::Base58(0x1e) => is_base58(&[0x1e, 0x16], text),
        AddressForm::Base58(version) => is_base58(&[version, 0xc4], text),
        AddressForm::Evm => is_evm(text),
        AddressForm::Solana => bs58::decode(text)
            .into_vec()
            .is_ok_and(|bytes| bytes.len() == 32),
        AddressForm::Ripple => bs58::decode(text)
            .with_alphabet(bs58::Alphabet::RIPPLE)
            .with_check(Some(0))
            .into_vec()
            .is_ok_and(|bytes| bytes.len() == 21),
    }
}

/// Whether a tag is one of the chain's; none always is.
pub fn is_valid_tag(chain: &Chain, tag: &str) -> bool {
    match chain.form {
        AddressForm::Ripple => tag.is_empty() || tag.parse::<u32>().is_ok(),
        _ => tag.is_empty(),
    }
}

fn is_base58(versions: &[u8], text: &str) -> bool {
    let bytes = bs58::decode(text).with_check(None).into_vec();
    bytes.is_ok_and(|bytes| {
        bytes.len() == 21 && bytes.first().is_some_and(|first| versions.contains(first))
    })
}

/// Small letters or capitals alone say nothing; together they must be those of EIP-55.
fn is_evm(text: &str) -> bool {
    let Some(digits) = text.strip_prefix("0x") else {
        return false;
    };
    let mut hash = [0; 20];
    let one_case = !digits.contains(|c: char| c.is_ascii_lowercase())
        || !digits.contains(|c: char| c.is_ascii_uppercase());
    hex::decode_to_slice(digits, &mut hash).is_ok() && (one_case || evm(&hash) == text)
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
    let digest = keccak256(lower.as_bytes());
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
    fn an_address_is_of_its_chain_alone() {
        use crate::world::assets::chains_of_network;
        let all = || chains_of_network(false).chain(chains_of_network(true));
        for (number, chain) in (1..).zip(all()) {
            let made = of_nobody(chain, &[number; 32]);
            for text in [&made.text, &made.legacy] {
                assert!(
                    text.is_empty() || is_valid(chain, text),
                    "{} {text}",
                    chain.native
                );
                let mut other = text.clone();
                other.pop();
                assert!(!is_valid(chain, &other), "{} {other}", chain.native);
            }
            for other in all().filter(|other| other.form != chain.form) {
                assert!(
                    !is_valid(other, &made.text),
                    "{} at {}",
                    made.text,
                    other.native
                );
            }
            for bad in ["", "7", "\u{fc}"] {
                assert!(!is_valid(chain, bad), "{} {bad}", chain.native);
            }
        }
    }

    /// Of BIP-173, BIP-350, EIP-55 and the XRP Ledger's pages.
    #[test]
    fn addresses_that_others_made() {
        use crate::world::assets::chains_of_network;
        let valid = |native: &str, text: &str| {
            let mut all = chains_of_network(false).chain(chains_of_network(true));
            let chain = all.find(|chain| chain.native == native).expect("a chain");
            is_valid(chain, text)
        };
        for (native, text) in [
            ("BTC", "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4"),
            (
                "BTC",
                "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
            ),
            ("BTC", "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2"),
            ("BTC", "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy"),
            ("BTC_TEST", "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx"),
            ("ETH", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"),
            ("ETH", "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed"),
            ("XRP", "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh"),
            ("SOL", "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"),
            ("DOGE", "DH5yaieqoZN36fDVciNyRueRGvGLR3mr7L"),
        ] {
            assert!(valid(native, text), "{native} {text}");
        }
        for (native, text) in [
            ("BTC", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5"),
            ("BTC", "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx"),
            (
                "BTC",
                "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd",
            ),
            ("BTC", "DH5yaieqoZN36fDVciNyRueRGvGLR3mr7L"),
            ("ETH", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD"),
            ("ETH", "5aaeb6053f3e94c9b9a09f33669435e7ef1beaed"),
            ("ETH", "0x00"),
            ("XRP", "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTi"),
            ("SOL", "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed"),
        ] {
            assert!(!valid(native, text), "{native} {text}");
        }
    }

    #[test]
    fn capitals_are_those_of_eip_55() {
        let address = "5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
        let mut hash = [0; 20];
        hex::decode_to_slice(address, &mut hash).expect("hex");
        assert_eq!(evm(&hash), format!("0x{address}"));
    }
}

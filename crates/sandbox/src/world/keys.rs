//! The keys of a workspace's vault: one for each derivation path, all from the seed. What stands in
//! for the MPC: addresses are those of these keys, and messages are signed with them.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use k256::ecdsa::SigningKey;
use serde::{Deserialize, Serialize};
use sha3::{Digest as _, Keccak256};

use super::addresses::{self, Address};
use super::assets::{AddressForm, Chain};
use super::network::Network;

/// How a key signs, in the contract's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Algorithm {
    /// ECDSA over secp256k1; what is signed is a hash of 32 bytes.
    #[serde(rename = "MPC_ECDSA_SECP256K1")]
    Ecdsa,
    /// Ed25519; what is signed is the message itself.
    #[serde(rename = "MPC_EDDSA_ED25519")]
    Eddsa,
}

/// BIP 44: purpose, coin type, account, change, address index.
pub type Path = [u32; 5];

/// A signature, as transactions show it: hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Signature {
    /// `r` and `s`, one after the other.
    pub full_sig: String,
    /// The first half.
    pub r: String,
    /// The second half.
    pub s: String,
    /// Which of the possible public keys it is of; ECDSA alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub v: Option<u8>,
}

/// Every key of the vaults of one network.
#[derive(Clone, Copy, Debug)]
pub struct Keyring {
    seed: u64,
    network: Network,
}

impl Keyring {
    /// Those of a seed.
    pub const fn of(seed: u64, network: Network) -> Self {
        Self { seed, network }
    }

    /// The public half: 33 bytes, compressed, of ECDSA; 32 of Ed25519.
    pub fn public(&self, algorithm: Algorithm, path: &[u32]) -> Vec<u8> {
        self.public_half(algorithm, path, true)
    }

    /// The public half without compression: 65 bytes of ECDSA.
    pub fn public_in_full(&self, algorithm: Algorithm, path: &[u32]) -> Vec<u8> {
        self.public_half(algorithm, path, false)
    }

    fn public_half(&self, algorithm: Algorithm, path: &[u32], compressed: bool) -> Vec<u8> {
        let bytes = match algorithm {
            Algorithm::Ecdsa => self.ecdsa(path).map(|key| {
                let point = key.verifying_key().to_encoded_point(compressed);
                point.as_bytes().to_vec()
            }),
            Algorithm::Eddsa => {
                let secret = self.secret(algorithm, path);
                let key = Ed25519KeyPair::from_seed_unchecked(&secret).ok();
                key.map(|key| key.public_key().as_ref().to_vec())
            }
        };
        bytes.unwrap_or_default()
    }

    /// Signs; nothing if that is not something the algorithm signs.
    pub fn sign(&self, algorithm: Algorithm, path: &[u32], content: &[u8]) -> Option<Signature> {
        let (bytes, v) = match algorithm {
            Algorithm::Ecdsa => {
                let hash: [u8; 32] = content.try_into().ok()?;
                let (signature, v) = self.ecdsa(path)?.sign_prehash_recoverable(&hash).ok()?;
                (signature.to_bytes().to_vec(), Some(v.to_byte()))
            }
            Algorithm::Eddsa => {
                let secret = self.secret(algorithm, path);
                let key = Ed25519KeyPair::from_seed_unchecked(&secret).ok()?;
                (key.sign(content).as_ref().to_vec(), None)
            }
        };
        let (r, s) = bytes.split_at_checked(32)?;
        Some(Signature {
            full_sig: hex::encode(&bytes),
            r: hex::encode(r),
            s: hex::encode(s),
            v,
        })
    }

    /// The path of an address of a chain. All chains of Ethereum's kind share theirs, as all
    /// testnets do.
    pub fn path(&self, chain: &Chain, account: u32, index: u32) -> Path {
        let coin = match (self.network, chain.form) {
            (Network::Testnet, _) => 1,
            (_, AddressForm::Segwit(_)) => 0,
            (_, AddressForm::Base58(_)) => 3,
            (_, AddressForm::Evm) => 60,
            (_, AddressForm::Ripple) => 144,
            (_, AddressForm::Solana) => 501,
        };
        [44, coin, account, 0, index]
    }

    /// An address of an account on a chain.
    pub fn address(&self, chain: &Chain, account: u32, index: u32) -> Address {
        // Where one address is shared, each further one differs by its tag.
        let shared = chain.form == AddressForm::Ripple;
        let path = self.path(chain, account, if shared { 0 } else { index });
        let algorithm = algorithm_of(chain);
        let public = match chain.form {
            // As Ethereum hashes it: without the byte that says how it is written.
            AddressForm::Evm => self.public_in_full(algorithm, &path).split_off(1),
            _ => self.public(algorithm, &path),
        };
        let mut address = addresses::of_key(chain, &public);
        if shared {
            let tag = self.secret(algorithm, &self.path(chain, account, index));
            address.tag = u32::from_be_bytes([tag[0], tag[1], tag[2], tag[3]]).to_string();
        }
        address
    }

    fn ecdsa(&self, path: &[u32]) -> Option<SigningKey> {
        SigningKey::from_slice(&self.secret(Algorithm::Ecdsa, path)).ok()
    }

    /// HKDF-SHA256 of the seed, the network, the algorithm and the path.
    fn secret(&self, algorithm: Algorithm, path: &[u32]) -> [u8; 32] {
        let kind: &[u8] = match algorithm {
            Algorithm::Ecdsa => b"ecdsa",
            Algorithm::Eddsa => b"eddsa",
        };
        let path: Vec<u8> = path.iter().flat_map(|step| step.to_be_bytes()).collect();
        let salt = Salt::new(HKDF_SHA256, b"vestibule sandbox vault keys");
        let mut secret = [0; 32];
        let filled = salt
            .extract(&self.seed.to_be_bytes())
            .expand(&[self.network.name().as_bytes(), kind, &path], HKDF_SHA256)
            .and_then(|okm| okm.fill(&mut secret));
        debug_assert!(filled.is_ok(), "32 bytes are within what HKDF gives");
        secret
    }
}

/// How a chain's keys sign.
pub fn algorithm_of(chain: &Chain) -> Algorithm {
    match chain.form {
        AddressForm::Solana => Algorithm::Eddsa,
        _ => Algorithm::Ecdsa,
    }
}

/// SHA-256.
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, bytes).as_ref());
    hash
}

/// Keccak-256.
pub(crate) fn keccak256(bytes: &[u8]) -> [u8; 32] {
    Keccak256::digest(bytes).into()
}

#[cfg(test)]
mod tests {
    use k256::ecdsa::signature::hazmat::PrehashVerifier as _;
    use k256::ecdsa::{RecoveryId, VerifyingKey};

    use super::*;
    use crate::world::assets;

    const KEYS: Keyring = Keyring::of(1, Network::Mainnet);
    const PATH: Path = [44, 60, 7, 0, 0];

    #[test]
    fn what_it_signs_is_of_its_public_key() {
        let hash = sha256(b"a message");
        let signed = KEYS
            .sign(Algorithm::Ecdsa, &PATH, &hash)
            .expect("a signature");
        let public = KEYS.public(Algorithm::Ecdsa, &PATH);
        let key = VerifyingKey::from_sec1_bytes(&public).expect("a key");
        let bytes = hex::decode(&signed.full_sig).expect("hex");
        let signature = k256::ecdsa::Signature::from_slice(&bytes).expect("r and s");
        key.verify_prehash(&hash, &signature).expect("it verifies");
        let v = RecoveryId::from_byte(signed.v.expect("v")).expect("0 or 1");
        let found = VerifyingKey::recover_from_prehash(&hash, &signature, v);
        assert_eq!(found.expect("a key"), key);
        assert_eq!(KEYS.sign(Algorithm::Ecdsa, &PATH, b"no hash"), None);
        let signed = KEYS
            .sign(Algorithm::Eddsa, &PATH, b"a message")
            .expect("a signature");
        let public = KEYS.public(Algorithm::Eddsa, &PATH);
        aws_lc_rs::signature::UnparsedPublicKey::new(&aws_lc_rs::signature::ED25519, public)
            .verify(b"a message", &hex::decode(signed.full_sig).expect("hex"))
            .expect("it verifies");
    }

    #[test]
    fn each_path_seed_and_network_has_its_own() {
        let one = KEYS.public(Algorithm::Ecdsa, &PATH);
        let testnet = Keyring::of(1, Network::Testnet);
        assert_ne!(one, KEYS.public(Algorithm::Ecdsa, &[44, 60, 8, 0, 0]));
        assert_ne!(
            one,
            Keyring::of(2, Network::Mainnet).public(Algorithm::Ecdsa, &PATH)
        );
        assert_ne!(one, testnet.public(Algorithm::Ecdsa, &PATH));
    }

    #[test]
    fn addresses_are_valid_and_shared_where_chains_share_keys() {
        for network in [Network::Mainnet, Network::Testnet] {
            let keys = Keyring::of(1, network);
            for chain in assets::chains_of_network(network == Network::Testnet) {
                let address = keys.address(chain, 3, 0);
                assert!(
                    addresses::is_valid(chain, &address.text),
                    "{} {address:?}",
                    chain.native
                );
                let next = keys.address(chain, 3, 1);
                let shared = chain.form == AddressForm::Ripple;
                assert_eq!(next.text == address.text, shared, "{}", chain.native);
                assert_eq!(next.tag != address.tag, shared, "{}", chain.native);
            }
        }
        let of = |id: &str| {
            let chain = assets::chains_of_network(false).find(|chain| chain.native == id);
            KEYS.address(chain.expect("a chain"), 3, 0).text
        };
        assert_eq!(of("ETH"), of("MATIC_POLYGON"));
    }

    #[test]
    fn the_standards_own_examples() {
        // BIP 173: the key of secret 1.
        let key = SigningKey::from_slice(&{
            let mut one = [0; 32];
            one[31] = 1;
            one
        });
        let key = *key.expect("a key").verifying_key();
        let chain = |id: &str| {
            let chain = assets::chains_of_network(false).find(|chain| chain.native == id);
            chain.expect("a chain")
        };
        let compressed = key.to_encoded_point(true);
        let bitcoin = addresses::of_key(chain("BTC"), compressed.as_bytes());
        assert_eq!(bitcoin.text, "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4");
        assert_eq!(bitcoin.legacy, "1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH");
        let open = key.to_encoded_point(false);
        let ethereum = addresses::of_key(chain("ETH"), &open.as_bytes()[1..]);
        assert_eq!(ethereum.text, "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf");
    }
}

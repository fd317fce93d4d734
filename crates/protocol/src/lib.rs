//! Fireblocks' language: the words, the shapes and the proofs that travel between a workspace,
//! a gate and a connector.
//!
//! What may enter: parsing, printing, checking and signing of what is on the wire.
//! What may not: sockets, files, clocks, runtimes, SQL. Time and randomness come in as arguments.
//!
//! | room | what it holds |
//! |---|---|
//! | [`ids`], [`time`], [`amount`], [`role`] | the small words everything else is made of |
//! | [`model`], [`objects`] | wire types, one concept a file; how they are read from JSON |
//! | [`operations`] | the table of the contract's operations; a request resolves to one row |
//! | [`contract`] | what the contract says of each operation's query, body and answers |
//! | [`token`] | request tokens; a `VerifiedToken` comes only out of verification |
//! | [`csr`], [`certificate`] | certificate signing requests, and what is made of them |
//! | [`private_key`] | finding private keys where none may be |
//! | [`handover`] | the two files between provider and client |
//! | [`approval_key`] | keys that sign approvals of pending requests |
//! | [`keys`] | RSA keys of either half; the private half cannot be printed |
//! | [`signature`] | webhook signatures, both generations, and JWKS |
//! | [`callback`] | what co-signers ask their callback handlers, and what those answer |
//! | [`error`] | every error body and code, in one table |

pub mod amount;
pub mod approval_key;
pub mod callback;
pub mod certificate;
pub mod contract;
pub mod csr;
mod der;
pub mod ed25519;
pub mod error;
pub mod exchange;
pub mod handover;
pub mod ids;
pub mod keys;
pub mod model;
pub mod objects;
pub mod operations;
pub mod private_key;
pub mod role;
pub mod signature;
pub mod time;
pub mod token;
mod unwrap;

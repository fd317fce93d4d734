//! A broad walk with the community's Rust client, crates.io `fireblocks-sdk`: stories of each area. Not of webhooks V2: it reads
//! their moments as texts, where contract and official clients have numbers.

mod accounts;
mod lists;
mod people;
mod sandbox;
mod staking;
mod transfers;

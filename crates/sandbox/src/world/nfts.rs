//! The NFTs of a new workspace: a few collections, owned by the desks; one of them is spam, and
//! one token has come that nobody has looked for yet.

use protocol::ids::VaultAccountId;
use protocol::time::Millis;
use serde_json::Error;

use super::beside::{Document, Ground};
use super::{Network, addresses, assets};
use crate::holdings::nft::{Collection, Ownership, Status, Token, blockchain};

/// Name, symbol, standard, whether on Polygon, how many tokens, whether spam.
const COLLECTIONS: [(&str, &str, &str, bool, u64, bool); 4] = [
    ("Harbor Lights", "HRBR", "ERC721", false, 5, false),
    ("Copper Foxes", "CFOX", "ERC721", true, 4, false),
    ("Desk Passes", "DESK", "ERC1155", true, 3, false),
    ("Claim your reward", "CLAIM", "ERC1155", false, 2, true),
];
/// Accounts that own them: the desks, which have every chain.
const OWNERS: u64 = 4;

pub(super) fn seeded(ground: &mut Ground) -> Result<Vec<Document>, Error> {
    let mut documents = Vec::new();
    for (name, symbol, standard, polygon, count, spam) in COLLECTIONS {
        let native = match (ground.network, polygon) {
            (Network::Mainnet, false) => "ETH",
            (Network::Mainnet, true) => "MATIC_POLYGON",
            (Network::Testnet, false) => "ETH_TEST5",
            (Network::Testnet, true) => "AMOY",
        };
        let test = ground.network == Network::Testnet;
        let chain = assets::chains_of_network(test).find(|chain| chain.native == native);
        let bytes = ground.chance.bytes();
        let collection = Collection {
            id: ground.chance.uuid().to_string(),
            name: name.to_owned(),
            symbol: symbol.to_owned(),
            standard: standard.to_owned(),
            blockchain: blockchain(native).unwrap_or_default().to_owned(),
            contract: chain.map_or_else(String::new, |chain| {
                addresses::of_nobody(chain, &bytes).text
            }),
        };
        documents.push(Document::of(&collection)?);
        for number in 1..=count {
            documents.push(Document::of(&token(
                ground,
                &collection,
                number,
                count,
                spam,
            ))?);
        }
    }
    Ok(documents)
}

fn token(
    ground: &mut Ground,
    collection: &Collection,
    number: u64,
    count: u64,
    spam: bool,
) -> Token {
    let [day, which] = ground.chance.bytes::<2>();
    let since = ground.now.plus(-i64::from(day) * Millis::DAY);
    let several = collection.standard == "ERC1155";
    let owner = |account: u64, balance| Ownership {
        account: VaultAccountId::new(u32::try_from(account % OWNERS).unwrap_or(0)),
        balance,
        since,
        updated: since,
        status: Status::Listed,
        spam: None,
        // The last of the first collection is there, but not seen.
        seen: several || number < count || collection.symbol != "HRBR",
    };
    let first = u64::from(which);
    let owners = if several {
        vec![owner(first, 3), owner(first + 1, number)]
    } else {
        vec![owner(first, 1)]
    };
    Token {
        id: format!("NFT-{}", hex::encode(ground.chance.bytes::<20>())),
        number,
        collection: collection.clone(),
        name: format!("{} #{number}", collection.name),
        read: number > 1,
        spam,
        owners,
    }
}

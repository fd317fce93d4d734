//! The read model from the tables: all of it at the start, later what others have changed.

use protocol::ids::{VaultAccountId, WorkspaceId};
use protocol::model::whitelist::WhitelistKind;
use store::{Query, StoreError};

use crate::change::{Change, FactKind, Version};
use crate::docs::parse;
use crate::model::Model;
use crate::rows::{self, Fact};

/// Counts the changes of books that several processes read, as subscribers' positions are counted.
pub(crate) const CHANGES: &str = "books";

/// The whole read model.
pub(crate) fn load(query: &mut impl Query, workspace: WorkspaceId) -> Result<Model, StoreError> {
    let mut model = Model::default();
    for kind in FactKind::IN_MODEL {
        for fact in rows::facts(query, workspace, kind)? {
            if let Some(doc) = &fact.doc {
                model.take(fact.version, &told(kind, &fact, doc)?);
            }
        }
    }
    model.settle_all();
    Ok(model)
}

/// What was changed after that change, and which is the latest now.
pub(crate) fn since(
    query: &mut impl Query,
    workspace: WorkspaceId,
    sequence: i64,
) -> Result<(i64, Vec<(Version, Change)>), StoreError> {
    let latest = rows::position(query, workspace, CHANGES)?;
    if latest == sequence {
        return Ok((latest, Vec::new()));
    }
    let facts = rows::facts_since(query, workspace, sequence)?;
    let change = |(kind, fact): &(FactKind, Fact)| {
        let change = match &fact.doc {
            Some(doc) => told(*kind, fact, doc)?,
            None => gone(*kind, fact)?,
        };
        Ok((fact.version, change))
    };
    let changes = facts
        .iter()
        .map(change)
        .collect::<Result<_, StoreError>>()?;
    Ok((latest, changes))
}

fn told(kind: FactKind, fact: &Fact, doc: &str) -> Result<Change, StoreError> {
    Ok(match kind {
        FactKind::Account => Change::Account(parse("account", doc)?),
        FactKind::Wallet => Change::Wallet(account(fact)?, parse("wallet", doc)?),
        FactKind::Address => Change::Address(account(fact)?, parse("address", doc)?),
        FactKind::Internal => Change::Whitelist(WhitelistKind::Internal, parse("whitelist", doc)?),
        FactKind::External => Change::Whitelist(WhitelistKind::External, parse("whitelist", doc)?),
        FactKind::Contract => Change::Whitelist(WhitelistKind::Contract, parse("whitelist", doc)?),
        FactKind::Asset => {
            let (supported, asset) = parse("asset", doc)?;
            Change::Asset(supported, asset)
        }
        FactKind::Blockchain => Change::Blockchain(parse("blockchain", doc)?),
        FactKind::User => Change::User(parse("user", doc)?),
    })
}

/// Entries of whitelists alone can go.
fn gone(kind: FactKind, fact: &Fact) -> Result<Change, StoreError> {
    let bad = |column| rows::corrupt("facts", column, &fact.key);
    let list = match kind {
        FactKind::Internal => WhitelistKind::Internal,
        FactKind::External => WhitelistKind::External,
        FactKind::Contract => WhitelistKind::Contract,
        _ => return Err(bad("doc")),
    };
    let id = fact.key.parse().map_err(|_| bad("key"))?;
    Ok(Change::WhitelistRemoved(list, id))
}

fn account(fact: &Fact) -> Result<VaultAccountId, StoreError> {
    let number = fact.account.and_then(|number| u32::try_from(number).ok());
    let number = number.ok_or_else(|| rows::corrupt("facts", "account", &fact.key))?;
    Ok(VaultAccountId::new(number))
}

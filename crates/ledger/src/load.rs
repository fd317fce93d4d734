//! The read model from the tables, at the start.

use protocol::ids::{VaultAccountId, WorkspaceId};
use store::{Query, StoreError};

use crate::change::{Change, FactKind};
use crate::docs::parse;
use crate::model::Model;
use crate::rows::{self, Fact};

pub(crate) fn load(query: &mut impl Query, workspace: WorkspaceId) -> Result<Model, StoreError> {
    use protocol::model::whitelist::WhitelistKind;
    let mut model = Model::default();
    let mut take = |kind: FactKind, read: &dyn Fn(&Fact, &str) -> Result<Change, StoreError>| {
        for fact in rows::facts(query, workspace, kind)? {
            if let Some(doc) = &fact.doc {
                model.take(fact.version, &read(&fact, doc)?);
            }
        }
        Ok::<(), StoreError>(())
    };
    take(FactKind::Account, &|_, doc| {
        Ok(Change::Account(parse("account", doc)?))
    })?;
    take(FactKind::Wallet, &|fact, doc| {
        let number = fact.account.and_then(|number| u32::try_from(number).ok());
        let account = number.ok_or_else(|| rows::corrupt("facts", "account", &fact.key))?;
        Ok(Change::Wallet(
            VaultAccountId::new(account),
            parse("wallet", doc)?,
        ))
    })?;
    for kind in [
        WhitelistKind::Internal,
        WhitelistKind::External,
        WhitelistKind::Contract,
    ] {
        take(FactKind::of(kind), &|_, doc| {
            Ok(Change::Whitelist(kind, parse("whitelist", doc)?))
        })?;
    }
    take(FactKind::Asset, &|_, doc| {
        let (supported, asset) = parse("asset", doc)?;
        Ok(Change::Asset(supported, asset))
    })?;
    take(FactKind::Blockchain, &|_, doc| {
        Ok(Change::Blockchain(parse("blockchain", doc)?))
    })?;
    take(FactKind::User, &|_, doc| {
        Ok(Change::User(parse("user", doc)?))
    })?;
    model.settle_all();
    Ok(model)
}

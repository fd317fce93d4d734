//! Writing a report: rows, position and digest of one moment.

use aws_lc_rs::digest::{SHA256, digest as sha256};
use protocol::ed25519::SigningKey;
use protocol::ids::VaultAccountId;
use protocol::model::vault::VaultWalletAddress;
use protocol::time::Millis;
use store::{Query, StoreError};

use super::columns::{self, guarded};
use super::manifest::{Kind, Manifest, SignedManifest};
use crate::books::{Books, LedgerError};
use crate::change::{FactKind, WalletFacts};
use crate::digest::{self, Digest, FORMULA};
use crate::rows::{self, corrupt};
use crate::scope::Scope;
use crate::view::{view_address, view_of_wallet};

/// A report and its manifest.
#[derive(Debug)]
pub struct Written {
    /// The CSV file.
    pub file: Vec<u8>,
    /// The manifest file, JSON.
    pub manifest: Vec<u8>,
    /// Rows of the file, without its header.
    pub rows: u64,
    /// The position it holds for.
    pub position: i64,
}

/// Writes what a scope covers, from the tables, in one snapshot; no upstream call.
pub async fn write(
    books: &Books,
    scope: &Scope,
    kind: Kind,
    subscriber: &str,
    created_at: Millis,
    key: &SigningKey,
) -> Result<Written, LedgerError> {
    let (seen, reader) = (scope.clone(), subscriber.to_owned());
    let work = move |reading: &mut store::Reading<'_>| {
        let mut rows = Rows::new(kind)?;
        match kind {
            Kind::Balances => rows.balances(reading, &seen)?,
            Kind::Addresses => rows.addresses(reading, &seen)?,
            Kind::Transactions => rows.transactions(reading, &seen)?,
        }
        let position = rows::position(reading, seen.workspace(), &reader)?;
        Ok::<_, StoreError>((rows.finish()?, position))
    };
    let ((file, count, digest), position) = books.store().read(work).await?;
    let manifest = Manifest {
        version: 1,
        kind,
        workspace: scope.workspace(),
        scope: scope.id().to_string(),
        part: scope.as_part().cloned(),
        subscriber: subscriber.to_owned(),
        position,
        rows: count,
        digest,
        digest_formula: FORMULA,
        sha256: hex::encode(sha256(&SHA256, &file)),
        created_at,
    };
    let signed =
        SignedManifest::sign(&manifest, key).map_err(|_| LedgerError::Unwritable("a manifest"))?;
    let manifest =
        serde_json::to_vec_pretty(&signed).map_err(|_| LedgerError::Unwritable("a manifest"))?;
    Ok(Written {
        file,
        manifest,
        rows: count,
        position,
    })
}

struct Rows {
    csv: csv::Writer<Vec<u8>>,
    count: u64,
    digest: Digest,
}

fn unwritable(error: impl ToString) -> StoreError {
    StoreError::Engine(error.to_string())
}

impl Rows {
    fn new(kind: Kind) -> Result<Self, StoreError> {
        let mut csv = csv::Writer::from_writer(Vec::new());
        match kind {
            Kind::Balances => csv.write_record(columns::BALANCES),
            Kind::Addresses => csv.write_record(columns::ADDRESSES),
            Kind::Transactions => csv.write_record(columns::TRANSACTIONS),
        }
        .map_err(unwritable)?;
        Ok(Self {
            csv,
            count: 0,
            digest: Digest::default(),
        })
    }

    fn row(&mut self, cells: &[String]) -> Result<(), StoreError> {
        self.count += 1;
        self.csv
            .write_record(cells.iter().map(|cell| guarded(cell).into_owned()))
            .map_err(unwritable)
    }

    fn balances(&mut self, query: &mut impl Query, scope: &Scope) -> Result<(), StoreError> {
        let mut seen = Vec::new();
        for fact in rows::facts(query, scope.workspace(), FactKind::Wallet)? {
            let (Some(doc), Some(account)) = (&fact.doc, account(fact.account)) else {
                continue;
            };
            let facts: WalletFacts =
                serde_json::from_str(doc).map_err(|_| corrupt("facts", "doc", &fact.key))?;
            let asset = facts.balance.id.clone();
            seen.extend(
                view_of_wallet(account, &asset, facts, scope)
                    .map(|facts| (account, asset, facts, fact.version)),
            );
        }
        seen.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
        for (account, _, facts, version) in &seen {
            self.digest = self
                .digest
                .plus(&digest::of_balance(*account, &facts.get().balance).1);
            self.row(&columns::balance_row(*account, facts.get(), *version))?;
        }
        Ok(())
    }

    fn addresses(&mut self, query: &mut impl Query, scope: &Scope) -> Result<(), StoreError> {
        let mut seen = Vec::new();
        for fact in rows::facts(query, scope.workspace(), FactKind::Address)? {
            let (Some(doc), Some(account)) = (&fact.doc, account(fact.account)) else {
                continue;
            };
            let address: VaultWalletAddress =
                serde_json::from_str(doc).map_err(|_| corrupt("facts", "doc", &fact.key))?;
            let (asset, index) = (address.asset_id.clone(), address.bip44_address_index);
            let address = view_address(account, address, scope);
            seen.extend(address.map(|address| {
                (
                    (account, asset, index, fact.key.clone()),
                    address,
                    fact.version,
                )
            }));
        }
        seen.sort_by(|a, b| a.0.cmp(&b.0));
        for ((account, ..), address, version) in &seen {
            self.digest = self
                .digest
                .plus(&digest::of_address(*account, address.get()).1);
            self.row(&columns::address_row(*account, address.get(), *version))?;
        }
        Ok(())
    }

    fn transactions(&mut self, query: &mut impl Query, scope: &Scope) -> Result<(), StoreError> {
        rows::each_seen(query, scope, |seen| {
            for (_, digest) in digest::of_transaction(seen.get()) {
                self.digest = self.digest.plus(&digest);
            }
            self.row(&columns::transaction_row(seen.get()))
        })
    }

    fn finish(self) -> Result<(Vec<u8>, u64, Digest), StoreError> {
        Ok((
            self.csv.into_inner().map_err(unwritable)?,
            self.count,
            self.digest,
        ))
    }
}

fn account(number: Option<i64>) -> Option<VaultAccountId> {
    number
        .and_then(|number| u32::try_from(number).ok())
        .map(VaultAccountId::new)
}

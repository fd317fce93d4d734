//! Each kind's columns: a row out of what is seen, and back.

use std::borrow::Cow;

use protocol::amount::Amount;
use protocol::ids::VaultAccountId;
use protocol::model::transaction::{AmountInfo, BlockInfo, FeeInfo, Peer, Transaction};
use protocol::model::vault::{VaultAsset, VaultWalletAddress};
use protocol::time::Millis;

use crate::change::{Change, Origin, Version, WalletFacts};

pub(super) const BALANCES: [&str; 13] = [
    "account_id",
    "asset",
    "total",
    "available",
    "pending",
    "frozen",
    "locked",
    "staked",
    "block_height",
    "block_hash",
    "created_at",
    "as_of",
    "as_of_rank",
];

pub(super) const ADDRESSES: [&str; 12] = [
    "account_id",
    "asset",
    "address",
    "tag",
    "description",
    "type",
    "format",
    "legacy_address",
    "index",
    "customer_ref_id",
    "as_of",
    "as_of_rank",
];

pub(super) const TRANSACTIONS: [&str; 37] = [
    "id",
    "status",
    "sub_status",
    "operation",
    "asset",
    "asset_type",
    "source_type",
    "source_id",
    "source_name",
    "source_sub_type",
    "source_address",
    "destination_type",
    "destination_id",
    "destination_name",
    "destination_sub_type",
    "destination_address",
    "destination_tag",
    "amount",
    "requested_amount",
    "net_amount",
    "amount_usd",
    "fee",
    "service_fee",
    "fee_asset",
    "tx_hash",
    "confirmations",
    "block_height",
    "block_hash",
    "created_at",
    "last_updated",
    "note",
    "external_tx_id",
    "customer_ref_id",
    "address_type",
    "treat_as_gross_amount",
    "error_description",
    "created_by",
];

/// A cell that no spreadsheet runs.
pub fn guarded(text: &str) -> Cow<'_, str> {
    let risky = text.starts_with(['=', '+', '-', '@', '\'', '\t', '\r']);
    if risky && text.parse::<Amount>().is_err() {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// What was guarded.
pub(super) fn unguarded(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(text) if text.starts_with(['=', '+', '-', '@', '\'', '\t', '\r']) => text,
        _ => cell,
    }
}

pub(super) fn balance_row(
    account: VaultAccountId,
    facts: &WalletFacts,
    version: Version,
) -> Vec<String> {
    let b = &facts.balance;
    vec![
        account.to_string(),
        b.id.to_string(),
        b.total.to_string(),
        b.available.to_string(),
        b.pending.to_string(),
        b.frozen.to_string(),
        b.locked_amount.to_string(),
        b.staked.to_string(),
        b.block_height.clone().unwrap_or_default(),
        b.block_hash.clone().unwrap_or_default(),
        facts.created_at.to_string(),
        version.time.to_string(),
        version.rank.to_string(),
    ]
}

pub(super) fn address_row(
    account: VaultAccountId,
    a: &VaultWalletAddress,
    version: Version,
) -> Vec<String> {
    vec![
        account.to_string(),
        a.asset_id.to_string(),
        a.address.clone(),
        a.tag.clone(),
        a.description.clone(),
        a.kind.clone(),
        a.address_format.clone().unwrap_or_default(),
        a.legacy_address.clone(),
        a.bip44_address_index.to_string(),
        a.customer_ref_id.clone().unwrap_or_default(),
        version.time.to_string(),
        version.rank.to_string(),
    ]
}

pub(super) fn transaction_row(t: &Transaction) -> Vec<String> {
    let amount =
        |amount: &Option<Amount>| amount.as_ref().map(ToString::to_string).unwrap_or_default();
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let block = t.block_info.clone().unwrap_or_default();
    vec![
        t.id.to_string(),
        t.status.to_string(),
        t.sub_status.clone(),
        t.operation.clone(),
        t.asset_id.to_string(),
        t.asset_type.clone(),
        t.source.kind.as_str().to_owned(),
        text(&t.source.id),
        t.source.name.clone(),
        t.source.sub_type.clone(),
        t.source_address.clone(),
        t.destination.kind.as_str().to_owned(),
        text(&t.destination.id),
        t.destination.name.clone(),
        t.destination.sub_type.clone(),
        t.destination_address.clone(),
        t.destination_tag.clone(),
        amount(&t.amount_info.amount),
        amount(&t.amount_info.requested_amount),
        amount(&t.amount_info.net_amount),
        amount(&t.amount_info.amount_usd),
        amount(&t.fee_info.network_fee),
        amount(&t.fee_info.service_fee),
        t.fee_currency
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
        t.tx_hash.clone(),
        t.num_of_confirmations.to_string(),
        text(&block.block_height),
        text(&block.block_hash),
        t.created_at.to_string(),
        t.last_updated.to_string(),
        t.note.clone(),
        text(&t.external_tx_id),
        text(&t.customer_ref_id),
        t.address_type.clone(),
        t.treat_as_gross_amount.to_string(),
        t.error_description.clone(),
        t.created_by.clone(),
    ]
}

/// A row as it was read, by position; what is wrong names its column.
pub(super) struct Cells<'a> {
    record: &'a csv::StringRecord,
    names: &'static [&'static str],
    at: usize,
}

/// What is wrong, in which column (from 1).
pub(super) struct BadCell {
    pub(super) column: usize,
    pub(super) name: &'static str,
}

impl<'a> Cells<'a> {
    pub(super) fn of(record: &'a csv::StringRecord, names: &'static [&'static str]) -> Self {
        Self {
            record,
            names,
            at: 0,
        }
    }

    fn text(&mut self) -> &'a str {
        let cell = self.record.get(self.at).unwrap_or_default();
        self.at += 1;
        unguarded(cell)
    }

    fn some(&mut self) -> Option<String> {
        Some(self.text().to_owned()).filter(|text| !text.is_empty())
    }

    fn parse<T: std::str::FromStr>(&mut self) -> Result<T, BadCell> {
        self.text().parse().map_err(|_| self.bad())
    }

    fn maybe<T: std::str::FromStr>(&mut self) -> Result<Option<T>, BadCell> {
        match self.text() {
            "" => Ok(None),
            text => text.parse().map(Some).map_err(|_| self.bad()),
        }
    }

    fn bad(&self) -> BadCell {
        BadCell {
            column: self.at,
            name: self
                .names
                .get(self.at.saturating_sub(1))
                .copied()
                .unwrap_or_default(),
        }
    }

    pub(super) fn balance(&mut self) -> Result<(Version, Change), BadCell> {
        let account = self.parse()?;
        let mut balance = VaultAsset::empty(self.parse()?);
        balance.total = self.parse()?;
        balance.balance = Some(balance.total.clone());
        balance.available = self.parse()?;
        balance.pending = self.parse()?;
        balance.frozen = self.parse()?;
        balance.locked_amount = self.parse()?;
        balance.staked = self.parse()?;
        balance.block_height = self.some();
        balance.block_hash = self.some();
        let created_at = Millis(self.parse()?);
        let version = Version {
            time: Millis(self.parse()?),
            rank: self.parse()?,
        };
        Ok((
            version,
            Change::Wallet(
                account,
                WalletFacts {
                    balance,
                    created_at,
                },
            ),
        ))
    }

    pub(super) fn address(&mut self) -> Result<(Version, Change), BadCell> {
        let account = self.parse()?;
        let address = VaultWalletAddress {
            asset_id: self.parse()?,
            address: self.text().to_owned(),
            tag: self.text().to_owned(),
            description: self.text().to_owned(),
            kind: self.text().to_owned(),
            address_format: self.some(),
            legacy_address: self.text().to_owned(),
            enterprise_address: String::new(),
            bip44_address_index: self.parse()?,
            customer_ref_id: self.some(),
            user_defined: false,
        };
        let version = Version {
            time: Millis(self.parse()?),
            rank: self.parse()?,
        };
        Ok((version, Change::Address(account, address)))
    }

    fn peer(&mut self) -> Result<Peer, BadCell> {
        Ok(Peer {
            kind: self.parse()?,
            id: self.some(),
            name: self.text().to_owned(),
            sub_type: self.text().to_owned(),
        })
    }

    pub(super) fn transaction(&mut self) -> Result<(Version, Change), BadCell> {
        let (id, status) = (self.parse()?, self.parse()?);
        let (sub_status, operation) = (self.text().to_owned(), self.text().to_owned());
        let (asset_id, asset_type) = (self.parse()?, self.text().to_owned());
        let (source, source_address) = (self.peer()?, self.text().to_owned());
        let (destination, destination_address) = (self.peer()?, self.text().to_owned());
        let destination_tag = self.text().to_owned();
        let amount_info = AmountInfo {
            amount: self.maybe()?,
            requested_amount: self.maybe()?,
            net_amount: self.maybe()?,
            amount_usd: self.maybe()?,
        };
        let fee_info = FeeInfo {
            network_fee: self.maybe()?,
            service_fee: self.maybe()?,
        };
        let (fee_currency, tx_hash) = (self.maybe()?, self.text().to_owned());
        let num_of_confirmations = self.parse()?;
        let block = BlockInfo {
            block_height: self.some(),
            block_hash: self.some(),
        };
        let transaction = Transaction {
            id,
            status,
            sub_status,
            operation,
            asset_id,
            asset_type,
            source,
            source_address,
            destination,
            destination_address,
            destination_tag,
            destinations: Vec::new(),
            destination_address_description: String::new(),
            amount_info,
            fee_info,
            fee_currency,
            tx_hash,
            num_of_confirmations,
            block_info: Some(block).filter(|block| *block != BlockInfo::default()),
            index: None,
            nonce: None,
            created_at: Millis(self.parse()?),
            last_updated: Millis(self.parse()?),
            note: self.text().to_owned(),
            external_tx_id: self.some(),
            customer_ref_id: self.some(),
            address_type: self.text().to_owned(),
            treat_as_gross_amount: self.parse()?,
            error_description: self.text().to_owned(),
            created_by: self.text().to_owned(),
            signed_by: Vec::new(),
            rejected_by: String::new(),
            authorization_info: None,
            exchange_tx_id: String::new(),
            replaced_tx_hash: String::new(),
            extra_parameters: None,
            signed_messages: Vec::new(),
        };
        let version = Version::of_transaction(&transaction);
        Ok((
            version,
            Change::Transaction(Box::new(transaction), Origin::default()),
        ))
    }
}

//! What people, services and third parties do to transactions under way.

use ledger::Fault;
use protocol::ids::TxId;
use protocol::model::transaction::{Transaction, TransactionStatus};

use super::{processed, signed, take, under_way};
use crate::deed::Deed;
use crate::flight::{Act, UnderWay, cancellable};
use crate::rows::flights;
use crate::screening;

/// The first approver who has not answered.
fn asked(transaction: &Transaction) -> Option<String> {
    let info = transaction.authorization_info.as_ref()?;
    let mut users = info.groups.iter().flat_map(|group| &group.users);
    users
        .find(|(_, said)| *said == "PENDING_AUTHORIZATION")
        .map(|(user, _)| user.clone())
}

/// A person says yes: the one named, or the first who is asked.
pub(crate) fn approve(
    deed: &mut Deed<'_, '_>,
    id: TxId,
    user: Option<String>,
) -> Result<(), Fault> {
    let who = match user {
        Some(user) => Some(user),
        None => under_way(deed, id)?.and_then(|(transaction, _)| asked(&transaction)),
    };
    take(deed, id, Act::Approve(who.unwrap_or_default()))
}

/// The signer signs.
pub(crate) fn sign(deed: &mut Deed<'_, '_>, id: TxId, user: Option<String>) -> Result<(), Fault> {
    let Some((transaction, flight)) = under_way(deed, id)? else {
        return take(deed, id, Act::Turn); // Which says why not.
    };
    let first = || flight.signers.first().cloned();
    let user = user.or_else(first).unwrap_or_default();
    let signed = signed(deed, &transaction, &flight)?;
    take(deed, id, Act::Sign { user, signed })
}

/// The third party that sends it takes it up.
pub(crate) fn process(deed: &mut Deed<'_, '_>, id: TxId, _: Option<String>) -> Result<(), Fault> {
    let Some((transaction, _)) = under_way(deed, id)? else {
        return take(deed, id, Act::Turn); // Which says why not.
    };
    let act = processed(deed, &transaction)?;
    take(deed, id, act)
}

/// The third party that sends it looks at it first.
pub(crate) fn hold(deed: &mut Deed<'_, '_>, id: TxId, _: Option<String>) -> Result<(), Fault> {
    take(deed, id, Act::Hold)
}

/// The service that it waits for lets it through.
pub(crate) fn pass(deed: &mut Deed<'_, '_>, id: TxId, _: Option<String>) -> Result<(), Fault> {
    screening::pass(deed, id)
}

/// Somebody says no: the one named, or whoever is asked now; the service or the third party that it
/// waits for.
pub(crate) fn reject(deed: &mut Deed<'_, '_>, id: TxId, user: Option<String>) -> Result<(), Fault> {
    use TransactionStatus as S;
    let found = under_way(deed, id)?;
    let act = match (found, user) {
        (Some((transaction, flight)), user) => match (transaction.status, user) {
            (S::PendingAmlScreening, None) => Act::ScreenedOut,
            (S::Pending3rdParty | S::Pending3rdPartyManualApproval, None) => Act::Decline,
            (_, user) => {
                let first = || asked(&transaction).or(flight.signers.into_iter().next());
                Act::Reject(user.or_else(first).unwrap_or_default())
            }
        },
        (None, user) => Act::Reject(user.unwrap_or_default()),
    };
    take(deed, id, act)
}

/// A user is deleted: what only it could still sign fails. What the chain has goes on, and what waits
/// for its approval waits on, until its time is over.
pub(crate) fn orphan(deed: &mut Deed<'_, '_>, user: &str) -> Result<(), Fault> {
    for UnderWay { id, .. } in flights::all(deed.writing, deed.hall.id())? {
        let Some((transaction, flight)) = under_way(deed, id)? else {
            continue;
        };
        let named = flight.signers.iter().any(|signer| signer == user);
        let itself = flight.initiator_signs && transaction.created_by == user;
        if (named || itself) && cancellable(transaction.status) {
            let user = user.to_owned();
            take(deed, id, Act::Orphan { user })?;
        }
    }
    Ok(())
}

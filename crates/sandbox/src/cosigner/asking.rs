//! Asks callback handlers: who is to be asked what, and what follows from an answer. A question
//! is kept once it has been answered, so that a handler hears the same again after `RETRY`.

use std::collections::BTreeMap;
use std::time::Duration;

use ledger::Fault;
use protocol::callback::{Action, Answer};
use protocol::ids::TxId;
use protocol::model::transaction::{Transaction, TransactionStatus};
use protocol::time::Millis;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{Query, StoreError};

use super::payload::claims;
use super::{Handler, Pairing, is_machine, user};
use crate::chain;
use crate::deed::Deed;
use crate::flight::{Act, Flight};
use crate::hall::Hall;
use crate::rows::flights;
use crate::shelf::{self, Kept};

/// How long a handler has to answer.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);
/// How long after `RETRY` it is asked again.
pub(crate) const RETRY_EVERY: i64 = 3 * 60_000;
/// How often it is asked again.
const RETRIES: u32 = 20;

/// A question about a transaction to the handler of one API user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Call {
    pub(crate) transaction: TxId,
    pub(crate) user: String,
    /// Whether a signature is asked for, or an approval alone.
    signing: bool,
    pub(crate) claims: Value,
    /// How often it was answered.
    answers: u32,
    /// When it is to be asked, where nothing came of it yet.
    due_at: Millis,
    outcome: Option<Outcome>,
    /// What the handler gave as its reason, or why its answer does not count.
    reason: Option<String>,
}

/// What came of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Outcome {
    Approved,
    Rejected,
    Ignored,
    /// `RETRY`, once too often.
    TimedOut,
    /// No answer that counts.
    Failed,
}

impl Kept for Call {
    const KIND: &'static str = "callback";

    fn key(&self) -> String {
        format!("{}/{}", self.transaction, self.user)
    }
}

impl Call {
    /// What follows from an answer, where it is `signing` (or approval) that waits now.
    fn hear(&mut self, heard: &Result<Answer, String>, at: Millis) -> Option<Act> {
        self.answers += 1;
        let answer = match heard {
            Ok(answer) => answer,
            Err(why) => return self.end(Outcome::Failed, Some(why.clone()), unanswered()),
        };
        let reason = answer.rejection_reason.clone();
        let user = self.user.clone();
        match answer.action {
            Action::Approve => {
                self.outcome = Some(Outcome::Approved);
                None // What is signed, and what is approved, the caller knows.
            }
            Action::Reject => self.end(Outcome::Rejected, reason, Act::Reject(user)),
            Action::Retry if self.answers > RETRIES => {
                self.end(Outcome::TimedOut, reason, Act::Expire)
            }
            Action::Retry => {
                self.due_at = at.plus(RETRY_EVERY);
                None
            }
            Action::Ignore if self.signing => {
                let why = "IGNORE is no answer where a signature is asked for".to_owned();
                self.end(Outcome::Failed, Some(why), unanswered())
            }
            Action::Ignore => {
                self.outcome = Some(Outcome::Ignored);
                None
            }
        }
    }

    fn end(&mut self, outcome: Outcome, reason: Option<String>, act: Act) -> Option<Act> {
        self.outcome = Some(outcome);
        self.reason = reason;
        Some(act)
    }
}

/// Whoever was asked gave no answer that counts.
fn unanswered() -> Act {
    Act::Fail {
        sub_status: "AUTHORIZATION_FAILED".to_owned(),
    }
}

/// What is to be done now.
pub(crate) enum Errand {
    Ask(Box<Call>, Handler),
    /// The handler has agreed before to what it is about: an approval and a signature are one
    /// question to whoever gives both.
    Sign(TxId, String),
}

/// What is to be done now, and whether anything is to be done later.
pub(crate) fn errands(
    query: &mut impl Query,
    hall: &Hall,
    now: Millis,
) -> Result<(Vec<Errand>, bool), StoreError> {
    let pairings = shelf::all::<Pairing>(query, hall)?.into_iter();
    let handlers: BTreeMap<String, Handler> = pairings
        .filter(|pairing| pairing.cosigner.is_some())
        .filter_map(|pairing| Some((pairing.api_key, pairing.handler?)))
        .collect();
    let (mut errands, mut later) = (Vec::new(), false);
    if handlers.is_empty() {
        return Ok((errands, later));
    }
    for under_way in flights::all(query, hall.id())? {
        let signing = under_way.status == Some(TransactionStatus::PendingSignature);
        if !signing && under_way.status != Some(TransactionStatus::PendingAuthorization) {
            continue;
        }
        let Some((transaction, flight)) = look_up(query, hall, under_way.id)? else {
            continue;
        };
        let asked: Vec<String> = if signing {
            available(query, hall, &flight)?.into_iter().collect()
        } else {
            waiting(&transaction)
        };
        for user in asked {
            let Some(handler) = handlers.get(&user) else {
                continue;
            };
            let signs = flight.signers.contains(&user);
            let fresh = || Call {
                transaction: transaction.id,
                user: user.clone(),
                signing: signs,
                claims: claims(hall, &transaction, &flight, &user, signs),
                answers: 0,
                due_at: now,
                outcome: None,
                reason: None,
            };
            let key = format!("{}/{user}", transaction.id);
            let call = shelf::one::<Call>(query, hall, &key)?.unwrap_or_else(fresh);
            match call.outcome {
                None if call.due_at <= now => {
                    errands.push(Errand::Ask(Box::new(call), handler.clone()));
                }
                None => later = true,
                Some(Outcome::Approved) if signing => {
                    errands.push(Errand::Sign(transaction.id, user));
                }
                Some(_) => {}
            }
        }
    }
    Ok((errands, later))
}

fn look_up(
    query: &mut impl Query,
    hall: &Hall,
    id: TxId,
) -> Result<Option<(Transaction, Flight)>, StoreError> {
    let Some(text) = flights::one(query, hall.id(), id)? else {
        return Ok(None);
    };
    let flight = serde_json::from_str(&text).map_err(|_| StoreError::Corrupt {
        table: "flights",
        column: "doc",
        id: id.to_string(),
    })?;
    let transaction = hall.books.transaction(query, id)?;
    Ok(transaction.map(|transaction| (transaction, flight)))
}

/// The approvers who have not answered.
fn waiting(transaction: &Transaction) -> Vec<String> {
    let groups = transaction
        .authorization_info
        .iter()
        .flat_map(|info| &info.groups);
    let mut users: Vec<String> = Vec::new();
    for (user, said) in groups.flat_map(|group| &group.users) {
        if said == "PENDING_AUTHORIZATION" && !users.contains(user) {
            users.push(user.clone());
        }
    }
    users
}

/// Who signs: the first that can now. People can; API users while they are paired.
fn available(
    query: &mut impl Query,
    hall: &Hall,
    flight: &Flight,
) -> Result<Option<String>, StoreError> {
    for signer in &flight.signers {
        if pairing(query, hall, signer)?.is_none_or(|pairing| pairing.cosigner.is_some()) {
            return Ok(Some(signer.clone()));
        }
    }
    Ok(None)
}

/// How a user's co-signer stands; nothing of people.
fn pairing(query: &mut impl Query, hall: &Hall, id: &str) -> Result<Option<Pairing>, StoreError> {
    match user(hall, id).filter(is_machine) {
        Some(user) => Pairing::of(query, hall, &user),
        None => Ok(None),
    }
}

/// Whether a user acts without anybody being asked.
fn acts_alone(query: &mut impl Query, hall: &Hall, user: &str) -> Result<bool, StoreError> {
    let pairing = pairing(query, hall, user)?;
    Ok(pairing.is_none_or(|it| it.cosigner.is_some() && it.handler.is_none()))
}

/// The approver who says yes by itself; nobody, where those who have not answered are asked.
pub(crate) fn approver(
    deed: &mut Deed<'_, '_>,
    transaction: &Transaction,
) -> Result<Option<String>, StoreError> {
    for user in waiting(transaction) {
        if acts_alone(deed.writing, deed.hall, &user)? {
            return Ok(Some(user));
        }
    }
    Ok(None)
}

/// The signer who signs by itself; nobody, where it is asked first.
pub(crate) fn signer(
    deed: &mut Deed<'_, '_>,
    flight: &Flight,
) -> Result<Option<String>, StoreError> {
    let Some(signer) = available(deed.writing, deed.hall, flight)? else {
        return Ok(None);
    };
    Ok(acts_alone(deed.writing, deed.hall, &signer)?.then_some(signer))
}

/// A handler has answered, or not: what follows is done, if the transaction still waits for it.
pub(crate) fn answered(
    deed: &mut Deed<'_, '_>,
    call: &Call,
    heard: &Result<Answer, String>,
) -> Result<(), Fault> {
    let kept = deed.kept::<Call>(&call.key())?;
    if kept.is_some_and(|kept| kept.outcome.is_some() || kept.answers != call.answers) {
        return Ok(()); // It was answered by another way.
    }
    let known = look_up(deed.writing, deed.hall, call.transaction)?;
    let status = known.map(|(transaction, _)| transaction.status);
    let signing = status == Some(TransactionStatus::PendingSignature);
    let mut call = call.clone();
    let act = call.hear(heard, deed.at);
    deed.keep(&call)?;
    if let Some(user) = user(deed.hall, &call.user)
        && let Some(mut pairing) = Pairing::of(deed.writing, deed.hall, &user)?
    {
        pairing.last_seen = Some(deed.at);
        deed.keep(&pairing)?;
    }
    if !signing && status != Some(TransactionStatus::PendingAuthorization) {
        return Ok(()); // It has gone on meanwhile.
    }
    match (call.outcome, act) {
        (Some(Outcome::Approved), _) if signing => sign(deed, call.transaction, call.user),
        (Some(Outcome::Approved), _) => {
            if_it_waits(chain::take(deed, call.transaction, Act::Approve(call.user)))
        }
        (_, Some(act)) => if_it_waits(chain::take(deed, call.transaction, act)),
        (_, None) => Ok(()),
    }
}

/// What its handler agreed to before is signed.
pub(crate) fn sign(deed: &mut Deed<'_, '_>, id: TxId, user: String) -> Result<(), Fault> {
    if_it_waits(chain::sign(deed, id, Some(user)))
}

/// Somebody else may have said so meanwhile.
fn if_it_waits(done: Result<(), Fault>) -> Result<(), Fault> {
    match done {
        Err(Fault::Refused(error)) if error.status() < 500 => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(signing: bool) -> Call {
        Call {
            transaction: TxId(uuid::Uuid::from_u128(1)),
            user: "u".to_owned(),
            signing,
            claims: Value::Null,
            answers: 0,
            due_at: Millis(0),
            outcome: None,
            reason: None,
        }
    }

    fn said(action: Action) -> Result<Answer, String> {
        Ok(Answer {
            action,
            request_id: "r".to_owned(),
            rejection_reason: Some("why".to_owned()),
        })
    }

    #[test]
    fn each_answer_has_its_end() {
        let after = |signing, heard: &Result<Answer, String>| {
            let mut call = call(signing);
            let act = call.hear(heard, Millis(5)).map(|act| format!("{act:?}"));
            (call.outcome, act)
        };
        let act = |act: &str| Some(act.to_owned());
        for signing in [true, false] {
            let approved = (Some(Outcome::Approved), None);
            assert_eq!(after(signing, &said(Action::Approve)), approved);
            let rejected = (Some(Outcome::Rejected), act("Reject(\"u\")"));
            assert_eq!(after(signing, &said(Action::Reject)), rejected);
            let failed = (Some(Outcome::Failed), act(&format!("{:?}", unanswered())));
            assert_eq!(after(signing, &Err("no answer".to_owned())), failed);
            assert_eq!(after(signing, &said(Action::Retry)), (None, None));
        }
        let failed = (Some(Outcome::Failed), act(&format!("{:?}", unanswered())));
        assert_eq!(after(true, &said(Action::Ignore)), failed);
        assert_eq!(
            after(false, &said(Action::Ignore)),
            (Some(Outcome::Ignored), None)
        );
    }

    #[test]
    fn it_is_asked_again_every_three_minutes_for_an_hour() {
        let mut call = call(true);
        let mut at = Millis(0);
        for _ in 0..RETRIES {
            assert!(call.hear(&said(Action::Retry), at).is_none());
            assert_eq!((call.due_at, call.outcome), (at.plus(RETRY_EVERY), None));
            at = call.due_at;
        }
        assert_eq!(at, Millis(60 * 60_000));
        assert!(matches!(
            call.hear(&said(Action::Retry), at),
            Some(Act::Expire)
        ));
        assert_eq!(call.outcome, Some(Outcome::TimedOut));
    }
}

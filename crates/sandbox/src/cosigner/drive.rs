//! Asks callback handlers what is to be asked, and does what follows. No database transaction is
//! open while one is asked.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use ledger::Fault;
use protocol::callback::{self, Answer};
use protocol::error::ApiError;
use protocol::keys::PublicKey;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::Handler;
use super::asking::{Call, Errand, LIMIT, answered, errands, sign};
use crate::deed::Deed;
use crate::flight::PACE;
use crate::hall::Hall;
use crate::shelf::Kept as _;

/// How long nothing is looked at where nothing waits and nobody knocks.
const REST: Duration = Duration::from_secs(30);

/// Goes on until told to end.
pub(crate) async fn drive(hall: Arc<Hall>, shutdown: CancellationToken) {
    let mut calls: JoinSet<String> = JoinSet::new();
    let mut under_way: HashSet<String> = HashSet::new();
    loop {
        let waits = match act(&hall, &mut calls, &mut under_way).await {
            Ok(waits) => waits,
            Err(error) => {
                tracing::error!(message = error.message(), "callback handlers are not asked");
                true
            }
        };
        let pause = if waits {
            Duration::from_millis(PACE.unsigned_abs() / 2)
        } else {
            REST
        };
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = hall.callbacks.notified(), if !waits => {}
            () = tokio::time::sleep(pause) => {}
            Some(ended) = calls.join_next() => match ended {
                Ok(key) => {
                    under_way.remove(&key);
                }
                Err(error) => {
                    tracing::error!(%error, "a question to a callback handler broke off");
                    under_way.clear();
                }
            },
        }
    }
}

/// Does what is due. Whether anything will be later.
async fn act(
    hall: &Arc<Hall>,
    calls: &mut JoinSet<String>,
    under_way: &mut HashSet<String>,
) -> Result<bool, ApiError> {
    let (reader, now) = (Arc::clone(hall), hall.clock.now());
    let read = move |reading: &mut store::Reading<'_>| errands(reading, &reader, now);
    let read = hall.books.store().read(read).await.map_err(Fault::from)?;
    let (now_due, later) = read;
    for errand in now_due {
        match errand {
            Errand::Ask(call, handler) => {
                let key = call.key();
                if under_way.insert(key.clone()) {
                    let hall = Arc::clone(hall);
                    calls.spawn(async move {
                        ask(hall, *call, handler).await;
                        key
                    });
                }
            }
            Errand::Sign(id, user) => {
                let work = move |deed: &mut Deed<'_, '_>| sign(deed, id, user.clone());
                hall.deed(work).await?;
            }
        }
    }
    Ok(later)
}

/// Asks a handler, and does what follows.
async fn ask(hall: Arc<Hall>, call: Call, handler: Handler) {
    let heard = hear(&hall, &call, &handler).await;
    if let Err(why) = &heard {
        tracing::warn!(transaction = %call.transaction, user = %call.user, %why, "a callback handler gave no answer that counts");
    }
    let done = hall.deed(move |deed| answered(deed, &call, &heard));
    if let Err(fault) = done.await {
        let error = ApiError::from(fault);
        tracing::error!(
            message = error.message(),
            "an answer of a callback handler is lost; it is asked again"
        );
    }
}

async fn hear(hall: &Hall, call: &Call, handler: &Handler) -> Result<Answer, String> {
    let house = &hall.house;
    let key = PublicKey::from_pem(&handler.public_key).map_err(|error| error.to_string())?;
    let url = below(&handler.url).ok_or("the handler's URL cannot be called")?;
    let question = callback::question(&call.claims, &house.cosigner_key);
    let question = question.map_err(|error| error.to_string())?;
    let answer = house.caller.post(url, question, LIMIT).await;
    let answer = answer.map_err(|error| error.to_string())?;
    let id = call.transaction.to_string();
    callback::answer(&answer, &key, &id).map_err(|error| error.to_string())
}

/// Where a handler is asked about transactions.
fn below(url: &str) -> Option<Url> {
    let base = url.trim_end_matches('/');
    format!("{base}/{}", callback::TRANSACTION_PATH)
        .parse()
        .ok()
}

//! Whether a key of the gate's own may be used upstream: it opens this workspace, and can do no more
//! than it was made for. Upstream is asked by reading alone, before anything is done with the key.

use std::collections::HashMap;

use parking_lot::RwLock;
use protocol::ids::UserId;
use protocol::role::ProviderRole;
use protocol::time::Millis;
use sync::SyncError;
use sync::roles::{MoreThanAsked, RoleSeen, by_reading};
use wire::client::Client;

use crate::connections::Connection;
use crate::gate::Gate;

/// How long a key is taken for what it was: somebody may give its user another role.
const ASKED_AGAIN: i64 = Millis::HOUR;
/// How long a refusal stands before upstream is asked anew.
const REFUSED_AGAIN: i64 = Millis::MINUTE;

/// What upstream said of each key, and when.
#[derive(Debug, Default)]
pub(crate) struct Trust(RwLock<HashMap<(UserId, ProviderRole), Asked>>);

#[derive(Debug)]
struct Asked {
    at: Millis,
    refused: Option<MoreThanAsked>,
}

impl Asked {
    fn is_fresh(&self, now: Millis) -> bool {
        let lasts = match self.refused {
            None => ASKED_AGAIN,
            Some(_) => REFUSED_AGAIN,
        };
        now < self.at.plus(lasts)
    }
}

impl Trust {
    /// What is known of a key, if it was asked of lately.
    fn known(
        &self,
        key: UserId,
        most: ProviderRole,
        now: Millis,
    ) -> Option<Result<(), MoreThanAsked>> {
        let asked = self.0.read();
        let asked = asked
            .get(&(key, most))
            .filter(|asked| asked.is_fresh(now))?;
        Some(asked.refused.clone().map_or(Ok(()), Err))
    }

    /// Keeps what upstream said.
    pub(crate) fn keep(
        &self,
        key: UserId,
        most: ProviderRole,
        at: Millis,
        refused: Option<MoreThanAsked>,
    ) {
        self.0.write().insert((key, most), Asked { at, refused });
    }

    /// Why a key is not used, if it is not.
    fn refusal(&self, key: UserId, most: ProviderRole) -> Option<MoreThanAsked> {
        self.0.read().get(&(key, most))?.refused.clone()
    }
}

impl Gate {
    /// Whether a key may be used: asked now and then. A key of another workspace, and one that can do
    /// more than `most`, reads and sends nothing.
    pub(crate) async fn opens(
        &self,
        client: &Client,
        key: Option<UserId>,
        most: ProviderRole,
    ) -> Result<(), SyncError> {
        let Some(key) = key else {
            return Ok(());
        };
        match self.trust.known(key, most, self.clock.now()) {
            Some(known) => Ok(known?),
            None => self.judge(client, key, most).await.map(drop),
        }
    }

    /// Asks upstream now, with the key itself. What cannot be seen is not refused: where upstream has
    /// no `GET /approvals`, nothing tells a Signer from an Editor.
    pub(crate) async fn judge(
        &self,
        client: &Client,
        key: UserId,
        most: ProviderRole,
    ) -> Result<RoleSeen, SyncError> {
        sync::identity(client, self.workspace()).await??;
        let seen = by_reading(client).await?;
        if !seen.any_allowed() {
            return Err(SyncError::NothingTold);
        }
        let refused = seen.judgement.is_more_than(most).then(|| MoreThanAsked {
            most,
            is: seen.judgement.words(),
        });
        self.trust
            .keep(key, most, self.clock.now(), refused.clone());
        refused.map_or(Ok(seen), |refused| Err(refused.into()))
    }

    /// Why keys of the gate's own are not used, as far as they serve this connection.
    pub(crate) fn refused_keys(&self, connection: &Connection) -> Vec<String> {
        let ids = *self.upstream.read();
        let editor = connection.editor.or(ids.editor);
        let editor = editor.filter(|_| connection.role == ProviderRole::Editor);
        let own = [
            (ids.viewer, ProviderRole::Viewer),
            (editor, ProviderRole::Editor),
        ];
        own.into_iter()
            .filter_map(|(key, most)| self.trust.refusal(key?, most))
            .map(|refused| refused.to_string())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_key_is_asked_of_again_and_a_refused_one_soon() {
        let (trust, key) = (Trust::default(), UserId(Uuid::from_u128(1)));
        let most = ProviderRole::Viewer;
        assert_eq!(trust.known(key, most, Millis(0)), None);
        trust.keep(key, most, Millis(0), None);
        assert_eq!(
            trust.known(key, most, Millis(ASKED_AGAIN - 1)),
            Some(Ok(()))
        );
        assert_eq!(trust.known(key, most, Millis(ASKED_AGAIN)), None);
        assert_eq!(trust.known(key, ProviderRole::Editor, Millis(0)), None);
        let more = MoreThanAsked {
            most,
            is: "ADMIN".to_owned(),
        };
        trust.keep(key, most, Millis(0), Some(more.clone()));
        let soon = Millis(REFUSED_AGAIN - 1);
        assert_eq!(trust.known(key, most, soon), Some(Err(more.clone())));
        assert_eq!(trust.known(key, most, Millis(REFUSED_AGAIN)), None);
        assert_eq!(
            trust.refusal(key, most),
            Some(more),
            "posture still says why"
        );
    }
}

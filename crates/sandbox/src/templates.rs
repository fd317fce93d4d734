//! What new workspaces are copied from: the rows of one that nobody comes in to. Making those takes
//! longer than a test likes to wait; copying them does not.

use protocol::ids::WorkspaceId;
use protocol::time::Millis;
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::ground::Ground;
use crate::halls::Halls;
use crate::rows::{snapshots, tables};
use crate::seed::Seedling;
use crate::start::StartError;

/// Most that are kept; the one that was used longest ago goes first.
const MOST: usize = 8;
/// How long one of now will do for now.
const FRESH: i64 = Millis::HOUR;

/// The templates there are, the one used last at the end.
#[derive(Debug, Default)]
pub(crate) struct Templates(Mutex<Vec<Template>>);

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template {
    ground: Ground,
    /// When its history ends.
    pub(crate) at: Millis,
    /// As which workspace its rows are kept.
    pub(crate) id: WorkspaceId,
}

impl Template {
    fn new(ground: &Ground, at: Millis) -> Self {
        let name = format!("vestibule:template:{ground:?}:{at}");
        let id = WorkspaceId(Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes()));
        Self {
            ground: ground.clone(),
            at,
            id,
        }
    }
}

impl Templates {
    /// One whose history ends at that time.
    pub(crate) async fn as_of(
        &self,
        halls: &Halls,
        ground: &Ground,
        at: Millis,
    ) -> Result<Template, StartError> {
        self.find(halls, ground, at, |known| known == at).await
    }

    /// One whose history ends about now.
    pub(crate) async fn recent(
        &self,
        halls: &Halls,
        ground: &Ground,
        now: Millis,
    ) -> Result<Template, StartError> {
        let fresh = |at: Millis| at <= now && at.plus(FRESH) > now;
        self.find(halls, ground, now, fresh).await
    }

    async fn find(
        &self,
        halls: &Halls,
        ground: &Ground,
        at: Millis,
        good: impl Fn(Millis) -> bool + Send,
    ) -> Result<Template, StartError> {
        let mut all = self.0.lock().await;
        let known = |template: &Template| template.ground == *ground && good(template.at);
        if let Some(place) = all.iter().rposition(known) {
            let template = all.remove(place);
            all.push(template.clone());
            return Ok(template);
        }
        if all.len() >= MOST {
            let old = all.remove(0).id;
            let cleared = halls
                .store
                .write(move |writing| tables::clear(writing, old));
            cleared.await?;
        }
        let template = Template::new(ground, at);
        let plan = halls.house.files.plan(ground).ok_or(StartError::Seed)?;
        let seedling = Seedling::new(plan, template.id, halls.house.seed, at)?;
        seedling.into_template(&halls.store).await?;
        all.push(template.clone());
        Ok(template)
    }
}

/// Takes away the templates that an earlier run has left behind.
pub(crate) async fn sweep(store: &store::Store) -> Result<(), store::StoreError> {
    let swept = store.write(|writing| {
        for stray in snapshots::strays(writing)? {
            tables::clear(writing, stray)?;
        }
        Ok(())
    });
    swept.await
}

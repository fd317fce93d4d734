//! What workspaces grow from: the files that are part of the program, and those that were given.

use std::collections::BTreeMap;
use std::sync::Arc;

use protocol::ids::WorkspaceId;
use serde::{Deserialize, Serialize};
use store::{Store, StoreError};
use uuid::Uuid;

use crate::described::{self, Plan, Problems, Shipped};
use crate::people;
use crate::rows::shelf;
use crate::world::Network;

/// The kind of document that a file is on the sandbox's own shelf.
const KIND: &str = "workspace_file";
/// Whose shelf that is.
const HOUSE: WorkspaceId = WorkspaceId(Uuid::nil());

/// What grows in a workspace by itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ground {
    /// A fund with a year of history.
    Fund(Network),
    /// An exchange with 100,000 deposit accounts.
    Exchange(Network),
    /// The treasury of a company.
    Treasury(Network),
    /// Users, chains and assets, and nothing else.
    Empty(Network),
    /// What stands in a file that was given, by its name.
    File(String),
}

impl Ground {
    /// A shipped file, on a network.
    pub const fn shipped(file: Shipped, network: Network) -> Self {
        match file {
            Shipped::Fund => Self::Fund(network),
            Shipped::Exchange => Self::Exchange(network),
            Shipped::Treasury => Self::Treasury(network),
            Shipped::Empty => Self::Empty(network),
        }
    }

    /// The shipped file that it is, on its network; or a given file's name.
    fn file(&self) -> Result<(Shipped, Network), &str> {
        match self {
            Self::Fund(network) => Ok((Shipped::Fund, *network)),
            Self::Exchange(network) => Ok((Shipped::Exchange, *network)),
            Self::Treasury(network) => Ok((Shipped::Treasury, *network)),
            Self::Empty(network) => Ok((Shipped::Empty, *network)),
            Self::File(name) => Err(name),
        }
    }

    /// Which workspace it is that is there from the start.
    pub(crate) fn workspace(&self) -> WorkspaceId {
        let name = match self.file() {
            Ok((Shipped::Fund, network)) => return people::workspace_id(network),
            Ok((shipped, network)) => format!("shipped:{shipped}:{}", network.name()),
            Err(file) => format!("file:{file}"),
        };
        let name = format!("vestibule:workspace:{name}");
        WorkspaceId(Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes()))
    }
}

/// A workspace file that was given, and read.
#[derive(Clone, Debug)]
pub struct File {
    name: String,
    text: String,
    plan: Arc<Plan>,
}

impl File {
    /// Reads a file: by which name others ask for it, what it is called where something is wrong
    /// with it, and what stands in it.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn read(name: &str, called: &str, text: String) -> Result<Self, Problems> {
        let plan = described::read(called, &text)?;
        Ok(Self {
            name: name.to_owned(),
            text,
            plan: Arc::new(plan),
        })
    }

    /// By which name others ask for it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What stands in it.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }
}

/// The files that were given, now or when the sandbox's file was made.
#[derive(Debug, Default)]
pub(crate) struct Files(BTreeMap<String, Arc<Plan>>);

/// A file is not what it was.
#[derive(Debug)]
pub(crate) struct Changed(pub(crate) String);

impl Files {
    /// What a workspace grows from there; nothing where no such file was given.
    pub(crate) fn plan(&self, ground: &Ground) -> Option<Arc<Plan>> {
        match ground.file() {
            Ok((shipped, network)) => Some(shipped.plan(network)),
            Err(name) => self.0.get(name).cloned(),
        }
    }

    /// The names of those that were given.
    pub(crate) fn names(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }

    /// Those that are kept, and these, which are kept from now on.
    pub(crate) async fn open(
        store: &Store,
        given: &[File],
    ) -> Result<Result<Self, Changed>, StoreError> {
        let read = store.read(|reading| shelf::all(reading, HOUSE, KIND));
        let mut all = BTreeMap::new();
        let kept: BTreeMap<_, _> = read.await?.into_iter().collect();
        for (name, text) in &kept {
            match described::read(name, text) {
                Ok(plan) => drop(all.insert(name.clone(), Arc::new(plan))),
                // Its workspaces are there all the same.
                Err(problems) => tracing::warn!(%problems, "an older release read this file"),
            }
        }
        for file in given {
            if kept.get(&file.name).is_some_and(|text| *text != file.text) {
                return Ok(Err(Changed(file.name.clone())));
            }
            all.insert(file.name.clone(), Arc::clone(&file.plan));
        }
        let given = given.to_vec();
        let write = store.write(move |writing| {
            for file in &given {
                shelf::put(writing, HOUSE, KIND, &file.name, &file.text)?;
            }
            Ok::<_, StoreError>(())
        });
        write.await?;
        Ok(Ok(Self(all)))
    }
}

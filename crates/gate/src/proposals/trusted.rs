//! Which Editors may be used in a round of the dispatcher: each is asked of once.

use std::collections::HashMap;

use protocol::ids::UserId;

use crate::callers::Caller;
use crate::gate::Gate;

/// What came of asking.
pub(crate) struct Trusted<'g> {
    gate: &'g Gate,
    asked: HashMap<UserId, Result<(), String>>,
}

impl<'g> Trusted<'g> {
    pub(crate) fn new(gate: &'g Gate) -> Self {
        Self {
            gate,
            asked: HashMap::new(),
        }
    }

    /// The Editor, if it may be used.
    async fn may(&mut self, editor: Caller) -> Result<Caller, String> {
        let asked = match self.asked.get(&editor.user) {
            Some(asked) => asked.clone(),
            None => {
                let opens = self.gate.opens_for(&editor).await;
                let asked = opens.map_err(|error| error.to_string());
                self.asked.insert(editor.user, asked.clone());
                asked
            }
        };
        asked.map(|()| editor)
    }

    /// Whoever proposes for a connection.
    pub(super) async fn editor_of(&mut self, connection: &str) -> Result<Caller, String> {
        let editor = self.gate.editor_of(connection).ok_or_else(|| {
            format!(
                "{connection} has nobody upstream to propose as: the Editor's API key is not set, or its key is not at this gate"
            )
        })?;
        self.may(editor).await
    }

    /// The first of all that may be used.
    pub(crate) async fn any(&mut self) -> Result<Caller, String> {
        let mut why = "the Editor's API key is not set".to_owned();
        for editor in self.gate.editors() {
            match self.may(editor).await {
                Ok(editor) => return Ok(editor),
                Err(error) => why = error,
            }
        }
        Err(why)
    }
}

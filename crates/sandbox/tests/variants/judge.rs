//! Whether an answer is one that the contract declares.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jsonschema::{Registry, Validator};
use protocol::contract;
use protocol::operations::Operation;
use serde_json::{Value, json};

use crate::caller::{Answer, Door};
use crate::generate::Variant;

const HERE: &str = "vestibule:contract";

static REGISTRY: LazyLock<Registry<'static>> = LazyLock::new(|| {
    let registry = Registry::new().add(HERE, contract::document());
    registry
        .and_then(|made| made.prepare())
        .expect("the contract is a schema")
});

/// What a schema of the contract, at this JSON pointer, says of values.
pub(crate) fn validator(pointer: &str) -> Validator {
    let schema = json!({ "$ref": format!("{HERE}#{pointer}") });
    let options = jsonschema::options().with_registry(&REGISTRY);
    options.build(&schema).expect("a schema")
}

pub(crate) enum Verdict {
    Right,
    Wrong(String),
}

/// An operation's answers, as declared.
pub(crate) struct Judge {
    /// By status or `default`; nothing: no body.
    answers: Option<BTreeMap<String, Option<Validator>>>,
    error: Validator,
}

impl Judge {
    pub(crate) fn of(operation: &Operation) -> Self {
        let id = operation.id.as_str();
        let shape = contract::operation(id);
        let answers = shape.and_then(|shape| shape["answers"].as_object());
        let answers = answers.map(|answers| {
            let read = answers.iter().map(|(status, schema)| {
                let at = format!("/operations/{id}/answers/{status}");
                (status.clone(), (!schema.is_null()).then(|| validator(&at)))
            });
            read.collect()
        });
        let error = json!({
            "type": "object",
            "properties": {
                "message": {"type": "string"},
                "code": {"type": "number"},
                "error": {
                    "type": "object",
                    "required": ["type", "message"],
                    "properties": {"type": {"type": "string"}, "message": {"type": "string"}},
                },
            },
            "anyOf": [{"required": ["message"]}, {"required": ["error"]}],
        });
        Self {
            answers,
            error: jsonschema::validator_for(&error).expect("a schema"),
        }
    }

    pub(crate) fn judge(&self, variant: &Variant, answer: &Answer) -> Verdict {
        match self.problem(variant, answer) {
            None => Verdict::Right,
            Some(why) => Verdict::Wrong(why),
        }
    }

    fn problem(&self, variant: &Variant, answer: &Answer) -> Option<String> {
        let status = answer.status;
        let accepted = (200..300).contains(&status);
        if status >= 500 {
            return Some("a fault of the server's".to_owned());
        }
        if accepted && variant.breaks {
            return Some("accepted, though it breaks the contract".to_owned());
        }
        if variant.door != Door::Right && status != 401 {
            return Some("let in without its token".to_owned());
        }
        let declared = self
            .answers
            .as_ref()
            .and_then(|all| all.get(&status.to_string()));
        if accepted {
            return match (declared, &self.answers) {
                (Some(Some(schema)), _) => self.shape(schema, answer),
                (Some(None), _) if answer.body.is_empty() => None,
                (Some(None), _) => Some("a body where none is declared".to_owned()),
                (None, Some(_)) => Some("a success that is not declared".to_owned()),
                (None, None) => None,
            };
        }
        // These count as declared everywhere, with the shape of an error.
        let usual = matches!(status, 400 | 401 | 403 | 404 | 429);
        let default = self.answers.as_ref().and_then(|all| all.get("default"));
        match declared.or(default) {
            Some(Some(schema)) if !usual => self.shape(schema, answer),
            None if !usual && self.answers.is_some() => {
                Some("a status that is not declared".to_owned())
            }
            _ => self.shape(&self.error, answer),
        }
    }

    fn shape(&self, schema: &Validator, answer: &Answer) -> Option<String> {
        if !answer.content_type.starts_with("application/json") {
            return Some(format!("a body of type '{}'", answer.content_type));
        }
        let Ok(body) = serde_json::from_slice::<Value>(&answer.body) else {
            return Some("a body that is no JSON".to_owned());
        };
        let told = schema.iter_errors(&body).take(5).map(|wrong| {
            let why: String = wrong.to_string().chars().take(200).collect();
            format!("{} {why}", wrong.instance_path())
        });
        let told: Vec<_> = told.collect();
        (!told.is_empty()).then(|| told.join("; "))
    }
}

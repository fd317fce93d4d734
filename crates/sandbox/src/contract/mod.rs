//! What a call must look like: its query and its body, against the contract, before any operation
//! is asked. So a wrong type, a word that is none of an enum or a number out of bounds is a 400
//! with the field's name, wherever it stands, and changes nothing.

pub(crate) mod unknown;

use std::collections::HashMap;
use std::sync::LazyLock;

use jsonschema::{Registry, Validator};
use parking_lot::RwLock;
use protocol::contract;
use protocol::error::ApiError;
use protocol::exchange::Query;
use protocol::operations::{Operation, OperationId};
use serde_json::{Map, Value};
use std::sync::Arc;

/// Where the contract stands among the validator's documents.
const HERE: &str = "vestibule:contract";
/// Longest explanation, in characters.
const MAX_WHY: usize = 200;

static REGISTRY: LazyLock<Option<Registry<'static>>> = LazyLock::new(|| {
    let registry = Registry::new().add(HERE, contract::document()).ok()?;
    registry.prepare().ok()
});

/// Each operation's checks, made when it is first called.
static CHECKS: LazyLock<RwLock<HashMap<OperationId, Arc<Checks>>>> = LazyLock::new(RwLock::default);

/// What is checked of an operation's calls.
#[derive(Debug, Default)]
struct Checks {
    parameters: Vec<Parameter>,
    body: Option<Validator>,
}

#[derive(Debug)]
struct Parameter {
    name: &'static str,
    required: bool,
    kind: Kind,
    validator: Validator,
}

/// How a parameter's text is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Number,
    Flag,
    List,
}

/// Whether the contract would let a call pass. Operations that it has not are let pass.
pub(crate) fn check(
    operation: &Operation,
    query: &Query,
    body: Option<&Value>,
) -> Result<(), ApiError> {
    let checks = checks(operation.id);
    for parameter in &checks.parameters {
        parameter.check(query)?;
    }
    match (&checks.body, body) {
        (Some(validator), Some(body)) => body_fits(operation, validator, body),
        // Some clients leave a body out that the contract demands; who needs one says so.
        _ => Ok(()),
    }
}

fn checks(id: OperationId) -> Arc<Checks> {
    if let Some(known) = CHECKS.read().get(&id) {
        return Arc::clone(known);
    }
    let made = Arc::new(Checks::of(id).unwrap_or_default());
    Arc::clone(CHECKS.write().entry(id).or_insert(made))
}

fn validator(pointer: &str) -> Option<Validator> {
    let schema = serde_json::json!({ "$ref": format!("{HERE}#{pointer}") });
    let built = jsonschema::options()
        .with_registry(REGISTRY.as_ref()?)
        .build(&schema);
    built
        .inspect_err(
            |error| tracing::error!(%error, pointer, "a schema of the contract is no schema"),
        )
        .ok()
}

impl Checks {
    fn of(id: OperationId) -> Option<Self> {
        let shape = contract::operation(id.as_str())?;
        let at = format!("/operations/{id}");
        let parameters = shape["query"].as_object().into_iter().flatten();
        let parameters = parameters.filter_map(|(name, told)| {
            Some(Parameter {
                name,
                required: told["required"] == true,
                kind: Kind::of(&told["schema"]),
                validator: validator(&format!("{at}/query/{}/schema", escaped(name)))?,
            })
        });
        let body = shape
            .get("body")
            .and_then(|_| validator(&format!("{at}/body")));
        Some(Self {
            parameters: parameters.collect(),
            body,
        })
    }
}

/// A name within a JSON pointer within a URI.
fn escaped(name: &str) -> String {
    let name = name.replace('~', "~0").replace('/', "~1");
    url::form_urlencoded::byte_serialize(name.as_bytes()).collect()
}

impl Kind {
    fn of(schema: &'static Value) -> Self {
        let schema = contract::resolved(schema);
        let kinds: Vec<_> = match &schema["type"] {
            Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
            kind => kind.as_str().into_iter().collect(),
        };
        match kinds.first() {
            Some(&("integer" | "number")) => Self::Number,
            Some(&"boolean") => Self::Flag,
            Some(&"array") => Self::List,
            _ => Self::Text,
        }
    }

    /// The value that a text stands for; the text itself where it stands for none.
    fn read(self, text: &str) -> Value {
        match (self, text) {
            (Self::Number, _) => serde_json::from_str::<serde_json::Number>(text)
                .map_or_else(|_| text.into(), Value::Number),
            (Self::Flag, "true") => true.into(),
            (Self::Flag, "false") => false.into(),
            _ => text.into(),
        }
    }
}

impl Parameter {
    fn check(&self, query: &Query) -> Result<(), ApiError> {
        let mut values = query.many(self.name).map(|text| self.kind.read(text));
        let value = if self.kind == Kind::List {
            Some(Value::Array(values.collect())).filter(|all| *all != Value::Array(Vec::new()))
        } else {
            values.next()
        };
        match value {
            None if self.required => Err(ApiError::invalid(self.name, "it is required")),
            None => Ok(()),
            Some(value) => match self.validator.validate(&value) {
                Ok(()) => Ok(()),
                Err(error) => Err(ApiError::invalid(self.name, told(&error.to_string()))),
            },
        }
    }
}

fn body_fits(operation: &Operation, validator: &Validator, body: &Value) -> Result<(), ApiError> {
    // A null says no more than a field that is missing: some clients send all that they know.
    let body = without_nulls(body);
    let Err(error) = validator.validate(&body) else {
        return Ok(());
    };
    let path = error.instance_path().to_string();
    let field = path.trim_start_matches('/').replace('/', ".");
    let why = told(&error.to_string());
    Err(match (operation.id.as_str(), field.as_str()) {
        ("createTransaction", "amount") => ApiError::bad_amount(),
        (_, "") => ApiError::bad_body(why),
        _ => ApiError::invalid(&field, why),
    })
}

/// A value without the fields that are null.
pub(crate) fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(parts) => parts
            .iter()
            .filter(|(_, part)| !part.is_null())
            .map(|(name, part)| (name.clone(), without_nulls(part)))
            .collect::<Map<_, _>>()
            .into(),
        Value::Array(parts) => parts.iter().map(without_nulls).collect(),
        other => other.clone(),
    }
}

fn told(why: &str) -> String {
    let mut text: String = why.chars().take(MAX_WHY).collect();
    if text.len() < why.len() {
        text.push_str("...");
    }
    text
}

/// Whether an answer of an operation's is one of the contract's.
#[cfg(test)]
pub(crate) fn answer_fits(id: &str, status: u16, answer: &Value) -> Result<(), String> {
    let validator = validator(&format!("/operations/{id}/answers/{status}"));
    let validator = validator.ok_or_else(|| format!("{id} has no answer {status}"))?;
    validator
        .validate(answer)
        .map_err(|error| format!("{id}: {error} at {} in {answer}", error.instance_path()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::operations;
    use serde_json::json;

    fn ask(id: &str, query: &str, body: Option<Value>) -> Result<(), ApiError> {
        let operation = operations::by_id(id).expect("known");
        let query = Query::parse(query).expect("a query");
        check(operation, &query, body.as_ref())
    }

    #[test]
    fn every_operations_shape_can_be_checked() {
        for operation in operations::all() {
            let Some(shape) = contract::operation(operation.id.as_str()) else {
                continue;
            };
            let checks = checks(operation.id);
            let parameters = shape["query"].as_object().map_or(0, Map::len);
            assert_eq!(checks.parameters.len(), parameters, "{}", operation.id);
            assert_eq!(
                checks.body.is_some(),
                shape.get("body").is_some(),
                "{}",
                operation.id
            );
        }
    }

    #[test]
    fn a_wrong_type_is_named() {
        let make = |body| ask("createVaultAccount", "", Some(body));
        assert_eq!(make(json!({"name": "A", "autoFuel": null})), Ok(()));
        let refused = make(json!({"name": 5})).expect_err("a number");
        assert_eq!(refused.status(), 400);
        assert!(refused.message().contains("name"), "{refused}");
        assert!(make(json!(["A"])).is_err(), "an array is no object");
        let refused = ask("getPagedVaultAccounts", "limit=many", None).expect_err("no number");
        assert!(refused.message().contains("limit"), "{refused}");
        assert_eq!(
            ask("getPagedVaultAccounts", "limit=5&orderBy=ASC", None),
            Ok(())
        );
    }

    #[test]
    fn a_number_of_any_size_costs_nothing() {
        for amount in ["1e2000000000", "1e-2000000000", &"9".repeat(10_000)] {
            let body = format!("{{\"assetId\":\"ETH\",\"amount\":{amount}}}");
            let body = serde_json::from_str(&body).expect("JSON");
            let _ = ask("createTransaction", "", Some(body));
        }
        let _ = ask("getPagedVaultAccounts", "limit=1e2000000000", None);
    }
}

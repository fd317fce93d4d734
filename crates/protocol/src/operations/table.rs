//! The rows of `data/operations.tsv`, read once.
//!
//! A row that cannot be read would be an operation that does not exist, so it would be refused as
//! unknown; a test holds that there is none.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::{Access, Method, Operation, OperationId, Origin, Paging, RateCategory};
use crate::role::{Role, RoleSet};

const DATA: &str = include_str!("data/operations.tsv");

/// Marks a path that is in use with a slash at its end, too.
const SLASH_TOO: &str = "[/]";

static OPERATIONS: LazyLock<Box<[Operation]>> =
    LazyLock::new(|| DATA.lines().skip(1).filter_map(row).collect());

static BY_ID: LazyLock<HashMap<&'static str, &'static Operation>> = LazyLock::new(|| {
    all()
        .iter()
        .map(|operation| (operation.id.as_str(), operation))
        .collect()
});

/// Every operation, by path and method.
pub fn all() -> &'static [Operation] {
    &OPERATIONS
}

/// The operation of this `operationId`.
pub fn by_id(operation_id: &str) -> Option<&'static Operation> {
    BY_ID.get(operation_id).copied()
}

fn row(line: &'static str) -> Option<Operation> {
    let mut fields = line.split('\t');
    let mut next = || fields.next();
    let method = Method::from_word(next()?)?;
    let path = next()?;
    let id = OperationId(next()?);
    let tag = next()?;
    let roles = next()?;
    let operation = Operation {
        id,
        method,
        path: path.strip_suffix(SLASH_TOO).unwrap_or(path),
        parameters: path.split('/').filter_map(parameter).collect(),
        slash_too: path.ends_with(SLASH_TOO),
        tag,
        roles: role_set(roles)?,
        roles_stated: roles != "-",
        paging: Paging::from_word(next()?)?,
        idempotent: next()? == "key",
        category: RateCategory::from_word(next()?)?,
        access: Access::from_word(next()?)?,
        origin: Origin::from_word(next()?)?,
    };
    next().is_none().then_some(operation)
}

/// The name of a segment that is a parameter.
pub(super) fn parameter(segment: &str) -> Option<&str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}

fn role_set(words: &str) -> Option<RoleSet> {
    if words == "-" {
        return Some(RoleSet::NONE);
    }
    let roles = words
        .split(' ')
        .map(|word| word.parse().ok())
        .collect::<Option<Vec<Role>>>()?;
    Some(RoleSet::of(&roles))
}

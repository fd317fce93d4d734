//! From a request line to an operation.

use std::sync::LazyLock;

use super::table::{all, parameter};
use super::{Method, Operation, PREFIX, Parameters};

/// The longest path that is looked at, in bytes.
pub const MAX_PATH_BYTES: usize = 2048;

/// What a request line asks for.
#[derive(Debug, Clone, Copy)]
pub enum Resolution<'a> {
    /// An operation of the table.
    Known(Match<'a>),
    /// The path is known, but not with this method.
    MethodNotAllowed,
    /// No operation has this path.
    Unknown,
}

/// An operation with the parameters of its path.
#[derive(Debug, Clone, Copy)]
pub struct Match<'a> {
    /// The operation.
    pub operation: &'static Operation,
    /// The path's parameters, decoded on demand.
    pub parameters: Parameters<'a>,
}

/// Finds the operation of a method and an undecoded path (without query), which starts with `/v1`.
///
/// A segment that is literally the contract's wins over a parameter. Nothing is normalised: `//`,
/// an escaped literal or a slash at the end (but where the contract has it) make another path.
pub fn resolve<'a>(method: &str, raw_path: &'a str) -> Resolution<'a> {
    if raw_path.len() > MAX_PATH_BYTES || raw_path.contains(['?', '#']) {
        return Resolution::Unknown;
    }
    let Some(path) = raw_path
        .strip_prefix(PREFIX)
        .and_then(|path| path.strip_prefix('/'))
    else {
        return Resolution::Unknown;
    };
    let mut search = Search {
        method: Method::from_word(method),
        parameters: Parameters::default(),
        other_method: false,
    };
    match search.below(&ROUTES, path) {
        Some(operation) => {
            let parameters = search.parameters.named(&operation.parameters);
            Resolution::Known(Match {
                operation,
                parameters,
            })
        }
        None if search.other_method => Resolution::MethodNotAllowed,
        None => Resolution::Unknown,
    }
}

static ROUTES: LazyLock<Node> = LazyLock::new(|| {
    let mut root = Node::default();
    for operation in all() {
        root.add(operation);
    }
    root
});

/// What can follow a part of a path.
#[derive(Debug, Default)]
struct Node {
    /// By the segment's text, sorted.
    literals: Vec<(&'static str, Node)>,
    parameter: Option<Box<Node>>,
    /// Operations whose path ends here, one a method.
    operations: Vec<&'static Operation>,
}

impl Node {
    fn add(&mut self, operation: &'static Operation) {
        let mut node = self;
        for segment in operation.path.split('/').skip(1) {
            node = match parameter(segment) {
                Some(_) => node.parameter.get_or_insert_default(),
                None => node.literal_mut(segment),
            };
        }
        node.operations.push(operation);
    }

    fn literal_mut(&mut self, segment: &'static str) -> &mut Self {
        let at = match self
            .literals
            .binary_search_by_key(&segment, |(text, _)| text)
        {
            Ok(at) => at,
            Err(at) => {
                self.literals.insert(at, (segment, Self::default()));
                at
            }
        };
        &mut self.literals[at].1
    }

    fn literal(&self, segment: &str) -> Option<&Self> {
        let at = self
            .literals
            .binary_search_by_key(&segment, |(text, _)| text)
            .ok()?;
        self.literals.get(at).map(|(_, node)| node)
    }
}

struct Search<'a> {
    method: Option<Method>,
    parameters: Parameters<'a>,
    other_method: bool,
}

impl<'a> Search<'a> {
    /// Looks for the rest of a path below a node; its depth is that of the table's longest path.
    fn below(&mut self, node: &Node, path: &'a str) -> Option<&'static Operation> {
        let (segment, rest) = match path.split_once('/') {
            Some((segment, rest)) => (segment, Some(rest)),
            None => (path, None),
        };
        if segment.is_empty() {
            return None;
        }
        if let Some(next) = node.literal(segment)
            && let Some(operation) = self.at(next, rest)
        {
            return Some(operation);
        }
        let next = node.parameter.as_deref()?;
        let before = self.parameters;
        self.parameters.push(segment);
        let found = self.at(next, rest);
        if found.is_none() {
            self.parameters = before;
        }
        found
    }

    fn at(&mut self, node: &Node, rest: Option<&'a str>) -> Option<&'static Operation> {
        match rest {
            None => self.ends_at(node, |_| true),
            Some("") => self.ends_at(node, |operation| operation.slash_too),
            Some(rest) => self.below(node, rest),
        }
    }

    fn ends_at(
        &mut self,
        node: &Node,
        fits: impl Fn(&Operation) -> bool,
    ) -> Option<&'static Operation> {
        let mut here = node
            .operations
            .iter()
            .copied()
            .filter(|operation| fits(operation))
            .peekable();
        self.other_method |= here.peek().is_some();
        here.find(|operation| Some(operation.method) == self.method)
    }
}

//! What each operation of the API is to a provider: the rows of `operations.tsv`, read once.
//!
//! A row that cannot be read, that is of another method or path than the contract has, or that stands
//! twice, classifies nothing: the operation is refused. A test holds that there is none.

use std::collections::HashMap;
use std::fmt;
use std::sync::LazyLock;

use protocol::operations::Operation;

const DATA: &str = include_str!("operations.tsv");

/// What an operation is to a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Answered from the books, in scope.
    Books,
    /// Asked upstream, where that is granted: the answer holds nothing of the workspace.
    Forward,
    /// Asked upstream, where that is granted, about what is in scope alone.
    Filter,
    /// Becomes a proposal.
    Propose,
    /// Never for a provider.
    Never(Reason),
}

/// Why an operation is never for a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// It moves value, or leads to a signature, by another way than a proposal.
    Moves,
    /// It changes the workspace.
    Changes,
    /// Its answer tells of the whole workspace.
    Reveals,
    /// It handles keys, credentials, or what signs.
    Keys,
    /// It is about the client's people: users, approvals, policy, what was done.
    People,
    /// Only an older contract knows it.
    Former,
    /// It may be offered one day.
    NotYet,
}

impl Reason {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Moves,
        Self::Changes,
        Self::Reveals,
        Self::Keys,
        Self::People,
        Self::Former,
        Self::NotYet,
    ];

    /// Its word in the table.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Moves => "moves",
            Self::Changes => "changes",
            Self::Reveals => "reveals",
            Self::Keys => "keys",
            Self::People => "people",
            Self::Former => "former",
            Self::NotYet => "not-yet",
        }
    }

    /// As a provider is told.
    pub const fn told(self) -> &'static str {
        match self {
            Self::Moves => {
                "it moves value: of all that does, only a TRANSFER may be proposed, through createTransaction"
            }
            Self::Changes => "it changes the workspace, which the client's own people do",
            Self::Reveals => {
                "its answer tells of the whole workspace, and cannot be cut to a scope"
            }
            Self::Keys => "it handles keys and credentials, which stay with the client",
            Self::People => "it is about the client's own people and what they decide",
            Self::Former => "only an older contract knows it",
            Self::NotYet => "not yet: ask the client for what you need",
        }
    }

    fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == word)
    }
}

impl Class {
    /// Its word in the table.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Books => "books",
            Self::Forward => "forward",
            Self::Filter => "filter",
            Self::Propose => "propose",
            Self::Never(_) => "never",
        }
    }

    fn of(word: &str, reason: &str) -> Option<Self> {
        Some(match (word, reason) {
            ("books", "-") => Self::Books,
            ("forward", "-") => Self::Forward,
            ("filter", "-") => Self::Filter,
            ("propose", "-") => Self::Propose,
            ("never", reason) => Self::Never(Reason::from_word(reason)?),
            _ => return None,
        })
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The path below `/v1`.
    pub path: &'static str,
    /// The HTTP method.
    pub method: &'static str,
    /// The contract's `operationId`.
    pub id: &'static str,
    /// What it is to a provider.
    pub class: Class,
    /// Why, for who reviews the table.
    pub words: &'static str,
}

static ROWS: LazyLock<HashMap<&'static str, Row>> = LazyLock::new(|| {
    let mut by_id = HashMap::new();
    let mut twice = Vec::new();
    for row in rows().flatten() {
        if by_id.insert(row.id, row).is_some() {
            twice.push(row.id);
        }
    }
    for id in twice {
        by_id.remove(id);
    }
    by_id
});

/// What an operation is to a provider; nothing if nobody has said it of this method and path.
pub fn class(operation: &Operation) -> Option<Class> {
    ROWS.get(operation.id.as_str())
        .filter(|row| row.path == operation.path && row.method == operation.method.as_str())
        .map(|row| row.class)
}

/// Every line of the table below its head; nothing for one that is no row.
pub fn rows() -> impl Iterator<Item = Option<Row>> {
    DATA.lines().skip(1).map(row)
}

fn row(line: &'static str) -> Option<Row> {
    let fields: Vec<_> = line.split('\t').collect();
    let [path, method, id, class, reason, words] = fields.as_slice() else {
        return None;
    };
    Some(Row {
        path,
        method,
        id,
        class: Class::of(class, reason)?,
        words,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use protocol::operations::{self, Access, Method, Origin};

    use super::*;

    /// Both ways, line by line: none is forgotten, none is of an operation that there is not.
    #[test]
    fn invariant_2_every_operation_of_the_contract_is_classified_once() {
        let rows: Vec<_> = rows().map(|row| row.expect("a row")).collect();
        let line = |path: &str, method: &str, id: &str| format!("{path}\t{method}\t{id}");
        let here: Vec<_> = rows
            .iter()
            .map(|row| line(row.path, row.method, row.id))
            .collect();
        assert!(here.is_sorted(), "by path, then method");
        let mut contract: Vec<_> = operations::all()
            .iter()
            .map(|one| line(one.path, one.method.as_str(), one.id.as_str()))
            .collect();
        contract.sort();
        assert_eq!(here, contract);
        for operation in operations::all() {
            assert!(class(operation).is_some(), "{}", operation.id);
        }
        assert!(rows.iter().all(|row| !row.words.is_empty()));
    }

    #[test]
    fn a_line_that_is_no_row_classifies_nothing() {
        for line in [
            "",
            "/x\tGET\tx\tbooks\t-",
            "/x\tGET\tx\tbooks\tmoves\twhy",
            "/x\tGET\tx\tnever\t-\twhy",
            "/x\tGET\tx\topen\t-\twhy",
            "/x\tGET\tx\tbooks\t-\twhy\tmore",
        ] {
            assert_eq!(row(line), None, "{line}");
        }
    }

    /// What the table calls `books`, the books answer, and nothing else.
    #[test]
    fn the_books_answer_what_is_classified_so() {
        let ids = |class: Class| -> HashSet<_> {
            let rows = rows().flatten().filter(|row| row.class == class);
            rows.map(|row| row.id).collect()
        };
        assert_eq!(ids(Class::Books), HashSet::from(ledger::reads::SERVED));
        assert_eq!(ids(Class::Propose), HashSet::from(["createTransaction"]));
        let asked: HashSet<_> = ids(Class::Forward)
            .union(&ids(Class::Filter))
            .copied()
            .collect();
        assert_eq!(asked, HashSet::from(crate::forward::SERVED));
    }

    /// Said again without the table's own words: whatever changes something is a proposal or never.
    #[test]
    fn invariant_1_what_writes_is_a_proposal_or_never() {
        for operation in operations::all() {
            let class = class(operation).expect("classified");
            if operation.access == Access::Write {
                assert!(
                    matches!(class, Class::Propose | Class::Never(_)),
                    "{} writes",
                    operation.id
                );
            }
            if operation.origin == Origin::Former {
                assert!(matches!(class, Class::Never(_)), "{}", operation.id);
            }
            if matches!(class, Class::Books | Class::Forward | Class::Filter) {
                assert_eq!(operation.method, Method::Get, "{}", operation.id);
            }
        }
    }
}

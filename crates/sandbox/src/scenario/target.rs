//! Where a call goes: a path and a query, with names in them that are filled in and escaped.

use serde_json::Value;

use super::variables::{Piece, Unknown, Variables, names_of, pieces, text_of};

/// A path with its query, as a scenario writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// Its parameters, if any, are `${name}` or texts already.
    path: String,
    query: Vec<(String, Value)>,
}

impl Target {
    pub(super) fn new(path: String, query: Vec<(String, Value)>) -> Self {
        Self { path, query }
    }

    /// The names in it.
    pub(super) fn names(&self) -> Vec<&str> {
        let query = self.query.iter().flat_map(|(_, value)| match value {
            Value::String(text) => names_of(text),
            _ => Vec::new(),
        });
        names_of(&self.path).into_iter().chain(query).collect()
    }

    /// The path, as it stands.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// The path with something in the place of each name: what it looks like.
    pub(super) fn likeness(path: &str) -> String {
        let parts = pieces(path).into_iter().map(|piece| match piece {
            Piece::Plain(text) => text,
            Piece::Name(_) => "x",
        });
        parts.collect()
    }

    /// A text as one part of a path: the names in it are left for later.
    pub(super) fn part(text: &str) -> String {
        let parts = pieces(text).into_iter().map(|piece| match piece {
            Piece::Plain(text) => escaped(text),
            Piece::Name(name) => format!("${{{name}}}"),
        });
        parts.collect()
    }

    /// As it is sent.
    pub(super) fn filled(&self, known: &Variables) -> Result<String, Unknown> {
        let path = pieces(&self.path).into_iter().map(|piece| match piece {
            Piece::Plain(text) => Ok(text.to_owned()),
            Piece::Name(name) => known.get(name).map(|value| escaped(&text_of(value))),
        });
        let mut target: String = path.collect::<Result<_, _>>()?;
        let mut mark = if target.contains('?') { '&' } else { '?' };
        for (name, value) in &self.query {
            let text = match value {
                Value::String(text) => known.text(text)?,
                other => text_of(other),
            };
            target.push_str(&format!("{mark}{}={}", escaped(name), escaped(&text)));
            mark = '&';
        }
        Ok(target)
    }
}

/// A text as one part of a path or a query.
pub(super) fn escaped(text: &str) -> String {
    let escaped: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
    escaped.replace('+', "%20")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_filled_in_stays_one_part() {
        let mut known = Variables::default();
        known.set("id", "a/b c");
        let query = vec![
            ("limit".to_owned(), json!(5)),
            ("q".to_owned(), json!("${id}&")),
        ];
        let target = Target::new("/v1/x/${id}".to_owned(), query);
        let sent = target.filled(&known).expect("known");
        assert_eq!(sent, "/v1/x/a%2Fb%20c?limit=5&q=a%2Fb%20c%26");
        assert_eq!(Target::part("a/${id}"), "a%2F${id}");
        assert_eq!(Target::likeness(target.path()), "/v1/x/x");
        assert_eq!(target.names(), ["id", "id"]);
    }
}

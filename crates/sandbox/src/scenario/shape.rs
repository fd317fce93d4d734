//! The shape of an answer: names and types, and no value of it. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// What a value, or the values at one place of a list's items, look like.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Shape {
    types: BTreeSet<&'static str>,
    /// The members of its objects, by name.
    members: BTreeMap<String, Shape>,
    /// All items of its lists; nothing: no item was seen.
    items: Option<Box<Shape>>,
}

/// A place where two shapes differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Difference {
    pub(super) place: String,
    pub(super) one: String,
    pub(super) other: String,
}

impl Shape {
    pub(super) fn of(value: &Value) -> Self {
        let mut shape = Self::default();
        shape.add(value);
        shape
    }

    fn add(&mut self, value: &Value) {
        self.types.insert(match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        });
        match value {
            Value::Array(items) => {
                for item in items {
                    self.items.get_or_insert_default().add(item);
                }
            }
            Value::Object(members) => {
                for (name, member) in members {
                    self.members.entry(name.clone()).or_default().add(member);
                }
            }
            _ => {}
        }
    }

    /// Where the two differ. Of a list without items nothing is known, and nothing told.
    pub(super) fn differences(&self, other: &Self) -> Vec<Difference> {
        let mut found = Vec::new();
        self.compare(other, "$", &mut found);
        found
    }

    fn compare(&self, other: &Self, place: &str, found: &mut Vec<Difference>) {
        if self.types != other.types {
            found.push(Difference {
                place: place.to_owned(),
                one: self.told(),
                other: other.told(),
            });
        }
        let both_objects = [self, other]
            .iter()
            .all(|shape| shape.types.contains("object"));
        if both_objects {
            let names: BTreeSet<_> = self.members.keys().chain(other.members.keys()).collect();
            for name in names {
                let place = format!("{place}.{name}");
                match (self.members.get(name), other.members.get(name)) {
                    (Some(one), Some(other)) => one.compare(other, &place, found),
                    (one, other) => {
                        let told =
                            |shape: Option<&Self>| shape.map_or("absent".to_owned(), Self::told);
                        found.push(Difference {
                            place,
                            one: told(one),
                            other: told(other),
                        });
                    }
                }
            }
        }
        if let (Some(one), Some(other)) = (&self.items, &other.items) {
            one.compare(other, &format!("{place}[]"), found);
        }
    }

    fn told(&self) -> String {
        let types: Vec<_> = self.types.iter().copied().collect();
        types.join(" or ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn told(one: Value, other: Value) -> Vec<String> {
        let found = Shape::of(&one).differences(&Shape::of(&other));
        let lines = found
            .iter()
            .map(|found| format!("{} {} {}", found.place, found.one, found.other));
        lines.collect()
    }

    #[test]
    fn values_do_not_matter_names_and_types_do() {
        assert!(
            told(
                json!({"a": 1, "b": ["x"]}),
                json!({"a": 2, "b": ["y", "z"]})
            )
            .is_empty()
        );
        assert_eq!(
            told(json!({"a": 1}), json!({"a": "1"})),
            ["$.a number string"]
        );
        assert_eq!(told(json!({"a": 1}), json!({})), ["$.a number absent"]);
        assert_eq!(
            told(json!({"a": null}), json!({"a": "x"})),
            ["$.a null string"]
        );
        assert_eq!(told(json!([]), json!({})), ["$ array object"]);
        assert_eq!(
            told(
                json!({"l": [{"id": 1}, {"id": 2}]}),
                json!({"l": [{"id": 1, "x": {}}]})
            ),
            ["$.l[].x absent object"]
        );
    }

    #[test]
    fn of_a_list_without_items_nothing_is_told() {
        assert!(told(json!({"l": []}), json!({"l": [{"id": 1}]})).is_empty());
        assert!(
            told(
                json!([{"id": 1}, {"id": 2, "x": 1}]),
                json!([{"id": 3, "x": 2}])
            )
            .is_empty()
        );
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            "[a-z]{0,4}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[a-c]", inner, 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn nothing_differs_from_itself_and_no_value_is_told(value in any_json(), other in any_json()) {
            let (one, other) = (Shape::of(&value), Shape::of(&other));
            prop_assert!(one.differences(&one).is_empty());
            let mut there = one.differences(&other);
            for found in &mut there {
                std::mem::swap(&mut found.one, &mut found.other);
            }
            prop_assert_eq!(there, other.differences(&one));
        }
    }
}

//! A text becomes the parts of a workspace file. Each table is read by itself: what is wrong with one
//! hides nothing of the others.

use std::ops::Range;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::problems::{Found, near, of_serde};
use super::written::{File, PARTS, Rule, Word};

type Value<'a> = Spanned<DeValue<'a>>;

/// What is written; nothing where the text is no TOML. And what is wrong so far.
pub(super) fn read(text: &str) -> (Option<File>, Found) {
    let mut reader = Reader::default();
    let (table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        for error in errors {
            let at = error.span().unwrap_or(text.len()..text.len());
            reader.found.add(at, error.message());
        }
        return (None, reader.found);
    }
    let mut file = File::default();
    for (key, value) in table.into_inner() {
        match key.get_ref().as_ref() {
            "name" => file.name = reader.one(value),
            "network" => file.network = reader.one(value),
            "people" => file.people = Some(reader.each(value)),
            "api_users" => file.api_users = Some(reader.each(value)),
            "groups" => file.groups = reader.each(value),
            "quorum" => file.quorum = reader.one(value),
            "policy" => file.policy = Some(reader.rules(value)),
            "tags" => file.tags = reader.each(value),
            "accounts" => file.accounts = reader.each(value),
            "whitelists" => file.whitelists = reader.each(value),
            "exchange_accounts" => file.exchange_accounts = reader.each(value),
            "fiat_accounts" => file.fiat_accounts = reader.each(value),
            "gas_stations" => file.gas_stations = reader.each(value),
            "webhooks" => file.webhooks = reader.each(value),
            "examples" => file.examples = reader.each(value),
            "history" => file.history = reader.one(value),
            other => {
                let what = format!(
                    "unknown part `{other}`, expected one of {}",
                    PARTS.join(", ")
                );
                let what = format!("{what}{}", near(other, PARTS));
                reader.found.add(key.span(), what);
            }
        }
    }
    (Some(file), reader.found)
}

#[derive(Default)]
struct Reader {
    found: Found,
}

impl Reader {
    fn one<T: DeserializeOwned>(&mut self, value: Value<'_>) -> Option<T> {
        let whole = value.span();
        match T::deserialize(ValueDeserializer::from(value)) {
            Ok(read) => Some(read),
            Err(error) => {
                let at = error.span().unwrap_or(whole);
                self.found.add(at, of_serde(error.message()));
                None
            }
        }
    }

    fn list<'a>(&mut self, value: Value<'a>) -> Vec<Value<'a>> {
        let at = value.span();
        match value.into_inner() {
            DeValue::Array(items) => items.into_iter().collect(),
            other => {
                let what = format!("expected a list, found {}", kind(&other));
                self.found.add(at, what);
                Vec::new()
            }
        }
    }

    fn each<T: DeserializeOwned>(&mut self, value: Value<'_>) -> Vec<T> {
        let items = self.list(value);
        items
            .into_iter()
            .filter_map(|item| self.one(item))
            .collect()
    }

    fn rules(&mut self, value: Value<'_>) -> Vec<Rule> {
        let mut rules = Vec::new();
        for item in self.list(value) {
            let at = item.span();
            if !matches!(item.get_ref(), DeValue::Table(_)) {
                let what = format!("expected a rule, found {}", kind(item.get_ref()));
                self.found.add(at, what);
                continue;
            }
            let mut words = Vec::new();
            texts(&item, &mut words);
            rules.extend(self.one(item).map(|rule| Rule { rule, at, words }));
        }
        rules
    }
}

/// Every text in a value, and where it stands.
fn texts(value: &Value<'_>, into: &mut Vec<Word>) {
    match value.get_ref() {
        DeValue::String(text) => into.push(Spanned::new(value.span(), text.to_string())),
        DeValue::Array(items) => items.iter().for_each(|item| texts(item, into)),
        DeValue::Table(fields) => {
            for (key, field) in fields {
                into.push(Spanned::new(key.span(), key.get_ref().to_string()));
                texts(field, into);
            }
        }
        _ => {}
    }
}

/// Where one of a rule's texts stands; nowhere known: where the rule does.
pub(super) fn place_of(rule: &Rule, text: &str) -> Range<usize> {
    let found = rule.words.iter().find(|word| word.get_ref() == text);
    found.map_or_else(|| rule.at.clone(), Spanned::span)
}

const fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

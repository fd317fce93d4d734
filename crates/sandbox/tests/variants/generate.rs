//! Calls of an operation: one as it should be, and others that differ from it in one thing each.

use protocol::contract;
use protocol::operations::{Method, Operation, PREFIX};
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom as _, SliceRandom as _};
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};

use crate::caller::Door;
use crate::changes::{bounds, inferred, places_of, replacements, text_of, without_nulls};
use crate::judge::validator;
use crate::pool::Pool;
use crate::sample::{How, Sampler, kind};
use crate::samples;

/// Calls as they should be, of each operation that takes anything.
const RIGHT: usize = 14;
/// Calls that are given whole: what they name differs.
const GIVEN: usize = 10;

pub(crate) enum Body {
    Json(Value),
    Raw(Vec<u8>),
}

pub(crate) struct Variant {
    /// What is special about it; no two of an operation have the same.
    pub(crate) name: String,
    pub(crate) target: String,
    pub(crate) body: Option<Body>,
    pub(crate) door: Door,
    /// Whether the contract forbids it.
    pub(crate) breaks: bool,
}

struct Maker<'a> {
    operation: &'static Operation,
    pool: &'a Pool,
    random: StdRng,
    made: Vec<Variant>,
}

/// The variants of an operation, `most` at most.
pub(crate) fn variants(
    operation: &'static Operation,
    pool: &Pool,
    seed: u64,
    most: usize,
) -> Vec<Variant> {
    let own = operation.id.as_str().bytes().fold(seed, |hash, byte| {
        hash.wrapping_mul(1_099_511_628_211)
            .wrapping_add(u64::from(byte))
    });
    let mut maker = Maker {
        operation,
        pool,
        random: StdRng::seed_from_u64(own),
        made: Vec::new(),
    };
    maker.right();
    let kept = maker.made.len();
    maker.at_the_door();
    maker.paths();
    maker.queries();
    maker.bodies();
    let Maker {
        mut made,
        mut random,
        ..
    } = maker;
    if made.len() > most {
        let mut others = made.split_off(kept);
        others.shuffle(&mut random);
        others.truncate(most.saturating_sub(kept));
        made.extend(others);
    }
    // What is wrong comes first: what is right may take away what it is about.
    made.sort_by_key(|variant| !variant.breaks);
    made
}

fn shape(operation: &Operation) -> &'static Value {
    contract::operation(operation.id.as_str()).unwrap_or(&Value::Null)
}

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes())
        .collect::<String>()
        .replace('+', "%20")
}

impl Maker<'_> {
    /// The operation's path, with a word for each parameter that is one of some.
    fn template(&mut self) -> String {
        let mut template = self.operation.path.to_owned();
        for (name, told) in shape(self.operation)["path"]
            .as_object()
            .into_iter()
            .flatten()
        {
            let words = contract::resolved(&told["schema"])["enum"].as_array();
            let word = words.and_then(|words| words.choose(&mut self.random));
            if let Some(word) = word.and_then(Value::as_str) {
                template = template.replace(&format!("{{{name}}}"), word);
            }
        }
        template
    }

    fn path(&mut self) -> String {
        let template = self.template();
        let known = self.pool.resolved(&template, &mut self.random);
        let unknown = || {
            let mut path = template.clone();
            for name in &*self.operation.parameters {
                path = path.replace(
                    &format!("{{{name}}}"),
                    "1f6e1a3c-8e0a-4d53-9b0a-3a5a5c1f0001",
                );
            }
            path
        };
        let path = known.unwrap_or_else(unknown);
        let parts = path.split('/').map(encoded).collect::<Vec<_>>();
        format!("{PREFIX}{}", parts.join("/"))
    }

    fn sample(&mut self, schema: &'static Value, name: &str, how: How) -> Value {
        let mut sampler = Sampler {
            pool: self.pool,
            random: &mut self.random,
            how,
        };
        sampler.value(schema, name, 0)
    }

    fn query(&mut self, how: How) -> Vec<(String, String)> {
        let mut pairs = Vec::new();
        for (name, told) in shape(self.operation)["query"]
            .as_object()
            .into_iter()
            .flatten()
        {
            let wanted = told["required"] == true
                || match how {
                    How::Least => false,
                    How::All => true,
                    How::Some => self.random.random_bool(0.3),
                };
            // A cursor is what an answer said, never anything else.
            let cursor = matches!(
                name.as_str(),
                "pageCursor" | "before" | "after" | "cursor" | "next"
            );
            if !wanted || cursor && told["required"] != true {
                continue;
            }
            match self.sample(&told["schema"], name, how) {
                Value::Array(values) => {
                    pairs.extend(values.iter().map(|value| (name.clone(), text_of(value))));
                }
                value => pairs.push((name.clone(), text_of(&value))),
            }
        }
        pairs
    }

    fn body(&mut self, how: How) -> Option<Value> {
        let unique = self.random.random_range(0..1_000_000);
        let schema = shape(self.operation).get("body");
        let given = samples::body(self.operation.id.as_str(), unique);
        given.or_else(|| schema.map(|schema| self.sample(schema, "", how)))
    }

    fn add(&mut self, name: impl Into<String>, target: String, body: Option<Body>, breaks: bool) {
        let name = name.into().replace(' ', "_");
        if self.made.iter().any(|known| known.name == name) || target.len() > 60_000 {
            return;
        }
        self.made.push(Variant {
            name,
            target,
            body,
            door: Door::Right,
            breaks,
        });
    }

    fn target(&mut self, query: &[(String, String)]) -> String {
        with_query(self.path(), query)
    }

    /// Calls as they should be, as `samples.json` gives them.
    fn given(&mut self) {
        for number in 0..GIVEN {
            let pool = self.pool;
            let Some(call) = samples::call(self.operation.id.as_str(), pool, &mut self.random)
            else {
                return;
            };
            let path = call.path.map(|path| format!("{PREFIX}{path}"));
            let path = path.unwrap_or_else(|| self.path());
            let query: Vec<_> = call.query.into_iter().collect();
            let target = with_query(path, &query);
            self.add(
                format!("right-given-{number}"),
                target,
                call.body.map(Body::Json),
                false,
            );
        }
    }

    /// Calls as they should be.
    fn right(&mut self) {
        self.given();
        let told = shape(self.operation);
        let takes = told.get("body").is_some()
            || told["query"].is_object()
            || !self.operation.parameters.is_empty();
        let deletes = self.operation.method == Method::Delete;
        let count = if !takes {
            3
        } else if deletes {
            4
        } else {
            RIGHT
        };
        for number in 0..count {
            let how = match number {
                0 | 3 | 4 => How::Least,
                1 => How::All,
                _ => How::Some,
            };
            let query = self.query(how);
            let target = self.target(&query);
            let body = self.body(how).map(Body::Json);
            self.add(format!("right-{number}"), target, body, false);
        }
        let mut query = self.query(How::Least);
        query.push(("no_such_parameter".to_owned(), "1".to_owned()));
        let target = self.target(&query);
        let body = self.body(How::Least).map(Body::Json);
        self.add("unknown-parameter", target, body, false);
    }

    fn at_the_door(&mut self) {
        for (name, door) in [
            ("no-token", Door::NoToken),
            ("another-body's-token", Door::OtherBody),
        ] {
            let query = self.query(How::Least);
            let target = self.target(&query);
            let body = self.body(How::Least).map(Body::Json);
            // Without a body there is no hash to be wrong.
            if door == Door::OtherBody && body.is_none() {
                continue;
            }
            self.add(name, target, body, true);
            if let Some(last) = self.made.last_mut() {
                last.door = door;
            }
        }
    }

    fn paths(&mut self) {
        let operation = self.operation;
        let unlike = [
            (
                "unknown-uuid",
                "0b5d9a3e-7d4c-4e57-8f7e-5f6d1c2b3a49".to_owned(),
            ),
            ("unknown-number", "999999".to_owned()),
            ("negative", "-1".to_owned()),
            ("zero", "0".to_owned()),
            ("words", "no such thing".to_owned()),
            ("letters", "ü漢字".to_owned()),
            ("quotes", "'\"; DROP TABLE things; --".to_owned()),
            ("nul", "a\0b".to_owned()),
            ("slash", "a/b".to_owned()),
            ("dots", "..a".to_owned()),
            ("long", "x".repeat(300)),
            ("very-long", "9".repeat(5_000)),
            ("big-number", "18446744073709551616".to_owned()),
            ("upper", "0B5D9A3E-7D4C-4E57-8F7E-5F6D1C2B3A49".to_owned()),
        ];
        for name in &*operation.parameters {
            for (what, value) in &unlike {
                let template = operation.path.replacen(&format!("{{{name}}}"), "\u{1}", 1);
                let known = self.pool.resolved(&template, &mut self.random);
                let rest = known.unwrap_or_else(|| {
                    template
                        .split('/')
                        .map(|part| if part.starts_with('{') { "1" } else { part })
                        .collect::<Vec<_>>()
                        .join("/")
                });
                let parts: Vec<_> = rest
                    .split('/')
                    .map(|part| {
                        if part == "\u{1}" {
                            encoded(value)
                        } else {
                            encoded(part)
                        }
                    })
                    .collect();
                let query = self.query(How::Least);
                let target = with_query(format!("{PREFIX}{}", parts.join("/")), &query);
                let body = self.body(How::Least).map(Body::Json);
                self.add(format!("path-{name}-{what}"), target, body, false);
            }
        }
    }

    fn queries(&mut self) {
        let id = self.operation.id.as_str();
        for (name, told) in shape(self.operation)["query"]
            .as_object()
            .into_iter()
            .flatten()
        {
            let schema = contract::resolved(&told["schema"]);
            let one = if kind(schema) == "array" {
                contract::resolved(&schema["items"])
            } else {
                schema
            };
            let at = format!(
                "/operations/{id}/query/{}/schema",
                name.replace('~', "~0").replace('/', "~1")
            );
            let fits = validator(&at);
            let mut values: Vec<String> = [
                "", "x", "0", "-1", "1.5", "true", "null", "ü漢", "'\"", "NaN", "1e400", "[]",
            ]
            .map(str::to_owned)
            .into();
            values.push("9".repeat(400));
            values.push("x".repeat(3_000));
            values.extend(bounds(one).iter().map(text_of));
            for word in one["enum"].as_array().into_iter().flatten().take(8) {
                values.push(text_of(word));
            }
            for value in values {
                let mut query = self.query(How::Least);
                query.retain(|(known, _)| known != name);
                query.push((name.clone(), value.clone()));
                let read = match kind(one) {
                    "integer" | "number" => value
                        .parse::<serde_json::Number>()
                        .map_or_else(|_| json!(value), Value::Number),
                    "boolean" => value
                        .parse::<bool>()
                        .map_or_else(|_| json!(value), Value::Bool),
                    _ => json!(value),
                };
                let read = if kind(schema) == "array" {
                    json!([read])
                } else {
                    read
                };
                // An empty value counts as none.
                let breaks = if value.is_empty() {
                    told["required"] == true
                } else {
                    !fits.is_valid(&read)
                };
                let short: String = value.chars().take(24).collect();
                let target = self.target(&query);
                let body = self.body(How::Least).map(Body::Json);
                self.add(
                    format!("query-{name}={short}({})", value.len()),
                    target,
                    body,
                    breaks,
                );
            }
            if told["required"] == true {
                let mut query = self.query(How::Least);
                query.retain(|(known, _)| known != name);
                let target = self.target(&query);
                let body = self.body(How::Least).map(Body::Json);
                self.add(format!("query-without-{name}"), target, body, true);
            }
        }
    }

    fn bodies(&mut self) {
        let query = self.query(How::Least);
        let raw: [(&str, Vec<u8>); 9] = [
            ("no-json", b"{not json".to_vec()),
            ("bytes", vec![0xff, 0xfe, 0, 1]),
            ("half", b"{\"a\":".to_vec()),
            ("two", b"{} {}".to_vec()),
            ("twice-named", b"{\"a\":1,\"a\":2}".to_vec()),
            ("deep", [b"[".repeat(300), b"]".repeat(300)].concat()),
            ("big-number", b"{\"a\":1e999999999}".to_vec()),
            ("blank", b"   ".to_vec()),
            ("lone-surrogate", b"{\"a\":\"\\ud800\"}".to_vec()),
        ];
        let own = self
            .body(How::Least)
            .filter(|_| shape(self.operation).get("body").is_none());
        // Where the contract has no shape, the one of the sample: nothing is known to break it.
        let inferred = own.map(|sample| &*Box::leak(Box::new(inferred(&sample))));
        let known = shape(self.operation).get("body");
        let Some(schema) = known.or(inferred) else {
            if self.operation.method != Method::Get {
                for (name, bytes) in raw {
                    let target = self.target(&query);
                    self.add(
                        format!("body-{name}"),
                        target,
                        Some(Body::Raw(bytes)),
                        false,
                    );
                }
                let target = self.target(&query);
                self.add(
                    "body-unasked",
                    target,
                    Some(Body::Json(json!({"unasked": 1}))),
                    false,
                );
            }
            return;
        };
        for (name, bytes) in raw {
            let breaks = !matches!(
                name,
                "big-number" | "blank" | "twice-named" | "lone-surrogate"
            );
            let target = self.target(&query);
            self.add(
                format!("body-{name}"),
                target,
                Some(Body::Raw(bytes)),
                breaks,
            );
        }
        let fits = known.map(|_| validator(&format!("/operations/{}/body", self.operation.id)));
        let mut changed: Vec<(String, Value)> = vec![
            ("body-list".to_owned(), json!([])),
            ("body-text".to_owned(), json!("text")),
            ("body-number".to_owned(), json!(5)),
            ("body-null".to_owned(), Value::Null),
            ("body-empty".to_owned(), json!({})),
        ];
        for how in [How::Least, How::All] {
            let Some(base) = self.body(how) else { return };
            let mut places = Vec::new();
            places_of(schema, &base, "", 0, &mut places);
            for (place, schema) in places {
                for (what, value) in replacements(schema) {
                    let mut body = base.clone();
                    if let Some(there) = body.pointer_mut(&place) {
                        *there = value;
                        changed.push((format!("body{place}-{what}"), body));
                    }
                }
                let (parent, field) = place.rsplit_once('/').unwrap_or_default();
                let mut body = base.clone();
                if let Some(Value::Object(parts)) = body.pointer_mut(parent)
                    && parts.remove(field).is_some()
                {
                    changed.push((format!("body{place}-left-out"), body));
                }
            }
            if let Value::Object(mut parts) = base {
                parts.insert("noSuchField".to_owned(), json!({"a": [1]}));
                changed.push(("body-more".to_owned(), parts.into()));
            }
        }
        for (name, body) in changed {
            let breaks = fits
                .as_ref()
                .is_some_and(|fits| !fits.is_valid(&without_nulls(&body)));
            let target = self.target(&query);
            self.add(name, target, Some(Body::Json(body)), breaks);
        }
    }
}

fn with_query(path: String, query: &[(String, String)]) -> String {
    if query.is_empty() {
        return path;
    }
    let pairs: Vec<_> = query
        .iter()
        .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
        .collect();
    format!("{path}?{}", pairs.join("&"))
}

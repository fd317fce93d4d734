//! The parts of an OpenAPI document that we take facts from.

use std::collections::BTreeMap;

use serde::Deserialize;

#[derive(Deserialize)]
pub struct Document {
    paths: BTreeMap<String, BTreeMap<String, Operation>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Operation {
    pub operation_id: String,
    pub tags: Vec<String>,
    #[serde(default)]
    parameters: Vec<Parameter>,
    responses: BTreeMap<String, Response>,
    #[serde(rename = "x-rate-limit-category")]
    pub rate_category: Option<String>,
}

#[derive(Deserialize)]
struct Parameter {
    name: String,
    r#in: String,
}

#[derive(Deserialize)]
struct Response {
    #[serde(default)]
    headers: BTreeMap<String, serde::de::IgnoredAny>,
}

impl Document {
    /// (method, path, operation), in the order of the paths.
    pub fn operations(&self) -> impl Iterator<Item = (String, &str, &Operation)> {
        self.paths.iter().flat_map(|(path, methods)| {
            methods
                .iter()
                .map(move |(method, operation)| (method.to_uppercase(), path.as_str(), operation))
        })
    }
}

impl Operation {
    /// How a list is continued.
    pub fn paging(&self) -> &'static str {
        let has = |name: &str| {
            self.parameters
                .iter()
                .any(|parameter| parameter.r#in == "query" && parameter.name == name)
        };
        let answers_with = |header: &str| {
            self.responses
                .values()
                .any(|response| response.headers.contains_key(header))
        };
        if answers_with("next-page") {
            "headers"
        } else if has("cursor") {
            "cursor"
        } else if has("pageCursor") {
            "page-cursor"
        } else if has("after") && has("limit") {
            "before-after"
        } else if has("next") && has("pageSize") {
            "next"
        } else {
            "none"
        }
    }

    /// Whether it declares `Idempotency-Key`.
    pub fn takes_idempotency_key(&self) -> bool {
        self.parameters.iter().any(|parameter| {
            parameter.r#in == "header" && parameter.name.eq_ignore_ascii_case("Idempotency-Key")
        })
    }
}

//! OAuth 2.0 client credentials that webhooks fetch their bearer tokens with. Secrets are kept and
//! never shown.

use std::collections::BTreeMap;
use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue};
use protocol::error::ApiError;
use protocol::model::webhook::WebhookOauth;
use protocol::time::Millis;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use url::Url;
use uuid::Uuid;
use wire::hooks_out::oauth::{AuthMethod, Credentials};

use super::maps::{given, merged, text, unreserved};
use super::{MtlsConfig, Settings, headers};
use crate::shelf::Kept;

/// Longest name, client id and URL, in characters; longest secret, in bytes.
const MAX_NAME: usize = 128;
const MAX_CLIENT_ID: usize = 255;
const MAX_SECRET: usize = 480;
pub(crate) const MAX_URL: usize = 2_048;
/// What the sender itself says.
const CLAIMS: [&str; 5] = ["iss", "sub", "jti", "iat", "exp"];
const HEADERS: [&str; 3] = ["content-type", "content-length", "host"];
const PARAMETERS: [&str; 5] = [
    "grant_type",
    "client_id",
    "client_secret",
    "client_assertion",
    "client_assertion_type",
];

/// The secret: kept, and never printed.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct ClientSecret(String);

impl fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientSecret")
    }
}

/// A credential set of the workspace.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OauthCredentials {
    pub(crate) id: Uuid,
    name: String,
    client_id: String,
    client_secret: ClientSecret,
    pub(crate) url: String,
    auth_method: AuthMethod,
    custom_jwt_claims: BTreeMap<String, Value>,
    custom_body_params: BTreeMap<String, String>,
    custom_headers: BTreeMap<String, String>,
    pub(crate) webhook_mtls_id: Option<Uuid>,
    pub(crate) created_at: Millis,
    pub(crate) updated_at: Millis,
}

impl fmt::Debug for OauthCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OauthCredentials({} {})", self.id, self.name)
    }
}

impl Kept for OauthCredentials {
    const KIND: &'static str = "webhook_oauth";

    fn key(&self) -> String {
        self.id.to_string()
    }
}

/// What a call says of a credential set: all of it when it is made, some of it when it is changed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct OauthFields {
    pub(crate) name: Option<String>,
    pub(crate) client_id: Option<String>,
    pub(crate) client_secret: Option<ClientSecret>,
    pub(crate) url: Option<String>,
    pub(crate) auth_method: Option<AuthMethod>,
    #[serde(deserialize_with = "given")]
    pub(crate) custom_jwt_claims: Option<Option<Map<String, Value>>>,
    #[serde(deserialize_with = "given")]
    pub(crate) custom_body_params: Option<Option<Map<String, Value>>>,
    #[serde(deserialize_with = "given")]
    pub(crate) custom_headers: Option<Option<Map<String, Value>>>,
    #[serde(deserialize_with = "given")]
    pub(crate) webhook_mtls_id: Option<Option<String>>,
}

impl OauthCredentials {
    /// A new set; `mtls` is the certificate that the fields name.
    pub(crate) fn new(
        id: Uuid,
        fields: &OauthFields,
        mtls: Option<Uuid>,
        now: Millis,
    ) -> Result<Self, ApiError> {
        let missing = |field| move || ApiError::invalid(field, "it is required");
        let made = Self {
            id,
            name: fields.name.clone().ok_or_else(missing("name"))?,
            client_id: fields.client_id.clone().ok_or_else(missing("clientId"))?,
            client_secret: fields
                .client_secret
                .clone()
                .ok_or_else(missing("clientSecret"))?,
            url: fields.url.clone().ok_or_else(missing("url"))?,
            auth_method: fields.auth_method.unwrap_or_default(),
            custom_jwt_claims: BTreeMap::new(),
            custom_body_params: BTreeMap::new(),
            custom_headers: BTreeMap::new(),
            webhook_mtls_id: mtls,
            created_at: now,
            updated_at: now,
        };
        made.changed(fields, mtls, now)
    }

    /// The set after a change.
    pub(crate) fn changed(
        &self,
        fields: &OauthFields,
        mtls: Option<Uuid>,
        now: Millis,
    ) -> Result<Self, ApiError> {
        let mut after = self.clone();
        let set = |field: &mut String, wanted: &Option<String>| {
            if let Some(wanted) = wanted {
                field.clone_from(wanted);
            }
        };
        set(&mut after.name, &fields.name);
        set(&mut after.client_id, &fields.client_id);
        set(&mut after.url, &fields.url);
        if let Some(secret) = &fields.client_secret {
            after.client_secret = secret.clone();
        }
        after.auth_method = fields.auth_method.unwrap_or(after.auth_method);
        if let Some(change) = &fields.custom_jwt_claims {
            let field = "customJwtClaims";
            let name = |name: &str| unreserved(field, name, &CLAIMS);
            let value = |_: &str, value: &Value| Ok(value.clone());
            after.custom_jwt_claims =
                merged(field, &self.custom_jwt_claims, change.as_ref(), name, value)?;
        }
        if let Some(change) = &fields.custom_body_params {
            let field = "customBodyParams";
            let name = |name: &str| unreserved(field, name, &PARAMETERS);
            let value = |name: &str, value: &Value| text(field, name, value);
            after.custom_body_params = merged(
                field,
                &self.custom_body_params,
                change.as_ref(),
                name,
                value,
            )?;
        }
        if let Some(change) = &fields.custom_headers {
            let before = &self.custom_headers;
            let name = |name: &str| headers::name(name, &HEADERS);
            let change = change.as_ref();
            after.custom_headers = merged("customHeaders", before, change, name, headers::line)?;
        }
        after.webhook_mtls_id = mtls;
        after.updated_at = now;
        after.check()?;
        Ok(after)
    }

    fn check(&self) -> Result<(), ApiError> {
        let between = |field: &str, len: usize, max: usize, what: &str| {
            if (1..=max).contains(&len) {
                Ok(())
            } else {
                Err(ApiError::invalid(field, format_args!("1 to {max} {what}")))
            }
        };
        between("name", self.name.chars().count(), MAX_NAME, "characters")?;
        let len = self.client_id.chars().count();
        between("clientId", len, MAX_CLIENT_ID, "characters")?;
        let len = self.client_secret.0.len();
        between("clientSecret", len, MAX_SECRET, "bytes")?;
        let basic = self.auth_method == AuthMethod::ClientSecretBasic;
        if basic && self.custom_headers.contains_key("authorization") {
            let must = "no 'authorization' with client_secret_basic, which sets it";
            return Err(ApiError::invalid("customHeaders", must));
        }
        Ok(())
    }

    /// The same credentials, but for their names.
    pub(crate) fn same_as(&self, other: &Self) -> bool {
        self.client_id == other.client_id
            && self.client_secret.0 == other.client_secret.0
            && self.url == other.url
            && self.auth_method == other.auth_method
            && self.custom_jwt_claims == other.custom_jwt_claims
            && self.custom_body_params == other.custom_body_params
            && self.custom_headers == other.custom_headers
            && self.webhook_mtls_id == other.webhook_mtls_id
    }

    /// As the API shows it: names, where values are secrets.
    pub(crate) fn shown(&self) -> Value {
        let mut shown = json!({
            "id": self.id,
            "name": self.name,
            "clientId": self.client_id,
            "url": self.url,
            "authMethod": self.auth_method,
            "createdAt": self.created_at,
            "updatedAt": self.updated_at,
        });
        let mut names = |field: &str, names: Vec<&String>| {
            if !names.is_empty() {
                shown[field] = json!(names);
            }
        };
        names("customJwtClaims", self.custom_jwt_claims.keys().collect());
        names("customBodyParams", self.custom_body_params.keys().collect());
        names("customHeaders", self.custom_headers.keys().collect());
        if let Some(id) = self.webhook_mtls_id {
            shown["webhookMtlsId"] = json!(id);
        }
        shown
    }

    /// What stands of it within a webhook.
    pub(crate) fn within(&self, settings: &Settings) -> WebhookOauth {
        let mtls = settings.mtls(self.webhook_mtls_id);
        WebhookOauth {
            client_id: self.client_id.clone(),
            url: self.url.clone(),
            mtls_client_signed_cert: mtls.map(|config| config.signed_cert.clone()),
        }
    }

    /// What tokens are asked for with.
    pub(crate) fn credentials(&self, mtls: Option<&MtlsConfig>) -> Option<Credentials> {
        let url: Url = self.url.parse().ok()?;
        let identity = mtls.and_then(MtlsConfig::identity);
        let certificate = identity.as_ref().map_or("", |identity| &identity.name);
        let mut headers = HeaderMap::new();
        for (name, line) in &self.custom_headers {
            let mut value = HeaderValue::try_from(line.as_str()).ok()?;
            value.set_sensitive(true);
            headers.insert(HeaderName::try_from(name.as_str()).ok()?, value);
        }
        Some(Credentials {
            name: format!("{}/{}/{certificate}", self.id, self.updated_at),
            url,
            client_id: self.client_id.clone(),
            client_secret: SecretString::from(self.client_secret.0.clone()),
            method: self.auth_method,
            claims: self
                .custom_jwt_claims
                .iter()
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
            parameters: self.custom_body_params.clone(),
            headers,
            identity,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(value: Value) -> OauthFields {
        serde_json::from_value(value).expect("fields")
    }

    fn made(more: &Value) -> Result<OauthCredentials, ApiError> {
        let mut all = json!({"name": "n", "clientId": "c", "clientSecret": "s3cret", "url": "https://a.example/t"});
        for (name, value) in more.as_object().expect("an object") {
            all[name] = value.clone();
        }
        OauthCredentials::new(Uuid::nil(), &fields(all), None, Millis(1))
    }

    #[test]
    fn values_never_come_back() {
        let kept = made(&json!({
            "customJwtClaims": {"aud": "v4lue"},
            "customBodyParams": {"scope": "v4lue"},
            "customHeaders": {"X-Api-Key": "v4lue"},
        }));
        let kept = kept.expect("credentials");
        let shown = kept.shown();
        assert!(!shown.to_string().contains("v4lue") && !shown.to_string().contains("s3cret"));
        assert!(!format!("{kept:?}").contains("s3cret"));
        assert_eq!(shown["customHeaders"], json!(["x-api-key"]));
        assert_eq!(shown["authMethod"], "client_secret_basic");
        let change = fields(json!({"customBodyParams": {"scope": null}, "customJwtClaims": null}));
        let after = kept
            .changed(&change, None, Millis(2))
            .expect("a change")
            .shown();
        assert_eq!(
            (&after["customBodyParams"], &after["customJwtClaims"]),
            (&Value::Null, &Value::Null)
        );
        assert_eq!(
            (&after["customHeaders"], &after["updatedAt"]),
            (&json!(["x-api-key"]), &json!(2))
        );
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for bad in [
            json!({"name": ""}),
            json!({"name": "n".repeat(129)}),
            json!({"clientId": "c".repeat(256)}),
            json!({"clientSecret": "ü".repeat(241)}),
            json!({"customJwtClaims": {"iss": "x"}}),
            json!({"customBodyParams": {"grant_type": "x"}}),
            json!({"customBodyParams": {"scope": 5}}),
            json!({"customHeaders": {"Host": "x"}}),
            json!({"customHeaders": {"Authorization": "x"}}),
        ] {
            assert!(made(&bad).is_err(), "{bad}");
        }
        let post =
            json!({"authMethod": "client_secret_post", "customHeaders": {"Authorization": "x"}});
        assert!(made(&post).is_ok());
    }
}

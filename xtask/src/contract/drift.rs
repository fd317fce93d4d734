//! Where the contract is not what the official clients send and take. The clients win: each row
//! changes the distilled document, and says why.

use anyhow::{Context, Result};
use serde_json::{Value, json};

enum How {
    /// Any text will do: what it may be is decided where it is used.
    AnyText,
    /// The field need not be there.
    Optional(&'static str),
    /// Any object will do: what it may hold is decided where it is used.
    AnyObject,
    /// Fields that the contract has not: any text, or null to take it away.
    TextsOrNull([&'static str; 2]),
}

struct Drift {
    /// A JSON pointer into the distilled document.
    at: &'static str,
    how: How,
    /// Who says so. Kept beside the change, for whoever reads the table.
    #[expect(dead_code, reason = "for the reader")]
    why: &'static str,
}

const DRIFT: [Drift; 7] = [
    Drift {
        at: "/$defs/AssetTypesConfig_inner",
        how: How::AnyText,
        why: "it is one of any text and `*`, so that `*` is both and passes nowhere",
    },
    Drift {
        at: "/$defs/CreateWebhookRequest",
        how: How::Optional("description"),
        why: "Python SDK 35.1.0 leaves it out",
    },
    Drift {
        at: "/$defs/WebhookEvent",
        how: How::AnyText,
        why: "Python SDK 35.1.0 names seven more, and `*` is documented",
    },
    Drift {
        at: "/$defs/CreateWebhookRequest/properties/customHeaders",
        how: How::AnyObject,
        why: "Python SDK 35.1.0: lists of lines, empty values, no limit but the whole",
    },
    Drift {
        at: "/$defs/UpdateWebhookRequest/properties/customHeaders",
        how: How::AnyObject,
        why: "the same",
    },
    Drift {
        at: "/$defs/CreateWebhookRequest/properties",
        how: How::TextsOrNull(["webhookMtlsId", "webhookOauthId"]),
        why: "Python SDK 35.1.0 names settings by their ids",
    },
    Drift {
        at: "/$defs/UpdateWebhookRequest/properties",
        how: How::TextsOrNull(["webhookMtlsId", "webhookOauthId"]),
        why: "the same",
    },
];

/// Changes the document as the table says.
pub fn apply(document: &mut Value) -> Result<()> {
    for drift in &DRIFT {
        let place = document.pointer_mut(drift.at).context(drift.at)?;
        match drift.how {
            How::AnyText => *place = json!({ "type": "string" }),
            How::Optional(field) => {
                if let Some(Value::Array(required)) = place.get_mut("required") {
                    required.retain(|name| name != field);
                }
            }
            How::AnyObject => *place = json!({ "type": ["object", "null"] }),
            How::TextsOrNull(fields) => {
                for field in fields {
                    place[field] = json!({ "type": ["string", "null"] });
                }
            }
        }
    }
    Ok(())
}

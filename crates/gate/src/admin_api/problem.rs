//! Errors of the admin listener: problem details (RFC 9457). `message` and `code` stand beside them as
//! Fireblocks' own errors have them, so that one client reads both.

use http::StatusCode;
use protocol::error::ApiError;
use protocol::exchange::Reply;
use serde_json::json;

/// What such a body is.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// The answer that tells an error.
pub(crate) fn told(error: &ApiError) -> Reply {
    let status = error.status();
    let title = StatusCode::from_u16(status)
        .ok()
        .and_then(|status| status.canonical_reason())
        .unwrap_or("Error");
    let mut body = json!({
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": error.message(),
        "message": error.message(),
    });
    if let Some(code) = error.code() {
        body["code"] = code.into();
    }
    Reply {
        status,
        headers: vec![("content-type", MEDIA_TYPE.to_owned())],
        body: body.to_string().into(),
        rows: None,
    }
}

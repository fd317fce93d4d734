//! What a call of the control listener carries. Whatever cannot be read is refused in JSON.

use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use http::request::Parts;
use protocol::error::ApiError;
use protocol::objects;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use wire::server::{MAX_BODY_LEN, strict_json};

use super::Refusal;

/// The parameters of the path.
pub(super) struct At<T>(pub(super) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for At<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let read = Path::<T>::from_request_parts(parts, state).await;
        read.map(|Path(read)| Self(read))
            .map_err(|error| ApiError::uncoded(error.status().as_u16(), error.body_text()).into())
    }
}

/// The body, a JSON object whatever its type is said to be. An empty one is an empty object.
pub(super) struct Asked<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Asked<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        let bytes = axum::body::to_bytes(request.into_body(), MAX_BODY_LEN)
            .await
            .map_err(ApiError::bad_body)?;
        let body: Value = if bytes.is_empty() {
            json!({})
        } else {
            strict_json(&bytes)?
        };
        let read = objects::read(&body).map_err(ApiError::bad_body)?;
        Ok(Self(read))
    }
}

//! Fetching a file behind a link that upstream gave: unsigned, without redirects, limited.

use bytes::{Bytes, BytesMut};

use super::{CONNECT_TIMEOUT, ClientError, MAX_ANSWER_LEN, TIMEOUT, why};

/// Fetches a file of at most [`MAX_ANSWER_LEN`] bytes.
pub async fn download(link: &str) -> Result<Bytes, ClientError> {
    let failed = |error: reqwest::Error| ClientError::Unreachable {
        sent: true,
        why: why(&error),
    };
    let http = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(TIMEOUT)
        .build()
        .map_err(failed)?;
    let mut response = http.get(link).send().await.map_err(failed)?;
    let status = response.status();
    let mut whole = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        if whole.len() + chunk.len() > MAX_ANSWER_LEN {
            return Err(ClientError::TooLarge);
        }
        whole.extend_from_slice(&chunk);
    }
    if status.is_success() {
        Ok(whole.freeze())
    } else {
        Err(ClientError::of(status.as_u16(), &whole))
    }
}

//! A receiver of webhooks that keeps what came with a good signature.

use std::env;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, crypto, decode_header};
use serde_json::Value;

use crate::sandbox::Result;

pub struct Webhooks {
    pub url: String,
    server: Arc<tiny_http::Server>,
    events: Receiver<std::result::Result<Value, String>>,
}

impl Drop for Webhooks {
    fn drop(&mut self) {
        self.server.unblock();
    }
}

impl Webhooks {
    pub async fn listen(sandbox_url: &str) -> Result<Self> {
        let keys = sandbox_url.replace("/v1", "/.well-known/jwks.json");
        let keys: JwkSet = reqwest::get(keys).await?.error_for_status()?.json().await?;
        // Under what name the sandbox finds us: its own machine, unless it runs in a container.
        let host = env::var("VESTIBULE_CALLBACK_HOST").unwrap_or("127.0.0.1".to_owned());
        let address = if host == "127.0.0.1" {
            "127.0.0.1:0"
        } else {
            "0.0.0.0:0"
        };
        let server = Arc::new(tiny_http::Server::http(address).map_err(|error| error.to_string())?);
        let port = server.server_addr().to_ip().ok_or("an address")?.port();
        let (told, events) = channel();
        let listener = Arc::clone(&server);
        std::thread::spawn(move || {
            for mut request in listener.incoming_requests() {
                let event = verified(&mut request, &keys).map_err(|error| error.to_string());
                let status = if event.is_ok() { 200 } else { 401 };
                let _ = told.send(event);
                let _ = request.respond(tiny_http::Response::empty(status));
            }
        });
        Ok(Self {
            url: format!("http://{host}:{port}/hook"),
            server,
            events,
        })
    }

    /// The first event that is wanted.
    pub fn wait(&self, wanted: impl Fn(&Value) -> bool) -> Result<Value> {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let event = self.events.recv_timeout(left)??;
            if wanted(&event) {
                return Ok(event);
            }
        }
    }
}

/// The event, if its signature is good: a JWS whose payload is the body, and was left out.
fn verified(request: &mut tiny_http::Request, keys: &JwkSet) -> Result<Value> {
    let mut headers = request.headers().iter();
    let header = headers.find(|header| header.field.equiv("Fireblocks-Webhook-Signature"));
    let jws = header.ok_or("no signature")?.value.to_string();
    let mut body = Vec::new();
    request.as_reader().read_to_end(&mut body)?;
    let kid = decode_header(&jws)?.kid.ok_or("no key is named")?;
    let key = DecodingKey::from_jwk(keys.find(&kid).ok_or("an unknown key")?)?;
    let (protected, signature) = jws.split_once("..").ok_or("no detached JWS")?;
    let message = format!("{protected}.{}", BASE64_URL_SAFE_NO_PAD.encode(&body));
    if !crypto::verify(signature, message.as_bytes(), &key, Algorithm::RS512)? {
        return Err("a wrong signature".into());
    }
    Ok(serde_json::from_slice(&body)?)
}

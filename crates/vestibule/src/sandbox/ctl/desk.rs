//! The control listener of a running sandbox, over HTTP.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use reqwest::{Client, Method, RequestBuilder, Response};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::{Ask, show};
use crate::output::Output;
use crate::sandbox::running;
use crate::shutdown;

/// Longest line of a stream, in bytes.
const MAX_LINE: usize = 1024 * 1024;

/// Where it is, and what opens it.
pub(super) struct Desk {
    http: Client,
    url: Url,
    token: SecretString,
}

#[derive(Deserialize)]
struct Listed {
    data: Vec<Workspace>,
}

#[derive(Deserialize)]
struct Workspace {
    id: String,
    name: String,
    network: String,
}

/// What it has answered.
pub(super) enum Answer {
    Json(Value),
    Text(String),
    Nothing,
}

impl Desk {
    /// As the arguments say, or the ready file.
    pub(super) fn find(
        ready_file: &Path,
        url: Option<Url>,
        token_file: Option<PathBuf>,
    ) -> anyhow::Result<Self> {
        let (url, token_file) = match (url, token_file) {
            (Some(url), Some(token_file)) => (url, token_file),
            (url, token_file) => {
                let served = running::ready(ready_file)?;
                (
                    url.unwrap_or(served.control_url),
                    token_file.unwrap_or(served.control_token_path),
                )
            }
        };
        let token = running::token(&token_file)?;
        // A sandbox is on this machine: no proxy is asked, and no TLS is spoken.
        let http = Client::builder().no_proxy().build()?;
        Ok(Self {
            http,
            url: running::own(url)?,
            token,
        })
    }

    fn request(&self, method: Method, path: &str) -> anyhow::Result<RequestBuilder> {
        if !path.starts_with('/') {
            bail!("a path begins with a slash; {path:?} does not");
        }
        let text = format!("{}{path}", self.url.as_str().trim_end_matches('/'));
        let url: Url = text.parse().with_context(|| format!("{path} is no path"))?;
        Ok(self
            .http
            .request(method, url)
            .bearer_auth(self.token.expose_secret()))
    }

    async fn sent(&self, request: RequestBuilder) -> anyhow::Result<Response> {
        let sent = request.send().await;
        let response = sent.with_context(|| format!("no sandbox answers at {}", self.url))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let text = response.text().await.unwrap_or_default();
        let told: Option<Value> = serde_json::from_str(&text).ok();
        let message = told.as_ref().and_then(|told| told["message"].as_str());
        Err(anyhow!(
            "the sandbox says {}: {}",
            status.as_u16(),
            message.unwrap_or(&text)
        ))
    }

    /// Asks, in a workspace where the path has one.
    pub(super) async fn ask(&self, ask: Ask, workspace: &str) -> anyhow::Result<Answer> {
        let path = self.path(&ask.path, workspace).await?;
        let mut request = self.request(ask.method, &path)?;
        if let Some(mut body) = ask.body {
            if let Some(whose) = ask.whose {
                body["from"]["snapshot"]["workspace"] = self.id_of(&whose).await?.into();
            }
            request = request.json(&body);
        }
        let response = self.sent(request).await?;
        let text = response.text().await.context("the answer broke off")?;
        Ok(match serde_json::from_str(&text) {
            Ok(value) => Answer::Json(value),
            Err(_) if text.is_empty() => Answer::Nothing,
            Err(_) => Answer::Text(text),
        })
    }

    async fn path(&self, path: &str, workspace: &str) -> anyhow::Result<String> {
        const PLACE: &str = "{workspace}";
        if path.contains(PLACE) {
            Ok(path.replace(PLACE, &self.id_of(workspace).await?))
        } else {
            Ok(path.to_owned())
        }
    }

    /// The id of the workspace of that id or name, or the first of that network.
    async fn id_of(&self, workspace: &str) -> anyhow::Result<String> {
        let response = self.sent(self.request(Method::GET, "/workspaces")?).await?;
        let listed: Listed = response
            .json()
            .await
            .context("the answer is not understood")?;
        let all = &listed.data;
        let is = |text: &str| text.eq_ignore_ascii_case(workspace);
        let named: Vec<_> = all.iter().filter(|known| is(&known.name)).collect();
        if named.len() > 1 {
            bail!(
                "{} workspaces are called '{workspace}': say which by its id",
                named.len()
            );
        }
        let found = all.iter().find(|known| is(&known.id));
        let found = found.or_else(|| all.iter().find(|known| is(&known.network)));
        let found = found.or_else(|| named.first().copied());
        let names: Vec<_> = all
            .iter()
            .take(10)
            .map(|known| known.name.as_str())
            .collect();
        let none = || {
            format!(
                "no workspace '{workspace}' there; there are: {}",
                names.join(", ")
            )
        };
        Ok(found.with_context(none)?.id.clone())
    }

    /// Prints a stream until it ends, or somebody ends it.
    pub(super) async fn hear(
        &self,
        path: &str,
        workspace: &str,
        out: Output,
    ) -> anyhow::Result<()> {
        let path = self.path(path, workspace).await?;
        let mut response = self.sent(self.request(Method::GET, &path)?).await?;
        let over = shutdown::on_signal();
        let mut waiting = Vec::new();
        loop {
            let chunk = tokio::select! {
                () = over.cancelled() => return Ok(()),
                chunk = response.chunk() => chunk.context("the stream broke off")?,
            };
            let Some(chunk) = chunk else {
                return Ok(());
            };
            waiting.extend_from_slice(&chunk);
            while let Some(end) = waiting.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = waiting.drain(..=end).collect();
                show::heard(&line, out)?;
            }
            if waiting.len() > MAX_LINE {
                bail!("the stream has a line of more than {MAX_LINE} bytes");
            }
        }
    }
}

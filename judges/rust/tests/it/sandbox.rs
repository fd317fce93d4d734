//! A sandbox of the product, started as a user starts it, and workspaces made by one call.

use std::error::Error;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs};

use fireblocks_sdk::{ApiClient, Client, ClientBuilder};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

pub type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// Until when a condition must have come.
const DEADLINE: Duration = Duration::from_secs(30);

/// Waits for a condition, never for a time.
pub async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Outcome<Option<T>>) -> Outcome<T> {
    let begun = Instant::now();
    loop {
        if let Some(found) = look().await? {
            return Ok(found);
        }
        if begun.elapsed() > DEADLINE {
            return Err(format!("{what}: not within {DEADLINE:?}").into());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A request of the client, from what goes over the wire.
pub fn body<T: DeserializeOwned>(wire: Value) -> T {
    serde_json::from_value(wire.clone()).unwrap_or_else(|error| panic!("{error}: {wire}"))
}

/// A running sandbox; it ends with this.
pub struct Sandbox {
    process: Child,
    base_url: String,
    control_url: String,
    token: String,
    _folder: tempfile::TempDir,
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // As a user ends it: it still writes down who has called.
        let asked = Command::new("kill")
            .arg(self.process.id().to_string())
            .status();
        if !asked.is_ok_and(|status| status.success()) {
            let _ = self.process.kill();
        }
        let _ = self.process.wait();
    }
}

impl Sandbox {
    pub async fn start(options: &[&str]) -> Outcome<Self> {
        let binary =
            env::var_os("VESTIBULE_BIN").ok_or("VESTIBULE_BIN must name the vestibule binary")?;
        let folder = tempfile::Builder::new()
            .prefix("vestibule-judge-")
            .tempdir()?;
        let ready = folder.path().join("ready.json");
        let mut command = Command::new(binary);
        command
            .args([
                "sandbox",
                "--listen",
                "127.0.0.1:0",
                "--control",
                "127.0.0.1:0",
                "--ephemeral",
            ])
            .arg("--ready-file")
            .arg(&ready);
        if let Some(logs) = env::var_os("VESTIBULE_CALL_LOGS") {
            let name = folder.path().file_name().unwrap_or_default();
            command
                .arg("--call-log")
                .arg(PathBuf::from(logs).join(name).with_extension("jsonl"));
        }
        let process = command
            .args(options)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let mut sandbox = Self {
            process,
            base_url: String::new(),
            control_url: String::new(),
            token: String::new(),
            _folder: folder,
        };
        let text = until("the sandbox serves", async || {
            match sandbox.process.try_wait()? {
                Some(status) => Err(format!("the sandbox ended: {status}").into()),
                None => Ok(fs::read_to_string(&ready).ok()),
            }
        })
        .await?;
        let told = &serde_json::from_str::<Value>(&text)?["sandbox"];
        sandbox.base_url = text_of(&told["base_url"])?;
        sandbox.control_url = text_of(&told["control_url"])?;
        sandbox.token = fs::read_to_string(text_of(&told["control_token_path"])?)?
            .trim()
            .to_owned();
        Ok(sandbox)
    }

    /// A call below `/_sandbox`; what it answers.
    pub async fn control(&self, method: &str, path: &str, body: Value) -> Outcome<Value> {
        let url = format!("{}{path}", self.control_url);
        let request = reqwest::Client::new().request(method.parse()?, url);
        let answer = request
            .bearer_auth(&self.token)
            .json(&body)
            .send()
            .await?
            .error_for_status()?;
        let text = answer.text().await?;
        Ok(if text.is_empty() {
            Value::Null
        } else {
            serde_json::from_str(&text)?
        })
    }

    /// A workspace of a test's own.
    pub async fn fresh(&self) -> Outcome<Workspace<'_>> {
        let made = self.control("POST", "/workspaces", json!({})).await?;
        Ok(Workspace {
            sandbox: self,
            made,
        })
    }
}

pub struct Workspace<'a> {
    sandbox: &'a Sandbox,
    made: Value,
}

impl Workspace<'_> {
    fn user(&self, name: &str) -> Outcome<&Value> {
        let users = self.made["users"].as_array().ok_or("no users")?;
        let found = users.iter().find(|user| user["name"] == name);
        Ok(found.ok_or_else(|| format!("no user {name}"))?)
    }

    /// The id of a user, which is its API key.
    pub fn id_of(&self, name: &str) -> Outcome<String> {
        text_of(&self.user(name)?["api_key"])
    }

    /// The client in the name of a user.
    pub fn client(&self, name: &str) -> Outcome<Client> {
        let secret = text_of(&self.user(name)?["secret_key"])?;
        let builder = ClientBuilder::new(&self.id_of(name)?, secret.as_bytes());
        Ok(builder.with_url(&self.sandbox.base_url).build()?)
    }

    /// The same, by the contract's operations.
    pub fn apis(&self, name: &str) -> Outcome<std::sync::Arc<ApiClient>> {
        Ok(self.client(name)?.apis())
    }

    /// What people, chain and time do to this workspace.
    pub async fn control(&self, method: &str, path: &str, body: Value) -> Outcome<Value> {
        let path = format!("/workspaces/{}{path}", text_of(&self.made["id"])?);
        self.sandbox.control(method, &path, body).await
    }
}

fn text_of(value: &Value) -> Outcome<String> {
    Ok(value.as_str().ok_or("a text was expected")?.to_owned())
}

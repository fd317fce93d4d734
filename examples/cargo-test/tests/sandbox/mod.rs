//! One sandbox for all tests of a binary, a workspace for each test.

use std::error::Error;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError, Weak};
use std::time::{Duration, Instant, UNIX_EPOCH};
use std::{env, fs, sync::Arc};

use fireblocks_sdk::{Client, ClientBuilder};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

pub type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

/// The sandbox that tests share: it ends with the last of them.
static SHARED: Mutex<Weak<Sandbox>> = Mutex::new(Weak::new());

/// Where the sandbox is, and how its workspaces are made.
pub struct Sandbox {
    pub url: String,
    control_url: String,
    token: String,
    process: Option<(Child, tempfile::TempDir)>,
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        if let Some((process, _)) = &mut self.process {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

impl Sandbox {
    /// The one that runs already, or one of our own.
    pub fn shared() -> Result<Arc<Self>> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sandbox) = shared.upgrade() {
            return Ok(sandbox);
        }
        let sandbox = Arc::new(match env::var("VESTIBULE_URL") {
            Ok(url) => Self {
                url,
                control_url: env::var("VESTIBULE_CONTROL_URL")?,
                token: env::var("VESTIBULE_CONTROL_TOKEN")?,
                process: None,
            },
            Err(_) => Self::start()?,
        });
        *shared = Arc::downgrade(&sandbox);
        Ok(sandbox)
    }

    fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let ready = folder.path().join("ready.json");
        let binary = env::var_os("VESTIBULE_BIN").unwrap_or("vestibule".into());
        let mut process = Command::new(binary)
            .args([
                "sandbox",
                "--ephemeral",
                "--listen",
                "127.0.0.1:0",
                "--control",
                "127.0.0.1:0",
            ])
            .arg("--ready-file")
            .arg(&ready)
            .stdout(Stdio::null())
            .spawn()?;
        let deadline = Instant::now() + Duration::from_secs(30);
        while !ready.exists() {
            if process.try_wait()?.is_some() || Instant::now() > deadline {
                let _ = process.kill();
                return Err("the sandbox does not serve; its messages are above".into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let told: Value = serde_json::from_str(&fs::read_to_string(&ready)?)?;
        let text = |name: &str| {
            told["sandbox"][name]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        };
        Ok(Self {
            url: text("base_url"),
            control_url: text("control_url"),
            token: fs::read_to_string(text("control_token_path"))?
                .trim()
                .to_owned(),
            process: Some((process, folder)),
        })
    }

    /// A workspace of a test's own.
    pub async fn workspace(self: &Arc<Self>) -> Result<Workspace> {
        let http = reqwest::Client::new();
        let request = http
            .post(format!("{}/workspaces", self.control_url))
            .bearer_auth(&self.token);
        let made = request
            .json(&json!({}))
            .send()
            .await?
            .error_for_status()?
            .json()
            .await?;
        Ok(Workspace {
            sandbox: Arc::clone(self),
            made,
        })
    }
}

pub struct Workspace {
    sandbox: Arc<Sandbox>,
    made: Value,
}

impl Workspace {
    pub fn id(&self) -> &str {
        self.made["id"].as_str().unwrap_or_default()
    }

    /// API key and secret of a user: admin, signer, approver, editor, viewer and others.
    fn keys(&self, name: &str) -> Result<(&str, &str)> {
        let mut users = self.made["users"].as_array().into_iter().flatten();
        let user = users
            .find(|user| user["name"] == name)
            .ok_or("no such user")?;
        let text = |name: &str| user[name].as_str().ok_or("a user without a key");
        Ok((text("api_key")?, text("secret_key")?))
    }

    /// The SDK in the name of a user.
    pub fn client(&self, name: &str) -> Result<Client> {
        let (api_key, secret) = self.keys(name)?;
        let builder = ClientBuilder::new(api_key, secret.as_bytes());
        Ok(builder.with_url(&self.sandbox.url).build()?)
    }

    /// A call without the SDK, which knows webhooks of an earlier age alone.
    pub async fn post(&self, name: &str, path: &str, body: &Value) -> Result<Value> {
        let (api_key, secret) = self.keys(name)?;
        let (body, now) = (body.to_string(), UNIX_EPOCH.elapsed()?);
        let digest: String = Sha256::digest(&body)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let claims = json!({
            "uri": format!("/v1{path}"),
            "nonce": now.as_nanos().to_string(),
            "iat": now.as_secs(),
            "exp": now.as_secs() + 55,
            "sub": api_key,
            "bodyHash": digest,
        });
        let key = EncodingKey::from_rsa_pem(secret.as_bytes())?;
        let token = jsonwebtoken::encode(&Header::new(Algorithm::RS256), &claims, &key)?;
        let request = reqwest::Client::new().post(format!("{}{path}", self.sandbox.url));
        let request = request.header("X-API-Key", api_key).bearer_auth(token);
        let request = request
            .header("Content-Type", "application/json")
            .body(body);
        Ok(request.send().await?.error_for_status()?.json().await?)
    }
}

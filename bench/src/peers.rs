//! What the gate is measured beside: nginx with a static answer of the same bytes, and HAProxy
//! with `jwt_verify`, a source ACL and a rate table in front of that nginx.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context;
use tokio::process::{Child, Command};

/// A server that ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Peer {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    _child: Child,
}

/// Runs a command pinned to one core.
pub(crate) fn pinned(core: usize, program: &str) -> Command {
    let mut command = Command::new("taskset");
    command.arg("-c").arg(core.to_string()).arg(program).kill_on_drop(true).stdin(Stdio::null());
    command
}

/// A port that is free now.
pub(crate) fn free_port() -> anyhow::Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Waits until the address takes connections.
pub(crate) async fn listening(address: SocketAddr) -> anyhow::Result<()> {
    let connect = async {
        while tokio::net::TcpStream::connect(address).await.is_err() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), connect).await.with_context(|| format!("{address} does not listen"))
}

/// nginx, one worker, one static JSON file for every path.
pub(crate) async fn nginx(folder: &Path, core: usize, body: &[u8]) -> anyhow::Result<Peer> {
    let port = free_port()?;
    std::fs::write(folder.join("answer.json"), body)?;
    let folder_text = folder.display();
    let config = format!(
        "daemon off; worker_processes 1; pid {folder_text}/nginx.pid; error_log {folder_text}/nginx.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 10000000; open_file_cache max=16;
  client_body_temp_path {folder_text}/body; proxy_temp_path {folder_text}/proxy;
  fastcgi_temp_path {folder_text}/fastcgi; uwsgi_temp_path {folder_text}/uwsgi; scgi_temp_path {folder_text}/scgi;
  large_client_header_buffers 8 16k;
  server {{
    listen 127.0.0.1:{port}; root {folder_text}; default_type application/json;
    location / {{ rewrite ^ /answer.json break; }}
  }}
}}
"
    );
    let file = folder.join("nginx.conf");
    std::fs::write(&file, config)?;
    let child = pinned(core, "nginx").arg("-c").arg(&file).spawn().context("nginx is not installed")?;
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    listening(address).await?;
    Ok(Peer { address, _child: child })
}

/// HAProxy, one thread: the token's signature, the source address and a rate are checked.
pub(crate) async fn haproxy(folder: &Path, core: usize, key_pem: &str, behind: SocketAddr) -> anyhow::Result<Peer> {
    let port = free_port()?;
    let key = folder.join(format!("key-{port}.pem"));
    std::fs::write(&key, key_pem)?;
    let key = key.display();
    let config = format!(
        "global
  nbthread 1
  tune.bufsize 32768
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
  option http-keep-alive
frontend door
  bind 127.0.0.1:{port}
  acl listed src 127.0.0.0/8
  http-request deny deny_status 401 unless listed
  stick-table type string len 64 size 100k expire 60s store http_req_rate(10s)
  http-request track-sc0 req.hdr(X-API-Key)
  http-request deny deny_status 429 if {{ sc_http_req_rate(0) gt 100000000 }}
  http-request set-var(txn.bearer) http_auth_bearer
  http-request set-var(txn.alg) var(txn.bearer),jwt_header_query('$.alg')
  http-request deny deny_status 401 unless {{ var(txn.alg) RS256 }}
  http-request deny deny_status 401 unless {{ var(txn.bearer),jwt_verify(txn.alg,\"{key}\") 1 }}
  default_backend books
backend books
  http-reuse always
  server nginx {behind}
"
    );
    let file = folder.join(format!("haproxy-{port}.cfg"));
    std::fs::write(&file, config)?;
    let child = pinned(core, "haproxy").arg("-db").arg("-q").arg("-f").arg(&file).spawn().context("HAProxy is not installed")?;
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    listening(address).await?;
    Ok(Peer { address, _child: child })
}

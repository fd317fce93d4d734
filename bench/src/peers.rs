//! What the gate is measured beside: nginx with a static answer of the same bytes, and HAProxy
//! with `jwt_verify`, a source ACL and a rate table in front of that nginx.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::Context;

use crate::cores;
use crate::product::{Running, free_port, listening};

/// A server to measure.
#[derive(Debug)]
pub(crate) struct Peer {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// What runs.
    pub(crate) running: Running,
}

/// How nginx gives a file to the kernel.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Given {
    /// By name: its bytes are not copied (`sendfile on`).
    Uncopied,
    /// From its own memory, as whoever makes an answer has to (`sendfile off`, its default).
    Copied,
}

/// nginx: one process, which answers one path with a file.
///
/// `master_process off`: one process to measure and to end, which reads our folder as who we are.
pub(crate) fn nginx(
    program: &Path,
    folder: &Path,
    core: usize,
    path: &str,
    body: &[u8],
    given: Given,
) -> anyhow::Result<Peer> {
    let port = free_port()?;
    let sendfile = match given {
        Given::Uncopied => "sendfile on; tcp_nopush on;",
        // One buffer that holds any of our answers whole: one system call writes it.
        Given::Copied => "sendfile off; output_buffers 2 128k;",
    };
    let folder = folder.join(format!("nginx-{port}"));
    std::fs::create_dir(&folder)?;
    std::fs::write(folder.join("answer.json"), body)?;
    let at = folder.display();
    let config = format!(
        "daemon off; master_process off; pid {at}/nginx.pid; error_log {at}/nginx.log;
events {{ worker_connections 4096; }}
http {{
  access_log off; {sendfile} keepalive_requests 10000000; open_file_cache max=16;
  client_body_temp_path {at}/body; proxy_temp_path {at}/proxy;
  fastcgi_temp_path {at}/fastcgi; uwsgi_temp_path {at}/uwsgi; scgi_temp_path {at}/scgi;
  large_client_header_buffers 8 16k;
  server {{
    listen 127.0.0.1:{port}; default_type application/json;
    location = {path} {{ alias {at}/answer.json; }}
  }}
}}
"
    );
    let file = folder.join("nginx.conf");
    std::fs::write(&file, config)?;
    let mut command = cores::pinned(core, program);
    // Before its configuration is read, nginx would log into the system's own folder.
    command.arg("-e").arg(folder.join("nginx.log"));
    command.arg("-c").arg(&file);
    let mut running = Running::spawn(command).context("nginx")?;
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    listening(&mut running, address).context("nginx")?;
    Ok(Peer { address, running })
}

/// HAProxy, one thread: the source address, a rate by API key, and the token's signature.
pub(crate) fn haproxy(
    program: &Path,
    folder: &Path,
    core: usize,
    key_pem: &str,
    behind: SocketAddr,
) -> anyhow::Result<Peer> {
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
  http-request deny deny_status 401 unless {{ var(txn.alg) -m str RS256 }}
  http-request deny deny_status 401 unless {{ var(txn.bearer),jwt_verify(txn.alg,\"{key}\") -m int 1 }}
  default_backend books
backend books
  http-reuse always
  server nginx {behind}
"
    );
    let file = folder.join(format!("haproxy-{port}.cfg"));
    std::fs::write(&file, config)?;
    let mut command = cores::pinned(core, program);
    command.args(["-db", "-q", "-f"]).arg(&file);
    let mut running = Running::spawn(command).context("HAProxy")?;
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    listening(&mut running, address).context("HAProxy")?;
    Ok(Peer { address, running })
}

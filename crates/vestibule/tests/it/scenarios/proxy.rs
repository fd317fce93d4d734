//! A proxy before a sandbox that may change what it says, and counts what writes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::Response;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// What a proxy makes of an answer.
pub(super) type Change = fn(&str, Response<Vec<u8>>) -> Response<Vec<u8>>;

pub(super) struct Proxy {
    pub(super) origin: String,
    pub(super) writes: Arc<AtomicUsize>,
    _runtime: Runtime,
}

impl Proxy {
    pub(super) fn start(upstream: String, change: Change) -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let writes = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&writes);
        let http = reqwest::Client::builder()
            .no_proxy()
            .build()
            .expect("a client");
        let origin = runtime.block_on(async move {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            let origin = format!("http://{}", listener.local_addr().expect("an address"));
            let router = Router::new().fallback(move |request: Request| {
                if request.method() != "GET" {
                    counted.fetch_add(1, Ordering::SeqCst);
                }
                let sent = forwarded(http.clone(), upstream.clone(), request, change);
                async move { sent.await.map(Body::from) }
            });
            tokio::spawn(async move { axum::serve(listener, router).await });
            origin
        });
        Self {
            origin,
            writes,
            _runtime: runtime,
        }
    }
}

async fn forwarded(
    http: reqwest::Client,
    upstream: String,
    request: Request,
    change: Change,
) -> Response<Vec<u8>> {
    let target = request
        .uri()
        .path_and_query()
        .expect("a target")
        .to_string();
    let (head, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.expect("a body");
    let mut sent = http
        .request(head.method, format!("{upstream}{target}"))
        .body(body);
    for name in [
        "authorization",
        "x-api-key",
        "content-type",
        "idempotency-key",
    ] {
        if let Some(value) = head.headers.get(name) {
            sent = sent.header(name, value);
        }
    }
    let mut answer = sent.send().await.expect("an answer");
    let mut made = Response::builder().status(answer.status());
    let headers = made.headers_mut().expect("headers");
    *headers = std::mem::take(answer.headers_mut());
    headers.remove("transfer-encoding");
    headers.remove("content-length");
    let body = answer.bytes().await.expect("a body").to_vec();
    change(&target, made.body(body).expect("an answer"))
}

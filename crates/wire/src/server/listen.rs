//! Sockets: accept, limit, end cleanly.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::{OWN_PREFIX, Server, Workspace};
use crate::clock::WallClock;

/// Most connections at once.
const MAX_CONNECTIONS: usize = 4_096;
/// Longest time a request's head may take.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// Largest head, in bytes.
const MAX_HEAD_LEN: usize = 64 * 1024;
/// How long requests under way may go on after the end was asked for.
const GRACE: Duration = Duration::from_secs(5);

/// A server that runs.
#[derive(Debug)]
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// Ends when the server has.
    pub done: tokio::task::JoinHandle<()>,
}

/// Serves until the token is cancelled. What is neither below `/v1` nor [`OWN_PREFIX`] goes to
/// the open router (webhooks in, JWKS, health).
pub fn serve<W: Workspace, C: WallClock>(
    listener: TcpListener,
    server: Server<W, C>,
    open: axum::Router,
    shutdown: CancellationToken,
) -> std::io::Result<Running> {
    let address = listener.local_addr()?;
    let server = Arc::new(server);
    let done = tokio::spawn(async move {
        let connections = GracefulShutdown::new();
        let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        loop {
            let (stream, peer) = tokio::select! {
                () = shutdown.cancelled() => break,
                accepted = listener.accept() => match accepted {
                    Ok(accepted) => accepted,
                    Err(error) => {
                        // Out of file descriptors, mostly: let some close before the next try.
                        tracing::warn!(%error, "cannot accept");
                        tokio::time::sleep(Duration::from_millis(50)).await;
                        continue;
                    }
                },
            };
            let Ok(place) = Arc::clone(&room).try_acquire_owned() else {
                continue;
            };
            let connection =
                connections.watch(connect(stream, peer, Arc::clone(&server), open.clone()));
            tokio::spawn(async move {
                // A peer that breaks off is its own affair.
                let _ = connection.await;
                drop(place);
            });
        }
        let _ = tokio::time::timeout(GRACE, connections.shutdown()).await;
    });
    Ok(Running { address, done })
}

fn connect<W: Workspace, C: WallClock>(
    stream: TcpStream,
    peer: SocketAddr,
    server: Arc<Server<W, C>>,
    open: axum::Router,
) -> impl hyper_util::server::graceful::GracefulConnection<Error = hyper::Error> + Send {
    let _ = stream.set_nodelay(true);
    let from = peer.ip().to_canonical();
    let service = service_fn(move |request: Request<Incoming>| {
        let (server, open) = (Arc::clone(&server), open.clone());
        // An error here cuts the connection.
        async move {
            let answer = dispatch(&server, open, from, request).await;
            answer
                .ok_or(std::io::ErrorKind::ConnectionAborted)
                .map_err(std::io::Error::from)
        }
    });
    hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MAX_HEAD_LEN)
        .serve_connection(TokioIo::new(stream), service)
}

async fn dispatch<W: Workspace, C: WallClock>(
    server: &Server<W, C>,
    open: axum::Router,
    from: IpAddr,
    request: Request<Incoming>,
) -> Option<Response<http_body_util::combinators::UnsyncBoxBody<Bytes, axum::Error>>> {
    let path = request.uri().path();
    if path.starts_with("/v1/") || path.starts_with(OWN_PREFIX) {
        let response = server.handle(from, request).await?;
        return Some(
            response.map(|body: Full<Bytes>| body.map_err(|never| match never {}).boxed_unsync()),
        );
    }
    let response = open
        .oneshot(request.map(Body::new))
        .await
        .unwrap_or_else(|never| match never {});
    Some(response.map(|body| body.boxed_unsync()))
}

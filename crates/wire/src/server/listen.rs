//! Sockets: accept, limit, end cleanly.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::header::{CONNECTION, HOST, TRANSFER_ENCODING};
use http::{HeaderValue, Request, Response, StatusCode, Version};
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use protocol::certificate::SpkiPin;
use protocol::error::ApiError;
use protocol::exchange::Reply;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::gatekeeper::Answered;
use super::places::{Limits, Place, Places, Proven};
use super::proxies::{Begun, Caller, Proxies, preamble};
use super::tls::Tls;
use super::{OWN_PREFIX, Server, Workspace};
use crate::clock::WallClock;

/// Longest time a proxy's preamble and a TLS handshake may take together.
const ARRIVAL: Duration = Duration::from_secs(10);
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

/// How connections come in.
#[derive(Debug)]
pub struct Entrance {
    listener: TcpListener,
    way: Arc<Way>,
    limits: Limits,
}

/// What a connection passes before its first request.
#[derive(Debug, Default)]
struct Way {
    proxies: Proxies,
    tls: Option<Tls>,
}

impl From<TcpListener> for Entrance {
    fn from(listener: TcpListener) -> Self {
        Self {
            listener,
            way: Arc::default(),
            limits: Limits::default(),
        }
    }
}

impl Entrance {
    /// By this listener, behind these proxies, with TLS or without.
    pub fn new(listener: TcpListener, proxies: Proxies, tls: Option<Tls>) -> Self {
        Self {
            listener,
            way: Arc::new(Way { proxies, tls }),
            limits: Limits::default(),
        }
    }

    /// The same within other limits.
    #[must_use]
    pub fn within(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }
}

/// Serves until the token is cancelled. What is neither below `/v1` nor [`OWN_PREFIX`] goes to
/// the open router (webhooks in, JWKS, health).
pub fn serve<W: Workspace, C: WallClock>(
    entrance: impl Into<Entrance>,
    server: Server<W, C>,
    open: axum::Router,
    shutdown: CancellationToken,
) -> std::io::Result<Running> {
    let Entrance {
        listener,
        way,
        limits,
    } = entrance.into();
    let address = listener.local_addr()?;
    let server = Arc::new(server);
    let done = tokio::spawn(async move {
        let connections = GracefulShutdown::new();
        let places = Places::new(limits);
        loop {
            let (stream, peer) = tokio::select! {
                () = shutdown.cancelled() => break,
                accepted = listener.accept() => match accepted {
                    Ok(accepted) => accepted,
                    Err(error) => {
                        // Out of file descriptors, mostly: let one close before the next try.
                        tracing::warn!(%error, "cannot accept");
                        places.make_room();
                        tokio::time::sleep(Duration::from_millis(50)).await;
                        continue;
                    }
                },
            };
            let Some(place) = places.take() else {
                continue;
            };
            let (watcher, way) = (connections.watcher(), Arc::clone(&way));
            let (server, open, ended) = (Arc::clone(&server), open.clone(), shutdown.clone());
            tokio::spawn(async move {
                let place = Arc::new(place);
                let arrived = tokio::select! {
                    () = ended.cancelled() => None,
                    () = place.given_up() => None,
                    arrived = tokio::time::timeout(ARRIVAL, way.arrive(stream, peer, &place)) => arrived.ok().flatten(),
                };
                // A peer that breaks off, also before it has arrived, is its own affair.
                if let Some(arrived) = arrived {
                    let own = Arc::clone(&place);
                    let connection = connect(arrived, own, Arc::clone(&way), server, open);
                    tokio::select! {
                        () = place.given_up() => {}
                        _ = watcher.watch(connection) => {}
                    }
                }
            });
        }
        let _ = tokio::time::timeout(GRACE, connections.shutdown()).await;
    });
    Ok(Running { address, done })
}

/// The bytes of a connection.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A connection before its first request.
struct Arrived {
    stream: Box<dyn Stream>,
    caller: Caller,
    /// Whose client certificate was shown.
    certificate: Option<SpkiPin>,
}

impl Way {
    /// Lets a connection come as far as its first request; nothing: it never will.
    async fn arrive(
        &self,
        mut stream: TcpStream,
        peer: SocketAddr,
        place: &Place,
    ) -> Option<Arrived> {
        let _ = stream.set_nodelay(true);
        let peer = peer.ip().to_canonical();
        let (caller, whose) = if self.proxies.speaks_first(peer) {
            let told = preamble_of(&mut stream).await?;
            (Caller::Known(told.unwrap_or(peer)), told)
        } else {
            let caller = self.proxies.caller(peer);
            (caller, (caller != Caller::Told).then_some(peer))
        };
        // A proxy's own connections are nobody's share.
        if whose.is_some_and(|whose| !place.belongs_to(whose)) {
            return None;
        }
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(place.unread()));
        let stream = Box::pin(stream);
        let (stream, shown): (Box<dyn Stream>, _) = match &self.tls {
            None => (Box::new(stream), None),
            Some(tls) => {
                let (stream, shown) = tls.accept(stream).await.ok()?;
                (Box::new(stream), shown)
            }
        };
        // What a proxy shows that carries many callers' requests is its own, and nobody else's.
        let certificate = shown.filter(|_| caller != Caller::Told);
        Some(Arrived {
            stream,
            caller,
            certificate,
        })
    }
}

/// Reads a proxy's preamble, and nothing of what follows it.
async fn preamble_of(stream: &mut TcpStream) -> Option<Option<IpAddr>> {
    let mut bytes = Vec::new();
    loop {
        match preamble(&bytes).ok()? {
            Begun::Whole(_, caller) => return Some(caller),
            Begun::More(count) => {
                let begun = bytes.len();
                bytes.resize(begun + count.max(1), 0);
                stream.read_exact(bytes.get_mut(begun..)?).await.ok()?;
            }
        }
    }
}

fn connect<W: Workspace, C: WallClock>(
    arrived: Arrived,
    place: Arc<Place>,
    way: Arc<Way>,
    server: Arc<Server<W, C>>,
    open: axum::Router,
) -> impl hyper_util::server::graceful::GracefulConnection<Error = hyper::Error> + Send {
    let Arrived {
        stream,
        caller,
        certificate,
    } = arrived;
    let service = service_fn(move |request: Request<Incoming>| {
        let (server, open, place) = (Arc::clone(&server), open.clone(), Arc::clone(&place));
        let from = match caller {
            Caller::Known(address) => Ok(address),
            Caller::Told => way.proxies.told(request.headers()),
        };
        // An error here cuts the connection.
        async move {
            let answer = match well_formed(&request).and(from.map_err(|untold| untold.to_string()))
            {
                Ok(from) => dispatch(&server, open, (from, certificate), request).await,
                Err(why) => Some(refused(why)),
            };
            if answer.as_ref().is_some_and(|answer| answer.proven) {
                place.is_proven();
            }
            answer
                .map(|answer| answer.response)
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

/// An answer of the server's own, or of the open router.
type Answer = Answered<Either<Full<Bytes>, Body>>;

/// What the reader of HTTP lets pass, and two readers could take for two things: a request without one host
/// (RFC 9112, 3.2), or in a coding beside the chunks, which is not undone here.
fn well_formed<B>(request: &Request<B>) -> Result<(), String> {
    let headers = request.headers();
    let hosts = headers.get_all(HOST).iter().count();
    if hosts > 1 || hosts == 0 && request.version() >= Version::HTTP_11 {
        return Err("a request has one Host".to_owned());
    }
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    let plain = |coding: &HeaderValue| coding.as_bytes().eq_ignore_ascii_case(b"chunked");
    if !codings.next().is_none_or(plain) || codings.next().is_some() {
        return Err("the only Transfer-Encoding here is chunked".to_owned());
    }
    Ok(())
}

fn refused(why: String) -> Answer {
    let reply = Reply::from(ApiError::uncoded(400, why));
    let mut response = Response::new(Either::Left(Full::new(reply.body)));
    *response.status_mut() = StatusCode::BAD_REQUEST;
    // Where it ends is not to be guessed.
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    Answered {
        response,
        proven: false,
    }
}

/// The answer; nothing: the connection is to be cut.
async fn dispatch<W: Workspace, C: WallClock>(
    server: &Server<W, C>,
    open: axum::Router,
    (from, certificate): (IpAddr, Option<SpkiPin>),
    request: Request<Incoming>,
) -> Option<Answer> {
    let path = request.uri().path();
    if path.starts_with("/v1/") || path.starts_with(OWN_PREFIX) {
        let Answered { response, proven } = server.handle(from, certificate, request).await?;
        return Some(Answered {
            response: response.map(Either::Left),
            proven,
        });
    }
    let response = Box::pin(open.oneshot(request.map(Body::new)))
        .await
        .unwrap_or_else(|never| match never {});
    let proven = response.extensions().get::<Proven>().is_some();
    Some(Answered {
        response: response.map(Either::Right),
        proven,
    })
}

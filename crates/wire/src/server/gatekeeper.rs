//! The order of checks.

use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, DATE};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use http_body_util::Full;
use protocol::certificate::SpkiPin;
use protocol::error::ApiError;
use protocol::exchange::{Params, Query, Reply};
use protocol::ids::{RequestId, UserId};
use protocol::operations::{self, Resolution};
use protocol::time::Millis;
use protocol::token::{self, Expected, TokenError};

use super::nonces::{Nonces, Seen};
use super::{Admitted, Call, OWN_PREFIX, Onlooker, Outcome, Refusal, Route, Told, Workspace, body};
use crate::clock::WallClock;

/// A server of one workspace, or of many behind one door.
pub struct Server<W, C> {
    workspace: Arc<W>,
    clock: C,
    nonces: Nonces,
    /// Tokens made before this are refused: nonces of before a start are not remembered.
    not_before: i64,
    onlooker: Option<Arc<dyn Onlooker>>,
}

impl<W: Workspace, C: WallClock> std::fmt::Debug for Server<W, C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Server")
    }
}

impl<W: Workspace, C: WallClock> Server<W, C> {
    /// A server that takes every token in its time.
    pub fn new(workspace: Arc<W>, clock: C) -> Self {
        Self {
            workspace,
            clock,
            nonces: Nonces::default(),
            not_before: i64::MIN,
            onlooker: None,
        }
    }

    /// The same, watched: for sandboxes.
    #[must_use]
    pub fn watched_by(mut self, onlooker: Arc<dyn Onlooker>) -> Self {
        self.onlooker = Some(onlooker);
        self
    }

    /// The same, but tokens made before now are refused: a restart lets nothing be replayed.
    #[must_use]
    pub fn refusing_tokens_of_before(mut self) -> Self {
        self.not_before = self.clock.now().seconds();
        self
    }

    /// Answers one request, over a connection that showed this client certificate or none; nothing: the
    /// connection is to be cut.
    pub(super) async fn handle<B>(
        &self,
        from: IpAddr,
        certificate: Option<SpkiPin>,
        request: Request<B>,
    ) -> Option<Answered>
    where
        B: http_body::Body + Send,
        B::Data: Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let request_id = self.workspace.request_id();
        let now = self.clock.now();
        if let Err(error) = self.workspace.ready() {
            let date = self.workspace.date(None);
            return Some(Answered {
                response: respond(request_id, date, self.workspace.told(error)),
                proven: false,
            });
        }
        let (head, body) = request.into_parts();
        let mut told = self
            .onlooker
            .as_ref()
            .map(|_| Told::new(request_id, now, from, &head));
        let target = head.uri.path_and_query().cloned();
        let mut seen = Passing {
            certificate,
            user: None,
            guest: None,
            body_hash: None,
        };
        let passed = self.pass(from, request_id, now, head, body, &mut seen);
        let mut outcome = match passed.await {
            Ok((guest, call)) => {
                let (user, nonce) = (call.user, call.nonce.clone());
                // Boxed: what many connections wait in is to be small.
                let outcome = if call.changes() {
                    Box::pin(self.done(guest, call)).await
                } else {
                    self.workspace.outcome(guest, call).await
                };
                if matches!(&outcome, Outcome::Answered(reply) if reply.status == 429) {
                    // Nothing was done: official clients come again with the same token.
                    self.nonces.forget(user, &nonce);
                }
                outcome
            }
            Err(error) => {
                self.workspace.refused(&Refusal {
                    request_id,
                    at: now,
                    from,
                    certificate,
                    user: seen.user,
                    proven: seen.guest.is_some(),
                    target: target.as_ref().map_or("", |target| target.as_str()),
                    error: &error,
                });
                Outcome::Answered(self.workspace.told(error))
            }
        };
        if let (Some(onlooker), Some(told)) = (&self.onlooker, &mut told) {
            told.body_hash = seen.body_hash;
            let reply = match &mut outcome {
                Outcome::Answered(reply) => Some(reply),
                Outcome::Cut => None,
            };
            onlooker.told(told, reply);
        }
        match outcome {
            Outcome::Answered(reply) => {
                let date = self.workspace.date(seen.guest.as_deref());
                Some(Answered {
                    response: respond(request_id, date, reply),
                    proven: seen.guest.is_some(),
                })
            }
            Outcome::Cut => None,
        }
    }

    /// What comes back for what changes something: it is done to its end, also when the caller hangs up.
    async fn done(&self, guest: Arc<W::Guest>, call: Call) -> Outcome {
        let workspace = Arc::clone(&self.workspace);
        let whole = async move { workspace.outcome(guest, call).await };
        let done = tokio::spawn(whole).await;
        done.unwrap_or_else(|_| Outcome::Answered(self.workspace.told(ApiError::internal())))
    }

    async fn pass<B>(
        &self,
        from: IpAddr,
        request_id: RequestId,
        now: Millis,
        head: http::request::Parts,
        incoming: B,
        seen: &mut Passing<W::Guest>,
    ) -> Result<(Arc<W::Guest>, Call), ApiError>
    where
        B: http_body::Body + Send,
        B::Data: Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        // Only origin-form targets (RFC 9112) have a path here; the raw text is what was signed.
        let target = match head.uri.path_and_query() {
            Some(target) if head.uri.scheme().is_none() && target.as_str().starts_with('/') => {
                target.as_str()
            }
            _ => return Err(ApiError::not_found()),
        };
        let user = api_key(&head.headers)?;
        seen.user = Some(user);
        let authorization = single(&head.headers, &AUTHORIZATION, TokenError::Missing)?;
        let Admitted { key, before, guest } = self
            .workspace
            .door(user, from)
            .filter(|admitted| self.workspace.certified(&admitted.guest, seen.certificate))
            .ok_or(TokenError::NotAccepted)?;
        let expected = Expected {
            user,
            target,
            now: now.seconds(),
        };
        // Whatever fails from here on, of what the token says, counts against key and address.
        let refused = |error: TokenError| {
            self.workspace.failed(user, from);
            tracing::info!(%request_id, %user, %from, target, code = error.code(), "token refused");
            error
        };
        let token = token::read(authorization)
            .and_then(|token| token.verify_either(&key, before.as_ref(), &expected))
            .map_err(refused)?;
        seen.guest = Some(Arc::clone(&guest));
        if token.issued_at() < self.not_before {
            return Err(refused(TokenError::NotAccepted).into());
        }
        let (nonce, until) = (token.nonce(), token.expires_at());
        match self.nonces.remember(user, nonce, until, now.seconds()) {
            Seen::New => {}
            Seen::Before => return Err(refused(TokenError::NotAccepted).into()),
            Seen::TooMany => return Err(ApiError::too_many_requests()),
        }
        if let Err(error) = self.workspace.in_rate(&guest) {
            // As above: it may come again with the same token.
            self.nonces.forget(user, nonce);
            return Err(error);
        }
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let route = self.route(&guest, &head.method, path)?;
        let query = Query::parse(query).map_err(|error| ApiError::invalid("query", error))?;
        let bytes = body::read(incoming).await?;
        if self.onlooker.is_some() {
            seen.body_hash = Some(token::body_hash(&bytes));
        }
        let parsed = match token.accept_body(&bytes) {
            Ok(()) if bytes.is_empty() => Ok(None),
            Ok(()) => body::strict_json(&bytes).map(Some),
            Err(error) => Err(refused(error).into()),
        };
        // There may be a private key in it that should not be.
        body::wipe(bytes);
        let body = parsed?;
        let idempotency_key = match head.headers.get("idempotency-key") {
            None => None,
            Some(key) => Some(
                key.to_str()
                    .map_err(|_| ApiError::invalid("Idempotency-Key", "ASCII"))?
                    .to_owned(),
            ),
        };
        let call = Call {
            request_id,
            user,
            signed_with: token.signed_with(),
            from,
            certificate: seen.certificate,
            received_at: now,
            route,
            target: target.to_owned(),
            query,
            body,
            idempotency_key,
            nonce: token.nonce().clone(),
            nonce_until: token.expires_at(),
        };
        Ok((guest, call))
    }

    fn route(
        &self,
        guest: &W::Guest,
        method: &http::Method,
        path: &str,
    ) -> Result<Route, ApiError> {
        if let Some(own) = path.strip_prefix(OWN_PREFIX)
            && own.starts_with('/')
        {
            return Ok(Route::Own {
                method: method.to_string(),
                path: own.to_owned(),
            });
        }
        match operations::resolve(method.as_str(), path) {
            Resolution::Known(found) => {
                self.workspace.may(guest, found.operation)?;
                let params = found
                    .operation
                    .parameters
                    .iter()
                    .map(|name| Ok((*name, found.parameters.text(name)?.into_owned())))
                    .collect::<Result<Params, operations::BadParameter>>()
                    .map_err(|bad| ApiError::invalid(bad.name, bad.why))?;
                Ok(Route::Operation {
                    operation: found.operation,
                    params,
                })
            }
            Resolution::MethodNotAllowed | Resolution::Unknown => Err(ApiError::not_found()),
        }
    }
}

/// What goes back to a caller.
pub(super) struct Answered<B = Full<Bytes>> {
    pub(super) response: Response<B>,
    /// Whether whoever asked has proven who they are.
    pub(super) proven: bool,
}

/// What is known of a request by the time it is answered or refused.
struct Passing<G> {
    /// Whose client certificate its connection showed.
    certificate: Option<SpkiPin>,
    /// The key that it names.
    user: Option<UserId>,
    /// Whose token it was, once its signature was verified.
    guest: Option<Arc<G>>,
    /// Once the body was read, where somebody looks on.
    body_hash: Option<String>,
}

fn api_key(headers: &HeaderMap) -> Result<UserId, TokenError> {
    let key = single(headers, &X_API_KEY, TokenError::NoUser)?;
    if key.is_empty() {
        return Err(TokenError::NoUser);
    }
    // A key that has not even the form of one is an unknown key.
    key.parse().map_err(|_| TokenError::NotAccepted)
}

/// A header that stands exactly once. Twice is nobody's: two readers could pick differently.
fn single<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
    missing: TokenError,
) -> Result<&'a str, TokenError> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Err(missing),
        (Some(value), None) => value.to_str().map_err(|_| TokenError::Form),
        (Some(_), Some(_)) => Err(TokenError::Form),
    }
}

const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The last moment that `Date` can show: the end of the year 9999.
const LATEST: u64 = 253_402_300_799_999;

/// A moment, as the header `Date` shows it.
pub fn http_date(at: Millis) -> Option<HeaderValue> {
    let millis = u64::try_from(at.0).unwrap_or(0).min(LATEST);
    let at = std::time::UNIX_EPOCH + std::time::Duration::from_millis(millis);
    HeaderValue::from_str(&httpdate::fmt_http_date(at)).ok()
}

/// A header's value, without a copy: visible ASCII alone.
fn header_value(text: String) -> Option<HeaderValue> {
    let text = Some(text).filter(|text| text.is_ascii())?;
    HeaderValue::try_from(text).ok()
}

fn respond(request_id: RequestId, date: Option<Millis>, reply: Reply) -> Response<Full<Bytes>> {
    let typed = !reply.body.is_empty();
    let mut response = Response::new(Full::new(reply.body));
    *response.status_mut() =
        http::StatusCode::from_u16(reply.status).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    // What is told to one caller is no cache's.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if typed {
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/json; charset=utf-8"),
        );
    }
    if let Some(value) = header_value(request_id.to_string()) {
        headers.insert(X_REQUEST_ID, value);
    }
    if let Some(date) = date.and_then(http_date) {
        headers.insert(DATE, date);
    }
    for (name, value) in reply.headers {
        if let Some(value) = header_value(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_moment_has_a_date() {
        let shown = |at| http_date(Millis(at)).expect("a date");
        assert_eq!(shown(0), "Thu, 01 Jan 1970 00:00:00 GMT");
        for beyond in [253_402_300_800_000, i64::MAX] {
            assert_eq!(shown(beyond), "Fri, 31 Dec 9999 23:59:59 GMT");
        }
        assert_eq!(shown(i64::MIN), shown(0));
    }
}

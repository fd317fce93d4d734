//! The key set that receivers verify our webhooks with, as Fireblocks serves its own.

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use protocol::signature::Jwks;

/// Where the key set stands.
pub const PATH: &str = "/.well-known/jwks.json";

/// The route; the keys are asked for at each request, so a rotation shows at once.
pub fn router(keys: impl Fn() -> Arc<Jwks> + Clone + Send + Sync + 'static) -> Router {
    Router::new().route(
        PATH,
        get(move || {
            let body = keys().to_json();
            let headers = [
                ("content-type", "application/json"),
                ("cache-control", "public, max-age=3600, s-maxage=3600"),
                ("access-control-allow-origin", "*"),
            ];
            async move { (headers, body) }
        }),
    )
}

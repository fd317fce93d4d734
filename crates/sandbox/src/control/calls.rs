//! The calls of `/_sandbox`: each is routed and told of in one breath, so that nothing is served
//! that the document does not name, and nothing named that is not served.

use std::sync::LazyLock;

use axum::Router;
use axum::handler::Handler;
use axum::routing::{MethodRouter, delete, get, post, put};

use super::Desk;

/// A call of the control listener.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    /// Its name, the document's `operationId`.
    pub id: &'static str,
    /// The HTTP method, in capitals.
    pub method: &'static str,
    /// The path below `/_sandbox`, parameters in braces. `{workspace}` is the workspace's id.
    pub path: &'static str,
    /// What it does.
    pub does: &'static str,
    /// The JSON Schema of its body, if it takes one.
    pub body: Option<&'static str>,
    /// The HTTP status where all is well.
    pub status: u16,
    /// Whether the answer is a stream that does not end by itself.
    pub streams: bool,
}

impl Call {
    /// The names of the path's parameters, in order.
    pub fn parameters(&self) -> impl Iterator<Item = &'static str> + use<> {
        let parts = self.path.split('/');
        parts.filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
    }

    /// Whether it is this path, parameters filled in.
    fn fits(&self, path: &str) -> bool {
        let own = self.path.split('/');
        let mut parts = path.split('/');
        own.into_iter().all(|own| {
            let part = parts.next().unwrap_or_default();
            part == own || (own.starts_with('{') && !part.is_empty())
        }) && parts.next().is_none()
    }
}

/// Every call.
pub fn all() -> &'static [Call] {
    static ALL: LazyLock<Vec<Call>> = LazyLock::new(|| super::calls().told);
    &ALL
}

/// The call of that name.
pub fn by_id(id: &str) -> Option<&'static Call> {
    all().iter().find(|call| call.id == id)
}

/// The call of a method and a path below `/_sandbox`; words before parameters.
pub fn find(method: &str, path: &str) -> Option<&'static Call> {
    let fitting = all()
        .iter()
        .filter(|call| call.method == method && call.fits(path));
    fitting.min_by_key(|call| call.parameters().count())
}

/// Some of the calls, and their routes.
#[derive(Default)]
pub(super) struct Calls {
    told: Vec<Call>,
    router: Router<Desk>,
}

impl Calls {
    pub(super) fn get<H: Handler<T, Desk>, T: 'static>(
        self,
        path: &'static str,
        id: &'static str,
        does: &'static str,
        handler: H,
    ) -> Self {
        self.on("GET", path, id, does, get(handler))
    }

    pub(super) fn post<H: Handler<T, Desk>, T: 'static>(
        self,
        path: &'static str,
        id: &'static str,
        does: &'static str,
        handler: H,
    ) -> Self {
        self.on("POST", path, id, does, post(handler))
    }

    pub(super) fn put<H: Handler<T, Desk>, T: 'static>(
        self,
        path: &'static str,
        id: &'static str,
        does: &'static str,
        handler: H,
    ) -> Self {
        self.on("PUT", path, id, does, put(handler))
    }

    pub(super) fn delete<H: Handler<T, Desk>, T: 'static>(
        self,
        path: &'static str,
        id: &'static str,
        does: &'static str,
        handler: H,
    ) -> Self {
        self.on("DELETE", path, id, does, delete(handler))
    }

    fn on(
        mut self,
        method: &'static str,
        path: &'static str,
        id: &'static str,
        does: &'static str,
        route: MethodRouter<Desk>,
    ) -> Self {
        self.router = self.router.route(path, route);
        self.told.push(Call {
            id,
            method,
            path,
            does,
            body: None,
            status: 200,
            streams: false,
        });
        self
    }

    /// The last one takes a body of this schema.
    pub(super) fn taking(self, schema: &'static str) -> Self {
        self.last(|call| call.body = Some(schema))
    }

    /// The last one answers this where all is well.
    pub(super) fn answering(self, status: u16) -> Self {
        self.last(|call| call.status = status)
    }

    /// The last one's answer is a stream.
    pub(super) fn streaming(self) -> Self {
        self.last(|call| call.streams = true)
    }

    fn last(mut self, change: impl FnOnce(&mut Call)) -> Self {
        self.told.last_mut().map(change);
        self
    }

    pub(super) fn and(mut self, others: Self) -> Self {
        self.told.extend(others.told);
        self.router = self.router.merge(others.router);
        self
    }

    pub(super) fn router(self) -> Router<Desk> {
        self.router
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_finds_its_call() {
        let id = |method, path| find(method, path).map(|call| call.id);
        assert_eq!(id("POST", "/workspaces/w/mine"), Some("mine"));
        assert_eq!(
            id("POST", "/workspaces/w/users/u/set_up_device"),
            Some("setUpDevice")
        );
        assert_eq!(
            id("POST", "/workspaces/w/users/u/approve"),
            Some("decideOnUser")
        );
        assert_eq!(id("GET", "/workspaces/w/mine"), None);
        assert_eq!(id("POST", "/workspaces//mine"), None);
        assert_eq!(id("POST", "/workspaces/w/mine/more"), None);
    }
}

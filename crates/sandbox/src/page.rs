//! The page at the sandbox's root: workspaces, users, where their keys lie, the last calls, and what
//! to try. Plain HTML, nothing from elsewhere, no script.

use std::fmt::Write;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::halls::Halls;
use crate::happenings::Called;
use crate::operations;
use crate::operations::date_time;

/// Most workspaces whose users are shown.
const MAX_WORKSPACES: usize = 20;
/// Most calls that are shown.
const MAX_CALLS: usize = 50;
/// Nothing may be loaded but our own style.
const POLICY: &str = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const STYLE: &str = "
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; color: #1a1a1a; }
table { border-collapse: collapse; width: 100%; margin: 0.5rem 0 1.5rem; }
caption { text-align: left; font-weight: 600; padding: 0.3rem 0; }
th, td { text-align: left; padding: 0.2rem 0.8rem 0.2rem 0; border-bottom: 1px solid #ddd; vertical-align: top; }
code, pre { font: 13px/1.5 ui-monospace, monospace; overflow-wrap: anywhere; }
td.id { white-space: nowrap; }
pre { background: #f4f4f4; padding: 0.8rem; overflow-x: auto; }
.bad { color: #a40000; }
@media (prefers-color-scheme: dark) {
  body { background: #161616; color: #ddd; } a { color: #8ab4f8; } pre { background: #222; } th, td { border-color: #333; } .bad { color: #ff8a80; }
}
";

/// Where it is fetched, without a key.
pub(crate) fn router(halls: Arc<Halls>) -> Router {
    let style = || async { ([("content-type", "text/css")], STYLE) };
    Router::new()
        .route("/", get(page))
        .route("/sandbox.css", get(style))
        .with_state(halls)
}

async fn page(State(halls): State<Arc<Halls>>) -> Response {
    let headers = [
        ("content-type", "text/html; charset=utf-8"),
        ("content-security-policy", POLICY),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
        ("cache-control", "no-store"),
    ];
    (headers, written(&halls)).into_response()
}

fn written(halls: &Halls) -> String {
    let mut page = String::from(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Vestibule sandbox</title>\
         <link rel=\"stylesheet\" href=\"/sandbox.css\"></head><body><h1>Vestibule sandbox</h1>",
    );
    let origin = escaped(&halls.house.origin);
    let served = operations::served().count();
    let all = protocol::operations::all().len();
    add(
        &mut page,
        format_args!(
            "<p>Fireblocks-compatible workspaces on this machine, for tests. The API is at <code>{origin}/v1</code>: \
         {served} of {all} known operations are served (<a href=\"/openapi.json\">openapi.json</a>); the others say so with 501. \
         Tokens are checked as Fireblocks checks them; where one is refused, the header <code>X-Vestibule-Why</code> says why.</p>"
        ),
    );
    workspaces(&mut page, halls);
    tries(&mut page, &origin);
    calls(&mut page, &halls.house.happenings.recent());
    page.push_str("</body></html>\n");
    page
}

fn workspaces(page: &mut String, halls: &Halls) {
    let all = halls.all();
    let keys = match &halls.house.keys {
        Some(folder) => {
            let folder = escaped(&folder.display().to_string());
            format!(" Their private keys lie in <code>{folder}</code>.")
        }
        None => String::new(),
    };
    add(
        page,
        format_args!("<h2>Workspaces</h2><p>{} in all.{keys}</p>", all.len()),
    );
    for hall in all.iter().take(MAX_WORKSPACES) {
        let stands = if hall.clock.is_frozen() {
            "stands"
        } else {
            "runs"
        };
        let at = date_time(hall.clock.now());
        add(
            page,
            format_args!(
                "<table><caption>{}, {}, <code>{}</code>; its clock {stands} at {at}</caption>\
             <tr><th scope=\"col\">User</th><th scope=\"col\">Role</th><th scope=\"col\">API key</th><th scope=\"col\">Private key</th></tr>",
                escaped(&hall.name),
                hall.network.name(),
                hall.id()
            ),
        );
        for one in hall.residents() {
            let Some(key) = one.key else { continue };
            add(
                page,
                format_args!(
                    "<tr><td>{}</td><td>{}</td><td class=\"id\"><code>{}</code></td><td><code>{}.pem</code></td></tr>",
                    escaped(&one.name),
                    one.user.role.as_str(),
                    one.user.id,
                    escaped(key.name)
                ),
            );
        }
        page.push_str("</table>");
    }
}

fn tries(page: &mut String, origin: &str) {
    add(
        page,
        format_args!(
            "<h2>What to try</h2><pre>\
eval \"$(vestibule sandbox env --user editor)\"        # key, secret and URL for the SDKs\n\
vestibule token --key KEY.pem --api-key ID --curl --base-url {origin} GET /v1/vault/accounts_paged\n\
vestibule token --explain TOKEN                        # what is wrong with one\n\
vestibule sandbox ctl workspace make                   # a workspace for one test\n\
vestibule sandbox ctl fault plan --operation createTransaction --lost-answer --times 1\n\
vestibule sandbox ctl clock advance 24h\n\
vestibule sandbox ctl events                           # everything that happens</pre>"
        ),
    );
}

fn calls(page: &mut String, recent: &[Called]) {
    if recent.is_empty() {
        page.push_str("<h2>The last calls</h2><p>Nobody has called yet.</p>");
        return;
    }
    page.push_str(
        "<h2>The last calls</h2><table><tr><th scope=\"col\">At</th><th scope=\"col\">Call</th>\
         <th scope=\"col\">By</th><th scope=\"col\">Answer</th><th scope=\"col\">Why</th></tr>",
    );
    for call in recent.iter().take(MAX_CALLS) {
        let at = date_time(call.at);
        let bad = call.status.is_none_or(|status| status >= 400);
        let status = call
            .status
            .map_or("cut".to_owned(), |status| status.to_string());
        add(
            page,
            format_args!(
                "<tr><td>{at}</td><td>{} <code>{}</code><br>{}</td><td>{}<br>{}</td><td{}>{status}</td><td>{}</td></tr>",
                escaped(&call.method),
                escaped(&call.path),
                call.operation.unwrap_or("no operation"),
                call.role.unwrap_or("nobody"),
                escaped(call.user_agent.as_deref().unwrap_or_default()),
                if bad { " class=\"bad\"" } else { "" },
                escaped(call.why.as_deref().unwrap_or_default()),
            ),
        );
    }
    page.push_str("</table>");
}

fn add(page: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string does not fail.
    let _ = page.write_fmt(text);
}

/// A text within HTML.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            char => out.push(char),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_send_stays_text() {
        let text = escaped("<img src=x onerror='a'> & \"b\"");
        assert_eq!(
            text,
            "&lt;img src=x onerror=&#39;a&#39;&gt; &amp; &quot;b&quot;"
        );
    }
}

//! The Admin Quorum's threshold.

use protocol::error::ApiError;
use protocol::exchange::Reply;
use serde::Deserialize;
use serde_json::json;

use crate::deed::Deed;
use crate::operations::{Visit, area};
use crate::quorum::{Ask, Threshold};

area! { visit;
    "setAdminQuorumThreshold" => set(visit).await,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wanted {
    admin_quorum_threshold: Option<serde_json::Number>,
}

/// `PUT /admin_quorum`.
async fn set(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let wanted: Wanted = visit.body()?;
    let number = wanted.admin_quorum_threshold.as_ref();
    let number = number.and_then(whole).filter(|number| *number > 0);
    let bad = || ApiError::invalid("adminQuorumThreshold", "1 to the number of members");
    let (number, by) = (number.ok_or_else(bad)?, visit.guest.user);
    let work = move |deed: &mut Deed<'_, '_>| {
        if number > deed.members()?.all().len() {
            return Err(bad().into());
        }
        let threshold = Threshold::Number(number);
        deed.ask(Ask::Threshold { threshold }, Some(by))?;
        let message = "Admin quorum threshold request sent successfully.";
        Ok(Reply::json(202, &json!({ "message": message })))
    };
    visit.hall.effect(visit.call, work).await
}

/// A whole number, also where it is written `2.0`.
fn whole(number: &serde_json::Number) -> Option<usize> {
    let text = number.to_string();
    text.strip_suffix(".0").unwrap_or(&text).parse().ok()
}

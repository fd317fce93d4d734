//! The HTTP face of the operations: the admin listener, signed with an operator's key.
//!
//! | method | path below `/vestibule/v1` | operation |
//! |---|---|---|
//! | GET | `/status` | how the gate stands |
//! | PUT | `/upstream` | API keys and webhook of the workspace |
//! | GET, POST | `/connections` | list; request |
//! | GET | `/connections/{name}` | show |
//! | POST | `/connections/{name}/approve`, `/suspend`, `/resume`, `/revoke` | decide |
//! | GET | `/proposals`, `/proposals/{id}` | list; show |
//! | POST | `/proposals/{id}/approve`, `/reject` | decide |
//! | POST | `/reports` | write a report |
//! | POST | `/refresh` | look at upstream now |
//! | GET | `/posture`, `/log` | look |

use std::net::IpAddr;
use std::sync::Arc;

use protocol::error::ApiError;
use protocol::exchange::Reply;
use protocol::ids::UserId;
use protocol::keys::PublicKey;
use protocol::operations::Operation;
use serde::de::DeserializeOwned;
use serde_json::Value;
use wire::server::{Admitted, Call, Route, Workspace};

use crate::connections::Move;
use crate::gate::Gate;
use crate::operations::{
    self, Operator, connections, log_entries, posture, proposals, report, request, status, upstream,
};

/// The admin listener, as the wire's server sees it.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) gate: Arc<Gate>,
    pub(crate) operators: Vec<(UserId, PublicKey, Arc<Operator>)>,
}

impl Workspace for Desk {
    type Guest = Operator;

    fn door(&self, user: UserId, _from: IpAddr) -> Option<Admitted<Operator>> {
        let (_, key, operator) = self.operators.iter().find(|(id, _, _)| *id == user)?;
        Some(Admitted {
            key: key.clone(),
            guest: Arc::clone(operator),
        })
    }

    fn failed(&self, user: UserId, from: IpAddr) {
        tracing::warn!(%user, %from, "a call of the admin listener was refused");
    }

    fn may(&self, _guest: &Operator, _operation: &'static Operation) -> Result<(), ApiError> {
        // The workspace's own API is not here.
        Err(ApiError::not_found())
    }

    async fn answer(&self, guest: Arc<Operator>, call: Call) -> Reply {
        let Route::Own { method, path } = &call.route else {
            return ApiError::not_found().into();
        };
        // The end waits for what is under way: the log's last checkpoint covers it.
        let _under_way = self.gate.under_way.read().await;
        let answer = self.route(&guest, method, path, call.body.as_ref()).await;
        answer.unwrap_or_else(Into::into)
    }
}

fn input<T: DeserializeOwned>(body: Option<&Value>) -> Result<T, ApiError> {
    let empty = Value::Object(serde_json::Map::new());
    protocol::objects::read(body.unwrap_or(&empty)).map_err(ApiError::bad_body)
}

impl Desk {
    async fn route(
        &self,
        who: &Operator,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Reply, ApiError> {
        let gate = &self.gate;
        let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        let id = |text: &str| {
            text.parse()
                .map_err(|_| operations::refused(404, "there is no such proposal"))
        };
        Ok(match (method, parts.as_slice()) {
            ("GET", ["status"]) => Reply::json(200, &status::status(gate).await?),
            ("PUT", ["upstream"]) => {
                upstream::set(gate, who, input(body)?).await?;
                Reply::empty(204)
            }
            ("GET", ["connections"]) => Reply::json(200, &connections::list(gate)),
            ("POST", ["connections"]) => {
                Reply::json(201, &request::request(gate, who, input(body)?).await?)
            }
            ("GET", ["connections", name]) => Reply::json(200, &connections::show(gate, name)?),
            ("POST", ["connections", name, "approve"]) => Reply::json(
                200,
                &connections::approve(gate, who, name, input(body)?).await?,
            ),
            ("POST", ["connections", name, act @ ("suspend" | "resume" | "revoke")]) => {
                let what = match *act {
                    "suspend" => Move::Suspend,
                    "resume" => Move::Resume,
                    _ => Move::Revoke,
                };
                Reply::json(
                    200,
                    &connections::change(gate, who, name, what, input(body)?).await?,
                )
            }
            ("GET", ["proposals"]) => Reply::json(200, &proposals::list(gate).await?),
            ("GET", ["proposals", one]) => {
                Reply::json(200, &proposals::show(gate, id(one)?).await?)
            }
            ("POST", ["proposals", one, act @ ("approve" | "reject")]) => {
                let decided =
                    proposals::decide(gate, who, id(one)?, *act == "approve", input(body)?);
                Reply::json(200, &decided.await?)
            }
            ("POST", ["reports"]) => {
                Reply::json(201, &report::create(gate, who, input(body)?).await?)
            }
            ("POST", ["refresh"]) => {
                upstream::refresh(gate);
                Reply::empty(202)
            }
            ("GET", ["posture"]) => Reply::json(200, &posture::posture(gate).await?),
            ("GET", ["log"]) => Reply::json(200, &log_entries::latest(gate).await?),
            _ => return Err(ApiError::not_found()),
        })
    }
}

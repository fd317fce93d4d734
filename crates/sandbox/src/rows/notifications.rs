//! Lists of a webhook's notifications: a page costs its own rows, and no body is read for one.

use protocol::ids::{WebhookId, WorkspaceId};
use protocol::model::event::EventType;
use protocol::model::webhook::{Notification, NotificationStatus};
use protocol::time::Millis;
use store::{Query, Row, StoreError, Value, params};

use super::outbox::{LISTED, listed, word};

/// The usual order, the other order by time, and what a resource was told of.
pub(super) const LISTS: &str = "
CREATE INDEX notifications_by_update ON notifications (workspace, webhook, updated_at, seq);
CREATE INDEX notifications_by_creation ON notifications (workspace, webhook, created_at, seq);
CREATE INDEX notifications_of_resource ON notifications (workspace, webhook, resource_id, updated_at, seq);
";

/// What a list is ordered by; what is alike in that, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Id,
    CreatedAt,
    UpdatedAt,
    Status,
    EventType,
    ResourceId,
}

impl Standing {
    const fn column(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::CreatedAt => "created_at",
            Self::UpdatedAt => "updated_at",
            Self::Status => "status",
            Self::EventType => "event_type",
            Self::ResourceId => "COALESCE(resource_id, '')",
        }
    }

    /// Where a notification stands.
    pub(crate) fn of(self, it: &Notification) -> Value {
        match self {
            Self::Id => it.id.0.as_bytes().as_slice().into(),
            Self::CreatedAt => it.created_at.0.into(),
            Self::UpdatedAt => it.updated_at.0.into(),
            Self::Status => word(it.status).into(),
            Self::EventType => it.event_type.as_str().into(),
            Self::ResourceId => it.resource_id.as_deref().unwrap_or_default().into(),
        }
    }
}

/// Which of a webhook's notifications.
#[derive(Clone, Debug)]
pub(crate) struct Chosen {
    pub(crate) webhook: WebhookId,
    /// Created then or later.
    pub(crate) from: Millis,
    /// Created then or before.
    pub(crate) to: Millis,
    /// Of these statuses; nothing: of any.
    pub(crate) statuses: Option<Vec<NotificationStatus>>,
    /// Of these events; none: of all.
    pub(crate) events: Vec<EventType>,
    /// Of this resource; nothing: of any.
    pub(crate) resource: Option<String>,
}

/// Which way a list goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Up,
    Down,
}

/// How they are ordered, and where a page begins.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) by: Standing,
    pub(crate) direction: Direction,
    /// The last of the page before: where it stands, and its number.
    pub(crate) past: Option<(Value, i64)>,
    pub(crate) limit: usize,
}

impl Chosen {
    /// All that was created in a time.
    pub(crate) fn between(webhook: WebhookId, from: Millis, to: Millis) -> Self {
        Self {
            webhook,
            from,
            to,
            statuses: None,
            events: Vec::new(),
            resource: None,
        }
    }

    /// What is asked of each, and with what. A page that begins after a row is read from there, not
    /// from where the time does.
    fn sql(
        &self,
        workspace: WorkspaceId,
        by: Standing,
        begins: Option<Direction>,
    ) -> (String, Vec<Value>) {
        let mut values = params![workspace.to_string(), self.webhook.to_string()].to_vec();
        let mut param = |value: Value| {
            values.push(value);
            format!("${}", values.len())
        };
        // Of a sum no index is looked for: the rows are found in their order.
        let created = |from: Direction| match by {
            Standing::CreatedAt if begins != Some(from) => "created_at",
            _ => "created_at + 0",
        };
        let (from, to) = (param(self.from.0.into()), param(self.to.0.into()));
        let (up, down) = (created(Direction::Up), created(Direction::Down));
        let mut sql = format!(
            "FROM notifications WHERE workspace = $1 AND webhook = $2 AND {up} >= {from} AND {down} <= {to}"
        );
        if by == Standing::UpdatedAt && begins != Some(Direction::Up) {
            // Nothing is updated before it is created.
            sql.push_str(&format!(" AND updated_at >= {from}"));
        }
        let mut among = |column: &str, words: Vec<&str>| {
            let params: Vec<_> = words.into_iter().map(|it| param(it.into())).collect();
            match params.is_empty() {
                true => sql.push_str(" AND 1 = 0"),
                false => sql.push_str(&format!(" AND {column} IN ({})", params.join(", "))),
            }
        };
        if let Some(statuses) = &self.statuses {
            among(
                "status || ''",
                statuses.iter().map(|it| word(*it)).collect(),
            );
        }
        if !self.events.is_empty() {
            among(
                "event_type",
                self.events.iter().map(EventType::as_str).collect(),
            );
        }
        if let Some(resource) = &self.resource {
            let resource = param(resource.into());
            sql.push_str(&format!(" AND resource_id = {resource}"));
        }
        (sql, values)
    }
}

/// One page, each with its number.
pub(crate) fn notification_page(
    query: &mut impl Query,
    workspace: WorkspaceId,
    chosen: &Chosen,
    order: &Order,
) -> Result<Vec<(i64, Notification)>, StoreError> {
    let (sql, values) = page(workspace, chosen, order);
    let read = |row: &Row| Ok((row.int(6)?, listed(row)?));
    query.rows(&sql, &values)?.iter().map(read).collect()
}

fn page(workspace: WorkspaceId, chosen: &Chosen, order: &Order) -> (String, Vec<Value>) {
    let begins = order.past.as_ref().map(|_| order.direction);
    let (mut sql, mut values) = chosen.sql(workspace, order.by, begins);
    let column = order.by.column();
    let (direction, beyond) = match order.direction {
        Direction::Down => ("DESC", "<"),
        Direction::Up => ("ASC", ">"),
    };
    if let Some((at, seq)) = &order.past {
        let last = values.len();
        values.extend([at.clone(), (*seq).into()]);
        sql.push_str(&format!(
            " AND ({column}, seq) {beyond} (${}, ${})",
            last + 1,
            last + 2
        ));
    }
    values.push(i64::try_from(order.limit).unwrap_or(i64::MAX).into());
    let sql = format!(
        "SELECT {LISTED}, seq {sql} ORDER BY {column} {direction}, seq {direction} LIMIT ${}",
        values.len()
    );
    (sql, values)
}

/// How many there are.
pub(crate) fn notification_count(
    query: &mut impl Query,
    workspace: WorkspaceId,
    chosen: &Chosen,
) -> Result<i64, StoreError> {
    let (sql, values) = chosen.sql(workspace, Standing::CreatedAt, None);
    let row = query.row(&format!("SELECT COUNT(*) {sql}"), &values)?;
    row.map_or(Ok(0), |row| row.int(0))
}

/// All of them, by number.
pub(crate) fn notifications(
    query: &mut impl Query,
    workspace: WorkspaceId,
    chosen: &Chosen,
) -> Result<Vec<Notification>, StoreError> {
    let (sql, values) = chosen.sql(workspace, Standing::CreatedAt, None);
    let sql = format!("SELECT {LISTED} {sql} ORDER BY seq");
    query.rows(&sql, &values)?.iter().map(listed).collect()
}

#[cfg(test)]
mod tests;

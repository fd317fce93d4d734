//! `connector reconcile`: compares now, and reads again what differs.

use crate::client_name::ClientName;
use crate::compare::Comparison;
use crate::reconcile::Work;
use crate::{Connector, Error};

/// Compares a client's books with upstream; what differs is read again, and compared again.
pub async fn reconcile(connector: &Connector, client: &ClientName) -> Result<Comparison, Error> {
    let (client, progress) = connector.client(client).await?;
    Work::of(connector, &client)
        .await?
        .reconcile(&progress)
        .await
}

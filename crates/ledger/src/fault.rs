//! Why a change of the books, or of what commits with them, did not come about.

use protocol::error::ApiError;
use store::StoreError;

/// What stops a change: an answer for the caller, or the database.
#[derive(Debug)]
pub enum Fault {
    /// The caller is told this.
    Refused(ApiError),
    /// Our own trouble; the log says more.
    Store(StoreError),
}

impl From<ApiError> for Fault {
    fn from(error: ApiError) -> Self {
        Self::Refused(error)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Fault> for ApiError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Refused(error) => error,
            Fault::Store(error) => {
                tracing::error!(%error, "a change could not be written");
                Self::internal()
            }
        }
    }
}

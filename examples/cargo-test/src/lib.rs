//! What is tested here: what a program makes of the statuses that Fireblocks tells.

/// What became of a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payment {
    UnderWay,
    Paid,
    Failed,
}

impl Payment {
    /// By the status of its transaction.
    pub fn of(status: &str) -> Self {
        match status {
            "COMPLETED" => Self::Paid,
            "BLOCKED" | "CANCELLED" | "FAILED" | "REJECTED" => Self::Failed,
            _ => Self::UnderWay,
        }
    }
}

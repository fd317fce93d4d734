//! The scenarios that come with the sandbox.

/// A scenario that is shipped.
#[derive(Clone, Copy, Debug)]
pub struct Shipped {
    /// What it is asked for by.
    pub name: &'static str,
    /// Its file.
    pub text: &'static str,
}

macro_rules! shipped {
    ($($name:literal,)*) => {
        [$(Shipped {
            name: $name,
            text: include_str!(concat!("shipped/", $name, ".toml")),
        },)*]
    };
}

/// All of them, by name.
pub fn shipped() -> &'static [Shipped] {
    const ALL: &[Shipped] = &shipped![
        "accounts-and-transfers",
        "address-by-quorum",
        "approval-expires",
        "approver-says-no",
        "blocked-by-policy",
        "deposit-reorganised",
        "failed-call-costs-its-fee",
        "gas-by-itself",
        "outage-and-resend",
        "retry-after-lost-answer",
        "spam-deposit",
        "token-with-gas-in-ether",
        "webhook-key-rotated",
        "what-a-viewer-reads",
    ];
    ALL
}

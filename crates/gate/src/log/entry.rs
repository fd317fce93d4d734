//! What the log tells.

use protocol::ids::TxId;
use protocol::time::Millis;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::gates::GateName;
use crate::mail::Side;
use crate::proposals::Why;

/// An entry: who did what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Who.
    pub actor: Actor,
    /// What.
    #[serde(flatten)]
    pub event: Event,
}

impl Entry {
    /// Reads a payload. By way of a value: numbers keep their text, which a tagged enum cannot take
    /// straight from JSON.
    pub fn read(payload: &[u8]) -> Option<Self> {
        let value: serde_json::Value = serde_json::from_slice(payload).ok()?;
        serde_json::from_value(value).ok()
    }
}

/// Who did something.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// One of the client's people.
    Operator(String),
    /// A provider, by its connection.
    Connection(String),
    /// The gate itself.
    Gate,
    /// Somebody who has not proven any key, by address; `others` stands for many.
    Address(String),
}

/// What was done. No secret is ever part of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[expect(
    missing_docs,
    reason = "each is what its name says; the fields are its facts"
)]
pub enum Event {
    GateInitialised {
        workspace: String,
        owner: String,
    },
    UpstreamSet {
        viewer: Option<String>,
        editor: Option<String>,
        webhook: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    EditorKeyMade {
        connection: String,
        fingerprint: String,
    },
    ConnectionRequested {
        connection: String,
        provider: String,
        role: String,
        fingerprint: String,
    },
    ConnectionApproved {
        connection: String,
        api_key: String,
        scope: String,
        addresses: Vec<String>,
    },
    ConnectionSuspended {
        connection: String,
        reason: String,
    },
    /// Accounts came into its scope, or left it, with protected tags.
    ConnectionFollowed {
        connection: String,
        added: Vec<String>,
        removed: Vec<String>,
        scope: String,
    },
    ConnectionResumed {
        connection: String,
        reason: String,
    },
    ConnectionRevoked {
        connection: String,
        reason: String,
    },
    ConnectionActivated {
        connection: String,
        reason: String,
    },
    ConnectionChanged {
        connection: String,
        changed: Vec<String>,
        reason: String,
    },
    ConnectionConfirmed {
        connection: String,
        terms: String,
    },
    ConnectionReminded {
        connection: String,
        until: i64,
        days: i64,
    },
    ConnectionReminderMailed {
        connection: String,
        side: Side,
        until: i64,
        days: i64,
    },
    OperatorAdded {
        operator: String,
        role: String,
        fingerprint: String,
        reason: String,
    },
    OperatorRefused {
        operator: String,
        why: String,
    },
    OperatorRoleSet {
        operator: String,
        role: String,
        reason: String,
    },
    OperatorRemoved {
        operator: String,
        reason: String,
    },
    QuorumSet {
        needed: u32,
        reason: String,
    },
    ChangeAsked {
        change: String,
        what: String,
        digest: String,
        reason: String,
    },
    ChangeSigned {
        change: String,
        digest: String,
        evidence: String,
    },
    ChangeMade {
        change: String,
        digest: String,
        signed: Vec<String>,
    },
    ChangeRejected {
        change: String,
        digest: String,
        evidence: String,
        reason: String,
    },
    PrivateKeyRefused {
        kind: String,
        burned: Vec<String>,
        /// For whose connection it was brought, or which operator.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        connection: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        operator: Option<String>,
        /// The keys whose CSRs came with it, of which nobody can say that it is not theirs: they are not taken.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        withheld: Vec<String>,
        /// So many are withheld that no key of the connection's or operator's is taken any more.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        all_withheld: bool,
    },
    EnrolmentRefused {
        connection: String,
        why: String,
    },
    KeyOffered {
        connection: String,
        fingerprint: String,
        signed_with: String,
    },
    KeyRotated {
        connection: String,
        fingerprint: String,
        replaces: String,
        overlap_until: Option<i64>,
        #[serde(default)]
        reason: String,
    },
    KeyOfferRefused {
        connection: String,
        fingerprint: String,
        reason: String,
    },
    KeyExpirySet {
        connection: String,
        fingerprint: String,
        expires_at: Option<i64>,
        #[serde(default)]
        reason: String,
    },
    KeysFactored {
        burned: Vec<String>,
    },
    ProposalMade {
        proposal: TxId,
        connection: String,
        digest: String,
    },
    /// Whose it is, `connection` tells, here and below; entries of before do not.
    ProposalApproved {
        proposal: TxId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        connection: Option<String>,
        digest: String,
        place: String,
        evidence: String,
    },
    ProposalRejected {
        proposal: TxId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        connection: Option<String>,
        reason: String,
        /// What its proposer is to read, where that is not fixed words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        told: Option<String>,
    },
    ProposalTakenBack {
        proposal: TxId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        connection: Option<String>,
        reason: String,
        /// What its proposer is to read, where that is not fixed words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        told: Option<String>,
    },
    ProposalSent {
        proposal: TxId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        connection: Option<String>,
        upstream: TxId,
    },
    ProposalFailed {
        proposal: TxId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        connection: Option<String>,
        why: String,
    },
    ProbeMade {
        proposal: TxId,
        digest: String,
        reason: String,
    },
    /// What the workspace's policy did with a probe; `held` is nothing where that cannot be told.
    ProbeJudged {
        proposal: TxId,
        held: Option<bool>,
        saw: String,
    },
    ProbeEnded {
        proposal: TxId,
        status: String,
    },
    ReportCreated {
        connection: String,
        kind: String,
        position: i64,
        rows: u64,
        sha256: String,
    },
    /// Calls of one kind that were refused within a minute; the facts are the first one's.
    Refused {
        kind: String,
        count: u64,
        first: Millis,
        last: Millis,
        api_key: Option<String>,
        target: String,
        why: String,
    },
    /// `entries` are pairs of first and last.
    PayloadsErased {
        entries: Vec<(u64, u64)>,
        reason: String,
    },
    /// `gate` is the name of the one that has it, among several.
    AccessSegmentClosed {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        gate: Option<GateName>,
        segment: u64,
        records: u64,
        first: Millis,
        last: Millis,
        sha256: String,
    },
    /// Segments whose time was over, first and last; how many records, and of when.
    AccessSegmentsDeleted {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        gate: Option<GateName>,
        segments: (u64, u64),
        records: u64,
        first: Millis,
        last: Millis,
        keep_days: u32,
    },
    StoreBackedUp {
        entries: u64,
    },
    /// A copy with this many entries was put back; a new life of the store began.
    StoreRestored {
        epoch: Uuid,
        entries: u64,
    },
    /// `lost` entries of before are known to be gone; `looked_up` approvals were asked for upstream.
    StoreReleased {
        checkpoint: u64,
        lost: u64,
        looked_up: u64,
        reason: String,
    },
    /// Upstream has a transaction of ours that nobody let go: nothing is sent from now on.
    DispatchStopped {
        upstream: TxId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        external_id: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        proposal: Option<TxId>,
        why: Why,
    },
    /// What became of it.
    StrayEnded {
        upstream: TxId,
        status: String,
    },
    DispatchResumed {
        upstream: TxId,
        reason: String,
    },
    /// Upstream has a transaction with an id of ours that no proposal here is.
    OrphanSeen {
        upstream: String,
        external_id: String,
    },
}

/// What verifying a log reads: never erased.
const KEPT: [&str; 5] = [
    "gate_initialised",
    "payloads_erased",
    "access_segment_closed",
    "access_segments_deleted",
    "store_restored",
];

impl Event {
    /// Whether the payloads of this kind are never erased: the log's own proof needs them.
    pub fn is_kept(kind: &str) -> bool {
        KEPT.contains(&kind)
    }

    /// Its word, for lists.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::GateInitialised { .. } => "gate_initialised",
            Self::UpstreamSet { .. } => "upstream_set",
            Self::EditorKeyMade { .. } => "editor_key_made",
            Self::ConnectionRequested { .. } => "connection_requested",
            Self::ConnectionApproved { .. } => "connection_approved",
            Self::ConnectionSuspended { .. } => "connection_suspended",
            Self::ConnectionFollowed { .. } => "connection_followed",
            Self::ConnectionResumed { .. } => "connection_resumed",
            Self::ConnectionRevoked { .. } => "connection_revoked",
            Self::ConnectionActivated { .. } => "connection_activated",
            Self::ConnectionChanged { .. } => "connection_changed",
            Self::ConnectionConfirmed { .. } => "connection_confirmed",
            Self::ConnectionReminded { .. } => "connection_reminded",
            Self::ConnectionReminderMailed { .. } => "connection_reminder_mailed",
            Self::OperatorAdded { .. } => "operator_added",
            Self::OperatorRefused { .. } => "operator_refused",
            Self::OperatorRoleSet { .. } => "operator_role_set",
            Self::OperatorRemoved { .. } => "operator_removed",
            Self::QuorumSet { .. } => "quorum_set",
            Self::ChangeAsked { .. } => "change_asked",
            Self::ChangeSigned { .. } => "change_signed",
            Self::ChangeMade { .. } => "change_made",
            Self::ChangeRejected { .. } => "change_rejected",
            Self::PrivateKeyRefused { .. } => "private_key_refused",
            Self::EnrolmentRefused { .. } => "enrolment_refused",
            Self::KeyOffered { .. } => "key_offered",
            Self::KeyRotated { .. } => "key_rotated",
            Self::KeyOfferRefused { .. } => "key_offer_refused",
            Self::KeyExpirySet { .. } => "key_expiry_set",
            Self::KeysFactored { .. } => "keys_factored",
            Self::ProposalMade { .. } => "proposal_made",
            Self::ProposalApproved { .. } => "proposal_approved",
            Self::ProposalRejected { .. } => "proposal_rejected",
            Self::ProposalTakenBack { .. } => "proposal_taken_back",
            Self::ProposalSent { .. } => "proposal_sent",
            Self::ProposalFailed { .. } => "proposal_failed",
            Self::ProbeMade { .. } => "probe_made",
            Self::ProbeJudged { .. } => "probe_judged",
            Self::ProbeEnded { .. } => "probe_ended",
            Self::ReportCreated { .. } => "report_created",
            Self::Refused { .. } => "refused",
            Self::PayloadsErased { .. } => "payloads_erased",
            Self::AccessSegmentClosed { .. } => "access_segment_closed",
            Self::AccessSegmentsDeleted { .. } => "access_segments_deleted",
            Self::StoreBackedUp { .. } => "store_backed_up",
            Self::StoreRestored { .. } => "store_restored",
            Self::StoreReleased { .. } => "store_released",
            Self::DispatchStopped { .. } => "dispatch_stopped",
            Self::StrayEnded { .. } => "stray_ended",
            Self::DispatchResumed { .. } => "dispatch_resumed",
            Self::OrphanSeen { .. } => "orphan_seen",
        }
    }
}

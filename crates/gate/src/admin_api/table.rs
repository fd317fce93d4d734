//! Every operation of the admin listener: where it is, who may, what goes in, what comes out. Routes,
//! rights and the OpenAPI document are made of this table alone.

use crate::operators::OperatorRole::{self, Admin, Owner};

/// Looking changes nothing: everybody may.
const ALL: &[OperatorRole] = &OperatorRole::ALL;
/// The day's work.
const WORK: &[OperatorRole] = &[Owner, Admin, OperatorRole::Operator];
/// Who may come in, to see what.
const DOORS: &[OperatorRole] = &[Owner, Admin];
/// Who the operators are.
const PEOPLE: &[OperatorRole] = &[Owner];

/// An operation.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    /// Which.
    pub name: Name,
    /// Its name in the document.
    pub id: &'static str,
    /// The HTTP method.
    pub method: &'static str,
    /// The path below `/vestibule/v1`, parameters in braces.
    pub path: &'static str,
    /// Who may.
    pub who: &'static [OperatorRole],
    /// The schema of its body, if it takes one.
    pub takes: Option<&'static str>,
    /// The status where all is well, and the schema of what is answered then.
    pub answers: (u16, Option<&'static str>),
    /// Whether it is a list that goes on, page by page.
    pub pages: bool,
    /// What it does.
    pub does: &'static str,
}

impl Operation {
    /// Whether this role may.
    pub fn may(&self, role: OperatorRole) -> bool {
        self.who.contains(&role)
    }

    /// The names of the path's parameters, in order.
    pub fn parameters(&self) -> impl Iterator<Item = &'static str> + use<> {
        let parts = self.path.split('/');
        parts.filter_map(|part| {
            let name = part.strip_prefix('{')?.strip_suffix('}')?;
            Some(name.strip_prefix('*').unwrap_or(name))
        })
    }

    /// The parameters, if it is this path.
    fn fits<'p>(&self, path: &'p str) -> Option<Vec<&'p str>> {
        // A last parameter `{*name}` is all that is left.
        if let Some((words, _)) = self.path.split_once("{*") {
            let rest = path.strip_prefix(words)?;
            return (!rest.is_empty()).then(|| vec![rest]);
        }
        let (mut own, mut parts, mut found) = (self.path.split('/'), path.split('/'), Vec::new());
        loop {
            match (own.next(), parts.next()) {
                (None, None) => return Some(found),
                (Some(own), Some(part)) if own.starts_with('{') && !part.is_empty() => {
                    found.push(part);
                }
                (Some(own), Some(part)) if own == part => {}
                _ => return None,
            }
        }
    }
}

/// The operation of a method and a path, and the path's parameters; words before parameters.
pub fn find<'p>(method: &str, path: &'p str) -> Option<(&'static Operation, Vec<&'p str>)> {
    let of_method = OPERATIONS.iter().filter(|one| one.method == method);
    of_method
        .filter_map(|one| Some((one, one.fits(path)?)))
        .min_by_key(|(_, found)| found.len())
}

/// Whether a role may do this. The one place that decides it.
pub fn may(role: OperatorRole, name: Name) -> bool {
    OPERATIONS
        .iter()
        .any(|one| one.name == name && one.may(role))
}

const fn row(
    name: Name,
    id: &'static str,
    line: (&'static str, &'static str),
    who: &'static [OperatorRole],
    takes: Option<&'static str>,
    answers: (u16, Option<&'static str>),
    does: &'static str,
) -> Operation {
    Operation {
        name,
        id,
        method: line.0,
        path: line.1,
        who,
        takes,
        answers,
        pages: false,
        does,
    }
}

const fn list(
    name: Name,
    id: &'static str,
    path: &'static str,
    rows: &'static str,
    does: &'static str,
) -> Operation {
    Operation {
        pages: true,
        ..row(name, id, ("GET", path), ALL, None, (200, Some(rows)), does)
    }
}

macro_rules! names {
    ($($name:ident),* $(,)?) => {
        /// Names an operation.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[expect(missing_docs, reason = "the table tells what each does")]
        pub enum Name { $($name),* }

        impl Name {
            /// Every name.
            pub const ALL: &[Self] = &[$(Self::$name),*];
        }
    };
}

names! {
    Status, SetUpstream, Refresh, Posture, Backup, Release, ResumeDispatch,
    Log, LogEntries, LogProof, LogFile, EraseLog,
    Connections, RequestConnection, Connection, ApproveConnection, SuspendConnection,
    ResumeConnection, RevokeConnection, ActivateConnection, ChangeConnection,
    PreviewConnection,
    Review, ConfirmConnection, ConnectionEditor, ConnectionRecord, HandBack,
    Keys, KeptCsr, RotateKey, ConfirmKey, RefuseKey, ExpireKey,
    Changes, Change, ApproveChange, RejectChange,
    Proposals, Proposal, ApproveProposal, RejectProposal, MakeProbe, CreateReport,
    Operators, AddOperator, SetOperatorRole, RemoveOperator, Quorum, SetQuorum,
}

/// The table.
#[rustfmt::skip]
pub const OPERATIONS: &[Operation] = &[
    row(Name::Status, "getStatus", ("GET", "/status"), ALL, None, (200, Some("Status")), "How the gate stands."),
    row(Name::SetUpstream, "setUpstream", ("PUT", "/upstream"), DOORS, Some("Upstream"), (200, Some("UpstreamSet")), "Tells the gate its API keys and its webhook: the first of each at once, another in its place by the quorum."),
    row(Name::Refresh, "refresh", ("POST", "/refresh"), WORK, None, (202, None), "Looks at all of upstream now."),
    list(Name::Posture, "listPosture", "/posture", "Posture", "The seven practices, connection by connection."),
    list(Name::Log, "listLog", "/log", "LogEntry", "The log's entries, the newest first."),
    row(Name::LogEntries, "getLogEntries", ("GET", "/log/entries/{from}"), ALL, None, (200, Some("LogEntries")), "The log's entries from one on, in order."),
    row(Name::LogProof, "getLogProof", ("GET", "/log/proof/{index}"), ALL, None, (200, Some("LogProof")), "One entry with its proof, in one file."),
    row(Name::LogFile, "getLogFile", ("GET", "/log/files/{*path}"), ALL, None, (200, None), "The log as files (C2SP tlog-tiles): checkpoint, tiles, entries."),
    row(Name::EraseLog, "eraseLog", ("POST", "/log/erase"), PEOPLE, Some("Erasure"), (200, Some("Erased")), "Erases payloads; every proof stays whole."),
    row(Name::Backup, "backup", ("POST", "/backups"), DOORS, Some("BackupWanted"), (201, Some("Backup")), "Copies the store into a file of the gate's machine."),
    row(Name::Release, "release", ("POST", "/release"), PEOPLE, Some("ReleaseWord"), (200, Some("Released")), "Asks to let a store that was put back serve again."),
    row(Name::ResumeDispatch, "resumeDispatch", ("POST", "/dispatch/resume"), DOORS, Some("Reason"), (200, Some("Change")), "Asks to send proposals again, after a stray transaction upstream has stopped them."),
    list(Name::Connections, "listConnections", "/connections", "Connection", "Every connection, by name."),
    row(Name::RequestConnection, "requestConnection", ("POST", "/connections"), DOORS, Some("ConnectionRequest"), (201, Some("Connection")), "Keeps what a provider asks for."),
    row(Name::Connection, "getConnection", ("GET", "/connections/{name}"), ALL, None, (200, Some("Connection")), "One connection."),
    row(Name::ApproveConnection, "approveConnection", ("POST", "/connections/{name}/approve"), DOORS, Some("Grant"), (200, Some("Approved")), "Decides what a provider may see, and asks to open its door."),
    row(Name::HandBack, "getConnectionHandBack", ("GET", "/connections/{name}/handback"), ALL, None, (200, Some("HandBack")), "The hand-back file of a connection that was approved, as it is now."),
    row(Name::SuspendConnection, "suspendConnection", ("POST", "/connections/{name}/suspend"), WORK, Some("Reason"), (200, Some("Connection")), "Closes it for now, at once."),
    row(Name::ResumeConnection, "resumeConnection", ("POST", "/connections/{name}/resume"), DOORS, Some("Reason"), (200, Some("Connection")), "Opens it again."),
    row(Name::RevokeConnection, "revokeConnection", ("POST", "/connections/{name}/revoke"), DOORS, Some("Reason"), (200, Some("Connection")), "Closes it for ever, at once."),
    row(Name::ActivateConnection, "activateConnection", ("POST", "/connections/{name}/activate"), DOORS, Some("Reason"), (200, Some("Connection")), "Asks again to open the door of an approved connection."),
    row(Name::ChangeConnection, "changeConnection", ("POST", "/connections/{name}/change"), DOORS, Some("TermsWanted"), (200, Some("Changed")), "Changes what it may do: narrows at once, widens by the quorum."),
    row(Name::PreviewConnection, "previewConnection", ("POST", "/connections/{name}/preview"), DOORS, Some("PreviewWanted"), (200, Some("Previewed")), "What a provider would see, before and after a change that is only thought of."),
    list(Name::Review, "listReview", "/review", "Reviewed", "Every connection that is not revoked: when it came last, whether it ends soon."),
    row(Name::ConfirmConnection, "confirmConnection", ("POST", "/connections/{name}/confirm"), WORK, Some("Confirmed"), (200, Some("Connection")), "Writes down that its terms were found right."),
    row(Name::ConnectionRecord, "getConnectionRecord", ("GET", "/connections/{name}/record"), ALL, None, (200, Some("Record")), "What a revoked connection held and until when, signed."),
    row(Name::ConnectionEditor, "makeConnectionEditor", ("POST", "/connections/{name}/editor"), DOORS, None, (200, Some("EditorCsr")), "Makes the key of an Editor upstream that it has alone, where there is none; gives its CSR."),
    list(Name::Keys, "listKeys", "/connections/{name}/keys", "Key", "Every key that a connection has or had."),
    row(Name::KeptCsr, "getConnectionCsr", ("GET", "/connections/{name}/csr"), ALL, None, (200, Some("KeptCsr")), "The CSR of the key that it has, or had when it ended: for its enrolment elsewhere."),
    row(Name::RotateKey, "rotateKey", ("POST", "/connections/{name}/keys"), DOORS, Some("KeyRotation"), (200, Some("Keys")), "Asks to replace its key with one that the client brings."),
    row(Name::ConfirmKey, "confirmKey", ("POST", "/connections/{name}/keys/{fingerprint}/confirm"), DOORS, Some("KeyConfirmation"), (200, Some("Keys")), "Asks to let the key in that the provider offers; the one before for an overlap."),
    row(Name::RefuseKey, "refuseKey", ("POST", "/connections/{name}/keys/{fingerprint}/refuse"), DOORS, Some("Reason"), (200, Some("Keys")), "Refuses the key that the provider offers."),
    row(Name::ExpireKey, "expireKey", ("POST", "/connections/{name}/keys/{fingerprint}/expire"), DOORS, Some("KeyExpiry"), (200, Some("Keys")), "Says until when a key is good: sooner at once, later by the quorum."),
    list(Name::Changes, "listChanges", "/changes", "Change", "What was asked for that lets more through, the newest first."),
    row(Name::Change, "getChange", ("GET", "/changes/{id}"), ALL, None, (200, Some("Change")), "One change, and what a signature is over."),
    row(Name::ApproveChange, "approveChange", ("POST", "/changes/{id}/approve"), DOORS, Some("Verdict"), (200, Some("Change")), "Signs a change; with the last signature it is made. Whoever may ask for it may sign."),
    row(Name::RejectChange, "rejectChange", ("POST", "/changes/{id}/reject"), DOORS, Some("Verdict"), (200, Some("Change")), "Turns a change down, alone."),
    list(Name::Proposals, "listProposals", "/proposals", "Proposal", "What providers propose, the newest first."),
    row(Name::Proposal, "getProposal", ("GET", "/proposals/{id}"), ALL, None, (200, Some("Proposal")), "One proposal, exactly as it would be sent."),
    row(Name::ApproveProposal, "approveProposal", ("POST", "/proposals/{id}/approve"), WORK, Some("Verdict"), (200, Some("Proposal")), "Says yes, signed over exactly this transaction."),
    row(Name::RejectProposal, "rejectProposal", ("POST", "/proposals/{id}/reject"), WORK, Some("Rejection"), (200, Some("Proposal")), "Says no. Why is for the client's people; the provider reads that it was rejected, or what `tell` says."),
    row(Name::MakeProbe, "makeProbe", ("POST", "/probes"), PEOPLE, Some("ProbeWanted"), (201, Some("Proposal")), "Prepares a dust transfer that must wait for the expected approvers upstream, and is then cancelled. It is sent by an owner's approval alone, and may complete where the policy is wrong."),
    row(Name::CreateReport, "createReport", ("POST", "/reports"), WORK, Some("ReportWanted"), (201, Some("Report")), "Writes a report for a provider."),
    list(Name::Operators, "listOperators", "/operators", "Operator", "The client's people, by name."),
    row(Name::AddOperator, "addOperator", ("POST", "/operators"), PEOPLE, Some("NewOperator"), (201, Some("Change")), "Lets somebody of the client's in, with a key of its own."),
    row(Name::SetOperatorRole, "setOperatorRole", ("POST", "/operators/{name}/role"), PEOPLE, Some("RoleWanted"), (200, Some("Change")), "Changes what an operator may do."),
    row(Name::RemoveOperator, "removeOperator", ("POST", "/operators/{name}/remove"), PEOPLE, Some("Reason"), (200, Some("Change")), "Lets an operator in no more."),
    row(Name::Quorum, "getQuorum", ("GET", "/quorum"), ALL, None, (200, Some("Quorum")), "How many must sign what lets more through."),
    row(Name::SetQuorum, "setQuorum", ("PUT", "/quorum"), PEOPLE, Some("QuorumWanted"), (200, Some("Change")), "Asks for another quorum."),
];

#[cfg(test)]
mod tests {
    use super::*;
    use OperatorRole::Auditor;

    #[test]
    fn each_operation_stands_in_the_table_once() {
        for name in Name::ALL {
            let rows = OPERATIONS.iter().filter(|one| one.name == *name);
            assert_eq!(rows.count(), 1, "{name:?}");
        }
        let mut lines: Vec<_> = OPERATIONS
            .iter()
            .map(|one| (one.method, one.path))
            .collect();
        let mut ids: Vec<_> = OPERATIONS.iter().map(|one| one.id).collect();
        lines.sort_unstable();
        ids.sort_unstable();
        assert!(lines.windows(2).all(|pair| pair[0] != pair[1]));
        assert!(ids.windows(2).all(|pair| pair[0] != pair[1]));
    }

    #[test]
    fn a_path_finds_its_operation_and_parameters() {
        let found = |method, path| find(method, path).map(|(one, found)| (one.name, found));
        assert_eq!(
            found("POST", "/connections/acme/approve"),
            Some((Name::ApproveConnection, vec!["acme"]))
        );
        assert_eq!(
            found("GET", "/connections"),
            Some((Name::Connections, vec![]))
        );
        assert_eq!(
            found("GET", "/log/files/tile/0/000"),
            Some((Name::LogFile, vec!["tile/0/000"]))
        );
        for (method, path) in [
            ("GET", "/log/files/"),
            ("GET", "/connections/"),
            ("GET", "/connections//approve"),
            ("PATCH", "/connections/acme"),
            ("GET", "/connections/acme/more"),
            ("GET", "/"),
        ] {
            assert_eq!(found(method, path), None, "{method} {path}");
        }
    }

    #[test]
    fn invariant_2_an_auditor_changes_nothing_and_owners_alone_decide_on_people() {
        for one in OPERATIONS {
            assert!(one.may(Owner), "{}", one.id);
            assert_eq!(one.may(Auditor), one.method == "GET", "{}", one.id);
            if (one.path.starts_with("/operators") || one.path == "/quorum") && one.method != "GET"
            {
                assert_eq!(one.who, PEOPLE, "{}", one.id);
            }
        }
    }
}

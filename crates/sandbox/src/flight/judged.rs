//! What the policy's verdict leads to: who is asked, and what each says. Pure.

use protocol::model::transaction::{
    AuthorizationGroup, AuthorizationInfo, Transaction, TransactionStatus,
};

use super::{Step, end};
use crate::policy::{Logic, Verdict};

/// The policy has been asked.
pub(super) fn judged(step: &mut Step, verdict: Verdict) {
    use TransactionStatus as S;
    let (approvers, signers) = match verdict {
        Verdict::Blocked { rule } => {
            step.transaction.error_description = Verdict::why_blocked(rule);
            return end(step, S::Blocked, "BLOCKED_BY_POLICY");
        }
        Verdict::Goes { approvers, signers } => (approvers, signers),
    };
    let initiator = step.transaction.created_by.clone();
    let itself = || step.flight.initiator_signs.then(|| initiator.clone());
    step.flight.signers = signers.unwrap_or_else(|| itself().into_iter().collect());
    if step.flight.signers.is_empty() && !step.flight.third_party {
        return end(step, S::Failed, "SIGNER_NOT_FOUND");
    }
    let Some(approvers) = approvers else {
        step.transaction.status = S::Queued;
        return;
    };
    let asked = |user: &String| approvers.initiator_counts || *user != initiator;
    let groups: Vec<_> = approvers
        .groups
        .iter()
        .map(|group| AuthorizationGroup {
            th: group.threshold,
            users: group
                .users
                .iter()
                .filter(|user| asked(user))
                .map(|user| (user.clone(), "PENDING_AUTHORIZATION".to_owned()))
                .collect(),
        })
        .collect();
    let reachable = |group: &AuthorizationGroup| {
        usize::try_from(group.th).is_ok_and(|th| group.users.len() >= th)
    };
    let enough = match approvers.logic {
        Logic::And => groups.iter().all(reachable),
        Logic::Or => groups.iter().any(reachable),
    };
    if !enough {
        return end(step, S::Failed, "AUTHORIZER_NOT_FOUND");
    }
    step.transaction.status = S::PendingAuthorization;
    step.transaction.authorization_info = Some(AuthorizationInfo {
        allow_operator_as_authorizer: approvers.initiator_counts,
        logic: approvers.logic.as_str().to_owned(),
        groups,
    });
}

/// Writes down what an approver said; `false` if nobody waits for it.
pub(super) fn answer(transaction: &mut Transaction, user: &str, word: &str) -> bool {
    let mut asked = false;
    for group in transaction
        .authorization_info
        .iter_mut()
        .flat_map(|info| &mut info.groups)
    {
        if let Some(said) = group.users.get_mut(user)
            && said == "PENDING_AUTHORIZATION"
        {
            word.clone_into(said);
            asked = true;
        }
    }
    asked
}

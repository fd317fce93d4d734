//! The policy of a workspace: what becomes of a transaction. Pure.

use protocol::amount::Amount;
use protocol::ids::UserId;
use protocol::model::policy::{
    AmountCurrency, AuthorizationGroupRule, AuthorizationGroups, PolicyAction, PolicyPlaces,
    PolicyRule, PolicyUsers,
};
use protocol::model::transaction::{Peer, PeerKind, Transaction};

/// What the policy says of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A rule, or the end of the list, blocks it.
    Blocked {
        /// The number of the rule, from 1; nothing at the end of the list.
        rule: Option<usize>,
    },
    /// It goes on, after the groups have approved (none: at once), to be signed.
    Goes {
        /// Who approves.
        groups: Vec<AuthorizationGroupRule>,
        /// Whether the initiator's own approval counts.
        initiator_counts: bool,
        /// Who signs; nobody named: the initiator.
        signer: Option<String>,
    },
}

/// The first rule that matches decides.
pub fn judge(rules: &[PolicyRule], transaction: &Transaction) -> Verdict {
    let Some((at, rule)) = rules
        .iter()
        .enumerate()
        .find(|(_, rule)| matches(rule, transaction))
    else {
        return Verdict::Blocked { rule: None };
    };
    let signer = rule
        .designated_signers
        .as_ref()
        .and_then(|signers| signers.users.first().cloned());
    let groups = rule.authorization_groups.as_ref();
    match rule.action {
        PolicyAction::Block => Verdict::Blocked { rule: Some(at + 1) },
        PolicyAction::Allow => Verdict::Goes {
            groups: Vec::new(),
            initiator_counts: false,
            signer,
        },
        PolicyAction::TwoTier => Verdict::Goes {
            groups: groups.map(|all| all.groups.clone()).unwrap_or_default(),
            initiator_counts: groups.is_some_and(|all| all.allow_operator_as_authorizer),
            signer,
        },
    }
}

fn matches(rule: &PolicyRule, transaction: &Transaction) -> bool {
    let amounts = &transaction.amount_info;
    let amount = match rule.amount_currency {
        AmountCurrency::Usd | AmountCurrency::Eur => amounts.amount_usd.as_ref(),
        AmountCurrency::Native => amounts.amount.as_ref(),
    };
    let one_time = transaction.destination.kind == PeerKind::OneTimeAddress;
    rule.transaction_type == transaction.operation
        && (rule.asset == "*" || rule.asset == transaction.asset_id.as_str())
        && (rule.amount.is_zero() || amount.is_some_and(|amount| *amount > rule.amount))
        && rule.operators.name(&transaction.created_by)
        && rule.src.name(place(&transaction.source))
        && rule.dst.name(place(&transaction.destination))
        && match rule.dst_address_type.as_str() {
            "WHITELISTED" => !one_time,
            "ONE_TIME" => one_time,
            _ => true,
        }
}

/// A peer in the policy's words.
fn place(peer: &Peer) -> [&str; 3] {
    let id = peer.id.as_deref().unwrap_or_default();
    match peer.kind {
        PeerKind::VaultAccount => [id, "VAULT", ""],
        PeerKind::InternalWallet => [id, "UNMANAGED", "INTERNAL"],
        PeerKind::ExternalWallet => [id, "UNMANAGED", "EXTERNAL"],
        PeerKind::Contract => [id, "UNMANAGED", "CONTRACT"],
        PeerKind::OneTimeAddress => [id, "ONE_TIME_ADDRESS", ""],
        other => [id, other.as_str(), ""],
    }
}

/// What those who can sign may do by themselves in a seeded workspace, beside transfers.
const BY_THEMSELVES: [&str; 7] = [
    "CONTRACT_CALL",
    "PROGRAM_CALL",
    "APPROVE",
    "MINT",
    "BURN",
    "RAW",
    "TYPED_MESSAGE",
];

/// The policy of a seeded workspace: nothing goes to an address that is on no list; those who can
/// sign send by themselves; whatever transfer others ask for, the treasurer approves and the
/// signing officer signs.
pub fn seeded(signers: &[UserId], treasurer: UserId, signing_officer: UserId) -> Vec<PolicyRule> {
    let any = || PolicyPlaces::one(&["*"]);
    let rule = |action, operators| PolicyRule {
        kind: "TRANSFER".to_owned(),
        transaction_type: "TRANSFER".to_owned(),
        action,
        asset: "*".to_owned(),
        amount_currency: AmountCurrency::Usd,
        amount_scope: "SINGLE_TX".to_owned(),
        amount: Amount::zero(),
        period_sec: 0,
        operators,
        src: PolicyPlaces::one(&["*", "VAULT"]),
        dst: any(),
        dst_address_type: "*".to_owned(),
        designated_signers: None,
        authorization_groups: None,
    };
    let signers = PolicyUsers::of(signers.iter().map(ToString::to_string));
    let by_themselves = BY_THEMSELVES.map(|kind| PolicyRule {
        transaction_type: kind.to_owned(),
        ..rule(PolicyAction::Allow, signers.clone())
    });
    let mut rules = vec![
        PolicyRule {
            dst_address_type: "ONE_TIME".to_owned(),
            src: any(),
            ..rule(PolicyAction::Block, PolicyUsers::everybody())
        },
        rule(PolicyAction::Allow, signers),
        PolicyRule {
            designated_signers: Some(PolicyUsers::of([signing_officer.to_string()])),
            authorization_groups: Some(AuthorizationGroups {
                logic: "AND".to_owned(),
                allow_operator_as_authorizer: false,
                groups: vec![AuthorizationGroupRule {
                    users: vec![treasurer.to_string()],
                    users_groups: Vec::new(),
                    th: 1,
                }],
            }),
            ..rule(PolicyAction::TwoTier, PolicyUsers::everybody())
        },
    ];
    rules.extend(by_themselves);
    rules
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use uuid::Uuid;

    fn user(number: u128) -> UserId {
        UserId(Uuid::from_u128(number))
    }

    fn asked(by: &str, usd: &str, destination: serde_json::Value) -> Transaction {
        serde_json::from_value(json!({
            "id": "1f6e1a3c-8e0a-4d53-9b0a-3a5a5c1f0001", "status": "SUBMITTED", "assetId": "ETH",
            "source": {"type": "VAULT_ACCOUNT", "id": "1"}, "destination": destination,
            "amountInfo": {"amount": "5", "amountUSD": usd},
            "createdBy": by, "createdAt": 1, "lastUpdated": 1,
        }))
        .expect("a transaction")
    }

    fn rules() -> Vec<PolicyRule> {
        seeded(&[user(1)], user(8), user(9))
    }

    #[test]
    fn the_first_rule_that_matches_decides() {
        let vault = || json!({"type": "VAULT_ACCOUNT", "id": "2"});
        let one_time = json!({"type": "ONE_TIME_ADDRESS"});
        let signer = user(1).to_string();
        let blocked = judge(&rules(), &asked(&signer, "1", one_time));
        assert_eq!(blocked, Verdict::Blocked { rule: Some(1) });
        let own = judge(&rules(), &asked(&signer, "1", vault()));
        assert!(matches!(own, Verdict::Goes { groups, signer: None, .. } if groups.is_empty()));
        let Verdict::Goes {
            groups,
            initiator_counts,
            signer,
        } = judge(&rules(), &asked("somebody", "1", vault()))
        else {
            panic!("it is blocked")
        };
        assert_eq!(signer, Some(user(9).to_string()));
        assert_eq!(groups[0].users, [user(8).to_string()]);
        assert!(!initiator_counts);
        assert_eq!(
            judge(&[], &asked("somebody", "1", vault())),
            Verdict::Blocked { rule: None }
        );
    }

    #[test]
    fn a_rule_is_of_its_places_assets_and_amounts() {
        let mut rule = rules().remove(2);
        rule.dst = PolicyPlaces::one(&["7", "UNMANAGED", "EXTERNAL"]);
        rule.amount = "1000".parse().expect("an amount");
        let decided = |rule: &PolicyRule, usd: &str, id: &str, kind: &str| {
            let there = json!({"type": kind, "id": id});
            judge(std::slice::from_ref(rule), &asked("somebody", usd, there))
                != Verdict::Blocked { rule: None }
        };
        assert!(decided(&rule, "1000.01", "7", "EXTERNAL_WALLET"));
        assert!(
            !decided(&rule, "1000", "7", "EXTERNAL_WALLET"),
            "it must be exceeded"
        );
        assert!(!decided(&rule, "1000.01", "8", "EXTERNAL_WALLET"));
        assert!(!decided(&rule, "1000.01", "7", "INTERNAL_WALLET"));
        rule.asset = "BTC".to_owned();
        assert!(!decided(&rule, "1000.01", "7", "EXTERNAL_WALLET"));
    }
}

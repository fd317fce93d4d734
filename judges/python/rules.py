"""Rules of policies, in both of Fireblocks' shapes, and how they come into force."""

from fireblocks.models.legacy_policy_rules import LegacyPolicyRules

from waiting import until


def legacy(action="ALLOW", **changes):
    """A rule of the older shape: everything, unless changed."""
    return {
        "type": "TRANSFER",
        "transactionType": "TRANSFER",
        "action": action,
        "asset": "*",
        "amountCurrency": "USD",
        "amountScope": "SINGLE_TX",
        "amount": "0",
        "periodSec": 0,
        "operators": {"wildcard": "*"},
        "src": {"ids": [["*"]]},
        "dst": {"ids": [["*"]]},
        "dstAddressType": "*",
        **changes,
    }


def newer(id, action="ALLOW", **changes):
    """A rule of the newer shape: every transfer, unless changed."""
    return {
        "name": f"Rule {id}",
        "id": id,
        "policyEngineVersion": "v2",
        "type": "TRANSFER",
        "initiator": "*",
        "source": {"operator": "INCLUDES", "type": ["VAULT"]},
        "destination": {"operator": "INCLUDES", "addressType": "*"},
        "verdict": {"action": action},
        **changes,
    }


def editor(workspace):
    return workspace["admin"].sdk.policy_editor_beta


def publish(workspace, *rules):
    """Publishes a policy; what is answered."""
    body = LegacyPolicyRules.from_dict({"rules": list(rules)})
    answer = editor(workspace).publish_policy_rules(legacy_policy_rules=body).result()
    assert answer.status_code == 201
    return answer.data


def active(workspace):
    return editor(workspace).get_active_policy_legacy().result().data.policy


def enforce(workspace, *rules):
    """Publishes a policy and waits until people have agreed to it."""
    told = publish(workspace, *rules)
    assert told.status == "AWAITING_QUORUM", told
    at = told.metadata.published_at
    until("the policy is in force", lambda: active(workspace).metadata.published_at == at)

"""Rules of policies, in both of Fireblocks' shapes, and how they come into force."""

import json

from fireblocks.models.legacy_policy_rules import LegacyPolicyRules


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
    """Publishes a policy to which people agree by themselves."""
    told = publish(workspace, *rules)
    assert told.status == "AWAITING_QUORUM", told
    assert active(workspace).metadata.published_at == told.metadata.published_at


def waiting(workspace, kind):
    """The ids of the requests of a kind that wait for people."""
    requests = json.loads(workspace.control("GET", "/quorum"))["requests"]
    return [request["id"] for request in requests if request["ask"]["type"] == kind]


def decide(workspace, request, word, user=None):
    """A member of the quorum says yes or no, or all of it: the status, and what became of it."""
    path = f"/workspaces/{workspace.id}/quorum/{request}/{word}"
    status, answer = workspace.sandbox.control("POST", path, {"user": user} if user else {})
    return status, json.loads(answer).get("state")

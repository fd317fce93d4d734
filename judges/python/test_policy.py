"""The policy: edited in both shapes, agreed to, and what it makes of transactions."""

import json
import uuid

import pytest
from fireblocks.exceptions import (
    ApiException,
    BadRequestException,
    NotFoundException,
    UnauthorizedException,
)
from fireblocks.models.legacy_policy_rules import LegacyPolicyRules
from fireblocks.models.legacy_publish_draft_request import LegacyPublishDraftRequest
from fireblocks.models.policy_rule_quota_request import PolicyRuleQuotaRequest
from fireblocks.models.policy_type import PolicyType
from fireblocks.models.publish_draft_request import PublishDraftRequest
from fireblocks.models.update_draft_request import UpdateDraftRequest
from fireblocks.models.user_group_create_request import UserGroupCreateRequest

from money import follow, propose, statuses
from refusals import refused
from rules import active, decide, editor, enforce, legacy, newer, publish, waiting
from sandbox import Sandbox
from waiting import until

STRANGER = str(uuid.UUID(int=7))


@pytest.fixture
def fund(tmp_path):
    """A fresh workspace: each test has a policy of its own."""
    sandbox = Sandbox(tmp_path)
    yield sandbox.workspaces["mainnet"]
    sandbox.stop()


@pytest.fixture
def by_hand(tmp_path):
    """The same, where nobody agrees unless told to."""
    sandbox = Sandbox(tmp_path, "--manual")
    yield sandbox.workspaces["mainnet"]
    sandbox.stop()


def end(user, *request, **more):
    told = follow(user, propose(user, *request, **more))
    return told.status, told.sub_status, told.error_description


def v2(workspace):
    return workspace["admin"].sdk.policy_editor_v2


def active_v2(workspace, *types):
    told = v2(workspace).get_active_policy(policy_type=PolicyType(types[0] if types else "TRANSFER"))
    return told.result().data.policy


def save(workspace, *rules, types=("TRANSFER",)):
    body = UpdateDraftRequest.from_dict({"policyTypes": list(types), "rules": list(rules)})
    return v2(workspace).update_draft(update_draft_request=body).result().data


def publish_draft(workspace, draft_id, types=("TRANSFER",)):
    body = PublishDraftRequest(policy_types=list(types), draft_id=draft_id)
    return v2(workspace).publish_draft(publish_draft_request=body).result().data


def people(workspace, word, user=None):
    """What people say to the policy that waits: the status, and what became of it."""
    request, = waiting(workspace, "POLICY_CHANGE")
    return decide(workspace, request, word, user)


def owner(workspace):
    users = workspace["admin"].sdk.console_user.get_console_users().result().data.users
    return next(user.id for user in users if user.role == "OWNER")


def test_the_seeded_policy_in_both_shapes(fund):
    told = editor(fund).get_active_policy_legacy().result().data
    assert [rule.action for rule in told.policy.rules[:3]] == ["BLOCK", "ALLOW", "2-TIER"]
    assert (told.validation.status, told.validation.check_result.errors) == ("SUCCESS", 0)
    results = told.validation.check_result.results
    assert [(r.index, r.status) for r in results] == [(n, "ok") for n in range(len(told.policy.rules))]
    newest = active_v2(fund)
    # What comes from exchanges has rules of its own, at the end.
    assert [rule.verdict.action for rule in newest.rules] == ["BLOCK", "ALLOW", "2-TIER", "ALLOW", "2-TIER"]
    assert [json.loads(r.external_descriptor)["id"] for r in told.policy.rules[:3]] == [
        rule.id for rule in newest.rules[:3]
    ]
    assert [rule.verdict.action for rule in active_v2(fund, "MINT").rules] == ["ALLOW"]
    assert [rule.verdict.action for rule in active_v2(fund, "STAKE").rules] == ["ALLOW"]
    assert editor(fund).get_draft_legacy().result().data.draft_response.rules == told.policy.rules
    ours = json.loads(fund.sandbox.control("GET", "/workspaces")[1])["data"]
    assert [w["policy"][0]["action"] for w in ours] == ["BLOCK", "BLOCK"]


def test_a_policy_that_people_agree_to_is_in_force_and_a_blocked_transaction_names_its_rule(fund):
    signer = fund["signer"]
    rules = [
        legacy(asset="BTC"),
        legacy("BLOCK", dst={"ids": [["1", "VAULT"]]}),
        legacy(asset="SOL"),
    ]
    enforce(fund, *rules)
    assert [rule.action for rule in active(fund).rules] == ["ALLOW", "BLOCK", "ALLOW"]
    told = active(fund)
    assert told.metadata.published_by == fund["admin"].id and told.metadata.published_at.endswith("Z")
    assert end(signer, "SOL", "0.5", 0, 1) == ("BLOCKED", "BLOCKED_BY_POLICY", "Blocked by policy rule 2")
    assert end(signer, "SOL", "0.5", 0, 2)[0] == "COMPLETED"
    none = "Blocked by the policy: no rule matches"
    assert end(signer, "ETH", "0.01", 0, 2) == ("BLOCKED", "BLOCKED_BY_POLICY", none)
    ours = json.loads(fund.sandbox.control("GET", "/workspaces")[1])["data"]
    shown = next(w for w in ours if w["id"] == fund.id)["policy"]
    assert [rule["asset"] for rule in shown] == ["BTC", "*", "SOL"]


def test_without_a_rule_the_usual_ones_hold(fund):
    enforce(fund)
    assert [rule.transaction_type for rule in active(fund).rules] == ["TRANSFER", "CONTRACT_CALL", "APPROVE"]
    assert end(fund["signer"], "SOL", "0.5", 0, 1)[0] == "COMPLETED"


def test_who_has_no_key_share_needs_a_designated_signer(fund):
    enforce(fund, legacy(operators={"users": [fund["editor"].id]}))
    told = end(fund["editor"], "SOL", "0.5", 0, 1)
    assert told[:2] == ("FAILED", "SIGNER_NOT_FOUND")
    signers = {"users": [fund["signer"].id, fund["admin"].id]}
    enforce(fund, legacy(designatedSigners=signers))
    done = follow(fund["editor"], propose(fund["editor"], "SOL", "0.5", 0, 1))
    assert (done.status, done.signed_by) == ("COMPLETED", [fund["signer"].id])


def test_a_window_counts_what_every_rule_let_through(fund):
    signer, admin = fund["signer"], fund["admin"]
    window = legacy(
        "BLOCK",
        amount="0.5",
        amountCurrency="NATIVE",
        amountScope="TIMEFRAME",
        periodSec=3600,
        asset="SOL",
        src={"ids": [["0", "VAULT"]]},
        amountAggregation={
            "operators": "PER_SINGLE_MATCH",
            "srcTransferPeers": "ACROSS_ALL_MATCHES",
            "dstTransferPeers": "ACROSS_ALL_MATCHES",
        },
    )
    enforce(fund, window, legacy())
    assert end(signer, "SOL", "0.3", 0, 1)[0] == "COMPLETED"
    assert end(signer, "SOL", "0.2", 0, 2)[0] == "COMPLETED", "0.5 does not exceed 0.5"
    assert end(signer, "SOL", "0.01", 0, 1)[2] == "Blocked by policy rule 1"
    assert end(admin, "SOL", "0.5", 0, 1)[0] == "COMPLETED", "another initiator"
    assert end(signer, "ETH", "0.01", 0, 1)[0] == "COMPLETED", "another asset"

    # The newer shape names the asset, and the official client reads no rule that does.
    first, second = (json.loads(rule.external_descriptor)["id"] for rule in active(fund).rules)
    quota = fund["admin"].sdk.policy_editor_v2_beta.get_policy_rule_quota

    def used(initiator):
        body = PolicyRuleQuotaRequest(rule_id=first, initiator=initiator)
        return quota(policy_rule_quota_request=body).result().data

    told = used(signer.id)
    assert (told.amount, told.currency, told.transaction_count) == ("0.5", "NATIVE", 2)
    assert told.window_end - told.window_start == 3600
    assert used(admin.id).amount == "0.5" and used(STRANGER).amount == "0"
    for body, kind in (
        (PolicyRuleQuotaRequest(rule_id=first), BadRequestException),
        (PolicyRuleQuotaRequest(rule_id=second), BadRequestException),
        (PolicyRuleQuotaRequest(rule_id=STRANGER), NotFoundException),
    ):
        with refused(kind):
            quota(policy_rule_quota_request=body).result()

    fund.sandbox.control("POST", "/clock/advance", {"millis": 3_600_000})
    assert used(signer.id).transaction_count == 0
    assert end(signer, "SOL", "0.01", 0, 1)[0] == "COMPLETED", "the window has passed"


def test_groups_and_alternatives(by_hand):
    fund, approver, editor_ = by_hand, by_hand["approver"].id, by_hand["editor"].id
    groups = fund["admin"].sdk.user_groups_beta
    board = groups.create_user_group(
        UserGroupCreateRequest(group_name="Board", member_ids=[approver, fund["non-signing-admin"].id])
    ).result().data.id
    desk = groups.create_user_group(
        UserGroupCreateRequest(group_name="Desk", member_ids=[editor_])
    ).result().data.id
    either = {
        "logic": "OR",
        "allowOperatorAsAuthorizer": False,
        "groups": [{"usersGroups": [board], "th": 2}, {"users": [fund["admin"].id], "th": 1}],
    }
    publish(
        fund,
        legacy(
            "2-TIER",
            operators={"usersGroups": [desk]},
            designatedSigners={"users": [fund["signer"].id]},
            authorizationGroups=either,
        ),
    )
    assert people(fund, "approve") == (200, "APPROVED")

    def act(transaction, what, user):
        path = f"/workspaces/{fund.id}/transactions/{transaction}/{what}"
        return fund.sandbox.control("POST", path, {"user": user})[0]

    def status(transaction):
        return fund["viewer"].door.get(f"/v1/transactions/{transaction}").json["status"]

    def asked():
        transaction = propose(fund["editor"], "SOL", "0.5", 0, 1)
        statuses(fund["editor"], transaction, "PENDING_AUTHORIZATION")
        return transaction

    first = asked()
    shown = fund["editor"].sdk.transactions.get_transaction(first).result().data.authorization_info
    assert (shown.logic, len(shown.groups)) == ("OR", 2)
    assert act(first, "approve", fund["signer"].id) == 409, "it was not asked"
    assert act(first, "approve", approver) == 200
    assert status(first) == "PENDING_AUTHORIZATION", "one of two"
    assert act(first, "approve", fund["non-signing-admin"].id) == 200
    assert status(first) in ("QUEUED", "PENDING_SIGNATURE")
    statuses(fund["editor"], first, "PENDING_SIGNATURE")
    assert act(first, "sign", fund["admin"].id) == 409
    assert act(first, "sign", fund["signer"].id) == 200
    second = asked()
    assert act(second, "approve", fund["admin"].id) == 200, "the other group alone"
    statuses(fund["editor"], second, "QUEUED")
    third = propose(fund["signer"], "SOL", "0.5", 0, 1)
    assert follow(fund["signer"], third).status == "BLOCKED", "no one of the desk"


def test_one_time_addresses(fund):
    one_time = {"type": "ONE_TIME_ADDRESS", "oneTimeAddress": {"address": ADDRESS}}
    assert end(fund["signer"], "ETH", "0.01", 0, one_time)[2] == "Blocked by policy rule 1"
    enforce(fund, legacy(dstAddressType="ONE_TIME"))
    assert end(fund["signer"], "ETH", "0.01", 0, one_time)[0] == "COMPLETED"
    assert end(fund["signer"], "ETH", "0.01", 0, 1)[0] == "BLOCKED"


ADDRESS = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"


def test_what_cannot_be_a_policy_says_where_and_why(fund):
    before = active(fund)
    wrong = [
        (legacy(operators={"users": [STRANGER]}), "operators"),
        (legacy(operators={"usersGroups": ["none"]}), "operators"),
        (legacy(operators={"users": [fund["viewer"].id]}), "operators"),
        (legacy(designatedSigners={"users": [fund["editor"].id]}), "designatedSigners"),
        (legacy("2-TIER"), "authorizationGroups"),
        (
            legacy("2-TIER", authorizationGroups={"groups": [{"users": [fund["approver"].id], "th": 2}]}),
            "authorizationGroups",
        ),
        (legacy(periodSec=60), "amountAggregation"),
        (legacy(amountScope="TIMEFRAME"), "amountAggregation"),
        (legacy(amount="-1"), "amountAggregation"),
        (legacy(src={"ids": [["*", "UNMANAGED"]]}), "src"),
        (legacy(asset="NO_SUCH_ASSET"), "src"),
        (legacy(dst={"ids": [["999999", "VAULT"]]}), "dst"),
    ]
    for rule, field in wrong:
        told = publish(fund, legacy(), rule)
        assert told.status == "INVALID_CONFIGURATION", rule
        results = told.check_result.results
        assert told.check_result.errors == 1, told
        assert [(r.index, r.status) for r in results] == [(0, "ok"), (1, "failure")]
        error = results[1].errors[0]
        assert (error.error_field, error.error_code_name) == (field, "INVALID_PARAMETERS"), rule
        assert error.error_message and error.error_code
    told = fund["admin"].sdk.policy_editor_beta.get_draft_legacy().result().data
    assert told.validation.status == "INVALID_CONFIGURATION", "it is a draft all the same"
    assert active(fund) == before
    for body in (
        {"rules": [legacy("MAYBE")]},
        {"rules": [{**legacy(), "src": {"ids": [[]]}}]},
        {"rules": [{**legacy(), "src": {"ids": [["1", "VAULT", "*", "*"]]}}]},
        {"rules": ["x"]},
        {"rules": 7},
        {},
        [],
    ):
        answer = fund["admin"].door.send("POST", "/v1/tap/publish", json.dumps(body).encode())
        assert answer.status == 400 and answer.json["message"], (body, answer)


def test_drafts(by_hand):
    fund, edit = by_hand, editor(by_hand)
    body = LegacyPolicyRules.from_dict({"rules": [legacy(asset="SOL")]})
    saved = edit.update_draft_legacy(legacy_policy_rules=body).result().data
    assert saved.draft_response.status == "UNVALIDATED" and saved.validation.status == "SUCCESS"
    assert saved.draft_response.metadata.edited_by == fund["admin"].id
    shown = edit.get_draft_legacy().result().data
    before = active(fund)
    assert shown == saved and before.rules != shown.draft_response.rules, "a draft is not in force"
    again = edit.update_draft_legacy(legacy_policy_rules=body).result().data.draft_response.draft_id
    old = LegacyPublishDraftRequest(draft_id=saved.draft_response.draft_id)
    with refused(NotFoundException):
        edit.publish_draft_legacy(legacy_publish_draft_request=old).result()
    new = LegacyPublishDraftRequest(draft_id=again)
    told = edit.publish_draft_legacy(legacy_publish_draft_request=new).result()
    assert (told.status_code, told.data.status) == (201, "AWAITING_QUORUM")
    assert active(fund) == before, "people have not agreed"
    with pytest.raises(ApiException) as caught:
        publish(fund, legacy())
    assert caught.value.status == 409

    assert people(fund, "approve", fund["editor"].id)[0] == 403, "no member of the quorum"
    assert people(fund, "approve", fund["admin"].id) == (200, "PENDING")
    assert people(fund, "approve", fund["admin"].id)[0] == 409, "twice"
    assert people(fund, "approve", fund["non-signing-admin"].id) == (200, "PENDING"), "the owner must"
    assert active(fund) == before
    assert people(fund, "approve", owner(fund)) == (200, "APPROVED")
    assert [rule.asset for rule in active(fund).rules] == ["SOL"]
    assert waiting(fund, "POLICY_CHANGE") == []

    publish(fund, legacy(asset="BTC"))
    assert people(fund, "reject") == (200, "REJECTED")
    assert [rule.asset for rule in active(fund).rules] == ["SOL"]
    assert edit.get_draft_legacy().result().data.draft_response.rules[0].asset == "BTC"
    publish(fund, legacy(asset="ETH"))
    fund.sandbox.control("POST", "/clock/advance", {"millis": 7 * 86_400_000})
    until("nobody agreed", lambda: waiting(fund, "POLICY_CHANGE") == [])
    assert [rule.asset for rule in active(fund).rules] == ["SOL"]
    assert edit.get_draft_legacy().result().data.draft_response.rules[0].asset == "ETH"


def test_the_newer_editor_edits_types(fund):
    signer = fund["signer"]
    blocked = newer("big", "BLOCK", amount={"range": {"min": "100"}, "currency": "USD"})
    calls = newer("calls", type="CONTRACT_CALL")
    told = save(fund, blocked, newer("rest"))
    assert (told.draft_response.status, told.validation.status) == ("UNVALIDATED", "SUCCESS")
    assert told.draft_response.metadata["TRANSFER"].edited_by == fund["admin"].id
    shown = v2(fund).get_draft(policy_type=PolicyType("TRANSFER")).result().data
    assert [rule.id for rule in shown.draft_response.rules] == ["big", "rest"]
    told = publish_draft(fund, told.draft_response.draft_id)
    assert told.status == "AWAITING_QUORUM" and [rule.id for rule in told.rules] == ["big", "rest"]
    until("it is in force", lambda: [rule.id for rule in active_v2(fund).rules] == ["big", "rest"])
    assert end(signer, "SOL", "5", 0, 1)[2] == "Blocked by policy rule 1"
    assert end(signer, "SOL", "0.1", 0, 1)[0] == "COMPLETED"
    told = save(fund, calls, types=["CONTRACT_CALL"])
    publish_draft(fund, told.draft_response.draft_id, types=["CONTRACT_CALL"])
    until("it is in force", lambda: [r.id for r in active_v2(fund, "CONTRACT_CALL").rules] == ["calls"])
    assert [rule.id for rule in active_v2(fund).rules] == ["big", "rest"], "the others stay"
    older = active(fund).rules
    kinds = [rule.transaction_type for rule in older]
    assert kinds[:3] == ["TRANSFER", "TRANSFER", "CONTRACT_CALL"] and kinds.count("CONTRACT_CALL") == 1


def test_newer_rules_name_people_places_and_signers(fund):
    admin, signer = fund["admin"].id, fund["signer"].id
    two_tier = newer(
        "two",
        initiator={"users": [fund["editor"].id], "operator": "INCLUDES"},
        source={"operator": "INCLUDES", "ids": [{"type": "VAULT", "id": "0"}]},
        destination={"operator": "INCLUDES", "type": ["VAULT"], "addressType": "WHITELISTED"},
        verdict={
            "action": "2-TIER",
            "approvers": {
                "canInitiatorApprove": False,
                "operator": "AND",
                "approvalGroups": [{"threshold": 1, "users": [fund["approver"].id]}],
            },
            "designatedSigners": {"type": "MULTIPLE", "users": [signer, admin]},
        },
    )
    told = save(fund, two_tier)
    publish_draft(fund, told.draft_response.draft_id)
    assert [rule.id for rule in active_v2(fund).rules] == ["two"]
    done = follow(fund["editor"], propose(fund["editor"], "SOL", "0.1", 0, 1))
    assert (done.status, done.signed_by) == ("COMPLETED", [signer])
    assert done.authorization_info.groups[0].users == {fund["approver"].id: "APPROVED"}
    assert end(fund["editor"], "SOL", "0.1", 1, 0)[0] == "BLOCKED"
    older = active(fund).rules[0]
    assert older.designated_signers.users == [signer, admin]
    assert older.authorization_groups.groups[0].th == 1


def test_what_the_newer_editor_refuses(fund):
    told = save(fund, newer("a", initiator={"users": [STRANGER]}))
    assert told.validation.check_result.results[0].errors[0].error_field == "operators"
    told = publish_draft(fund, told.draft_response.draft_id)
    assert (told.status, told.check_result.errors) == ("INVALID_CONFIGURATION", 1)
    method = {"methodCalls": ["0xa9059cbb"], "operator": "EXACT"}
    told = save(fund, newer("a", type="CONTRACT_CALL", method=method), types=["CONTRACT_CALL"])
    assert told.validation.check_result.results[0].errors[0].error_field == "contractMethods"
    assert [rule.verdict.action for rule in active_v2(fund).rules][:3] == ["BLOCK", "ALLOW", "2-TIER"]
    with refused(NotFoundException):
        publish_draft(fund, STRANGER)
    for body in (
        {"policyTypes": ["TRANSFER"], "rules": [newer("a"), newer("a")]},
        {"policyTypes": ["TRANSFER"], "rules": [newer("")]},
        {"policyTypes": ["MINT"], "rules": [newer("a")]},
        {"policyTypes": [], "rules": []},
        {"policyTypes": ["NOTHING"], "rules": []},
        {"policyTypes": ["TRANSFER"]},
        {"policyTypes": ["TRANSFER"], "rules": [{"id": "a", "type": "TRANSFER"}]},
    ):
        answer = fund["admin"].door.send("PUT", "/v1/policy/draft", json.dumps(body).encode())
        assert answer.status == 400 and answer.json["message"], (body, answer)
    for target in ("/v1/policy/active_policy", "/v1/policy/draft?policyType=NOTHING"):
        assert fund["admin"].door.get(target).status == 400
    several = fund["admin"].door.get("/v1/policy/active_policy?policyType=TRANSFER&policyType=MINT")
    assert several.status == 200 and set(several.json["policy"]["metadata"]) == {"TRANSFER", "MINT"}
    any_asset = newer("a", asset={"nftTransfer": False, "assetTypes": ["*"], "operator": "INCLUDES"})
    body = json.dumps({"policyTypes": ["TRANSFER"], "rules": [any_asset]}).encode()
    assert fund["admin"].door.send("PUT", "/v1/policy/draft", body).status == 200


def test_who_may_edit(fund):
    for name in ("signer", "approver", "editor", "viewer", "auditor"):
        with refused(UnauthorizedException, -8):
            fund[name].sdk.policy_editor_beta.get_active_policy_legacy().result()
        with refused(UnauthorizedException, -8):
            fund[name].sdk.policy_editor_v2.get_draft(policy_type=PolicyType("TRANSFER")).result()
    assert fund["non-signing-admin"].sdk.policy_editor_beta.get_draft_legacy().result().status_code == 200


def test_a_policy_survives_kill_9(tmp_path):
    data = tmp_path / "sandbox.db"
    first = Sandbox(tmp_path, "--manual", data=data)
    fund = first.workspaces["mainnet"]
    publish(fund, legacy(asset="SOL"))
    assert people(fund, "approve") == (200, "APPROVED")
    publish(fund, legacy(asset="BTC"))
    first.kill()
    second = Sandbox(tmp_path, "--manual", data=data)
    try:
        fund = second.workspaces["mainnet"]
        assert active(fund).rules[0].asset == "SOL"
        assert people(fund, "approve") == (200, "APPROVED")
        assert active(fund).rules[0].asset == "BTC"
    finally:
        second.stop()

"""Approvals: protected tags wait for the quorum, whose programs approve by signing what is asked."""

import base64
import json

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from fireblocks.exceptions import (
    BadRequestException,
    ConflictException,
    ForbiddenException,
    NotFoundException,
    UnauthorizedException,
)
from fireblocks.models.approval_api_public_key import ApprovalApiPublicKey
from fireblocks.models.approve_approval_request import ApproveApprovalRequest
from fireblocks.models.create_tag_request import CreateTagRequest
from fireblocks.models.register_approval_api_key_request import RegisterApprovalApiKeyRequest
from fireblocks.models.update_tag_request import UpdateTagRequest
from fireblocks.models.vault_accounts_tag_attachment_operations_request import (
    VaultAccountsTagAttachmentOperationsRequest,
)

from pages import by_cursor
from refusals import refused

UNKNOWN = "1f6e1a3c-8e0a-4d53-9b0a-3a5a5c1f0001"


@pytest.fixture(scope="module")
def fund(manual):
    return manual.workspaces["mainnet"]


@pytest.fixture(scope="module")
def admin(fund):
    return fund["admin"].sdk


class Key:
    """An approval key, as whoever approves keeps it."""

    def __init__(self, algorithm):
        self.algorithm = algorithm
        self.id = None
        if algorithm == "RSA_PS256":
            self.private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        elif algorithm == "EDDSA_ED25519":
            self.private = ed25519.Ed25519PrivateKey.generate()
        else:
            self.private = ec.generate_private_key(ec.SECP256R1() if "256" in algorithm else ec.SECP384R1())

    @property
    def pem(self):
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return self.private.public_key().public_bytes(serialization.Encoding.PEM, form).decode()

    def sign(self, payload):
        text = payload.encode()
        if self.algorithm == "RSA_PS256":
            pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
            signature = self.private.sign(text, pss, hashes.SHA256())
        elif self.algorithm == "EDDSA_ED25519":
            signature = self.private.sign(text)
        else:
            digest = hashes.SHA256() if "256" in self.algorithm else hashes.SHA384()
            signature = self.private.sign(text, ec.ECDSA(digest))
        return base64.urlsafe_b64encode(signature).decode().rstrip("=")


def register(user, key, name="desk", whose=None):
    request = RegisterApprovalApiKeyRequest(
        name=name,
        approval_api_public_key=ApprovalApiPublicKey(algorithm=key.algorithm, public_key_pem=key.pem),
    )
    api = user.sdk.approvals_beta
    told = api.create_approval_key(whose or user.id, register_approval_api_key_request=request).result().data
    key.id = told.key_id
    return told.ccr_id_pending_registration


def keys(user, of=None):
    return by_cursor(lambda page_cursor: user.sdk.approvals_beta.get_approval_keys((of or user).id, page_cursor=page_cursor))


def approvals(user, **filters):
    """What waits for a user: payloads by request id."""
    ask = user.sdk.approvals_beta.get_approvals
    found = by_cursor(lambda page_cursor: ask(page_cursor=page_cursor, **filters))
    return {json.loads(item.request_payload)["requestId"]: item for item in found}


def one(user, request, **more):
    return user.sdk.approvals_beta.get_approval_by_id(request, **more).result().data


def approve(user, request, signature, key=None):
    signed = ApproveApprovalRequest(signature=signature, key_id=key)
    return user.sdk.approvals_beta.approve_approval(request, approve_approval_request=signed).result()


def sign(user, request, key, name_it=False):
    payload = one(user, request).request_payload
    return approve(user, request, key.sign(payload), key.id if name_it else None)


def by_people(fund, request, word="approve"):
    return json.loads(fund.control("POST", f"/quorum/{request}/{word}", {}))["state"]


@pytest.fixture(scope="module")
def signing(fund):
    """A key of each administrator, let in by people."""
    made = {}
    for name, algorithm in (("admin", "EDDSA_ED25519"), ("non-signing-admin", "ECDSA_SECP256R1")):
        made[name] = Key(algorithm)
        request = register(fund[name], made[name])
        assert [k.status for k in keys(fund[name])] == ["APPROVAL_API_KEY_STATUS_PENDING_REGISTRATION"]
        by_people(fund, request)
        (kept,) = keys(fund[name])
        assert (kept.id, kept.status) == (made[name].id, "APPROVAL_API_KEY_STATUS_ENABLED")
        assert (kept.last_used_at, kept.user_id) == ("0", fund[name].id)
    return made


@pytest.fixture()
def tag(admin, request):
    label = f"P {request.node.name}"[:30]
    return admin.tags.create_tag(CreateTagRequest(label=label, is_protected=True)).result().data


def attach(sdk, accounts, **ids):
    request = VaultAccountsTagAttachmentOperationsRequest(vault_account_ids=accounts, **ids)
    return sdk.vaults.attach_or_detach_tags_from_vault_accounts(request).result().data


def test_a_protected_tag_changes_with_the_last_signature(fund, admin, signing, tag):
    told = admin.tags.update_tag(tag.id, UpdateTagRequest(label="Renamed")).result().data
    assert told.label == tag.label, "not yet"
    request = told.pending_approval_request
    assert (request.type, request.state) == ("TAG_UPDATE", "PENDING")
    assert admin.tags.get_approval_request(request.id).result().data == request
    assert admin.tags.get_tag(tag.id).result().data.pending_approval_request == request
    shown = admin.tags.get_tags(tag_ids=[tag.id]).result().data.data[0]
    assert shown.pending_approval_request is None
    shown = admin.tags.get_tags(tag_ids=[tag.id], include_pending_approvals_info=True).result().data.data[0]
    assert shown.pending_approval_request == request
    with refused(BadRequestException):  # One request about a tag at a time.
        admin.tags.delete_tag(tag.id).result()

    first, second = fund["admin"], fund["non-signing-admin"]
    item = approvals(first)[request.id]
    payload = json.loads(item.request_payload)
    assert (payload["requestType"], payload["requestData"]) == ("TAG_UPDATE", {"tag": tag.id, "label": "Renamed"})
    assert payload["expiresAt"] * 1000 - payload["requestTimestamp"] <= 7 * 86_400_000
    assert item.user_status == "USER_NOT_APPROVED" and item.quorum_status is None
    assert sign(first, request.id, signing["admin"]).status_code == 204
    assert one(first, request.id).request_payload == item.request_payload, "byte for byte"
    assert request.id not in approvals(first)
    assert approvals(first, include_user_approved=True)[request.id].user_status == "USER_APPROVED"
    summary = approvals(second, quorum_status_mode="SUMMARY")[request.id].quorum_status
    quorum = summary.quorum.actual_instance
    assert (summary.request_status, quorum.threshold, quorum.current_approval_count) == ("PENDING", 2, 1)
    with refused(ConflictException):
        sign(first, request.id, signing["admin"])
    sign(second, request.id, signing["non-signing-admin"], name_it=True)
    assert admin.tags.get_tag(tag.id).result().data.label == "Renamed"
    assert admin.tags.get_approval_request(request.id).result().data.state == "APPROVED"
    full = one(first, request.id, quorum_status_mode="FULL").quorum_status
    assert full.request_status == "APPROVED"
    said = {user.user_id: user.status.value for user in full.users}
    assert said[first.id] == said[second.id] == "APPROVED" and len(said) == 3
    assert keys(first)[0].last_used_at != "0"


def test_only_its_own_signature_counts(fund, admin, signing, tag):
    told = admin.tags.update_tag(tag.id, UpdateTagRequest(color="#FF5733")).result().data
    request, user, key = told.pending_approval_request.id, fund["admin"], signing["admin"]
    payload = one(user, request).request_payload
    stranger = Key("EDDSA_ED25519")
    for bad in (
        key.sign(payload + " "), key.sign(""), stranger.sign(payload), signing["non-signing-admin"].sign(payload),
        "", "not base64url!", key.sign(payload)[:-2],
    ):  # fmt: skip
        with refused(BadRequestException):
            approve(user, request, bad)
    with refused(BadRequestException):
        approve(user, request, key.sign(payload), key=UNKNOWN)
    with refused(BadRequestException):
        approve(user, request, key.sign(payload), key=signing["non-signing-admin"].id)
    for unknown in ("999999", "x", UNKNOWN):
        with refused(NotFoundException):
            approve(user, unknown, key.sign(payload))
    assert one(user, request, quorum_status_mode="SUMMARY").quorum_status.quorum.actual_instance.current_approval_count == 0
    # A signer has no say, signed or not; an editor may not even ask.
    with refused(ForbiddenException):
        fund["signer"].sdk.approvals_beta.reject_approval(request).result()
    with refused(UnauthorizedException, -8):
        fund["editor"].sdk.approvals_beta.reject_approval(request).result()
    assert one(fund["signer"], request).user_status == "USER_NOT_ELIGIBLE_TO_APPROVE"
    assert approvals(fund["signer"]) == {}
    assert fund["non-signing-admin"].sdk.approvals_beta.reject_approval(request).result().status_code == 204
    assert admin.tags.get_approval_request(request).result().data.state == "REJECTED"
    assert admin.tags.get_tag(tag.id).result().data.color is None
    with refused(ConflictException):
        approve(user, request, key.sign(payload))


def test_attachments_wait(fund, admin, tag):
    plain = admin.tags.create_tag(CreateTagRequest(label="Plain here")).result().data
    told = attach(admin, ["0", "1"], tag_ids_to_attach=[plain.id, tag.id])
    assert [(o.vault_account_id, o.tag_id) for o in told.applied_operations] == [("0", plain.id), ("1", plain.id)]
    waits = [(o.vault_account_id, o.tag_id, o.action) for o in told.pending_operations]
    assert waits == [("0", tag.id, "ATTACH"), ("1", tag.id, "ATTACH")]
    (request,) = {o.approval_request_id for o in told.pending_operations}
    again = attach(admin, ["0"], tag_ids_to_attach=[tag.id])
    assert [o.reason for o in again.rejected_operations] == ["PENDING_REQUEST_EXISTS"]
    borne = lambda account: {t.id for t in admin.vaults.get_vault_account(account).result().data.tags}
    assert borne("0") == {plain.id}
    assert by_people(fund, request) == "APPROVED"
    assert borne("0") == borne("1") == {plain.id, tag.id}
    assert admin.tags.get_approval_request(request).result().data.type == "TAG_ATTACH_DETACH"
    with refused(BadRequestException):
        attach(admin, ["0"], tag_ids_to_attach=[plain.id], tag_ids_to_detach=[plain.id])
    # A deletion takes it off every account.
    admin.tags.delete_tag(tag.id).result()
    request = admin.tags.get_tag(tag.id).result().data.pending_approval_request
    assert request.type == "TAG_DELETE" and borne("1") == {plain.id, tag.id}
    assert by_people(fund, request.id) == "APPROVED"
    assert borne("0") == borne("1") == {plain.id}
    with refused(NotFoundException):
        admin.tags.get_tag(tag.id).result()


def test_what_has_become_impossible_fails(fund, admin, tag):
    told = admin.tags.update_tag(tag.id, UpdateTagRequest(label="Wanted")).result().data
    admin.tags.create_tag(CreateTagRequest(label="Wanted")).result()
    assert by_people(fund, told.pending_approval_request.id) == "FAILED"
    assert admin.tags.get_tag(tag.id).result().data.label == tag.label


def test_a_request_is_taken_back(fund, admin, tag):
    told = admin.tags.update_tag(tag.id, UpdateTagRequest(label="Never")).result().data
    request = told.pending_approval_request.id
    cancel = lambda user: user.door.send("POST", f"/v1/tags/approval_requests/{request}/cancel")
    assert cancel(fund["editor"]).code == -8
    assert cancel(fund["admin"]).status == 202
    assert admin.tags.get_approval_request(request).result().data.state == "CANCELLED"
    assert cancel(fund["admin"]).status == 409
    assert admin.tags.get_tag(tag.id).result().data.pending_approval_request is None
    assert admin.tags.update_tag(tag.id, UpdateTagRequest(label="Later")).result().data.pending_approval_request
    for unknown in ("999999", "x"):
        with refused(NotFoundException, says="NOT_FOUND"):
            admin.tags.get_approval_request(unknown).result()
        answer = fund["admin"].door.send("POST", f"/v1/tags/approval_requests/{unknown}/cancel")
        assert answer.status == 404


def test_other_peoples_queues(fund, admin, tag):
    told = admin.tags.update_tag(tag.id, UpdateTagRequest(label="Queued")).result().data
    request = told.pending_approval_request.id
    other = fund["non-signing-admin"]
    assert approvals(fund["admin"], user_id=other.id)[request].user_status == "USER_NOT_APPROVED"
    assert approvals(fund["admin"], user_id=fund["signer"].id) == {}
    assert approvals(other, include_all_users=True)[request].user_status == "USER_STATUS_NOT_APPLICABLE"
    for filters in ({"user_id": other.id}, {"include_all_users": True}):
        with refused(ForbiddenException):
            approvals(fund["signer"], **filters)
    for filters in (
        {"user_id": other.id, "include_all_users": True}, {"quorum_status_mode": "FULL"},
        {"quorum_status_mode": "summary"}, {"user_id": "x"},
    ):  # fmt: skip
        with refused(BadRequestException):
            approvals(fund["admin"], **filters)
    for size in (0, 31, "x"):
        assert fund["admin"].door.get(f"/v1/approvals?pageSize={size}").status == 400
    for path in ("?pageCursor=7", "?includeAllUsers=maybe"):
        assert fund["admin"].door.get(f"/v1/approvals{path}").status == 400
    everything = approvals(fund["admin"], include_all_users=True)
    paged = approvals(fund["admin"], include_all_users=True, page_size=1)
    assert list(paged) == list(everything) and len(paged) >= 1


def test_keys_of_every_kind(fund):
    user = fund["approver"]
    for algorithm in ("RSA_PS256", "ECDSA_SECP384R1"):
        by_people(fund, register(user, Key(algorithm), name=algorithm))
    assert [key.name for key in keys(user)] == ["RSA_PS256", "ECDSA_SECP384R1"]
    with refused(ConflictException):  # Two at most.
        register(user, Key("EDDSA_ED25519"))
    with refused(ForbiddenException):
        register(user, Key("EDDSA_ED25519"), whose=fund["signer"].id)
    signer = fund["signer"]
    mixed = Key("EDDSA_ED25519")
    mixed.algorithm = "ECDSA_SECP256R1"
    with refused(BadRequestException):
        register(signer, mixed)
    assert keys(signer) == []
    for size in (0, 16):
        path = f"/v1/management/api_users/{user.id}/approval_keys?pageSize={size}"
        assert user.door.get(path).status == 400
    for unknown in (UNKNOWN, "x"):
        with refused(NotFoundException):
            user.sdk.approvals_beta.get_approval_keys(unknown).result()
    with refused(UnauthorizedException, -8):
        fund["editor"].sdk.approvals_beta.get_approval_keys(user.id).result()
    # One of two goes at once; the last one only with the quorum; refused, it stays.
    delete = user.sdk.approvals_beta.delete_approval_key
    first, last = (key.id for key in keys(user))
    assert delete(user.id, first).result().data.ccr_id_pending_deletion == ""
    assert [key.id for key in keys(user)] == [last]
    request = delete(user.id, last).result().data.ccr_id_pending_deletion
    assert keys(user)[0].status == "APPROVAL_API_KEY_STATUS_PENDING_DELETION"
    with refused(ConflictException):
        delete(user.id, last).result()
    assert by_people(fund, request, "reject") == "REJECTED"
    assert keys(user)[0].status == "APPROVAL_API_KEY_STATUS_ENABLED"
    request = fund["admin"].sdk.approvals_beta.delete_approval_key(user.id, last).result().data.ccr_id_pending_deletion
    assert request in approvals(fund["non-signing-admin"]), "also somebody else's"
    assert by_people(fund, request) == "APPROVED"
    assert keys(user) == []
    with refused(NotFoundException):
        delete(user.id, last).result()


def test_a_key_that_is_refused_is_gone(fund):
    user, key = fund["signer"], Key("RSA_PS256")
    request = register(user, key)
    assert by_people(fund, request, "reject") == "REJECTED"
    assert keys(user) == []


def test_what_people_alone_decide_on_is_not_shown(fund):
    """Users, groups and the like wait for the quorum, and not here."""
    new = {"firstName": "A", "lastName": "B", "email": "hidden@fund.example", "role": "VIEWER"}
    assert fund["admin"].door.post("/v1/management/users", new).status == 200
    everything = json.loads(fund.control("GET", "/quorum"))["requests"]
    (request,) = [r["id"] for r in everything if r["ask"]["type"] == "NEW_USER"]
    assert request not in approvals(fund["admin"], include_all_users=True)
    with refused(NotFoundException):
        one(fund["admin"], request)
    with refused(NotFoundException):
        fund["admin"].sdk.approvals_beta.reject_approval(request).result()
    fund.control("POST", f"/quorum/{request}/cancel")

"""What waits for the Admin Quorum: users, the threshold, one-time addresses, groups, devices."""

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest
from fireblocks.exceptions import (
    BadRequestException,
    ConflictException,
    ForbiddenException,
    NotFoundException,
    UnauthorizedException,
    UnprocessableEntityException,
)
from fireblocks.models.create_api_user import CreateAPIUser
from fireblocks.models.create_console_user import CreateConsoleUser
from fireblocks.models.set_ota_status_request import SetOtaStatusRequest
from fireblocks.models.user_group_create_request import UserGroupCreateRequest
from fireblocks.models.user_group_update_request import UserGroupUpdateRequest

from refusals import refused
from sandbox import Sandbox, User
from waiting import until

UNKNOWN = "1f6e1a3c-8e0a-4d53-9b0a-3a5a5c1f0001"


@pytest.fixture(scope="module")
def fund(manual):
    return manual.workspaces["mainnet"]


@pytest.fixture(scope="module")
def admin(fund):
    return fund["admin"].sdk


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A key and its CSR."""
    folder = tmp_path_factory.mktemp("csr")
    key, csr = folder / "user.key", folder / "user.csr"
    command = ["openssl", "req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", "/O=Acme"]
    subprocess.run([*command, "-keyout", key, "-out", csr], check=True, capture_output=True, timeout=120)
    return key, csr.read_text()


def quorum(fund):
    return json.loads(fund.control("GET", "/quorum"))


def waiting(fund, kind):
    """The one request of a kind that waits."""
    (request,) = [r for r in quorum(fund)["requests"] if r["ask"]["type"] == kind]
    return request


def say(fund, request, word, user=None):
    body = {} if user is None else {"user": user}
    return json.loads(fund.control("POST", f"/quorum/{request['id']}/{word}", body))["state"]


def refuses(fund, request, word, user, status):
    path = f"/workspaces/{fund.id}/quorum/{request['id']}/{word}"
    assert fund.sandbox.control("POST", path, {"user": user})[0] == status


def people(sdk):
    return {user.email: user for user in sdk.console_user.get_console_users().result().data.users}


def owner(fund):
    return people(fund["admin"].sdk)["owner@fund.example"].id


def person(sdk, email, role="APPROVER", **more):
    new = CreateConsoleUser(first_name="Ada", last_name="Test", email=email, role=role, **more)
    return sdk.console_user.create_console_user(create_console_user=new).result()


def put(user, path, value):
    return user.door.send("PUT", path, json.dumps(value).encode())


def test_a_person_comes_in(fund, admin):
    assert person(admin, "ada@fund.example").data is None
    ada = people(admin)["ada@fund.example"]
    assert (ada.status, ada.enabled, ada.role, ada.user_type) == ("PENDING_ACTIVATION", False, "APPROVER", "CONSOLE")
    request = waiting(fund, "NEW_USER")
    assert (request["threshold"], request["owner"]) == (2, owner(fund))
    # Two administrators are enough, but the owner must be one of those who say yes.
    assert say(fund, request, "approve", fund["admin"].id) == "PENDING"
    refuses(fund, request, "approve", fund["admin"].id, 409)
    refuses(fund, request, "approve", fund["editor"].id, 403)
    refuses(fund, request, "approve", UNKNOWN, 403)
    assert say(fund, request, "approve", fund["non-signing-admin"].id) == "PENDING"
    assert people(admin)["ada@fund.example"].status == "PENDING_ACTIVATION"
    assert say(fund, request, "approve", owner(fund)) == "APPROVED"
    refuses(fund, request, "reject", owner(fund), 409)
    assert people(admin)["ada@fund.example"].status == "PENDING_DEVICE_PAIRING"
    fund.control("POST", f"/users/{ada.id}/set_up_device")
    assert people(admin)["ada@fund.example"].status == "READY"
    assert ada.id in {user.id for user in admin.users.get_users().result().data}


def test_one_no_is_enough(fund, admin):
    person(admin, "no@fund.example", role="VIEWER")
    request = waiting(fund, "NEW_USER")
    assert say(fund, request, "approve", owner(fund)) == "PENDING"
    assert say(fund, request, "reject", fund["admin"].id) == "REJECTED"
    user = people(admin)["no@fund.example"]
    assert (user.status, user.enabled) == ("PENDING_ACTIVATION", False)
    path = f"/workspaces/{fund.id}/users/{user.id}/approve"
    assert fund.sandbox.control("POST", path)[0] == 409


def test_people_that_cannot_be(fund, admin):
    before = people(admin)
    for wrong in (
        {"email": "no address"}, {"email": "a@b"}, {"email": "OWNER@fund.example"}, {"role": "OWNER"},
        {"role": "KING"}, {"first_name": ""}, {"last_name": " "}, {"first_name": "x" * 256},
    ):
        wanted = {"first_name": "A", "last_name": "B", "email": "new@fund.example", "role": "VIEWER", **wrong}
        with refused(BadRequestException):
            admin.console_user.create_console_user(create_console_user=CreateConsoleUser(**wanted)).result()
    assert people(admin) == before
    with refused(UnauthorizedException, -8):
        person(fund["editor"].sdk, "new@fund.example")


def test_a_pairing_token_is_for_who_waits(fund, admin, made):
    key, csr = made
    request = CreateAPIUser(role="SIGNER", name="Pairs", csr_pem=csr)
    admin.api_user.create_api_user(create_api_user=request).result()
    users = {user.name: user for user in admin.api_user.get_api_users().result().data.users}
    token = admin.api_user.issue_api_user_pairing_token(users["Pairs"].id).result().data
    assert token.pairing_token and (token.id, token.name, token.status) == (users["Pairs"].id, "Pairs", "PENDING_ACTIVATION")
    other = admin.api_user.issue_api_user_pairing_token(users["Pairs"].id).result().data
    assert other.pairing_token != token.pairing_token
    with refused(ConflictException):
        admin.api_user.issue_api_user_pairing_token(fund["viewer"].id).result()
    for unknown in (UNKNOWN, "no-uuid", owner(fund)):
        with refused(NotFoundException):
            admin.api_user.issue_api_user_pairing_token(unknown).result()
    # The owner deletes it: it is let in no more, though the quorum would.
    fund.control("POST", f"/users/{users['Pairs'].id}/approve")
    paired = User.made(fund.sandbox, "SIGNER", users["Pairs"].id, key)
    assert paired.door.get("/v1/workspace").status == 200
    fund.control("DELETE", f"/users/{users['Pairs'].id}")
    answer = paired.door.get("/v1/workspace")
    assert (answer.status, answer.code) == (401, -7)
    users = {user.name: user for user in admin.api_user.get_api_users().result().data.users}
    assert users["Pairs"].enabled is False
    path = f"/workspaces/{fund.id}/users/{users['Pairs'].id}"
    assert fund.sandbox.control("DELETE", path)[0] == 409
    assert fund.sandbox.control("DELETE", f"/workspaces/{fund.id}/users/{owner(fund)}")[0] == 409
    assert fund.sandbox.control("DELETE", f"/workspaces/{fund.id}/users/{UNKNOWN}")[0] == 404


def test_a_person_is_deleted(fund, admin):
    person(admin, "gone@fund.example", role="SIGNER")
    gone = people(admin)["gone@fund.example"]
    fund.control("POST", f"/users/{gone.id}/approve")
    fund.control("POST", f"/users/{gone.id}/set_up_device")
    delete = admin.console_user.delete_console_user
    with refused(ForbiddenException, 2760):
        delete(gone.id).result()
    fund.control("PUT", "/quorum", {"deleteUsers": "ADMIN_QUORUM"})
    told = delete(gone.id).result()
    assert (told.status_code, told.data.id, told.data.enabled) == (202, gone.id, True)
    with refused(ConflictException):  # It is asked for already.
        delete(gone.id).result()
    request = waiting(fund, "DELETE_USER")
    assert request["approvedBy"] == [fund["admin"].id], "who asks has said yes"
    assert say(fund, request, "approve", owner(fund)) == "APPROVED"
    assert people(admin)["gone@fund.example"].enabled is False
    # Whom the policy names, and whom the quorum needs.
    named = people(admin)["treasurer@fund.example"].id
    with refused(ConflictException, says="USER_REFERENCED_IN_TAP"):
        delete(named).result()
    delete(named, force=True).result()
    assert say(fund, waiting(fund, "DELETE_USER"), "reject") == "REJECTED"
    assert people(admin)["treasurer@fund.example"].enabled is True
    for unknown in (UNKNOWN, "no-uuid", fund["viewer"].id):
        with refused(NotFoundException):
            delete(unknown).result()
    with refused(UnprocessableEntityException):
        delete(owner(fund)).result()
    fund.control("PUT", "/quorum", {"deleteUsers": "OWNER_ONLY"})


def test_the_threshold(fund, admin):
    assert quorum(fund)["settings"]["threshold"] == 2
    assert set(quorum(fund)["members"]) == {owner(fund), fund["admin"].id, fund["non-signing-admin"].id}
    for bad in (0, -1, 4, 1.5, "2", None):
        answer = put(fund["admin"], "/v1/admin_quorum", {"adminQuorumThreshold": bad})
        assert answer.status == 400, bad
    assert put(fund["admin"], "/v1/admin_quorum", {}).status == 400
    assert put(fund["viewer"], "/v1/admin_quorum", {"adminQuorumThreshold": 1}).code == -8
    person(admin, "before@fund.example", role="VIEWER")
    answer = put(fund["admin"], "/v1/admin_quorum", {"adminQuorumThreshold": 3})
    assert (answer.status, answer.json["message"]) == (202, "Admin quorum threshold request sent successfully.")
    assert put(fund["admin"], "/v1/admin_quorum", {"adminQuorumThreshold": 1}).status == 409
    request = waiting(fund, "THRESHOLD")
    assert request["approvedBy"] == [fund["admin"].id], "an API admin says yes to every threshold"
    assert say(fund, request, "approve", owner(fund)) == "APPROVED"
    assert quorum(fund)["settings"]["threshold"] == 3
    # What was asked for before keeps the threshold of that moment.
    earlier = waiting(fund, "NEW_USER")
    assert earlier["threshold"] == 2
    assert say(fund, earlier, "approve", owner(fund)) == "PENDING"
    assert say(fund, earlier, "approve", fund["admin"].id) == "APPROVED"
    put(fund["admin"], "/v1/admin_quorum", {"adminQuorumThreshold": 2})
    assert say(fund, waiting(fund, "THRESHOLD"), "approve") == "APPROVED"
    fund.control("PUT", "/quorum", {"threshold": "ALL"})
    person(admin, "all@fund.example", role="VIEWER")
    assert waiting(fund, "NEW_USER")["threshold"] == 3
    assert say(fund, waiting(fund, "NEW_USER"), "cancel") == "CANCELLED"
    for bad in (0, 4, "SOME"):
        path = f"/workspaces/{fund.id}/quorum"
        assert fund.sandbox.control("PUT", path, {"threshold": bad})[0] == 400, bad
    fund.control("PUT", "/quorum", {"threshold": 2})


def test_one_time_addresses(fund, admin):
    ota = admin.ota_beta
    assert ota.get_ota_status().result().data.enabled is True
    same = ota.set_ota_status(set_ota_status_request=SetOtaStatusRequest(enabled=True)).result()
    assert same.status_code == 202
    assert same.data.actual_instance.message == "No change needed. The current status is true"
    asked = ota.set_ota_status(set_ota_status_request=SetOtaStatusRequest(enabled=False)).result()
    assert (asked.status_code, asked.data.actual_instance) == (202, "Accepted")
    assert ota.get_ota_status().result().data.enabled is True
    with refused(ConflictException):
        ota.set_ota_status(set_ota_status_request=SetOtaStatusRequest(enabled=False)).result()
    transfer = {
        "assetId": "ETH", "amount": "0.01", "source": {"type": "VAULT_ACCOUNT", "id": "0"},
        "destination": {
            "type": "ONE_TIME_ADDRESS",
            "oneTimeAddress": {"address": "0x52908400098527886E0F7030069857D2E4169EE7"},
        },
    }
    signer = fund["signer"].door
    assert signer.post("/v1/transactions", transfer).status == 200, "not turned off yet"
    assert say(fund, waiting(fund, "ONE_TIME_ADDRESS"), "approve") == "APPROVED"
    assert ota.get_ota_status().result().data.enabled is False
    answer = signer.post("/v1/transactions", transfer)
    assert (answer.status, answer.code) == (400, 1409) and "One-time" in answer.json["message"]
    ota.set_ota_status(set_ota_status_request=SetOtaStatusRequest(enabled=True)).result()
    assert say(fund, waiting(fund, "ONE_TIME_ADDRESS"), "reject") == "REJECTED"
    assert ota.get_ota_status().result().data.enabled is False
    ota.set_ota_status(set_ota_status_request=SetOtaStatusRequest(enabled=True)).result()
    say(fund, waiting(fund, "ONE_TIME_ADDRESS"), "approve")
    assert signer.post("/v1/transactions", transfer).status == 200
    assert put(fund["admin"], "/v1/management/ota", {}).status == 400
    with refused(UnauthorizedException, -8):
        fund["signer"].sdk.ota_beta.get_ota_status().result()


def test_groups_wait(fund, admin):
    groups = admin.user_groups_beta
    people_of = [fund["signer"].id]
    new = UserGroupCreateRequest(group_name="Waits", member_ids=people_of)
    made = groups.create_user_group(new).result().data
    assert (made.status, made.member_ids) == ("PENDING_APPROVAL", people_of)
    with refused(ConflictException):
        groups.delete_user_group(made.id).result()
    assert say(fund, waiting(fund, "NEW_USER_GROUP"), "approve") == "APPROVED"
    assert groups.get_user_group(made.id).result().data.status == "ACTIVE"
    change = UserGroupUpdateRequest(group_name="Changed", member_ids=[fund["approver"].id])
    told = groups.update_user_group(made.id, change).result().data
    assert (told.name, told.status) == ("Changed", "PENDING_APPROVAL")
    now = groups.get_user_group(made.id).result().data
    assert (now.name, now.member_ids, now.status) == ("Waits", people_of, "ACTIVE")
    assert say(fund, waiting(fund, "USER_GROUP_CHANGE"), "approve") == "APPROVED"
    now = groups.get_user_group(made.id).result().data
    assert (now.name, now.member_ids) == ("Changed", [fund["approver"].id])
    groups.delete_user_group(made.id).result()
    assert groups.get_user_group(made.id).result().data.name == "Changed"
    assert say(fund, waiting(fund, "USER_GROUP_DELETION"), "reject") == "REJECTED"
    groups.delete_user_group(made.id).result()
    assert say(fund, waiting(fund, "USER_GROUP_DELETION"), "approve") == "APPROVED"
    with refused(NotFoundException):
        groups.get_user_group(made.id).result()
    refused_one = groups.create_user_group(new).result().data
    assert say(fund, waiting(fund, "NEW_USER_GROUP"), "reject") == "REJECTED"
    with refused(NotFoundException):
        groups.get_user_group(refused_one.id).result()


def test_a_device_is_reset(fund, admin):
    ada = people(admin)["ada@fund.example"]
    reset = admin.reset_device.reset_device
    assert reset(ada.id).result().data is None
    assert people(admin)["ada@fund.example"].status == "READY"
    assert say(fund, waiting(fund, "DEVICE_RESET"), "approve") == "APPROVED"
    assert people(admin)["ada@fund.example"].status == "PENDING_DEVICE_PAIRING"
    fund.control("POST", f"/users/{ada.id}/set_up_device")
    assert people(admin)["ada@fund.example"].status == "READY"
    path = f"/workspaces/{fund.id}/users/{ada.id}/set_up_device"
    assert fund.sandbox.control("POST", path)[0] == 409
    for unknown in (UNKNOWN, "no-uuid", fund["viewer"].id):
        with refused(NotFoundException):
            reset(unknown).result()
    with refused(BadRequestException):
        reset(people(admin)["no@fund.example"].id).result()


def test_an_address_that_is_taken_off_waits_no_longer(fund):
    api = fund["editor"].door
    wallet = api.post("/v1/external_wallets", {"name": "Taken off"}).json["id"]
    body = {"address": "0x52908400098527886E0F7030069857D2E4169EE7"}
    assert api.post(f"/v1/external_wallets/{wallet}/ETH", body).json["status"] == "WAITING_FOR_APPROVAL"
    request = waiting(fund, "WHITELIST_ADDRESS")
    assert request["owner"] is None
    assert say(fund, request, "approve", fund["admin"].id) == "PENDING"
    assert api.send("DELETE", f"/v1/external_wallets/{wallet}/ETH").status == 201
    refuses(fund, request, "approve", owner(fund), 409)
    api.post(f"/v1/external_wallets/{wallet}/ETH", body)
    assert json.loads(fund.control("POST", f"/wallets/{wallet}/reject"))["decided"] == 1
    assert api.get(f"/v1/external_wallets/{wallet}").json["assets"][0]["status"] == "REJECTED"
    assert json.loads(fund.control("POST", f"/wallets/{wallet}/approve"))["decided"] == 0


def test_members_at_once(fund):
    """Of many at the same moment each counts once, and the request is decided once."""
    api = fund["editor"].door
    wallet = api.post("/v1/external_wallets", {"name": "At once"}).json["id"]
    body = {"address": "0x52908400098527886E0F7030069857D2E4169EE7"}
    api.post(f"/v1/external_wallets/{wallet}/ETH", body)
    request = waiting(fund, "WHITELIST_ADDRESS")
    path = f"/workspaces/{fund.id}/quorum/{request['id']}/approve"
    members = [fund["admin"].id, fund["non-signing-admin"].id, owner(fund)] * 4
    with ThreadPoolExecutor(12) as at_once:
        said = list(at_once.map(lambda who: fund.sandbox.control("POST", path, {"user": who})[0], members))
    assert sorted(set(said)) == [200, 409] and said.count(200) == 2
    assert api.get(f"/v1/external_wallets/{wallet}").json["assets"][0]["status"] == "APPROVED"


def test_what_nobody_decides_on_expires(tmp_path):
    sandbox = Sandbox(tmp_path, "--manual")
    try:
        fund = sandbox.workspaces["testnet"]
        sdk = fund["admin"].sdk
        new = UserGroupCreateRequest(group_name="Late", member_ids=[])
        late = sdk.user_groups_beta.create_user_group(new).result().data
        request = waiting(fund, "NEW_USER_GROUP")
        assert sandbox.control("POST", "/clock/advance", {"millis": 7 * 86_400_000})[0] == 200
        until("it expires", lambda: quorum(fund)["requests"] == [])
        refuses(fund, request, "approve", owner(fund), 409)
        with refused(NotFoundException):
            sdk.user_groups_beta.get_user_group(late.id).result()
    finally:
        sandbox.stop()


def test_what_waits_is_there_after_kill_9(tmp_path):
    sandbox = Sandbox(tmp_path, "--manual", data=tmp_path / "kept")
    try:
        person(sandbox.workspaces["mainnet"]["admin"].sdk, "kept@fund.example", role="VIEWER")
        request = waiting(sandbox.workspaces["mainnet"], "NEW_USER")
        say(sandbox.workspaces["mainnet"], request, "approve", sandbox.workspaces["mainnet"]["admin"].id)
        sandbox.kill()
        sandbox = Sandbox(tmp_path, "--manual", data=tmp_path / "kept")
        fund = sandbox.workspaces["mainnet"]
        again = waiting(fund, "NEW_USER")
        assert again["approvedBy"] == [fund["admin"].id]
        assert say(fund, again, "approve", owner(fund)) == "APPROVED"
        assert people(fund["admin"].sdk)["kept@fund.example"].status == "READY"
    finally:
        sandbox.stop()


def test_a_frozen_workspace(tmp_path):
    sandbox = Sandbox(tmp_path, "--manual")
    try:
        fund = sandbox.workspaces["mainnet"]
        sdk, editor = fund["admin"].sdk, fund["editor"].door
        status = lambda: sdk.workspace_status_beta.get_workspace_status().result().data.status
        assert status() == "ACTIVE"
        transfer = {
            "assetId": "ETH", "amount": "0.01", "source": {"type": "VAULT_ACCOUNT", "id": "0"},
            "destination": {"type": "VAULT_ACCOUNT", "id": "1"},
        }
        before = editor.post("/v1/transactions", transfer).json["id"]
        assert editor.send("POST", "/v1/workspace/freeze").code == -8
        assert fund["admin"].door.send("POST", "/v1/workspace/freeze").status == 204
        assert status() == "FROZEN"
        answer = editor.post("/v1/transactions", transfer)
        assert answer.status == 403 and "frozen" in answer.json["message"]
        assert fund["admin"].door.post("/v1/vault/accounts", {"name": "In frost"}).status == 403
        assert editor.send("POST", f"/v1/transactions/{before}/cancel").status == 403
        path = f"/workspaces/{fund.id}/transactions/{before}/approve"
        assert sandbox.control("POST", path, {})[0] == 403
        # Reads are answered, and what comes in arrives.
        assert editor.get(f"/v1/transactions/{before}").status == 200
        incoming = {"vaultAccountId": "3", "assetId": "BTC", "amount": "0.5"}
        arrived = json.loads(fund.control("POST", "/incoming", incoming))["id"]
        def done():
            fund.control("POST", "/mine")
            return editor.get(f"/v1/transactions/{arrived}").json["status"] == "COMPLETED"
        until("it arrives", done)
        assert fund["admin"].door.send("POST", "/v1/workspace/freeze").status == 204
        fund.control("POST", "/unfreeze")
        assert status() == "ACTIVE"
        assert editor.post("/v1/transactions", transfer).status == 200
    finally:
        sandbox.stop()


def test_by_itself_the_quorum_says_yes_at_once(lively):
    fund = lively.workspaces["testnet"]
    admin = fund["admin"].sdk
    person(admin, "quick@fund.example", role="SIGNER")
    assert people(admin)["quick@fund.example"].status == "READY"
    admin.reset_device.reset_device(people(admin)["quick@fund.example"].id).result()
    assert people(admin)["quick@fund.example"].status == "READY", "the person sets it up again"
    assert put(fund["admin"], "/v1/admin_quorum", {"adminQuorumThreshold": 1}).status == 202
    assert quorum(fund)["settings"]["threshold"] == 1 and quorum(fund)["requests"] == []
    request = SetOtaStatusRequest(enabled=False)
    admin.ota_beta.set_ota_status(set_ota_status_request=request).result()
    assert admin.ota_beta.get_ota_status().result().data.enabled is False

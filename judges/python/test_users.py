"""Users, API users made from CSRs, IP lists, the workspace, approvals, and who may ask."""

import json
import subprocess
import urllib.request

import pytest
from fireblocks.exceptions import (
    BadRequestException,
    NotFoundException,
    ServiceException,
    UnauthorizedException,
)
from fireblocks.models.create_api_user import CreateAPIUser

from refusals import refused
from sandbox import User
from waiting import until

ROLES = {
    "admin": "ADMIN",
    "non-signing-admin": "NON_SIGNING_ADMIN",
    "signer": "SIGNER",
    "approver": "APPROVER",
    "editor": "EDITOR",
    "viewer": "VIEWER",
    "auditor": "AUDITOR",
}


@pytest.fixture(scope="module")
def fund(lively):
    return lively.workspaces["mainnet"]


@pytest.fixture(scope="module")
def admin(fund):
    return fund["admin"].sdk


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=120)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A key and its CSR, made as Fireblocks' page tells people to (2048 bits: quicker)."""
    folder = tmp_path_factory.mktemp("csr")
    key, csr = folder / "fireblocks_secret.key", folder / "fireblocks.csr"
    openssl("req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", csr, "-subj", "/O=Acme")
    return key, csr.read_text()


def api_users(sdk):
    return {user.name: user for user in sdk.api_user.get_api_users().result().data.users}


def create(sdk, name, csr, role="VIEWER", key=None):
    request = CreateAPIUser(role=role, name=name, csr_pem=csr)
    return sdk.api_user.create_api_user(create_api_user=request, idempotency_key=key).result()


def test_users_of_each_kind(fund, admin):
    everybody = admin.users.get_users().result().data
    people = admin.console_user.get_console_users().result().data.users
    machines = api_users(admin)
    assert {user.id for user in everybody} == {u.id for u in people} | {u.id for u in machines.values()}
    assert {name: user.role.value for name, user in machines.items()} == ROLES
    assert all(user.user_type == "API" and user.status == "READY" for user in machines.values())
    assert all(user.user_type == "CONSOLE" and "@" in user.email for user in people)
    assert {name: user.id for name, user in machines.items()} == {n: fund[n].id for n in ROLES}


def test_an_api_user_from_a_csr(lively, fund, admin, made):
    key_file, csr = made
    assert create(admin, "Acme accounting", csr).data is None, "the quorum decides: no id comes back"
    user = until("the new user", lambda: api_users(admin).get("Acme accounting"))
    assert (user.role, user.status, user.enabled) == ("VIEWER", "READY", True)
    acme = User.made(lively, "VIEWER", user.id, key_file)
    try:
        assert acme.sdk.vaults.get_vault_account("0").result().data.name == "Treasury"
        with refused(UnauthorizedException, -8):
            acme.sdk.transactions.cancel_transaction("x").result()
    finally:
        acme.close()
    # Its key is its own: with it nobody else comes in.
    assert fund["editor"].door.get("/v1/workspace", token=acme.door.token("/v1/workspace")).code == -6


def test_api_users_that_cannot_be(admin, made, tmp_path):
    key_file, csr = made
    before = api_users(admin)
    body = csr.split("\n")
    cut = "\n".join(body[:2] + [body[2][::-1]] + body[3:])
    small, curve, small_key = tmp_path / "small.csr", tmp_path / "ec.csr", tmp_path / "key"
    openssl("req", "-new", "-newkey", "rsa:1024", "-nodes", "-keyout", small_key, "-out", small, "-subj", "/O=A")
    openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", small_key, "-out", curve, "-subj", "/O=A")  # fmt: skip
    for text in (cut, small.read_text(), curve.read_text(), key_file.read_text(), "", "no PEM at all"):
        with refused(BadRequestException):
            create(admin, "Never", text)
    for name, role in (("", "VIEWER"), ("x" * 31, "VIEWER")):
        with refused(BadRequestException):
            create(admin, name, csr, role)
    assert api_users(admin) == before


def test_the_private_half_is_in_no_answer(fund, made):
    key_file, _ = made
    private = key_file.read_text()
    request = {"role": "VIEWER", "name": "Oops", "csrPem": private}
    answer = fund["admin"].door.post("/v1/management/api_users", request)
    assert answer.status == 400
    assert not any(line in answer.body.decode() for line in private.split("\n")[1:-2])


def test_the_quorum_takes_its_time(manual, made):
    key_file, csr = made
    fund = manual.workspaces["testnet"]
    sdk = fund["admin"].sdk
    create(sdk, "Waiting", csr)
    user = api_users(sdk)["Waiting"]
    assert user.status == "PENDING_ACTIVATION"
    waiting = User.made(manual, "VIEWER", user.id, key_file)
    refused_as = waiting.door.get("/v1/workspace")
    assert (refused_as.status, refused_as.code) == (401, -7)
    fund.control("POST", f"/users/{user.id}/approve")
    assert api_users(sdk)["Waiting"].status == "READY"
    assert waiting.door.get("/v1/workspace").json["id"] == fund.id


def test_an_ip_list(fund, admin):
    ask = admin.whitelist_ip_addresses.get_whitelist_ip_addresses
    viewer = fund["auditor"]
    assert ask(viewer.id).result().data.whitelisted_ips is None
    assert viewer.door.get("/v1/workspace").status == 200
    fund.control("PUT", f"/users/{viewer.id}/ip_addresses", {"addresses": ["203.0.113.7"]})
    told = ask(viewer.id).result().data
    assert (told.user_id, told.whitelisted_ips) == (viewer.id, ["203.0.113.7"])
    foreign = viewer.door.get("/v1/workspace")
    stranger = viewer.door.get(
        "/v1/workspace",
        headers=[
            ("X-API-Key", "1f6e1a3c-8e0a-4d53-9b0a-3a5a5c1f0001"),
            ("Authorization", f"Bearer {viewer.door.token('/v1/workspace')}"),
        ],
    )
    assert (foreign.status, foreign.code) == (401, -7)
    assert foreign.body == stranger.body, "a foreign address is told what a stranger is told"
    listed = {"addresses": ["203.0.113.7", "127.0.0.1"]}
    fund.control("PUT", f"/users/{viewer.id}/ip_addresses", listed)
    assert viewer.door.get("/v1/workspace").status == 200
    for unknown in ("1f6e1a3c-8e0a-4d53-9b0a-3a5a5c1f0001", "no-uuid"):
        with refused(NotFoundException, says="NOT_FOUND"):
            ask(unknown).result()


def test_the_workspace(fund, seeded):
    for name in ROLES:
        told = fund[name].sdk.workspace.get_workspace().result().data
        assert told.id == fund.id and told.name
    other = seeded.workspaces["testnet"]
    assert other["viewer"].sdk.workspace.get_workspace().result().data.id == other.id != fund.id


def test_approvals_tell_who_may_approve(fund):
    for name in ("admin", "non-signing-admin", "signer", "approver"):
        answer = fund[name].sdk.approvals_beta.get_approvals().result().data
        assert answer.data == [] and not answer.next
    for name in ("editor", "viewer", "auditor"):
        with refused(UnauthorizedException, -8):
            fund[name].sdk.approvals_beta.get_approvals().result()


def test_who_may_see_users(fund):
    for name in ("signer", "approver", "editor", "viewer", "auditor"):
        for path in ("/v1/users", "/v1/management/users", "/v1/management/api_users"):
            answer = fund[name].door.get(path)
            assert (answer.status, answer.code) == (401, -8), (name, path)
        assert fund[name].door.get("/v1/webhooks").code == -8


def test_the_webhook_keys(lively):
    with urllib.request.urlopen(lively.jwks_url, timeout=30) as answer:
        keys = json.loads(answer.read())["keys"]
        assert answer.headers["Content-Type"].startswith("application/json")
        assert "max-age" in answer.headers["Cache-Control"]
    for key in keys:
        assert (key["kty"], key["alg"], key["use"]) == ("RSA", "RS512", "sig")
        assert key["kid"] and key["n"] and key["e"] == "AQAB" and "d" not in key


def test_what_is_not_served_says_so(fund):
    for method, path, operation in (
        ("GET", "/v1/smart-transfers/settings/user-groups", "getSmartTransferUserGroups"),
        ("POST", "/v1/tokenization/collections", "createNewCollection"),
    ):
        answer = fund["admin"].door.send(method, path)
        assert answer.status == 501 and operation in answer.json["message"], answer.body
    with refused(ServiceException, says="getSmartTransferUserGroups"):
        fund["admin"].sdk.smart_transfer.get_smart_transfer_user_groups().result()
    for method, path in (("GET", "/v1/nothing"), ("DELETE", "/v1/workspace"), ("GET", "/v1/")):
        assert fund["admin"].door.send(method, path).status == 404

"""Workspaces by one call: made, many at once, kept as they were, gone back to, taken away."""

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from fireblocks.exceptions import UnauthorizedException

from door import Door
from fresh import Fresh, fresh
from money import follow, holding, propose
from sandbox import Sandbox

HOUR = 3_600_000


def accounts(user):
    page = user.sdk.vaults.get_paged_vault_accounts(limit=500).result().data
    return {account.id: account.to_dict() for account in page.accounts}


def whole(user):
    """What a workspace shows: accounts, transactions, lists."""
    door = user.door
    paths = [
        "/v1/vault/accounts_paged?limit=500",
        "/v1/transactions?limit=500&after=0",
        "/v1/external_wallets",
        "/v1/internal_wallets",
        "/v1/tags",
        "/v1/vault/assets",
    ]
    return {path: door.get(path).body for path in paths}


def make_account(user, name):
    from fireblocks.models.create_vault_account_request import CreateVaultAccountRequest

    body = CreateVaultAccountRequest(name=name)
    return user.sdk.vaults.create_vault_account(create_vault_account_request=body).result().data


def test_a_fresh_fund_is_a_workspace_of_its_own(lively):
    one, other = fresh(lively, name="One"), fresh(lively)
    assert one.id != other.id and (one.name, other.name) == ("One", "Example Fund")
    assert {user.id for user in one.users.values()}.isdisjoint(user.id for user in other.users.values())
    assert set(one.users) == set(lively.workspaces["mainnet"].users)
    for workspace in (one, other):
        shown = workspace["admin"].door.get("/v1/workspace").json
        assert (shown["id"], shown["name"]) == (workspace.id, workspace.name)
        listed = workspace["admin"].sdk.users.get_users().result().data
        ids = {user.id for user in listed if user.role != "OWNER"}
        assert {user.id for user in workspace.users.values()} <= ids | {u.id for u in listed}
    assert len(accounts(one["viewer"])) == 36
    assert accounts(one["viewer"]) == accounts(other["viewer"]), "the same fund"
    made = make_account(one["editor"], "Only here")
    assert made.id in accounts(one["viewer"]) and made.id not in accounts(other["viewer"])
    before = holding(one["viewer"], 1, "SOL").available
    done = follow(one["editor"], propose(one["editor"], "SOL", "0.5", 0, 1))
    assert done.status == "COMPLETED" and done.created_by == one["editor"].id
    assert holding(one["viewer"], 1, "SOL").available - before == Decimal("0.5")
    assert holding(other["viewer"], 1, "SOL").available == before
    key = one["viewer"]
    one.gone()
    assert key.door.get("/v1/vault/accounts_paged").status == 401
    with pytest.raises(UnauthorizedException):
        key.sdk.vaults.get_paged_vault_accounts().result()
    assert lively.control("GET", f"/workspaces/{one.id}")[0] == 404
    other.gone()


def test_empty_and_testnet(lively):
    empty = fresh(lively, **{"from": {"empty": "mainnet"}})
    assert accounts(empty["viewer"]) == {} and empty.name == "Empty Workspace"
    assert empty["viewer"].door.get("/v1/transactions").json == []
    assert len(empty["admin"].door.get("/v1/supported_assets").json) >= 10
    first = make_account(empty["editor"], "First")
    assert first.id == "0"
    test = fresh(lively, **{"from": {"fund": "testnet"}})
    held = {asset["id"] for account in accounts(test["viewer"]).values() for asset in account["assets"]}
    assert any("TEST" in asset for asset in held)
    for workspace in (empty, test):
        workspace.gone()


def test_fifty_at_once_each_used(lively):
    def story(number):
        workspace = fresh(lively, name=f"Test {number}")
        try:
            editor = workspace["editor"]
            made = make_account(editor, f"Account {number}")
            mine = [a for a in accounts(editor).values() if a["name"].startswith("Account ")]
            assert [(a["id"], a["name"]) for a in mine] == [(made.id, f"Account {number}")]
            answer = editor.door.post(
                "/v1/transactions",
                {
                    "assetId": "SOL",
                    "amount": "0.25",
                    "source": {"type": "VAULT_ACCOUNT", "id": "0"},
                    "destination": {"type": "VAULT_ACCOUNT", "id": "1"},
                    "externalTxId": "the same in all",
                },
            )
            assert answer.status == 200, answer.body
            return workspace.id
        finally:
            workspace.gone()

    with ThreadPoolExecutor(max_workers=50) as pool:
        ids = list(pool.map(story, range(50)))
    assert len(set(ids)) == 50
    left = json.loads(lively.control("GET", "/workspaces")[1])["data"]
    assert {workspace["id"] for workspace in left}.isdisjoint(ids)


def test_back_to_a_snapshot_and_to_the_beginning(lively):
    workspace = fresh(lively)
    viewer, editor = workspace["viewer"], workspace["editor"]
    begun = whole(viewer)
    first = make_account(editor, "Before the snapshot")
    workspace.ask("POST", "/snapshots", {"name": "ready"}, status=201)
    kept = whole(viewer)
    second = make_account(editor, "After it")
    follow(editor, propose(editor, "SOL", "0.5", 0, 1))
    assert whole(viewer) != kept
    assert [s["name"] for s in workspace.ask("GET", "/snapshots")["data"]] == ["ready"]
    workspace.ask("POST", "/snapshots/ready/restore")
    assert whole(viewer) == kept
    again = make_account(editor, "After it")
    assert again.id == second.id, "what comes next comes again"

    copy = fresh(lively, name="Copy", **{"from": {"snapshot": {"workspace": workspace.id, "name": "ready"}}})
    assert accounts(copy["viewer"])[first.id]["name"] == "Before the snapshot"
    assert again.id not in accounts(copy["viewer"])
    made = make_account(copy["editor"], "In the copy")
    copy.ask("POST", "/reset")
    assert made.id not in accounts(copy["viewer"]) and first.id in accounts(copy["viewer"])

    workspace.ask("POST", "/reset")
    assert whole(viewer) == begun
    workspace.ask("DELETE", "/snapshots/ready", status=204)
    assert copy.ask("POST", "/reset", status=409)["message"]
    workspace.ask("POST", "/snapshots/ready/restore", status=404)
    for each in (workspace, copy):
        each.gone()


def test_users_that_were_made_come_and_go_with_it(lively, tmp_path):
    workspace = fresh(lively)
    admin = workspace["admin"]
    workspace.ask("POST", "/snapshots", {"name": "few"}, status=201)
    key, csr = tmp_path / "secret.key", tmp_path / "request.csr"
    new = ["req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", "/O=Acme"]
    subprocess.run(["openssl", *new, "-keyout", key, "-out", csr], check=True, capture_output=True)
    answer = admin.door.post("/v1/management/api_users", {"role": "VIEWER", "name": "guest", "csrPem": csr.read_text()})
    assert answer.status == 200, answer.body
    users = admin.door.get("/v1/management/api_users").json["users"]
    guest = next(user for user in users if user["name"] == "guest")
    workspace.ask("POST", "/snapshots", {"name": "many"}, status=201)

    def comes_in(api_key):
        return Door(lively.origin, api_key, key.read_text()).get("/v1/vault/accounts_paged").status

    assert comes_in(guest["id"]) == 200
    workspace.ask("POST", "/snapshots/few/restore")
    assert comes_in(guest["id"]) == 401
    workspace.ask("POST", "/snapshots/many/restore")
    assert comes_in(guest["id"]) == 200
    copy = fresh(lively, **{"from": {"snapshot": {"workspace": workspace.id, "name": "many"}}})
    listed = copy["admin"].door.get("/v1/management/api_users").json["users"]
    theirs = next(user for user in listed if user["name"] == "guest")
    assert theirs["id"] != guest["id"] and comes_in(theirs["id"]) == 200
    workspace.gone()
    assert comes_in(guest["id"]) == 401 and comes_in(theirs["id"]) == 200
    copy.gone()


def test_what_cannot_be(lively):
    def status(method, path, body=None):
        return lively.control(method, path, body)[0]

    own = lively.workspaces["mainnet"]
    assert status("DELETE", f"/workspaces/{own.id}") == 409
    nobody = "1f6e1a3c-8e0a-4d53-9b0a-3a5a5c1f0001"
    assert status("DELETE", f"/workspaces/{nobody}") == 404
    assert status("POST", f"/workspaces/{nobody}/reset") == 404
    for bad in (
        {"name": ""},
        {"name": "x" * 101},
        {"name": 5},
        {"from": "fund"},
        {"from": {"fund": "moon"}},
        {"from": {"fund": "mainnet", "empty": "mainnet"}},
        {"clock": {"at": "yesterday"}},
        {"clock": {"at": -1}},
        {"surprise": True},
        [],
    ):
        assert status("POST", "/workspaces", bad) == 400, bad
    missing = {"from": {"snapshot": {"workspace": own.id, "name": "never taken"}}}
    assert status("POST", "/workspaces", missing) == 404
    for bad in ({}, {"name": " "}, {"name": "x" * 101}):
        assert status("POST", f"/workspaces/{own.id}/snapshots", bad) == 400, bad


def test_they_are_there_again_after_kill(tmp_path):
    file = tmp_path / "sandbox.db"
    first = Sandbox(tmp_path, data=file)
    kept = fresh(first, name="Kept", clock={"at": "2024-02-29T12:00:00Z", "frozen": True})
    gone = fresh(first, name="Gone")
    made = make_account(kept["editor"], "Kept, too")
    kept.ask("POST", "/snapshots", {"name": "one"}, status=201)
    kept.ask("POST", "/clock/advance", {"millis": HOUR})
    make_account(kept["editor"], "Taken back")
    gone.gone()
    shown, clock = whole(kept["viewer"]), kept.ask("GET", "/clock")
    first.kill()
    again = Sandbox(tmp_path, data=file)
    try:
        assert gone.id not in again.by_id
        back = again.by_id[kept.id]
        assert whole(back["viewer"]) == shown
        told = json.loads(again.control("GET", f"/workspaces/{kept.id}")[1])
        same = Fresh(again, told)
        assert same.name == "Kept" and same.ask("GET", "/clock") == clock
        same.ask("POST", "/snapshots/one/restore")
        assert list(accounts(same["viewer"]))[0] == made.id
        same.ask("POST", "/reset")
        assert made.id not in accounts(same["viewer"])
        assert len(fresh(again).users) == len(kept.users)
    finally:
        again.stop()

"""A workspace's clock: frozen, set, moved on; what is stored follows it, tokens do not."""

import json
import time
from email.utils import parsedate_to_datetime

import pytest

from fresh import fresh
from money import propose
from sandbox import Sandbox
from test_control_workspaces import make_account

HOUR = 3_600_000
PAST, FUTURE = 1_709_208_000_000, 4_102_444_800_000


def date(user):
    answer = user.door.get("/v1/vault/accounts_paged?limit=1")
    assert answer.status == 200
    return parsedate_to_datetime(answer.headers["Date"]).timestamp() * 1_000


@pytest.mark.parametrize("at", [PAST, FUTURE])
def test_the_official_client_at_a_frozen_workspace(manual, at):
    """Tokens are judged by the world's clock, and all that is stored by the workspace's."""
    workspace = fresh(manual, clock={"at": at, "frozen": True})
    editor = workspace["editor"]
    assert workspace.ask("GET", "/clock") == {"now": at, "frozen": True}
    assert date(editor) == at
    sdk = editor.sdk.transactions
    seeded = sdk.get_transactions(after="0", limit=500).result().data
    assert seeded and all(at - 366 * 24 * HOUR <= t.created_at <= at for t in seeded)
    first, second = (propose(editor, "SOL", "0.5", 0, 1) for _ in range(2))
    shown = [sdk.get_transaction(each).result().data for each in (first, second)]
    assert at <= shown[0].created_at < shown[1].created_at < at + 1_000
    assert make_account(editor, "Frozen").name == "Frozen"
    # The last 90 days are those of the workspace.
    assert {first, second} <= {t.id for t in sdk.get_transactions().result().data}
    late = int(time.time()) - 100
    assert editor.door.get("/v1/vault/accounts_paged", iat=late, exp=late + 55).code == -10
    in_it = at // 1_000
    assert editor.door.get("/v1/vault/accounts_paged", iat=in_it, exp=in_it + 55).status == 401
    workspace.gone()


def test_each_change_is_later_than_the_last_also_when_frozen(manual):
    workspace = fresh(manual, clock={"at": PAST, "frozen": True})
    editor = workspace["editor"]
    made = [propose(editor, "SOL", "0.01", 0, 1) for _ in range(20)]
    at = [editor.door.get(f"/v1/transactions/{each}").json["createdAt"] for each in made]
    assert all(earlier < later for earlier, later in zip(at, at[1:]))
    now = workspace.ask("GET", "/clock")["now"]
    assert at[-1] <= now < PAST + 1_000, "no time has passed but that of the changes"
    workspace.gone()


def test_it_is_moved_by_hand(lively):
    workspace = fresh(lively)
    ask = lambda act, status=200, **body: workspace.ask("POST", f"/clock/{act}", body, status)
    frozen = ask("freeze")
    assert frozen["frozen"] and ask("advance", millis=0)["now"] == frozen["now"]
    assert ask("advance", millis=HOUR)["now"] == frozen["now"] + HOUR
    assert ask("set", at=FUTURE) == {"now": FUTURE, "frozen": True}
    made = propose(workspace["editor"], "SOL", "0.1", 0, 1)
    created = workspace["editor"].door.get(f"/v1/transactions/{made}").json["createdAt"]
    assert FUTURE <= created < FUTURE + 1_000
    early = ask("set", 409, at="2020-01-01T00:00:00Z")["message"]
    assert "last change" in early
    running = ask("unfreeze")
    assert not running["frozen"] and running["now"] >= FUTURE
    for act, body, status in (
        ("freeze", {"at": 5}, 409),
        ("set", {}, 400),
        ("set", {"at": "soon"}, 400),
        ("advance", {}, 400),
        ("advance", {"millis": -1}, 400),
        ("advance", {"millis": 10**15}, 400),
        ("advance", {"millis": 1, "at": FUTURE}, 400),
        ("stop", {}, 404),
    ):
        ask(act, status, **body)
    others = lively.workspaces["mainnet"].control("GET", "/clock")
    assert json.loads(others)["now"] < FUTURE, "every workspace has its own"
    workspace.gone()


def walk(user, control):
    """Calls of many kinds, one after another; every answer."""
    door, answers = user.door, []

    def take(answer):
        answers.append((answer.status, answer.body, answer.headers["Date"]))
        return answer.json if answer.body else None

    account = take(door.post("/v1/vault/accounts", {"name": "Walk"}))["id"]
    take(door.post(f"/v1/vault/accounts/{account}/SOL", {}))
    take(door.get(f"/v1/vault/accounts/{account}/SOL/addresses_paginated"))
    answers.append(control("/incoming", {"vaultAccountId": account, "assetId": "SOL", "amount": "3"}))
    for _ in range(4):
        answers.append(control("/mine", {}))
    wallet = take(door.post("/v1/external_wallets", {"name": "Payee"}))
    take(door.get(f"/v1/external_wallets/{wallet['id']}"))
    sent = {
        "assetId": "SOL",
        "amount": "0.5",
        "source": {"type": "VAULT_ACCOUNT", "id": "0"},
        "destination": {"type": "VAULT_ACCOUNT", "id": account},
    }
    made = take(door.post("/v1/transactions", sent))["id"]
    take(door.get(f"/v1/transactions/{made}"))
    for act in ("approve", "sign"):
        answers.append(control(f"/transactions/{made}/{act}", {}))
        take(door.get(f"/v1/transactions/{made}"))
    for _ in range(6):
        answers.append(control("/mine", {}))
    assert take(door.get(f"/v1/transactions/{made}"))["status"] == "COMPLETED"
    answers.append(control("/clock/advance", {"millis": 60_000}))
    take(door.post("/v1/transactions", {**sent, "amount": "1e9"}))
    take(door.get("/v1/transactions?limit=500&after=0"))
    take(door.get("/v1/vault/accounts_paged?limit=500"))
    take(door.get("/v1/vault/assets"))
    return answers


def test_the_same_calls_give_the_same_bytes(tmp_path):
    """In two processes: with a seed, nobody who acts by themselves, and a frozen clock."""
    told = []
    for run in ("one", "two"):
        folder = tmp_path / run
        folder.mkdir()
        sandbox = Sandbox(folder, "--seed", "7", "--manual", "--frozen-at", "2025-06-30T12:00:00Z")
        try:
            own, made = sandbox.workspaces["mainnet"], fresh(sandbox, name="Walk")
            answers = [
                walk(each["editor"], lambda path, body, each=each: each.sandbox.control(
                    "POST", f"/workspaces/{each.id}{path}", body))
                for each in (own, made)
            ]
            told.append((own.id, made.id, answers))
        finally:
            sandbox.stop()
    assert told[0] == told[1]
    assert "2025" in told[0][2][0][0][2], "the Date header shows the workspace's time"

"""What goes wrong on purpose, as a client of the API meets it."""

import http.client
import time

import pytest
import urllib3
from fireblocks.exceptions import ApiException

from fresh import fresh
from money import propose

LIST = "/v1/vault/accounts_paged?limit=1"


@pytest.fixture(scope="module")
def fund(lively):
    workspace = fresh(lively, name="Faults")
    yield workspace
    workspace.gone()


@pytest.fixture(autouse=True)
def cleared(fund):
    yield
    fund.ask("DELETE", "/faults", status=204)


def plan(fund, fault, **on):
    return fund.ask("POST", "/faults", {"fault": fault, **on}, status=201)


def sent(amount, external_tx_id=None):
    body = {
        "assetId": "SOL",
        "amount": amount,
        "source": {"type": "VAULT_ACCOUNT", "id": "0"},
        "destination": {"type": "VAULT_ACCOUNT", "id": "1"},
    }
    return {**body, "externalTxId": external_tx_id} if external_tx_id else body


def test_latency(fund):
    plan(fund, {"latency": {"millis": 700}}, operation="getPagedVaultAccounts", times=1)
    began = time.monotonic()
    assert fund["viewer"].door.get(LIST).status == 200
    assert time.monotonic() - began >= 0.7
    assert fund.ask("GET", "/faults") == {"data": []}


def test_too_many_requests_and_internal_errors(fund):
    editor = fund["editor"]
    plan(fund, {"too_many_requests": {"retry_after": 17}}, path="/v1/vault/*", times=2)
    for _ in range(2):
        answer = editor.door.get(LIST)
        assert (answer.status, answer.headers["Retry-After"]) == (429, "17")
    assert editor.door.get(LIST).status == 200
    plan(fund, "internal_error", method="POST", path="/v1/transactions")
    for _ in range(3):
        assert editor.door.post("/v1/transactions", sent("0.1")).status == 500
        with pytest.raises(ApiException) as caught:
            propose(editor, "SOL", "0.1", 0, 1)
        assert caught.value.status == 500
    assert editor.door.get(LIST).status == 200, "other calls go as ever"
    before = editor.door.get("/v1/transactions?limit=1").json[0]["id"]
    fund.ask("DELETE", "/faults", status=204)
    made = propose(editor, "SOL", "0.1", 0, 1)
    newest = [one["id"] for one in editor.door.get("/v1/transactions?limit=2").json]
    assert newest == [made, before], "nothing was done"


def test_a_cut_connection_before_and_after_the_effect(fund):
    editor = fund["editor"]
    gone = (http.client.RemoteDisconnected, ConnectionResetError)
    plan(fund, "cut_connection", external_tx_id="cut before", times=1)
    plan(fund, "lost_answer", external_tx_id="cut after", times=1)
    for name in ("cut before", "cut after"):
        with pytest.raises(gone):
            editor.door.post("/v1/transactions", sent("0.2", name))
    unknown = editor.door.get("/v1/transactions/external_tx_id/cut%20before")
    assert unknown.status == 404
    done = editor.door.get("/v1/transactions/external_tx_id/cut%20after")
    assert done.status == 200
    assert editor.door.post("/v1/transactions", sent("0.2", "cut before")).status == 200
    again = editor.door.post("/v1/transactions", sent("0.2", "cut after"))
    assert again.code == 1438, "it was done"
    plan(fund, "cut_connection", operation="getPagedVaultAccounts", times=1)
    with pytest.raises((urllib3.exceptions.HTTPError, ApiException)):
        editor.sdk.vaults.get_paged_vault_accounts().result()


def test_the_answer_of_a_lost_one_waits_under_its_idempotency_key(fund):
    editor = fund["editor"]
    key = {"Idempotency-Key": "lost once"}
    plan(fund, "lost_answer", operation="createVaultAccount", times=1)

    def create():
        target, body = "/v1/vault/accounts", b'{"name": "Lost and found"}'
        pairs = [
            ("X-API-Key", editor.id),
            ("Authorization", f"Bearer {editor.door.token(target, body)}"),
            ("Content-Type", "application/json"),
            *key.items(),
        ]
        return editor.door.send("POST", target, body, headers=pairs)

    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        create()
    made = create()
    assert made.status == 200
    named = editor.door.get("/v1/vault/accounts_paged?namePrefix=Lost%20and").json["accounts"]
    assert [account["id"] for account in named] == [made.json["id"]]


def test_a_wrong_content_type(fund):
    plan(fund, "wrong_content_type", user=fund["viewer"].id, times=1)
    assert fund["editor"].door.get(LIST).status == 200
    answer = fund["viewer"].door.get(LIST)
    assert answer.headers["Content-Type"] == "text/html" and answer.body.startswith(b"<html>")


def test_the_third_call_and_only_that(fund):
    planned = plan(fund, "internal_error", operation="getPagedVaultAccounts", after=2, times=1)
    statuses = [fund["viewer"].door.get(LIST).status for _ in range(4)]
    assert statuses == [200, 200, 500, 200]
    planned = plan(fund, "internal_error", operation="getPagedVaultAccounts")
    assert [one["id"] for one in fund.ask("GET", "/faults")["data"]] == [planned["id"]]
    fund.ask("DELETE", f"/faults/{planned['id']}", status=204)
    fund.ask("DELETE", f"/faults/{planned['id']}", status=404)
    assert fund["viewer"].door.get(LIST).status == 200


def test_what_cannot_be_planned(fund):
    for bad in (
        {},
        {"fault": "fire"},
        {"fault": {"latency": {"millis": 600_001}}},
        {"fault": {"latency": {"millis": -1}}},
        {"fault": {"latency": {}}},
        {"fault": "internal_error", "times": 0},
        {"fault": "internal_error", "operation": "doNothing"},
        {"fault": "internal_error", "user": "me"},
        {"fault": "internal_error", "when": "always"},
    ):
        fund.ask("POST", "/faults", bad, status=400)
    assert fund.ask("GET", "/faults") == {"data": []}

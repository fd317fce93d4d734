"""Writes that happen once: idempotency keys and external ids, on the workspace's clock."""

import json

import pytest

from fresh import fresh
from money import totals, transfer

HOUR = 3_600_000
DAY = 24 * HOUR


@pytest.fixture
def fund(manual):
    workspace = fresh(manual)
    yield workspace
    workspace.gone()


def send(user, key, target="/v1/transactions", **changes):
    body = json.dumps(changes.pop("body", None) or transfer("SOL", "0.01", 0, 1, **changes)).encode()
    headers = [
        ("X-API-Key", user.id),
        ("Authorization", f"Bearer {user.door.token(target, body)}"),
        ("Content-Type", "application/json"),
        ("Idempotency-Key", key),
    ]
    return user.door.send("POST", target, body, headers=headers)


def advance(fund, millis):
    fund.ask("POST", "/clock/advance", {"millis": millis})


def test_the_first_answer_is_kept_for_a_day(fund):
    signer = fund["signer"]
    first = send(signer, "once")
    assert first.status == 200
    advance(fund, DAY - 60_000)
    held = totals(signer)
    for again in (send(signer, "once"), send(signer, "once", note="another body")):
        assert (again.status, again.json) == (200, first.json), "word for word"
    assert totals(signer) == held
    advance(fund, 120_000)
    later = send(signer, "once")
    assert later.status == 200 and later.json["id"] != first.json["id"], "a day has passed"


def test_a_refused_call_leaves_its_key(fund):
    signer = fund["signer"]
    assert send(signer, "retry", body=transfer("SOL", "100000000", 0, 1)).json["code"] == 1402
    assert send(signer, "retry").status == 200


def test_keys_of_up_to_40_characters(fund):
    signer = fund["signer"]
    assert send(signer, "k" * 40).status == 200
    answer = send(signer, "k" * 41)
    assert (answer.status, answer.json["code"]) == (400, 9003)


def test_an_internal_error_burns_the_key(fund):
    signer = fund["signer"]
    fund.ask("POST", "/faults", {"operation": "createTransaction", "times": 1, "fault": "internal_error"}, 201)
    held = totals(signer)
    assert send(signer, "burned").status == 500
    for _ in range(2):
        answer = send(signer, "burned")
        assert (answer.status, answer.json["code"]) == (400, 9003)
    assert totals(signer) == held
    assert send(signer, "another").status == 200
    made = send(signer, "burned", "/v1/vault/accounts", body={"name": "By the same key"})
    assert made.status == 200, "a key is its operation's"
    advance(fund, DAY + 60_000)
    assert send(signer, "burned").status == 200, "a day has passed"


def test_an_external_id_is_taken_for_ever(fund):
    signer = fund["signer"]
    first = send(signer, "a", externalTxId="invoice 7")
    assert first.status == 200
    assert signer.door.post(f"/v1/transactions/{first.json['id']}/cancel", {}).status == 200
    for _ in range(2):
        refused = send(signer, "b", externalTxId="invoice 7")
        assert (refused.status, refused.json["code"]) == (400, 1438)
        advance(fund, 400 * DAY)
    by_editor = fund["editor"].door.post("/v1/transactions", transfer("SOL", "0.01", 0, 1, externalTxId="invoice 7"))
    assert by_editor.json["code"] == 1438, "the workspace's, not the user's"
    other = send(signer, "c", externalTxId="Invoice 7")
    assert other.status == 200, "letters are told apart"
    # What was refused has taken no id.
    assert send(signer, "d", body=transfer("SOL", "100000000", 0, 1, externalTxId="invoice 8")).json["code"] == 1402
    assert send(signer, "e", externalTxId="invoice 8").status == 200
    read = signer.door.get("/v1/transactions/external_tx_id/invoice%207")
    assert read.json["id"] == first.json["id"]

"""Many requests at once: what must happen once happens once, and no wallet goes below nothing."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest

from money import holding, statuses, transfer

MANY = 12


@pytest.fixture(scope="module")
def fund(lively):
    return lively.workspaces["mainnet"]


@pytest.fixture(scope="module")
def editor(fund):
    return fund["editor"]


def at_once(ask, times=MANY):
    with ThreadPoolExecutor(max_workers=times) as pool:
        return list(pool.map(ask, range(times)))


def keyed(door, target, body, key):
    raw = json.dumps(body).encode()
    bearer = door.token(target, raw)
    headers = [
        ("X-API-Key", door.api_key),
        ("Authorization", f"Bearer {bearer}"),
        ("Content-Type", "application/json"),
        ("Idempotency-Key", key),
    ]
    return door.send("POST", target, raw, headers=headers)


def test_one_idempotency_key(editor):
    body = {"name": "Raced"}
    answers = at_once(lambda _: keyed(editor.door, "/v1/vault/accounts", body, "race"))
    made = [answer for answer in answers if answer.status == 200]
    late = [answer for answer in answers if answer.status != 200]
    assert made and len({answer.body for answer in made}) == 1
    assert all((answer.status, answer.code) == (400, 9005) for answer in late)
    listed = editor.door.get("/v1/vault/accounts_paged?namePrefix=Raced").json["accounts"]
    assert len(listed) == 1


def test_one_name(editor):
    answers = at_once(lambda _: editor.door.post("/v1/vault/accounts", {"name": "One of me"}))
    assert Counter(answer.status for answer in answers) == {200: 1, 400: MANY - 1}
    assert {answer.code for answer in answers if answer.status == 400} == {9004}


def test_names_of_their_own(editor):
    answers = at_once(lambda n: editor.door.post("/v1/vault/accounts", {"name": f"No. {n}"}))
    ids = [answer.json["id"] for answer in answers]
    assert len(set(ids)) == MANY


def test_one_external_id(editor):
    request = transfer("SOL", "0.001", 0, 1, externalTxId="raced")
    answers = at_once(lambda _: editor.door.post("/v1/transactions", request))
    assert Counter(answer.status for answer in answers) == {200: 1, 400: MANY - 1}
    assert {answer.code for answer in answers if answer.status == 400} == {1438}


def test_one_token(editor):
    target = "/v1/workspace"
    token = editor.door.token(target)
    answers = at_once(lambda _: editor.door.get(target, token=token))
    assert Counter(answer.status for answer in answers) == {200: 1, 401: MANY - 1}


def test_more_than_there_is(editor):
    """Each alone could be paid; together they cannot."""
    before = holding(editor, 2, "XRP")
    each = (before.available / 3).quantize(Decimal("0.000001"))
    request = transfer("XRP", str(each), 2, 1)
    answers = at_once(lambda _: editor.door.post("/v1/transactions", request))
    made = [answer.json["id"] for answer in answers if answer.status == 200]
    assert all((a.status, a.code) == (400, 1402) for a in answers if a.status != 200)
    assert 1 <= len(made) <= 3
    fees = Decimal(0)
    for transaction in made:
        assert statuses(editor, transaction)[-1] == "COMPLETED"
        told = editor.door.get(f"/v1/transactions/{transaction}").json
        fees += Decimal(told["feeInfo"]["networkFee"])
    after = holding(editor, 2, "XRP")
    assert after.total == before.total - each * len(made) - fees
    assert after.available >= 0 and after.locked == before.locked

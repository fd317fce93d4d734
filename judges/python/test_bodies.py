"""Bodies that must be refused, and that change nothing."""

import http.client
import json
import time

import pytest

from money import totals, transfer

MIB = 1024 * 1024


@pytest.fixture(scope="module")
def editor(lively):
    return lively.workspaces["mainnet"]["editor"]


@pytest.fixture(scope="module")
def unchanged(editor):
    """What the workspace held before; the last test compares."""
    return totals(editor), editor.door.get("/v1/vault/accounts_paged?limit=1").json


def post(editor, body, target="/v1/transactions"):
    begun = time.monotonic()
    answer = editor.door.post(target, body)
    assert time.monotonic() - begun < 10, "a bad body must not cost much"
    return answer


def nested(depth):
    return b'{"name":' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"nonsense",
        b"{",
        b"{}}",
        b"{} {}",
        b"{'name':'x'}",
        b'{"name":"x",}',
        b'{"name":NaN}',
        b'{"name":"\xff"}',
        b'{"name":"\\ud800"}',
        b'\xef\xbb\xbf{"name":"x"}',
        b'{"name":"a","name":"b"}',
        b'{"name":"a","n\\u0061me":"b"}',
        b'{"name":"a","tags":{"x":1,"x":2}}',
        nested(65),
        nested(100_000),
    ],
    ids=lambda body: body[:24].decode("latin-1"),
)
def test_what_is_no_json_for_every_reader(editor, unchanged, body):
    answer = post(editor, body, "/v1/vault/accounts")
    assert answer.status == 400 and answer.json["message"], answer.body


@pytest.mark.parametrize("body", [b"[]", b"null", b"7", b'"name"', b'{"name":7}', b'{"name":["x"]}', b'{"name":null}'])
def test_wrong_types(editor, unchanged, body):
    assert post(editor, body, "/v1/vault/accounts").status == 400


@pytest.mark.parametrize(
    "change",
    [
        {"source": ["VAULT_ACCOUNT", "0", None]},
        {"destination": ["VAULT_ACCOUNT", "1", None]},
        {"destination": {"type": "ONE_TIME_ADDRESS", "oneTimeAddress": ["0x" + "ab" * 20, None]}},
        {"destinations": [["1", {"type": "VAULT_ACCOUNT", "id": "1"}]]},
    ],
    ids=str,
)
def test_a_list_is_no_object(editor, unchanged, change):
    answer = post(editor, {**transfer("ETH", "0.001", 0, 1), **change})
    assert answer.status == 400 and "object" in answer.json["message"], answer.body


def test_a_list_is_no_body(editor, unchanged):
    for body in (["a name"], ["a name", False, None, None, None]):
        assert post(editor, body, "/v1/vault/accounts").status == 400
    request = list(transfer("ETH", "0.001", 0, 1).values())
    assert post(editor, request).status == 400


@pytest.mark.parametrize("size", [MIB + 1, 8 * MIB])
def test_too_large(editor, unchanged, size):
    body = b'{"name":"' + b"x" * (size - 11) + b'"}'
    assert len(body) == size
    assert post(editor, body, "/v1/vault/accounts").status == 413


def test_too_large_without_saying_so(editor, unchanged):
    """Chunked: the length is not told beforehand."""
    door, target = editor.door, "/v1/vault/accounts"
    connection = http.client.HTTPConnection(door.address, timeout=30)
    connection.putrequest("POST", target)
    connection.putheader("X-API-Key", door.api_key)
    connection.putheader("Authorization", f"Bearer {door.token(target, b'x')}")
    connection.putheader("Transfer-Encoding", "chunked")
    connection.endheaders()
    try:
        for _ in range(64):
            connection.send(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
    except (BrokenPipeError, ConnectionResetError):
        pass
    answer = connection.getresponse()
    assert answer.status == 413
    answer.read()
    connection.close()


AMOUNTS = [
    b"1e2000000000",
    b"1e-2000000000",
    b"-1e2000000000",
    b"1e40",
    b"0.1e1",
    b'"1e5"',
    b'"0x10"',
    b'"1,5"',
    b'"+1"',
    b'" 1"',
    b'"1."',
    b'".5"',
    b'"-0.5"',
    b'"NaN"',
    b'"Infinity"',
    b'""',
    b'"\\u0661"',
    b"true",
    b"[]",
    b"{}",
    b'"' + b"9" * 41 + b'"',
    b'"' + b"9" * 100_000 + b'"',
    b"9" * 100_000,
    b'"0.' + b"0" * 41 + b'1"',
    b"0",
    b'"0"',
]


@pytest.mark.parametrize("amount", AMOUNTS, ids=lambda amount: amount[:24].decode())
def test_amounts_that_are_none(editor, unchanged, amount):
    request = json.dumps(transfer("ETH", "AMOUNT", 0, 1)).encode().replace(b'"AMOUNT"', amount)
    answer = post(editor, request)
    assert answer.status == 400 and answer.json["message"], answer.body


def test_an_old_number_is_taken_by_its_text(editor):
    request = json.dumps(transfer("ETH", "AMOUNT", 0, 1)).encode()
    made = post(editor, request.replace(b'"AMOUNT"', b"0.100000000000000001"))
    shown = editor.door.get(f"/v1/transactions/{made.json['id']}").json
    assert shown["amountInfo"]["amount"] == "0.100000000000000001"


@pytest.mark.parametrize(
    "change",
    [
        {"assetId": 7},
        {"assetId": "not an asset"},
        {"assetId": "x" * 10_000},
        {"source": "0"},
        {"source": {"type": "VAULT_ACCOUNT", "id": 0}},
        {"source": {"type": "BANK", "id": "0"}},
        {"source": {"id": "0"}},
        {"destination": []},
        {"destination": {"type": "VAULT_ACCOUNT", "id": "-1"}},
        {"destination": {"type": "VAULT_ACCOUNT", "id": "1" * 100}},
        {"destinations": "all"},
        {"externalTxId": 7},
        {"note": {"a": 1}},
        {"feeLevel": "EXTREME"},
        {"treatAsGrossAmount": "yes"},
        {"operation": 5},
        {"operation": "transfer"},
    ],
    ids=str,
)
def test_fields_of_another_type(editor, unchanged, change):
    answer = post(editor, {**transfer("ETH", "0.001", 0, 1), **change})
    assert answer.status == 400 and answer.json["message"], answer.body


def test_queries_without_end(editor):
    for query in ("a=" + "x" * 20_000, "&".join(f"a{number}=1" for number in range(300))):
        answer = editor.door.get(f"/v1/vault/accounts_paged?{query}")
        assert (answer.status, answer.code) == (400, 1000)
    assert editor.door.get("/v1/vault/accounts/" + "x" * 5000).status in (400, 404, 414)
    for path in ("%", "%zz", "%ff", "%00", "..%2F..", "."):
        assert editor.door.get(f"/v1/transactions/{path}").status in (400, 404), path


def test_nothing_of_it_has_changed_anything(editor, unchanged):
    held, newest = unchanged
    # One transfer above was good: it is between two accounts of one asset.
    now = {key: value for key, value in totals(editor).items() if key[1] != "ETH"}
    assert now == {key: value for key, value in held.items() if key[1] != "ETH"}
    accounts = editor.door.get("/v1/vault/accounts_paged?limit=1").json["accounts"]
    assert accounts[0]["id"] == newest["accounts"][0]["id"]
    assert len(editor.door.get("/v1/transactions?limit=500&sort=DESC").json) > 0

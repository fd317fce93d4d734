"""With a seed, in manual, and a frozen clock: the same calls, one after another, give the same bytes
in every process, headers too."""

import json
import re
import socket

import pytest

from money import transfer
from sandbox import Sandbox

FROZEN = ("--seed", "7", "--manual", "--frozen-at", "2026-02-01T09:00:00Z")
# The one thing that two processes on one machine cannot share.
WHERE = re.compile(rb"127\.0\.0\.1:[0-9]{5}")


def exchange(address, method, target, headers=(), body=b""):
    """Sends a request; all bytes that come back."""
    host, port = address.split(":")
    lines = [f"{method} {target} HTTP/1.1", f"Host: {address}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    with socket.create_connection((host, int(port)), timeout=30) as line:
        line.sendall("\r\n".join([*lines, "", ""]).encode() + body)
        told = b""
        while piece := line.recv(65_536):
            told += piece
    return told


class Play:
    """A sandbox, and all that it has answered."""

    def __init__(self, folder):
        folder.mkdir()
        self.sandbox = Sandbox(folder, *FROZEN)
        self.fund = self.sandbox.workspaces["mainnet"]
        self.told = []

    def keep(self, name, told):
        self.told.append((name, WHERE.sub(b"127.0.0.1:PORT", told)))
        head, _, body = told.partition(b"\r\n\r\n")
        status = int(head.split()[1])
        try:
            return status, json.loads(body)
        except ValueError:
            return status, body

    def call(self, user, method, target, body=None, **more):
        """A call of the API; its body must be accepted unless told otherwise."""
        door = self.fund[user].door
        raw = json.dumps(body).encode() if body is not None else b""
        headers = [("X-API-Key", door.api_key), ("Authorization", f"Bearer {door.token(target, raw)}")]
        headers += [(name.replace("_", "-"), value) for name, value in more.items()]
        told = exchange(door.address, method, target, headers, raw)
        return self.keep(f"{user} {method} {target} {raw.decode()}", told)

    def made(self, *call, **more):
        status, told = self.call(*call, **more)
        assert status < 300, (call, status, told)
        return told

    def control(self, method, path, body=None):
        at = self.sandbox.control_url.removeprefix("http://")
        address, _, prefix = at.partition("/")
        raw = json.dumps(body).encode() if body is not None else b""
        headers = [("Authorization", f"Bearer {self.sandbox._control_token}")]
        told = exchange(address, method, f"/{prefix}{path}", headers, raw)
        status, told = self.keep(f"control {method} {path}", told)
        return status, told

    def act(self, path, body=None):
        """People and chain of the workspace, where it is their turn."""
        status, _ = self.control("POST", f"/workspaces/{self.fund.id}{path}", body or {})
        assert status in (200, 201, 409), (path, status)


def refusals(play):
    address = play.fund["viewer"].door.address
    for headers in ([], [("X-API-Key", "nobody")], [("X-API-Key", play.fund["viewer"].id)]):
        play.keep("refused", exchange(address, "GET", "/v1/vault/accounts_paged", headers))
    play.call("viewer", "POST", "/v1/vault/accounts", {"name": "not a Viewer's"})
    play.call("admin", "POST", "/v1/vault/accounts", {"name": 5})
    play.call("admin", "GET", "/v1/no/such/thing")
    play.keep("open", exchange(address, "GET", "/nothing"))
    play.keep("open", exchange(address, "GET", "/openapi.json"))
    play.keep("open", exchange(address, "GET", play.sandbox.jwks_url.split(address)[1]))


def changes(play):
    for number in range(3):
        account = play.made("admin", "POST", "/v1/vault/accounts", {"name": f"Same {number}"}, Idempotency_Key=f"a{number}")
        play.made("admin", "POST", "/v1/vault/accounts", {"name": f"Same {number}"}, Idempotency_Key=f"a{number}")
        for asset in ("BTC", "ETH", "SOL", "XRP"):
            play.made("admin", "POST", f"/v1/vault/accounts/{account['id']}/{asset}")
        play.call("admin", "POST", f"/v1/vault/accounts/{account['id']}/BTC/addresses", {"description": "more"})
        play.act("/incoming", {"vaultAccountId": account["id"], "assetId": "BTC", "amount": "0.5"})
        play.act("/mine")
    wallet = play.made("admin", "POST", "/v1/external_wallets", {"name": "Same", "customerRefId": "1"})
    play.call("admin", "POST", f"/v1/external_wallets/{wallet['id']}/SOL", {"address": "9xQeWvG816bUx9EPjHmaT23yvVM2ZWbrrpZb9PusVFin"})
    play.made("admin", "POST", "/v1/internal_wallets", {"name": "Same"})
    play.made("admin", "POST", "/v1/contracts", {"name": "Same"})
    play.call("admin", "POST", "/v1/webhooks", {"url": "http://127.0.0.1:9/", "description": "x", "events": ["transaction.created"]})
    play.call("admin", "POST", "/v1/tags", {"label": "same", "description": "x"})
    play.call("admin", "POST", "/v1/vault/accounts/bulk", {"count": 3, "baseAssetIds": ["SOL"]})
    play.call("admin", "POST", "/v1/management/user_groups", {"groupName": "Same", "memberIds": []})


def transfers(play):
    for number, asset in enumerate(("SOL", "ETH", "XRP", "SOL")):
        ask = transfer(asset, "0.01", 0, 1, externalTxId=f"same {number}")
        made = play.made("editor", "POST", "/v1/transactions", ask)
        play.call("editor", "GET", f"/v1/transactions/{made['id']}")
        if number == 3:
            play.call("editor", "POST", f"/v1/transactions/{made['id']}/cancel")
            continue
        for act in ("approve", "sign"):
            play.act(f"/transactions/{made['id']}/{act}")
        for _ in range(4):
            play.act("/mine")
        play.call("viewer", "GET", f"/v1/transactions/{made['id']}")
    play.call("editor", "POST", "/v1/transactions", transfer("SOL", "99999999", 0, 1))
    play.call("editor", "POST", "/v1/transactions/estimate_fee", transfer("ETH", "0.01", 0, 1))


def reports(play):
    address = play.fund["admin"].door.address
    paths = json.loads(exchange(address, "GET", "/openapi.json").partition(b"\r\n\r\n")[2])["paths"]
    make = [path for path in paths if "report" in path and "post" in paths[path] and "{" not in path]
    assert make
    for path in make:
        play.call("admin", "POST", f"/v1{path}", {"type": "VAULT_ACCOUNT_ADDRESSES"})
    seen = b"".join(told for _, told in play.told)
    for link in sorted(set(re.findall(rb"/downloads/[0-9a-f-]{36}", seen))):
        play.keep("download", exchange(address, "GET", link.decode()))
    return paths


def reads(play, paths):
    """Each list and each thing without a parameter, as three users see it."""
    for path, told in sorted(paths.items()):
        if "get" in told and "{" not in path:
            for user in ("admin", "editor", "viewer"):
                play.call(user, "GET", f"/v1{path}")
            play.call("admin", "GET", f"/v1{path}?limit=2")


def script(play):
    refusals(play)
    changes(play)
    transfers(play)
    paths = reports(play)
    play.control("POST", "/clock/advance", {"millis": 3_600_000})
    reads(play, paths)
    play.control("POST", "/workspaces", {})
    play.act("/reset")
    changes(play)
    transfers(play)
    reads(play, paths)


def test_the_same_calls_give_the_same_bytes(tmp_path):
    plays = []
    try:
        for number in range(2):
            plays.append(Play(tmp_path / str(number)))
            script(plays[-1])
        first, second = (play.told for play in plays)
        assert len(first) == len(second) > 500
        for (name, one), (other, two) in zip(first, second):
            assert (name, one) == (other, two)
        statuses = [told.split()[1] for _, told in first]
        assert statuses.count(b"200") > len(first) / 2
        ids = [re.search(rb"x-request-id: (\S+)", told) for _, told in first]
        ids = [found[1] for found in ids if found]
        assert len(set(ids)) == len(ids) > 400, "each call has an id of its own"
    finally:
        for play in plays:
            play.sandbox.stop()

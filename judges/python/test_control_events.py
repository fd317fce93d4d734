"""Everything that happens: as a stream, in a file, and why calls were refused."""

import json
import threading
import time
import urllib.request

import pytest

from fresh import fresh
from money import follow, propose
from sandbox import Sandbox
from waiting import until

LIST = "/v1/vault/accounts_paged?limit=1"


class Stream(threading.Thread):
    """Listens to server-sent events."""

    def __init__(self, sandbox, path):
        super().__init__(daemon=True)
        request = urllib.request.Request(sandbox.control_url + path)
        request.add_header("Authorization", f"Bearer {sandbox._control_token}")
        self.answer = urllib.request.urlopen(request, timeout=60)
        assert self.answer.headers["Content-Type"] == "text/event-stream"
        self.heard, self.ended = [], False
        self.start()

    def run(self):
        name = None
        try:
            for line in self.answer:
                key, _, value = line.decode().rstrip("\n").partition(": ")
                if key == "event":
                    name = value
                elif key == "data":
                    self.heard.append((name, json.loads(value)))
        except (OSError, ValueError):
            pass
        finally:
            self.answer.close()
        self.ended = True

    def of(self, kind, **wanted):
        """Those heard that are so."""
        return [
            told
            for name, told in list(self.heard)
            if name == kind and all(told.get(key) == value for key, value in wanted.items())
        ]


def test_calls_and_changes_are_heard(lively):
    workspace, other = fresh(lively), fresh(lively)
    mine, every = Stream(lively, f"/workspaces/{workspace.id}/events"), Stream(lively, "/events")
    editor = workspace["editor"]
    transaction = propose(editor, "SOL", "0.1", 0, 1)
    assert follow(editor, transaction).status == "COMPLETED"
    other["viewer"].door.get(LIST)
    call = until("the call", lambda: mine.of("call", operation="createTransaction"))[0]
    assert (call["status"], call["user"], call["role"]) == (200, editor.id, "EDITOR")
    assert call["workspace"] == workspace.id and call["user_agent"].startswith("fireblocks/sdk/python/")
    changes = lambda: mine.of("change", resource_id=transaction)
    until("the end", lambda: any(c["event_type"] == "transaction.status.updated" for c in changes()))
    assert changes()[0]["event_type"] == "transaction.created"
    assert mine.of("change", event_type="vault_account.asset.balance_updated")
    until("the other's", lambda: every.of("call", workspace=other.id))
    assert not mine.of("call", workspace=other.id)
    workspace.gone()
    until("its stream ends with it", lambda: mine.ended)
    assert not every.ended
    other.gone()


def test_a_sandbox_ends_while_somebody_listens(tmp_path):
    sandbox = Sandbox(tmp_path)
    stream = Stream(sandbox, "/events")
    began = time.monotonic()
    sandbox.stop()
    assert time.monotonic() - began < 10
    until("the stream ends", lambda: stream.ended)


def test_only_who_holds_the_token_hears(lively):
    assert lively.control("GET", "/events", token="guessed")[0] == 401
    unknown = "1f6e1a3c-8e0a-4d53-9b0a-3a5a5c1f0001"
    assert lively.control("GET", f"/workspaces/{unknown}/events")[0] == 404


def test_the_call_log(tmp_path):
    log = tmp_path / "calls.jsonl"
    for _ in range(2):
        sandbox = Sandbox(tmp_path, "--call-log", str(log))
        fund = sandbox.workspaces["mainnet"]
        fund["viewer"].sdk.vaults.get_vault_account("0").result()
        fund["viewer"].door.post("/v1/vault/accounts", {"name": "No"})
        fund["viewer"].door.get("/v1/nothing")
        fund["viewer"].door.get(LIST, uri="/v1/other")
        sandbox.stop()
    calls = [json.loads(line) for line in log.read_text().splitlines()]
    assert len(calls) == 8
    first, denied, unknown, refused = calls[4:]
    assert (first["operation"], first["role"], first["status"]) == ("getVaultAccount", "VIEWER", 200)
    assert first["user_agent"].startswith("fireblocks/sdk/python/")
    assert (denied["operation"], denied["status"], denied["code"]) == ("createVaultAccount", 401, -8)
    assert (unknown["operation"], unknown["status"]) == (None, 404)
    assert (refused["status"], refused["code"]) == (401, -4)


def why(answer):
    return answer.headers["X-Vestibule-Why"]


def test_a_refused_call_is_told_why(seeded, fund):
    viewer, editor = fund["viewer"].door, fund["editor"].door
    now = int(time.time())
    assert why(viewer.get(LIST)) is None
    said = why(viewer.get(LIST, uri="/v1/vault/accounts_paged"))
    assert LIST in said and "with the query" in said
    assert "expired" in why(viewer.get(LIST, iat=now - 100, exp=now - 45))
    assert "ahead of now" in why(viewer.get(LIST, iat=now + 100, exp=now + 150))
    assert "1 to 60 s" in why(viewer.get(LIST, exp=now + 600))
    assert "X-API-Key" in why(viewer.get(LIST, sub="1f6e1a3c-8e0a-4d53-9b0a-3a5a5c1f0001"))
    assert "private key" in why(viewer.get(LIST, token=editor.token(LIST, sub=viewer.api_key)))
    said = why(editor.send("POST", "/v1/vault/accounts", b'{"name": "A"}', bodyHash="0" * 64))
    assert "bodyHash" in said and "0" * 64 in said
    assert "missing" in why(viewer.get(LIST, nonce=None))
    token = viewer.token(LIST)
    assert viewer.get(LIST, token=token).status == 200
    assert "nonce was used before" in why(viewer.get(LIST, token=token))
    said = why(viewer.post("/v1/vault/accounts", {"name": "A"}))
    assert "createVaultAccount is for" in said and "EDITOR" in said and said.endswith("VIEWER")
    stranger = [("X-API-Key", "1f6e1a3c-8e0a-4d53-9b0a-3a5a5c1f0001"), ("Authorization", "Bearer a.b.c")]
    assert "no workspace of this sandbox" in why(viewer.get(LIST, headers=stranger))
    assert "no header X-API-Key" in why(viewer.get(LIST, headers=[]))
    assert "no operation of the contract" in why(viewer.get("/v1/nothing"))
    assert "limit" in why(viewer.get("/v1/vault/accounts_paged?limit=many"))


def test_unknown_fields(fund, tmp_path):
    body = {"name": "Spelt", "autofuel": True}
    editor = fund["editor"].door
    answer = editor.post("/v1/vault/accounts/99999/tags/attach", {"a": 1})
    assert answer.status >= 400
    silent = Sandbox(tmp_path, "--no-explain", "--strict")
    try:
        strict = silent.workspaces["mainnet"]["editor"].door
        refused = strict.post("/v1/vault/accounts", body)
        assert (refused.status, why(refused)) == (400, None)
        assert refused.json["message"].startswith("autofuel is not valid")
        assert strict.post("/v1/vault/accounts", {"name": "Spelt", "autoFuel": True}).status == 200
        assert why(strict.get(LIST, uri="/v1/other")) is None
    finally:
        silent.stop()


def test_fields_without_effect_are_named(lively):
    workspace = fresh(lively)
    answer = workspace["editor"].door.post("/v1/vault/accounts", {"name": "Spelt", "autofuel": True})
    assert answer.status == 200 and why(answer).endswith("autofuel")
    workspace.gone()

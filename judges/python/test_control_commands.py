"""The control plane from the command line, tokens by hand, its document, and the page."""

import hashlib
import html.parser
import json
import shlex
import subprocess
import threading
import time
import urllib.error
import urllib.request

import jwt
import pytest

from fresh import fresh
from sandbox import binary
from waiting import until

LIST = "/v1/vault/accounts_paged?limit=1"


@pytest.fixture
def ctl(lively):
    """Runs a command at the sandbox; what it printed, read as JSON."""
    ready = lively._log.name.replace("sandbox.log", "ready.json")

    def run(*arguments, workspace="mainnet", fails=None):
        at = ["--ready-file", ready, "--workspace", workspace]
        command = [binary(), "--json", "sandbox", "ctl", *at, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        if fails is not None:
            assert done.returncode == 1 and fails in done.stderr, done
            return None
        assert done.returncode == 0, done
        lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        return lines[0] if len(lines) == 1 else lines or done.stdout

    return run


def token(*arguments):
    return subprocess.run([binary(), "token", *arguments], capture_output=True, text=True, timeout=60)


def test_a_workspace_from_the_command_line(lively, ctl):
    made = ctl("workspace", "make", "--name", "By hand", "--at", "2025-01-01T00:00:00Z", "--frozen")
    mine = lambda *arguments, **more: ctl(*arguments, workspace="By hand", **more)
    assert mine("workspace", "show")["id"] == made["id"]
    assert "By hand" in [one["name"] for one in ctl("workspace", "list")]
    assert mine("clock", "show") == {"now": 1_735_689_600_000, "frozen": True}
    assert mine("clock", "advance", "24h")["now"] == 1_735_776_000_000
    assert mine("clock", "set", "2026-01-01T00:00:00Z")["now"] == 1_767_225_600_000
    mine("snapshot", "take", "before it")
    arrived = mine("incoming", "0", "SOL", "2.5")["id"]
    assert mine("mine")["moved"] >= 1
    mine("call", "POST", "/workspaces/{workspace}/mine", "{}")
    mine("approve", arrived, fails="409")
    assert mine("snapshot", "list")["name"] == "before it"
    mine("fees", "SOL", "300")
    mine("reorganise", arrived)
    assert mine("screening", "--aml", "wait") == {"aml": "WAIT", "enrichment": "OFF"}
    waits = mine("incoming", "0", "SOL", "1")["id"]
    mine("hold", waits, fails="409")
    mine("pass", waits)
    mine("pass", waits, fails="409")
    assert mine("screening")["aml"] == "OFF"
    mine("fail", arrived, "NO_SUCH_SUB_STATUS", fails="the sandbox says 4")
    mine("snapshot", "restore", "before it")
    copy = ctl("workspace", "make", "--name", "Copy", "--snapshot", "before it", "--of", "By hand")
    ctl("workspace", "remove", workspace=copy["id"])
    mine("snapshot", "drop", "before it")
    mine("fault", "plan", "--operation", "getPagedVaultAccounts", "--internal-error", "--times", "1")
    assert mine("fault", "list")["fault"] == "internal_error"
    mine("fault", "clear")
    mine("rates", "set", "--shared-by", "user", "--limit", "read=5")
    assert mine("rates", "show")["rate_limits"]["limits"] == {"read": 5}
    mine("rates", "off")
    assert mine("export", "vault_accounts").startswith("Account ID")
    mine("workspace", "reset")
    mine("clock", "unfreeze")
    mine("clock", "freeze")
    mine("workspace", "remove")
    mine("workspace", "show", fails="no workspace 'By hand'")
    ctl("workspace", "remove", fails="409")


def test_events_on_the_command_line(lively):
    ready = lively._log.name.replace("sandbox.log", "ready.json")
    command = [binary(), "sandbox", "ctl", "--ready-file", ready, "events"]
    heard, process = [], subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    reader = threading.Thread(target=lambda: heard.extend(process.stdout), daemon=True)
    reader.start()
    viewer = lively.workspaces["mainnet"]["viewer"]

    def told():
        viewer.door.get(LIST)
        return [line for line in heard if "getPagedVaultAccounts" in line and "VIEWER" in line]

    until("it is printed", told, every=0.2)
    process.terminate()
    assert process.wait(timeout=20) in (0, -15)
    reader.join(timeout=20)
    process.stdout.close()


def test_where_there_is_no_sandbox(tmp_path):
    def fails(*arguments):
        done = subprocess.run([binary(), "sandbox", "ctl", *arguments, "mine"], capture_output=True, text=True)
        assert done.returncode == 1
        return done.stderr

    assert "cannot be read" in fails("--ready-file", str(tmp_path / "none.json"))
    secret = tmp_path / "token"
    secret.write_text("x")
    said = fails("--control-url", "http://127.0.0.1:9/_sandbox", "--token-file", str(secret))
    assert "no sandbox answers" in said


def test_a_token_by_hand(lively, tmp_path):
    editor = lively.workspaces["mainnet"]["editor"]
    key, body = tmp_path / "editor.pem", tmp_path / "body.json"
    key.write_text(editor.secret)
    body.write_text('{"name": "Zürich"}')
    who = ["--key", str(key), "--api-key", editor.id]
    made = token(*who, "GET", LIST)
    assert editor.door.get(LIST, token=made.stdout.strip()).status == 200
    made = token(*who, "POST", "/v1/vault/accounts", "--body", str(body)).stdout.strip()
    claims = jwt.decode(made, editor.door.key.public_key(), algorithms=["RS256"])
    assert claims["bodyHash"] == hashlib.sha256(body.read_bytes()).hexdigest()
    assert claims["exp"] - claims["iat"] == 55
    shown = token(*who, "POST", "/v1/vault/accounts", "--body", str(body), "--curl", "--base-url", lively.base_url)
    done = subprocess.run(["sh", "-c", shown.stdout.replace("curl", "curl -s", 1)], capture_output=True, text=True)
    assert json.loads(done.stdout)["name"] == "Zürich"
    assert shlex.split(shown.stdout.replace("\\\n", " "))[0] == "curl"
    assert token("--key", str(body), "--api-key", editor.id, "GET", LIST).returncode == 1
    assert token(*who, "GET", "v1/x").returncode == 1
    assert token("GET", LIST).returncode == 2


def test_a_token_explained(lively, tmp_path):
    editor = lively.workspaces["mainnet"]["editor"]
    key, other = tmp_path / "editor.pem", tmp_path / "viewer.pem"
    key.write_text(editor.secret)
    other.write_text(lively.workspaces["mainnet"]["viewer"].secret)
    now = int(time.time())

    def explained(made, *more):
        done = token("--explain", made, *more)
        return done.returncode, done.stdout

    whole = ["--key", str(key), "--api-key", editor.id, "GET", LIST]
    assert explained(editor.door.token(LIST), *whole)[0] == 0
    code, said = explained(editor.door.token(LIST, iat=now - 90, exp=now - 35), *whole)
    assert code == 1 and "code -10" in said and "expired" in said
    code, said = explained(editor.door.token("/v1/other"), *whole)
    assert code == 1 and "code -4" in said and LIST in said
    code, said = explained(editor.door.token(LIST), "--key", str(other), "--api-key", editor.id, "GET", LIST)
    assert code == 1 and "code -1)" in said
    code, said = explained(editor.door.token(LIST, b"{}"), *whole)
    assert code == 1 and "no body was sent" in said
    code, said = explained("Bearer a.b", "--json")
    assert code == 1 and json.loads(said)["findings"][0]["part"] == "token"
    assert "Not looked at" in explained(editor.door.token(LIST))[1]


def test_the_control_planes_document(lively):
    status, text = lively.control("GET", "/openapi.json")
    document = json.loads(text)
    assert status == 200 and document["openapi"] == "3.1.0"
    nobody = "1f6e1a3c-8e0a-4d53-9b0a-3a5a5c1f0001"
    for path, calls in document["paths"].items():
        for method in calls:
            real = path.replace("{workspace}", nobody).replace("{id}", nobody).replace("{name}", "x")
            real = real.replace("{act}", "stop").replace("{decision}", "maybe").replace("{kind}", "all")
            if method in ("get", "delete") and "{workspace}" not in path:
                continue
            status, answer = lively.control(method.upper(), real, {} if method in ("post", "put") else None)
            message = json.loads(answer)["message"] if status >= 400 else ""
            assert status != 405 and message != "there is nothing here", (method, path, status)
            if status == 201:  # A workspace, of which nothing was asked.
                lively.control("DELETE", f"/workspaces/{json.loads(answer)['id']}")


class Page(html.parser.HTMLParser):
    """What a page is made of."""

    def __init__(self):
        super().__init__()
        self.tags, self.text = [], ""

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.text += data


def test_the_page(lively):
    workspace = fresh(lively, name="<script>alert(1)</script>")
    viewer = workspace["viewer"]
    viewer.door.get("/v1/nothing/%3Cscript%3E")
    pairs = [
        ("X-API-Key", viewer.id),
        ("Authorization", f"Bearer {viewer.door.token(LIST)}"),
        ("User-Agent", "<img src=x>"),
    ]
    viewer.door.send("GET", LIST, headers=pairs)
    with urllib.request.urlopen(lively.origin + "/") as answer:
        page, policy = Page(), answer.headers["Content-Security-Policy"]
        page.feed(answer.read().decode())
    assert policy.startswith("default-src 'none'")
    tags = {tag for tag, _ in page.tags}
    assert not tags & {"script", "img", "iframe", "form"}
    for tag, attributes in page.tags:
        assert not any(name.startswith("on") or name == "style" for name in attributes), (tag, attributes)
        for name in ("href", "src"):
            assert attributes.get(name, "/").startswith("/")
    for wanted in (viewer.id, "viewer.pem", "getPagedVaultAccounts", "<img src=x>", "no operation of the contract"):
        assert wanted in page.text, wanted
    with urllib.request.urlopen(lively.origin + "/sandbox.css") as answer:
        assert answer.headers["Content-Type"] == "text/css"
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(lively.origin + "/elsewhere")
    with caught.value as refused:
        assert refused.code == 404
    workspace.gone()


def test_what_is_not_served_says_where_to_look(lively):
    with urllib.request.urlopen(lively.origin + "/openapi.json") as answer:
        document = json.loads(answer.read())
    served = {call["operationId"] for calls in document["paths"].values() for call in calls.values()}
    assert "optOutAddressRegistryTenant" not in served
    answer = lively.workspaces["mainnet"]["admin"].door.send("DELETE", "/v1/address_registry/tenant")
    assert answer.status == 501 and "/openapi.json" in answer.json["message"]

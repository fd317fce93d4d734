"""The gate's log, judged by Go's own packages for such logs, and as its owner uses it."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from gate import Gate
from sandbox import binary
from waiting import until

JUDGE = Path(__file__).parent.parent / "go" / "judge.go"


@pytest.fixture(scope="module")
def gate(tmp_path_factory):
    gate = Gate(tmp_path_factory.mktemp("log"))
    yield gate
    gate.stop()


@pytest.fixture(scope="module")
def judge(tmp_path_factory):
    """Go's sumdb/tlog and sumdb/note, from Debian's packages."""
    assert shutil.which("go"), "apt-get install golang-go golang-golang-x-mod-dev"
    program = tmp_path_factory.mktemp("go") / "judge"
    go = {**os.environ, "GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOFLAGS": ""}
    go["GOCACHE"] = str(program.parent / "cache")
    subprocess.run(["go", "build", "-o", str(program), str(JUDGE)], check=True, env=go)

    def run(*words):
        command = [str(program), *map(str, words)]
        return subprocess.run(command, capture_output=True, text=True, timeout=60)

    return run


def vestibule(*words):
    command = [str(binary()), "--json", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def size_of(checkpoint):
    return int(checkpoint.read_text().splitlines()[1])


def test_others_find_the_log_whole_and_what_was_changed_in_it(gate, judge, tmp_path):
    kept = tmp_path / "kept.checkpoint"
    own = gate.data / "gate" / "log.checkpoint"
    shutil.copy(own, kept)
    gate.let_in("audited", "viewer", [1])
    until("the log is signed", lambda: size_of(own) >= size_of(kept) + 2)
    copy, proof = tmp_path / "copy", tmp_path / "3.tlog-proof"
    (copied,) = gate.owner("log", "export", str(copy), "--access")
    (told,) = gate.owner("log", "key")
    key = told["key"]
    gate.owner("log", "prove", "3", str(proof))
    judged = judge(key, copy, kept, proof)
    assert judged.returncode == 0, judged.stderr
    assert judged.stdout.split() == [str(size_of(kept)), str(copied["entries"])]
    ours = vestibule("gate", "log", "verify", copy, "--key", key, "--since", kept)
    assert ours.returncode == 0, ours.stderr
    assert json.loads(ours.stdout)["entries"] == copied["entries"]
    proven = vestibule("gate", "log", "verify", "--proof", proof, "--key", key)
    assert json.loads(proven.stdout)["index"] == 3
    # What the one finds, the other finds.
    (tile,) = (copy / "tile" / "0").glob("000.p/*")
    tile.write_bytes(bytes([tile.read_bytes()[0] ^ 1]) + tile.read_bytes()[1:])
    judged = judge(key, copy, kept, proof)
    assert judged.returncode == 1 and judged.stderr
    ours = vestibule("gate", "log", "verify", copy, "--key", key)
    assert ours.returncode == 1 and "entry 0" in ours.stderr


def test_what_was_read_is_told(gate, tmp_path):
    provider = gate.providers["portfolio"]
    accounts = provider.sdk.vaults.get_paged_vault_accounts(limit=2).result().data.accounts
    reads = lambda: gate.owner("access", "--connection", "portfolio")
    found = until("the read is written", lambda: [one for one in reads() if "limit=2" in one["target"]])
    record = found[-1]
    assert record["rows"] == len(accounts) and record["from"] == "127.0.0.1"
    assert record["operation"] == "getPagedVaultAccounts" and record["status"] == 200
    assert not gate.owner("access", "--connection", "portfolio", "--since", "2100-01-01T00:00:00Z")


def test_what_is_erased_is_gone_and_the_log_holds(gate, tmp_path):
    gate.owner("connection", "suspend", "portfolio", "--reason", "a name that must go")
    entries = gate.owner("log", "list")
    entry = next(one for one in entries if one["kind"] == "connection_suspended")
    assert entry["entry"]["from"] == "127.0.0.1" and entry["entry"]["request"]
    gate.owner("connection", "resume", "portfolio", "--reason", "it is back")
    (erased,) = gate.owner("log", "erase", "--entry", str(entry["index"]), "--reason", "asked for")
    assert erased == {"erased": 1, "kept": 0}
    (verified,) = gate.owner("log", "verify")
    assert verified["erased"] == 1
    assert "a name that must go" not in json.dumps(gate.owner("log", "list"))


def test_a_siem_gets_every_entry_once(gate):
    lines = gate.owner("log", "tail")
    assert [one["index"] for one in lines] == list(range(len(lines)))
    command = [str(binary()), "gate", "--dir", str(gate.data / "gate"), "log", "tail"]
    cef = subprocess.run(
        [*command, "--format", "cef", "--from", "2"], capture_output=True, text=True, timeout=60
    )
    told = cef.stdout.splitlines()
    assert len(told) >= len(lines) - 2 and all(line.startswith("CEF:0|Vestibule|gate|") for line in told)

"""The gate's log, judged by Go's own packages for such logs, and as its owner uses it."""

import base64
import hashlib
import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

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


def cosigned(checkpoint, name):
    """Writes a cosignature under a checkpoint (C2SP tlog-cosignature); the witness's key."""
    key = Ed25519PrivateKey.generate()
    public = b"\x04" + key.public_key().public_bytes_raw()
    hash = hashlib.sha256(name.encode() + b"\n" + public).digest()[:4]
    note, now = checkpoint.read_bytes(), int(time.time())
    text = note[: note.rindex(b"\n\n") + 1]
    signature = key.sign(b"cosignature/v1\ntime %d\n" % now + text)
    line = base64.b64encode(hash + now.to_bytes(8, "big") + signature).decode()
    checkpoint.write_bytes(note + f"\u2014 {name} {line}\n".encode())
    return f"{name}+{hash.hex()}+{base64.b64encode(public).decode()}"


def test_others_and_we_believe_the_same_cosignatures(gate, judge, tmp_path):
    copy, proof = tmp_path / "copy", tmp_path / "0.tlog-proof"
    gate.owner("log", "export", str(copy))
    gate.owner("log", "prove", "0", str(proof))
    (told,) = gate.owner("log", "key")
    key, checkpoint = told["key"], copy / "checkpoint"
    witness, other = cosigned(checkpoint, "one.example/w"), cosigned(checkpoint, "other.example")
    verify = ["gate", "log", "verify", copy, "--key", key]
    for named in (witness, other):
        judged = judge(key, copy, checkpoint, proof, named)
        assert judged.returncode == 0, judged.stderr
        ours = vestibule(*verify, "--witness", named)
        assert ours.returncode == 0, ours.stderr
        vouched = json.loads(ours.stdout)["vouched"]
        assert vouched["size"] == size_of(checkpoint) and vouched["by"][0]["at"] > 0
    both = vestibule(*verify, "--witness", witness, "--witness", other)
    assert len(json.loads(both.stdout)["vouched"]["by"]) == 2
    assert "vouched" not in json.loads(vestibule(*verify).stdout)
    # A third one has not; and what was changed is not theirs.
    third = cosigned(tmp_path / "0.tlog-proof", "third.example")
    ours = vestibule(*verify, "--witness", witness, "--witness", third)
    assert ours.returncode == 1 and "do not vouch" in ours.stderr
    assert judge(key, copy, checkpoint, proof, third).returncode == 1
    vouched = vestibule(*verify, "--witness", witness, "--witness", third, "--witness-quorum", "1")
    assert vouched.returncode == 0, vouched.stderr
    note = checkpoint.read_text().splitlines(keepends=True)
    note[-1] = note[-1][:-8] + ("AAAA" if note[-1][-8:-4] != "AAAA" else "BBBB") + note[-1][-4:]
    checkpoint.write_text("".join(note))
    ours = vestibule(*verify, "--witness", other)
    assert ours.returncode == 1 and "not that witness's" in ours.stderr
    assert judge(key, copy, checkpoint, proof, other).returncode == 1
    assert judge(key, copy, checkpoint, proof).returncode == 0


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

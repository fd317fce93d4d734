"""Posture on day one: from the Console's exports and from CSRs alone, without any key or gate."""

import csv
import json
import subprocess

import pytest

from newcomers import key_and_csr
from sandbox import binary


@pytest.fixture(scope="module")
def fund(lively):
    return lively.workspaces["mainnet"]


def posture(*words):
    command = [str(binary()), "posture", "--format", "json", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def verdicts(done, subject):
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    found = {one["practice"]: one for one in report["findings"] if one["subject"] == subject}
    assert set(found) == {f"C{number}" for number in range(1, 8)} | {"C3-used"}, report
    return found


def test_csrs_tell_whose_keys_they_are(tmp_path):
    _, acme = key_and_csr(tmp_path, "acme")
    private, books = key_and_csr(tmp_path, "books")
    flags = [f"--csr=acme={acme}", f"--csr=books={books}", f"--csr=cloud={acme}", f"--csr=dodgy={private}"]
    done = posture(*flags)
    acme, books, dodgy = (verdicts(done, who) for who in ("acme", "books", "dodgy"))
    assert (acme["C2"]["verdict"], acme["C3"]["verdict"]) == ("held", "broken")
    assert "'cloud'" in acme["C3"]["evidence"]
    assert (books["C2"]["verdict"], books["C3"]["verdict"]) == ("held", "held")
    assert dodgy["C2"]["verdict"] == "broken" and "private key" in dodgy["C2"]["evidence"]
    key = private.read_text().split("\n")[1]
    assert key not in done.stdout + done.stderr
    # What these files do not tell is not made up.
    assert {acme[one]["verdict"] for one in ("C1", "C4", "C5", "C6", "C7")} == {"cannot_be_seen"}
    assert posture(*flags, "--fail-on", "high").returncode == 1


def test_the_consoles_history_tells_of_use(tmp_path, lively, fund):
    file = tmp_path / "transactions.csv"
    file.write_bytes(fund.control("GET", "/exports/transactions"))
    header, *rows = file.read_text().splitlines()
    assert "Created By" in header and rows
    done = posture("--history", file, "--third-party", "nobody at all", "--third-party", "editor")
    unused = verdicts(done, "nobody at all")["C3-used"]
    assert unused["verdict"] == "cannot_be_seen" and "it created nothing" in unused["evidence"]
    latest = next(one["Created By"] for one in csv.DictReader([header, *rows]) if one["Created By"])
    used = verdicts(posture("--history", file, "--third-party", latest), latest)["C3-used"]
    assert (used["verdict"], used["severity"]) == ("held", "low") and "transactions, the last on" in used["evidence"]
    accounts = tmp_path / "accounts.csv"
    accounts.write_bytes(fund.control("GET", "/exports/vault_accounts"))
    refused = posture("--history", accounts)
    assert refused.returncode == 1 and "no transaction history" in refused.stderr


def test_an_exported_policy_is_judged(tmp_path, fund):
    rule = {"name": "anybody", "id": "1", "type": "TRANSFER", "initiator": "*", "source": {}, "verdict": {"action": "ALLOW"}}
    file = tmp_path / "policy.json"
    for shape in ([rule], {"rules": [rule]}, {"policy": {"rules": [rule]}}):
        file.write_text(json.dumps(shape))
        seen = verdicts(posture("--policy", file, "--third-party", "acme"), "acme")["C7"]
        assert (seen["verdict"], seen["severity"], seen["source"]) == ("broken", "high", "the Console's policy export")
    answer = fund["non-signing-admin"].door.get("/v1/policy/active_policy?policyType=TRANSFER")
    file.write_bytes(answer.body)
    seen = verdicts(posture("--policy", file, "--third-party", "acme"), "acme")["C7"]
    assert seen["verdict"] in {"held", "broken", "cannot_be_seen"} and "rule" in seen["evidence"]
    for wrong, word in (("{}", "no policy"), ("no JSON", "no JSON"), ('[{"name": 1}]', "rule 1")):
        file.write_text(wrong)
        refused = posture("--policy", file)
        assert refused.returncode == 1 and word in refused.stderr, refused.stderr


def test_nothing_given_is_wrong_usage():
    assert posture().returncode == 2
    assert posture("--environment", "us").returncode == 2

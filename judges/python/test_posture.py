"""The practices in a workspace as it stands, read with a key given for it, and no gate."""

import json
import subprocess

import pytest

from newcomers import made
from sandbox import binary


@pytest.fixture(scope="module")
def fund(lively):
    return lively.workspaces["mainnet"]


def posture(folder, user, sandbox, *words):
    key = folder / f"{user.id}.pem"
    key.write_text(user.secret)
    command = [str(binary()), "posture", "--environment", sandbox.base_url]
    command += ["--api-key", user.id, "--secret-key", str(key), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def told(done):
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_an_admins_key_sees_users_lists_and_policy(tmp_path, lively, fund):
    admin = fund["non-signing-admin"]
    report = told(posture(tmp_path, admin, lively, "--format", "json", "--third-party", "signer"))
    of = {one["practice"]: one for one in report["findings"]}
    assert set(of) == {f"C{number}" for number in range(1, 8)}
    assert {one["subject"] for one in report["findings"]} == {"signer"}
    assert (of["C1"]["verdict"], of["C1"]["severity"]) == ("broken", "high")
    assert (of["C4"]["verdict"], of["C4"]["evidence"]) == ("broken", "its list is empty: it may be used from anywhere")
    assert of["C2"]["verdict"] == of["C3"]["verdict"] == "cannot_be_seen"
    assert of["C7"]["verdict"] in {"held", "broken"}, of["C7"]
    # Fireblocks' own findings are not for an admin, and which role reads them is not made up.
    assert report["fireblocks"] == [] and report["fireblocks_unseen"]
    everybody = told(posture(tmp_path, admin, lively, "--format", "json"))
    assert {one["subject"] for one in everybody["findings"]} >= {"viewer", "editor", "signer"}
    judged = posture(tmp_path, admin, lively, "--third-party", "signer", "--fail-on", "high")
    assert judged.returncode == 1 and "C1      BROKEN" in judged.stdout
    page = posture(tmp_path, admin, lively, "--format", "html")
    assert page.stdout.startswith("<!doctype html>") and "://" not in page.stdout.replace(lively.base_url, "")
    sarif = told(posture(tmp_path, admin, lively, "--format", "sarif", "--third-party", "signer"))
    assert sarif["version"] == "2.1.0"
    results = sarif["runs"][0]["results"]
    assert {one["ruleId"] for one in results if one["kind"] == "fail"} >= {"C1", "C4"}


def test_a_security_auditors_key_sees_the_workspaces_own_findings_and_says_what_it_cannot(
    tmp_path, lively, fund
):
    auditor = made(tmp_path, lively, fund, "SECURITY_AUDITOR")
    report = told(posture(tmp_path, auditor, lively, "--format", "json"))
    assert report["fireblocks_unseen"] is None
    assert any("IP allow-list" in one["title"] for one in report["fireblocks"])
    assert {one["verdict"] for one in report["findings"]} == {"cannot_be_seen"}
    assert all("ADMIN, NON_SIGNING_ADMIN" in one["evidence"] for one in report["findings"])

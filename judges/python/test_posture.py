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
    of = {one["practice"]: one for one in report["findings"] if one["subject"] == "signer"}
    assert set(of) == {f"C{number}" for number in range(1, 8)} | {"C3-used"}
    assert {one["subject"] for one in report["findings"]} == {"signer", "workspace"}
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
    # People with a seat in the Console are there, too; one who signs is a third party's only if somebody says so.
    people = admin.door.get("/v1/management/users").json["users"]
    signing = next(one for one in people if one["role"] in {"OWNER", "ADMIN", "SIGNER"})
    subject = next(one["subject"] for one in everybody["findings"] if signing["email"] in one["subject"])
    for words, verdict in (((), "cannot_be_seen"), (("--third-party", signing["email"]), "broken")):
        report = told(posture(tmp_path, admin, lively, "--format", "json", *words))
        (seat,) = [one for one in report["findings"] if (one["subject"], one["practice"]) == (subject, "C1")]
        assert (seat["verdict"], seat["source"]) == (verdict, "GET /management/users")
    page = posture(tmp_path, admin, lively, "--format", "html")
    assert page.stdout.startswith("<!doctype html>") and "://" not in page.stdout.replace(lively.base_url, "")
    sarif = told(posture(tmp_path, admin, lively, "--format", "sarif", "--third-party", "signer"))
    assert sarif["version"] == "2.1.0"
    results = sarif["runs"][0]["results"]
    assert {one["ruleId"] for one in results if one["kind"] == "fail"} >= {"C1", "C4"}


def test_too_many_webhooks_are_told(tmp_path, lively, fund):
    def few(user):
        report = told(posture(tmp_path, user, lively, "--format", "json"))
        (one,) = [one for one in report["findings"] if one["practice"] == "C6-few"]
        return one

    admin = fund["non-signing-admin"]
    there = len(admin.door.get("/v1/webhooks?pageSize=100").json["data"])
    assert there <= 3 and few(admin)["verdict"] == "held"
    for number in range(there, 4):
        body = {"url": f"https://hooks{number}.example/secret", "events": ["transaction.created"], "description": "d", "enabled": True}
        assert admin.door.post("/v1/webhooks", body).status == 201
    seen = few(admin)
    assert (seen["subject"], seen["verdict"], seen["severity"]) == ("workspace", "broken", "medium")
    assert "hooks3.example" in seen["evidence"] and "secret" not in seen["evidence"]
    # Which roles may read them is in the contract.
    blind = few(fund["viewer"])
    assert blind["verdict"] == "cannot_be_seen" and "NON_SIGNING_ADMIN" in blind["evidence"]


def test_a_security_auditors_key_sees_the_workspaces_own_findings_and_says_what_it_cannot(
    tmp_path, lively, fund
):
    auditor = made(tmp_path, lively, fund, "SECURITY_AUDITOR")
    report = told(posture(tmp_path, auditor, lively, "--format", "json"))
    assert report["fireblocks_unseen"] is None
    assert any("IP allow-list" in one["title"] for one in report["fireblocks"])
    assert {one["verdict"] for one in report["findings"]} == {"cannot_be_seen"}
    assert all("ADMIN, NON_SIGNING_ADMIN" in one["evidence"] for one in report["findings"])

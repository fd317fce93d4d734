"""A provider let into the workspace itself: from its CSR, with an Admin-class key, the quorum watched."""

import json
import subprocess

import pytest

from bare_gate import BareGate
from newcomers import key_and_csr
from sandbox import User, binary

ADDRESS = "203.0.113.7"


@pytest.fixture(scope="module")
def fund(manual):
    return manual.workspaces["testnet"]


def command(folder, sandbox, user, name, *words):
    key = folder / f"{user.id}.pem"
    key.write_text(user.secret)
    flags = ["--environment", sandbox.base_url, "--api-key", user.id, "--secret-key", key]
    return [str(word) for word in (binary(), "--json", "enroll", name, *words, *flags)]


def run(*words):
    return subprocess.run(command(*words), capture_output=True, text=True, timeout=120)


def users(fund):
    told = fund["admin"].door.get("/v1/management/api_users").json["users"]
    return {user["name"]: user for user in told}


def test_what_is_left_is_told_until_nothing_is(tmp_path, manual, fund):
    key, csr = key_and_csr(tmp_path, "acme")
    flags = ["--csr", csr, "--role", "viewer", "--address", ADDRESS]
    first = run(tmp_path, manual, fund["non-signing-admin"], "acme", *flags, "--wait", "0s")
    standing = json.loads(first.stdout)
    assert first.returncode == 1 and standing["ready"] is False
    assert "Quorum" in standing["left"][0] and f"add {ADDRESS}" in standing["left"][1], first.stderr
    id = users(fund)["acme"]["id"]
    assert (standing["api_key"], standing["role"]) == (id, "VIEWER")
    # It goes on from there, and ends by itself when people have done the rest.
    words = command(tmp_path, manual, fund["non-signing-admin"], "acme", *flags, "--wait", "10m")
    watching = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        fund.control("POST", f"/users/{id}/approve")
        fund.control("PUT", f"/users/{id}/ip_addresses", {"addresses": ["127.0.0.1"]})
        assert watching.poll() is None
        fund.control("PUT", f"/users/{id}/ip_addresses", {"addresses": [ADDRESS]})
        out, err = watching.communicate(timeout=60)
    finally:
        watching.kill()
    assert watching.returncode == 0, err
    standing = json.loads(out)
    assert (standing["ready"], standing["left"], standing["addresses"]) == (True, [], [ADDRESS])
    assert [name for name in users(fund) if name == "acme"] == ["acme"], "made once"
    # The list holds: the key is right, and this is another address.
    acme = User.made(manual, "VIEWER", id, key)
    assert acme.door.get("/v1/vault/accounts_paged").status == 401
    fund.control("PUT", f"/users/{id}/ip_addresses", {"addresses": ["127.0.0.1"]})
    assert acme.door.get("/v1/vault/accounts_paged").status == 200


def test_what_must_not_be_is_not_made(tmp_path, manual, fund):
    key, csr = key_and_csr(tmp_path, "bad")
    before = users(fund)
    fine = ["--csr", csr, "--role", "viewer", "--address", ADDRESS, "--wait", "0s"]
    for user, name, words, word in (
        (fund["viewer"], "bad", fine, "NON_SIGNING_ADMIN"),
        (fund["editor"], "bad", fine, "NON_SIGNING_ADMIN"),
        (fund["admin"], "bad", ["--csr", key, *fine[2:]], "private key"),
        (fund["admin"], "x" * 31, fine, "30"),
        (fund["admin"], "signer", fine, "role"),
    ):
        done = run(tmp_path, manual, user, name, *words)
        assert done.returncode == 1 and word in done.stderr, done.stderr
        assert key.read_text().split("\n")[1] not in done.stdout + done.stderr
    signer = run(tmp_path, manual, fund["admin"], "bad", "--csr", csr, "--role", "signer", "--address", ADDRESS)
    assert signer.returncode == 2, "there is no word for it"
    small, _ = tmp_path / "small.csr", None
    words = ["openssl", "req", "-new", "-newkey", "rsa:1024", "-nodes", "-keyout", tmp_path / "k", "-out", small, "-subj", "/O=A"]
    subprocess.run(words, check=True, capture_output=True, timeout=120)
    weak = run(tmp_path, manual, fund["admin"], "bad", "--csr", small, *fine[2:])
    assert weak.returncode == 1 and "2048" in weak.stderr, weak.stderr
    assert users(fund) == before


def test_a_gate_keeps_it_as_watched(tmp_path, manual, fund):
    _, csr = key_and_csr(tmp_path, "kept")
    gate = BareGate(tmp_path)
    try:
        flags = ["--csr", csr, "--role", "editor", "--address", ADDRESS, "--wait", "0s", "--record", gate.folder]
        done = run(tmp_path, manual, fund["admin"], "kept", *flags)
        assert done.returncode == 1 and "watched" in done.stderr, done.stderr
        (kept,) = gate.connections()
        assert (kept["name"], kept["mode"].lower(), kept["role"], kept["standing"]) == ("kept", "watched", "EDITOR", "ACTIVE")
        again = run(tmp_path, manual, fund["admin"], "kept", *flags)
        assert "before" in again.stderr
        assert len(gate.connections()) == 1
        report = json.loads(gate.run("posture").stdout)
        verdicts = {one["practice"]: one["verdict"] for one in report["findings"]}
        assert {name for name, verdict in verdicts.items() if verdict == "held"} == {"C2", "C3"}, report
        assert set(verdicts.values()) == {"held", "cannot_be_seen"}
    finally:
        gate.stop()
    assert users(fund)["kept"]["status"] == "PENDING_ACTIVATION"


def test_a_provider_that_leaves_the_gate_stays_at_fireblocks_with_its_own_key(tmp_path, manual, fund):
    key, csr = key_and_csr(tmp_path, "stays")
    admin = fund["non-signing-admin"]
    secret = tmp_path / "admin.pem"
    secret.write_text(admin.secret)
    gate = BareGate(tmp_path)
    try:
        gate.hand_in(csr.read_bytes(), "stays")
        at = ["--enroll", "--environment", manual.base_url, "--api-key", admin.id, "--secret-key", secret, "--wait", "0s"]
        leave = ["connection", "leave", "stays", "--reason", "no gate any more"]

        def left(*words):
            return gate.run(*map(str, [*leave, *words]))

        state = lambda: gate.connections()[0]["state"]  # noqa: E731
        # Whoever may not enrol closes nothing; and a role that signs has no word.
        viewer = tmp_path / "viewer.pem"
        viewer.write_text(fund["viewer"].secret)
        blind = left(*at[:4], fund["viewer"].id, "--secret-key", viewer)
        assert blind.returncode == 1 and "NON_SIGNING_ADMIN" in blind.stderr, blind.stderr
        assert left(*at, "--role", "signer").returncode == 2
        assert left("--enroll").returncode == 2
        assert state() == "REQUESTED" and "stays" not in users(fund)
        done = left(*at)
        assert done.returncode == 1 and "Quorum" in done.stderr, done.stderr
        assert json.loads(done.stdout)["record"]["connection"] == "stays"
        assert state() == "REVOKED"
        user = users(fund)["stays"]
        assert (user["role"], user["status"]) == ("VIEWER", "PENDING_ACTIVATION")
        fund.control("POST", f"/users/{user['id']}/approve")
        fund.control("PUT", f"/users/{user['id']}/ip_addresses", {"addresses": ["192.0.2.7"]})
        again = left(*at)
        assert again.returncode == 0 and user["id"] in again.stderr, again.stderr
        assert [name for name in users(fund) if name == "stays"] == ["stays"], "made once"
        # The key that the provider had at the gate is the one that Fireblocks knows.
        fund.control("PUT", f"/users/{user['id']}/ip_addresses", {"addresses": ["127.0.0.1"]})
        stays = User.made(manual, "VIEWER", user["id"], key)
        assert stays.door.get("/v1/vault/accounts_paged").status == 200
    finally:
        gate.stop()

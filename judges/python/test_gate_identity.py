"""What must never break, 9: what comes from another workspace never enters the gate's books."""

import json
import subprocess

from fireblocks.models.create_api_user import CreateAPIUser

from sandbox import binary
from waiting import until


def test_invariant_9_a_key_of_another_workspace_fills_no_books(lively, tmp_path):
    mainnet, testnet = lively.workspaces["mainnet"], lively.workspaces["testnet"]
    folder, ready = tmp_path / "gate", tmp_path / "ready.json"

    def owner(*words):
        command = [str(binary()), "--json", "gate", "--dir", str(folder), *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        return json.loads(done.stdout) if done.stdout.strip() else None

    init = ["init", "--upstream", lively.base_url, "--workspace", mainnet.id]
    owner(*init, "--jwks-url", lively.jwks_url, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0")
    command = [str(binary()), "gate", "--dir", str(folder), "run", "--ready-file", str(ready)]
    gate = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until("the gate serves", ready.exists)
        csr = (folder / "csr" / "upstream-viewer.csr.pem").read_text()

        def enrolled(workspace):
            users = workspace["non-signing-admin"].sdk.api_user
            users.create_api_user(
                create_api_user=CreateAPIUser(role="VIEWER", name="gate", csr_pem=csr)
            ).result()
            return next(u.id for u in users.get_api_users().result().data.users if u.name == "gate")

        def check(status, what):
            return next(one for one in status["checks"] if one["what"] == what)

        owner("upstream", "--viewer-api-key", enrolled(testnet))
        foreign = "upstream answers the gate's Viewer"
        told = until(
            "the doctor sees the other workspace",
            lambda: check(owner("doctor"), foreign)["saw"].startswith("another workspace") and owner("doctor"),
        )
        assert told["filled"] is False and testnet.id in check(told, foreign)["saw"]
        owner("upstream", "--viewer-api-key", enrolled(mainnet), "--reason", "the right workspace")
        until("the books are filled from the right one", lambda: owner("doctor")["filled"])
    finally:
        gate.terminate()
        gate.wait(timeout=20)

"""One sandbox for all tests, a workspace for each."""

import json
import os
import subprocess
import tempfile
import urllib.request
from pathlib import Path

import pytest
from fireblocks.client import Fireblocks
from fireblocks.client_configuration import ClientConfiguration

from waiting import until


class Sandbox:
    """Where the sandbox is, and how its workspaces are made."""

    def __init__(self, url, control_url, token):
        self.url = url  # Like http://127.0.0.1:8080/v1.
        self.jwks_url = url.removesuffix("/v1") + "/.well-known/jwks.json"
        self._control_url, self._token = control_url, token

    def control(self, method, path, body=None):
        """A call of the control plane; what it answers."""
        request = urllib.request.Request(self._control_url + path, method=method)
        request.add_header("Authorization", f"Bearer {self._token}")
        request.add_header("Content-Type", "application/json")
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(request, data=data, timeout=30) as answer:
            text = answer.read()
        return json.loads(text) if text else None


class Workspace:
    """A workspace of a test's own, and clients in the name of its users."""

    def __init__(self, sandbox):
        self.sandbox = sandbox
        made = sandbox.control("POST", "/workspaces", {})
        self.id = made["id"]
        self._users = {user["name"]: user for user in made["users"]}
        self._clients = {}

    def client(self, name):
        """The official SDK; names are admin, signer, approver, editor, viewer and others."""
        if name not in self._clients:
            user = self._users[name]
            self._clients[name] = Fireblocks(
                ClientConfiguration(
                    api_key=user["api_key"], secret_key=user["secret_key"], base_path=self.sandbox.url
                )
            )
        return self._clients[name]

    def close(self):
        for client in self._clients.values():
            client._api_client.close()
        self.sandbox.control("DELETE", f"/workspaces/{self.id}")


@pytest.fixture(scope="session")
def sandbox():
    """The one that runs already, or one of our own."""
    if url := os.environ.get("VESTIBULE_URL"):
        yield Sandbox(url, os.environ["VESTIBULE_CONTROL_URL"], os.environ["VESTIBULE_CONTROL_TOKEN"])
        return
    with tempfile.TemporaryDirectory() as folder:
        ready = Path(folder, "ready.json")
        command = [os.environ.get("VESTIBULE_BIN", "vestibule"), "sandbox", "--ephemeral"]
        command += ["--listen", "127.0.0.1:0", "--control", "127.0.0.1:0", "--ready-file", str(ready)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            until(lambda: ready.exists() or process.poll() is not None)
            assert process.poll() is None, "the sandbox ended; its messages are above"
            told = json.loads(ready.read_text())["sandbox"]
            token = Path(told["control_token_path"]).read_text().strip()
            yield Sandbox(told["base_url"], told["control_url"], token)
        finally:
            process.terminate()
            process.wait(timeout=30)


@pytest.fixture
def workspace(sandbox):
    workspace = Workspace(sandbox)
    yield workspace
    workspace.close()

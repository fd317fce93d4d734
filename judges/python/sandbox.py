"""A sandbox of the product: started as a user starts it, found by its ready file."""

import json
import os
import subprocess
import urllib.error
import urllib.request
import uuid
from pathlib import Path

from fireblocks.client import Fireblocks
from fireblocks.client_configuration import ClientConfiguration

from door import Door
from waiting import until

ROOT = Path(__file__).resolve().parents[2]


def binary():
    """The product's binary: the one that the caller names, or the one of a debug build."""
    named = os.environ.get("VESTIBULE_BIN")
    path = Path(named) if named else ROOT / "target" / "debug" / "vestibule"
    if not path.is_file():
        raise RuntimeError(f"{path} is missing: cargo build --package vestibule, or set VESTIBULE_BIN")
    return path


def call_log():
    """Where a sandbox writes down who called what, if the caller wants to know."""
    folder = os.environ.get("VESTIBULE_CALL_LOGS")
    return ["--call-log", str(Path(folder) / f"{uuid.uuid4()}.jsonl")] if folder else []


class Sandbox:
    """A running sandbox; what it is about is kept in the file `data`, or nowhere."""

    def __init__(self, folder, *arguments, data=None):
        ready = folder / "ready.json"
        ready.unlink(missing_ok=True)  # One that was killed has left its own there.
        listen = ["--listen", "127.0.0.1:0", "--control", "127.0.0.1:0"]
        keep = ["--data", str(data)] if data else ["--ephemeral"]
        log = [] if "--call-log" in arguments else call_log()
        command = [str(binary()), "sandbox", *listen, *keep, "--ready-file", str(ready), *log, *arguments]
        self._log = open(folder / "sandbox.log", "wb")
        self._process = subprocess.Popen(command, stdout=self._log, stderr=self._log)
        try:
            until("the sandbox serves", lambda: self._look(ready))
            told = json.loads(ready.read_text())["sandbox"]
            self.base_url = told["base_url"]
            self.origin = told["base_url"].removesuffix("/v1")
            self.jwks_url = told["jwks_url"]
            self.control_url = told["control_url"]
            self._control_token = Path(told["control_token_path"]).read_text().strip()
            self.workspaces = {}
            self.by_id = {w["workspace_id"]: Workspace(self, w) for w in told["workspaces"]}
            for told_one in told["workspaces"]:  # The first of a network is the sandbox's own.
                workspace = self.by_id[told_one["workspace_id"]]
                self.workspaces.setdefault(told_one["network"], workspace)
        except BaseException:
            self.stop()
            raise

    def _look(self, ready):
        if self._process.poll() is not None:
            log = Path(self._log.name).read_text()
            raise RuntimeError(f"the sandbox ended with {self._process.returncode}: {log}")
        return ready.exists()

    def kill(self):
        """kill -9."""
        self._close()
        self._process.kill()
        self._process.wait()
        self._log.close()

    def _close(self):
        """No client's threads live on."""
        for workspace in getattr(self, "by_id", {}).values():
            for user in workspace.users.values():
                user.close()

    def stop(self):
        """Ends it as a user does."""
        self._close()
        self._process.terminate()
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()

    def control(self, method, path, body=None, token=None):
        """A call below `/_sandbox`: its status and what it answers."""
        request = urllib.request.Request(self.control_url + path, method=method)
        request.add_header("Authorization", f"Bearer {token or self._control_token}")
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, data=data, timeout=30) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()


class Workspace:
    """A workspace of a sandbox, and its users by name."""

    def __init__(self, sandbox, told):
        self.sandbox = sandbox
        self.id = told["workspace_id"]
        self.users = {user["name"]: User(sandbox, user) for user in told["users"]}

    def __getitem__(self, name):
        return self.users[name]

    def control(self, method, path, body=None):
        """A call of people or chain of this workspace; it must succeed."""
        status, answer = self.sandbox.control(method, f"/workspaces/{self.id}{path}", body)
        assert status == 200, (status, answer)
        return answer


class User:
    """An API user: the official client in its name, and the bare door."""

    def __init__(self, sandbox, told):
        self._sandbox = sandbox
        self._client = None
        self._door = None
        self.role = told["role"]
        self.id = told["api_key"]
        self.secret = told.get("secret") or Path(told["secret_key_path"]).read_text()

    @classmethod
    def made(cls, sandbox, role, api_key, secret_file):
        """A user that a test has made."""
        told = {"role": role, "api_key": api_key, "secret_key_path": secret_file}
        return cls(sandbox, told)

    @property
    def origin(self):
        """Where its workspace is served, without the version."""
        return self._sandbox.origin

    @property
    def sdk(self):
        """The official client."""
        if self._client is None:
            self._client = Fireblocks(
                ClientConfiguration(
                    api_key=self.id, secret_key=self.secret, base_path=self._sandbox.base_url
                )
            )
        return self._client

    @property
    def door(self):
        """Requests made by hand."""
        if self._door is None:
            self._door = Door(self._sandbox.origin, self.id, self.secret)
        return self._door

    def close(self):
        if self._client is not None:
            self._client._api_client.close()
            self._client = None

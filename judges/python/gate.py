"""The demo of the product, with its workspace and its gate; and providers let in at that gate."""

import json
import subprocess
from pathlib import Path

from sandbox import User, Workspace, binary
from waiting import until


class Upstream:
    """The workspace behind the gate, as its own users see it."""

    def __init__(self, told):
        self.base_url = told["base_url"]
        self.origin = told["base_url"].removesuffix("/v1")


class Gate:
    """A running gate: started as a user starts it, found by its ready file."""

    def __init__(self, folder):
        self.folder = folder
        self.data = folder / "demo"
        ready = folder / "ready.json"
        command = [str(binary()), "demo", "--json", "--data", str(self.data)]
        self._log = open(folder / "demo.log", "wb")
        self._process = subprocess.Popen(
            [*command, "--ready-file", str(ready)], stdout=self._log, stderr=self._log
        )
        self._users = []
        try:
            until("the demo serves", lambda: self._look(ready), seconds=180)
            told = json.loads(ready.read_text())
            self.base_url = told["gate"]["base_url"]
            self.origin = self.base_url.removesuffix("/v1")
            self.jwks_url = told["gate"]["jwks_url"]
            upstream = Upstream(told["sandbox"])
            self.workspace = Workspace(upstream, told["sandbox"]["workspaces"][0])
            self.providers = {}
            for provider in told["gate"]["providers"]:
                self.providers[provider["name"]] = User(self, provider)
        except BaseException:
            self.stop()
            raise

    def _look(self, ready):
        if self._process.poll() is not None:
            log = Path(self._log.name).read_text()
            raise RuntimeError(f"the demo ended with {self._process.returncode}: {log}")
        return ready.exists()

    def stop(self):
        users = [*getattr(self, "providers", {}).values(), *self._users]
        for user in users:
            user.close()
        self._process.terminate()
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()

    def owner(self, *words, fails=False):
        """A command of the gate's owner; what it prints, or what it says where it must fail."""
        command = [str(binary()), "--json", "gate", "--dir", str(self.data / "gate"), *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert (done.returncode != 0) == fails, (words, done.stdout, done.stderr)
        if fails:
            return done.stderr
        return [json.loads(line) for line in _documents(done.stdout)]

    def let_in(self, name, role, accounts, assets=(), webhook=None, place=None):
        """A provider with a key of openssl's, let in by the owner; and its hand-back file."""
        key, csr = self.folder / f"{name}.key", self.folder / f"{name}.csr"
        make = ["openssl", "req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", "/O=Acme"]
        subprocess.run([*make, "-keyout", str(key), "-out", str(csr)], check=True, capture_output=True)
        words = ["connection", "request", name, "--csr", str(csr), "--role", role]
        words += ["--address", "127.0.0.1/32"]
        for account in accounts:
            words += ["--vault-account", str(account)]
        for asset in assets:
            words += ["--asset", asset]
        if webhook:
            words += ["--webhook-url", webhook, "--legacy-signature"]
        if place:
            words += ["--place", place]
        self.owner(*words)
        (handback,) = self.owner("connection", "approve", name, "--reason", "as agreed")
        told = {"role": role.upper(), "api_key": handback["api_key"], "secret_key_path": str(key)}
        user = User(self, told)
        self._users.append(user)
        return user, handback

    def proposals(self, state):
        return [one for one in self.owner("proposal", "list") if one["state"] == state]


def _documents(text):
    """JSON lines, or one JSON document over several lines."""
    text = text.strip()
    if not text:
        return []
    try:
        json.loads(text)
    except json.JSONDecodeError:
        return text.splitlines()
    return [text]

"""A gate without a workspace behind it: what its owner hands in, and what it answers."""

import json
import subprocess

from sandbox import binary
from waiting import until

WORKSPACE = "6ba7b810-9dad-41d1-80b4-00c04fd430c8"


class BareGate:
    def __init__(self, folder):
        self.folder = folder / "gate"
        self._files = folder / "handed-in"
        self._files.mkdir()
        self._count = 0
        made = self.run("init", "--upstream", "us", "--workspace", WORKSPACE, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0")
        assert made.returncode == 0, made.stderr
        ready = folder / "ready.json"
        command = [str(binary()), "gate", "--dir", str(self.folder), "run", "--ready-file", str(ready)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until("the gate serves", ready.exists, seconds=60)

    def run(self, *words):
        command = [str(binary()), "--json", "gate", "--dir", str(self.folder), *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=120)

    def hand_in(self, content, name=None):
        """What is said to these bytes in place of a CSR: taken or not, and the words."""
        self._count += 1
        file = self._files / f"{self._count}"
        file.write_bytes(content)
        name = name or f"c{self._count}"
        done = self.run(
            "connection", "request", name, "--csr", str(file),
            "--role", "viewer", "--address", "192.0.2.7", "--vault-account", "1",
        )  # fmt: skip
        file.unlink()
        return done.returncode == 0, done.stderr

    def connections(self):
        listed = self.run("connection", "list")
        assert listed.returncode == 0, listed.stderr
        return [json.loads(line) for line in listed.stdout.splitlines()]

    def log(self):
        told = self.run("log", "list")
        assert told.returncode == 0, told.stderr
        return told.stdout

    def kept(self):
        """Every byte that the gate has written down, its own keys aside."""
        files = [file for file in self.folder.rglob("*") if file.is_file()]
        return b"".join(file.read_bytes() for file in files if file.parent.name != "keys")

    def stop(self):
        self._process.terminate()
        self._process.wait(timeout=20)

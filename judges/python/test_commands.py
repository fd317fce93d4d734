"""The sandbox's commands, as a shell has them."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox import ROOT, binary
from waiting import until

ANYWHERE = ["--listen", "127.0.0.1:0", "--control", "127.0.0.1:0"]


def run(*arguments, cwd=None, code=0):
    words = [str(binary()), *map(str, arguments)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, cwd=cwd)
    assert done.returncode == code, done
    return done


@pytest.fixture
def started():
    """Starts commands in the background; those that are left are killed."""
    children = []

    def start(*arguments, cwd):
        words = [str(binary()), *map(str, arguments)]
        children.append(subprocess.Popen(words, cwd=cwd, stdout=subprocess.DEVNULL))
        return children[-1]

    yield start
    for child in children:
        child.kill()
        child.wait()


def snippet():
    """The README's first look at a sandbox."""
    text = (ROOT / "README.md").read_text()
    blocks = [block.split("```")[0] for block in text.split("```sh\n")[1:]]
    return next(block for block in blocks if "sandbox env" in block)


def test_the_readmes_first_look_as_it_is_pasted(tmp_path):
    """On free ports, with this Python; and the sandbox ended behind it."""
    script = snippet().replace("vestibule sandbox --ready-file", f"vestibule sandbox {' '.join(ANYWHERE)} --ready-file")
    path = os.pathsep.join([str(binary().parent), str(Path(sys.executable).parent), os.environ["PATH"]])
    shell = subprocess.run(
        ["bash", "-c", f"{script}\nstatus=$?\nkill %1\nwait\nexit $status"],
        capture_output=True, text=True, timeout=60, cwd=tmp_path, env={**os.environ, "PATH": path},
    )  # fmt: skip
    assert shell.returncode == 0, shell
    lines = [line for line in shell.stdout.splitlines() if line.split(" ", 1)[0] in ("33", "34", "35")]
    assert len(lines) == 3, shell
    assert not (tmp_path / "ready.json").exists(), "it goes at a clean end"


def test_env_finds_what_was_started_without_a_word(started, tmp_path):
    child = started("sandbox", *ANYWHERE, cwd=tmp_path)
    plain = run("sandbox", "env", cwd=tmp_path).stdout
    assert plain.startswith("export FIREBLOCKS_BASE_PATH='http://127.0.0.1:")
    told = json.loads(run("--json", "sandbox", "env", cwd=tmp_path).stdout)
    assert set(told) == {"FIREBLOCKS_BASE_PATH", "FIREBLOCKS_API_KEY", "FIREBLOCKS_SECRET_KEY"}
    assert told["FIREBLOCKS_API_KEY"] in plain and "PRIVATE KEY" in told["FIREBLOCKS_SECRET_KEY"]
    ready = tmp_path / "vestibule-sandbox" / "sandbox.db.ready.json"
    workspaces = json.loads(ready.read_text())["sandbox"]["workspaces"]
    for workspace in workspaces:
        viewer = next(u["api_key"] for u in workspace["users"] if u["name"] == "viewer")
        for name in (workspace["network"], workspace["workspace_id"]):
            told = json.loads(run("--json", "sandbox", "env", "--workspace", name, cwd=tmp_path).stdout)
            assert told["FIREBLOCKS_API_KEY"] == viewer
    refused = run("sandbox", "env", "--workspace", "moon", cwd=tmp_path, code=1).stderr
    assert "moon" in refused and all(workspace["name"] in refused for workspace in workspaces)

    # One that was killed leaves its file: nobody is told of it, and the next one takes it away.
    child.kill()
    child.wait()
    assert ready.exists()
    gone = run("sandbox", "env", "--wait", "0", cwd=tmp_path, code=1).stderr
    assert "nobody answers" in gone and str(ready.name) in gone
    taken = socket.create_server(("127.0.0.1", 0))
    with taken:
        port = f"127.0.0.1:{taken.getsockname()[1]}"
        assert port in run("sandbox", "--listen", port, "--control", "127.0.0.1:0", cwd=tmp_path, code=1).stderr
    assert not ready.exists()

    child = started("sandbox", *ANYWHERE, cwd=tmp_path)
    run("sandbox", "env", cwd=tmp_path)
    child.terminate()
    assert child.wait(timeout=20) == 0 and not ready.exists()


def test_env_says_what_is_missing(tmp_path):
    none = run("sandbox", "env", "none.json", "--wait", "0", cwd=tmp_path, code=1).stderr
    assert "none.json" in none and "vestibule sandbox" in none
    (tmp_path / "bad.json").write_text('{"gate": {}}')
    assert "bad.json" in run("sandbox", "env", "bad.json", cwd=tmp_path, code=1).stderr


def test_a_port_in_use_is_named(started, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"127.0.0.1:{port}" in run("sandbox", "listen", port, code=1).stderr
    child = started("sandbox", "listen", port, cwd=tmp_path)

    def hears():
        assert child.poll() is None
        with socket.socket() as line:
            return line.connect_ex(("127.0.0.1", port)) == 0

    until("it listens", hears)

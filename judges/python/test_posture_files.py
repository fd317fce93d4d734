"""Posture's files against other people's readers: SARIF's own schema, and a page that asks for nothing."""

import json
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import jsonschema_rs
import pytest

from bare_gate import BareGate
from newcomers import made
from test_posture import posture, told

SCHEMA = json.loads((Path(__file__).parent / "sarif-2.1.0.schema.json").read_text())
# What makes a browser fetch something, or run it.
FETCHES = {"src", "srcset", "href", "action", "formaction", "data", "poster", "background", "ping", "xlink:href"}
RUNS = {"script", "iframe", "object", "embed", "link", "base", "form", "img", "svg", "video", "audio"}
EVIL = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def fund(lively):
    return lively.workspaces["mainnet"]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory, lively, fund):
    """An API user whose name is markup."""
    folder = tmp_path_factory.mktemp("hostile")
    return made(folder, lively, fund, "EDITOR", name=EVIL)


def test_sarif_is_as_its_schema_says(tmp_path, lively, fund, hostile):
    schema = jsonschema_rs.validator_for(SCHEMA)
    assert not schema.is_valid({"version": "2.1.0", "runs": [{"results": []}]}), "the schema refuses something"
    for user in (fund["non-signing-admin"], fund["viewer"]):
        report = told(posture(tmp_path, user, lively, "--format", "sarif"))
        errors = [f"{list(error.instance_path)}: {error.message}" for error in schema.iter_errors(report)]
        assert errors == []
        (run,) = report["runs"]
        rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
        assert rules == sorted(set(rules)) and {one["ruleId"] for one in run["results"]} <= set(rules)


def test_a_gates_connections_are_told_by_the_same_writers(tmp_path):
    gate = BareGate(tmp_path)
    try:
        key, csr = tmp_path / "acme.key", tmp_path / "acme.csr"
        make = ["openssl", "req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", "/O=Acme"]
        subprocess.run([*make, "-keyout", key, "-out", csr], check=True, capture_output=True, timeout=120)
        assert gate.hand_in(csr.read_bytes(), "acme")[0]
        report = told(gate.run("posture"))
        broken = {one["practice"] for one in report["findings"] if one["verdict"] == "broken"}
        assert broken == {"C6"}, report
        assert report["standings"] == {"acme": "guarded, REQUESTED"}
        assert all(one["source"] and one["todo"] and one["severity"] for one in report["findings"])
        for least, code in (("low", 1), ("medium", 1), ("high", 0)):
            assert gate.run("posture", "--fail-on", least).returncode == code
        sarif = told(gate.run("posture", "--format", "sarif"))
        errors = [error.message for error in jsonschema_rs.validator_for(SCHEMA).iter_errors(sarif)]
        assert errors == []
        results = sarif["runs"][0]["results"]
        assert {one["ruleId"] for one in results if one["kind"] == "fail"} == broken
        page = Page()
        page.feed(gate.run("posture", "--format", "html").stdout)
        assert page.bad == [] and "table" in page.tags and page.policy.startswith("default-src 'none'")
    finally:
        gate.stop()


class Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.bad, self.style, self.policy = [], [], "", None
        self.in_style = False

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.in_style = tag == "style"
        of = dict(attributes)
        if of.get("http-equiv", "").lower() == "content-security-policy":
            self.policy = of["content"]
        if tag in RUNS or FETCHES & set(of) or any(name.startswith("on") for name in of):
            self.bad.append((tag, attributes))

    def handle_data(self, text):
        self.style += text if self.in_style else ""

    def handle_endtag(self, tag):
        self.in_style = False


def test_the_page_asks_for_nothing_and_runs_nothing(tmp_path, lively, fund, hostile):
    done = posture(tmp_path, fund["non-signing-admin"], lively, "--format", "html")
    assert done.returncode == 0, done.stderr
    page = Page()
    page.feed(done.stdout)
    assert page.bad == [] and "table" in page.tags
    assert "url(" not in page.style and "@import" not in page.style
    assert page.policy.startswith("default-src 'none'")
    assert EVIL not in done.stdout and "&lt;img src=x" in done.stdout

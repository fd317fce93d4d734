"""What schemathesis needs to know of a sandbox: which operations it serves, how a request is signed,
and how a failure is told so that anybody can send the same call again."""

import hashlib
import json
import os
import shlex
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections import Counter
from pathlib import Path
from zlib import crc32

import jwt
import schemathesis
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from requests.auth import AuthBase
from schemathesis.cli.commands.run.handlers.base import EventHandler
from schemathesis.engine.events import EngineFinished, NonFatalError, ScenarioFinished, ScenarioStarted
from urllib3.util import parse_url

TOLD = json.loads(Path(os.environ["FUZZ_READY"]).read_text())["sandbox"]
REPORT = Path(os.environ["FUZZ_REPORT"])
USERS = os.environ["FUZZ_USERS"].split(",")
ORIGIN = TOLD["base_url"].removesuffix("/v1")
# Where somebody has started the same sandbox again, to send a call once more.
AGAIN = "http://127.0.0.1:8080"
# These every operation may answer, with the body of an error.
ERRORS = ("400", "401", "403", "404", "429")
ERROR = {
    "type": "object",
    "properties": {
        "message": {"type": "string"},
        "code": {"type": "number"},
        "error": {
            "type": "object",
            "required": ["type", "message"],
            "properties": {"type": {"type": "string"}, "message": {"type": "string"}},
        },
    },
    "anyOf": [{"required": ["message"]}, {"required": ["error"]}],
}


def fetch(url, method="GET", headers=()):
    request = urllib.request.Request(url, method=method, headers=dict(headers))
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.read()


PATHS = json.loads(fetch(f"{ORIGIN}/openapi.json"))["paths"]
# The operations that the sandbox says it serves, and who may call each (nothing: everybody).
ROLES = {told["operationId"]: told["x-roles"] for path in PATHS.values() for told in path.values()}
METHODS = ("get", "put", "post", "delete", "patch")
# Names the operation, from the case that is made of it to where it is signed; it is never sent.
OPERATION = "X-Operation"


@schemathesis.hook
def before_load_schema(context, raw_schema):
    """Only what is served; errors are declared everywhere."""
    for path in raw_schema["paths"].values():
        for method in METHODS:
            operation = path.get(method)
            if operation is None:
                continue
            if operation["operationId"] not in ROLES:
                del path[method]
                continue
            for status in ERRORS:
                content = {"application/json": {"schema": ERROR}}
                operation["responses"][status] = {"description": "", "content": content}


class User:
    """An API user of the sandbox."""

    def __init__(self, told):
        self.id, self.role = told["api_key"], told["role"]
        pem = Path(told["secret_key_path"]).read_bytes()
        self.key = load_pem_private_key(pem, password=None)
        # The sandbox's own folder goes with it; these keys are for development and known to everybody.
        self.file = REPORT.with_name(f"{told['name']}.pem")
        self.file.write_bytes(pem)

    def token(self, target, body):
        now = int(time.time())
        claims = {
            "uri": target,
            "nonce": str(uuid.uuid4()),
            "iat": now,
            "exp": now + 55,
            "sub": self.id,
            "bodyHash": hashlib.sha256(body).hexdigest(),
        }
        return jwt.encode(claims, self.key, algorithm="RS256")


class Signed(AuthBase):
    """Signs what is really sent: the target as it goes over the wire, the body's last byte."""

    def __init__(self):
        known = {user["name"]: user for user in TOLD["users"]}
        unknown = [name for name in USERS if name not in known]
        if unknown:
            raise SystemExit(f"no such user: {', '.join(unknown)}; there are {', '.join(known)}")
        made = {name: User(known[name]) for name in USERS}
        self.users = [made[name] for name in USERS]

    def __call__(self, request):
        body = request.body or b""
        body = body.encode() if isinstance(body, str) else body
        target = parse_url(request.url).request_uri
        user = self.user(request.headers.pop(OPERATION, ""), f"{request.method} {target} ".encode() + body)
        request.headers["X-API-Key"] = user.id
        request.headers["Authorization"] = f"Bearer {user.token(target, body)}"
        return request


    def user(self, operation, call):
        """Who calls: chosen by the call, so that the same call is always the same user's. One in eight
        times it is anybody, else somebody who may."""
        choice = crc32(call)
        roles = ROLES.get(operation)
        may = [user for user in self.users if roles is None or user.role in roles]
        among = self.users if choice % 8 == 0 or not may else may
        return among[choice // 8 % len(among)]


@schemathesis.hook
def before_call(context, case, kwargs):
    case.headers[OPERATION] = case.operation.definition.raw["operationId"]


SIGNED = Signed()
schemathesis.auth.set_from_requests(SIGNED)


# What most of the seeded world is about.
USUAL = {"assetId": ["BTC", "ETH", "SOL", "XRP"], "vaultAccountId": ["0", "1", "2"]}


class Pool:
    """What there is in the sandbox: values by the names of their fields, ids by their list's path."""

    def __init__(self):
        self.named, self.listed = {}, {}
        admin = SIGNED.users[0]
        for path, told in sorted(PATHS.items()):
            if "get" not in told or "{" in path:
                continue
            target = f"/v1{path}"
            headers = {"X-API-Key": admin.id, "Authorization": f"Bearer {admin.token(target, b'')}"}
            try:
                body = json.loads(fetch(ORIGIN + target, headers=headers))
            except urllib.error.HTTPError:
                continue  # Not this user's, or not without a parameter.
            rows = body if isinstance(body, list) else next((v for v in body.values() if isinstance(v, list)), [])
            plain = path.removesuffix("_paged").removesuffix("_paginated").removesuffix("/paged")
            self.listed[plain] = [str(row["id"]) for row in rows[:8] if isinstance(row, dict) and "id" in row]
            self.learn(body)

    def learn(self, value):
        for name, part in value.items() if isinstance(value, dict) else ():
            known = self.named.setdefault(name, [])
            if isinstance(part, str) and part not in known and len(known) < 8:
                known.append(part)
        parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        for part in list(parts)[:20]:
            self.learn(part)

    def one(self, known, value):
        """Mostly something that there is; chosen by what was generated."""
        choice = crc32(repr(value).encode())
        return known[choice // 4 % len(known)] if known and choice % 4 else value

    def path(self, template, parameters):
        for name, value in parameters.items():
            place = template.split("/{" + name + "}")[0]
            known = USUAL.get(name) or self.listed.get(place) or self.named.get(name) or []
            parameters[name] = self.one(known, value)
        return parameters

    def body(self, value):
        if isinstance(value, dict):
            for name, part in value.items():
                fits = isinstance(part, str) and name not in ("name", "type")
                value[name] = self.one(USUAL.get(name) or self.named.get(name, []), part) if fits else self.body(part)
        elif isinstance(value, list):
            value[:] = [self.body(part) for part in value]
        return value


POOL = Pool()


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    return path_parameters and POOL.path(context.operation.path, path_parameters)


@schemathesis.hook
def map_query(context, query):
    return query and POOL.body(query)


@schemathesis.hook
def map_body(context, body):
    return POOL.body(body) if isinstance(body, (dict, list)) else body


class Failures:
    """What was wrong, each told once, with the command that sends the same call."""

    def __init__(self):
        self.told = {}

    def add(self, label, check, message, interaction):
        kind = (label, check, message.splitlines()[0] if message else "")
        if kind in self.told:
            return
        request, response = interaction.request, interaction.response
        headers = {name.lower(): values[0] for name, values in request.headers.items()}
        target = parse_url(request.uri).request_uri
        user = next((user for user in SIGNED.users if user.id == headers.get("x-api-key")), SIGNED.users[0])
        words = ["vestibule", "token", "--key", str(user.file), "--api-key", user.id, "--base-url", AGAIN]
        words += ["--curl", request.method, target]
        if request.body:
            file = REPORT.with_name(f"{REPORT.stem}-{len(self.told) + 1}.body")
            file.write_bytes(request.body)
            words += ["--body", str(file)]
        self.told[kind] = {
            "operation": label,
            "check": check,
            "why": message,
            "status": response.status_code if response is not None else None,
            "answer": response.content[:2000].decode(errors="replace") if response is not None else None,
            "again": f'sh -c "$({shlex.join(words)})"',
        }


@schemathesis.cli.handler()
class Report(EventHandler):
    """Counts, says how far it is, and leaves the report."""

    def __init__(self, *arguments, **parameters):
        self.begun = self.said = time.monotonic()
        self.operations, self.statuses, self.failures = {}, Counter(), Failures()
        self.errors = []

    def handle_event(self, ctx, event):
        if isinstance(event, ScenarioStarted):
            self.thaw()
        elif isinstance(event, ScenarioFinished):
            self.count(event)
        elif isinstance(event, NonFatalError):
            self.errors.append(f"{event.label}: {event.value}")
        elif isinstance(event, EngineFinished):
            self.leave()

    def thaw(self):
        """A call may have frozen the workspace: the next operation is to be tried all the same."""
        token = Path(TOLD["control_token_path"]).read_text().strip()
        url = f"{TOLD['control_url']}/workspaces/{TOLD['workspace_id']}/unfreeze"
        fetch(url, "POST", {"Authorization": f"Bearer {token}"})

    def count(self, event):
        recorder = event.recorder
        counts = self.operations.setdefault(recorder.label, Counter())
        for case, interaction in recorder.interactions.items():
            status = interaction.response.status_code if interaction.response is not None else 0
            counts[str(status)] += 1
            self.statuses[str(status)] += 1
            for check in recorder.checks.get(case, []):
                if check.failure_info is not None:
                    failure = check.failure_info.failure
                    why = f"{failure.title}: {failure.message}"
                    self.failures.add(recorder.label, check.name, why, interaction)
        if time.monotonic() - self.said > 10:
            self.said = time.monotonic()
            self.say(f"{recorder.label} ({event.phase.value})")

    def total(self):
        return sum(self.statuses.values())

    def say(self, now):
        seconds = int(time.monotonic() - self.begun)
        failed = len(self.failures.told)
        print(f"{seconds:5} s  {self.total():7} calls  {failed} failures  at {now}", file=sys.stderr, flush=True)

    def leave(self):
        self.say("the end")
        report = {
            "examples": self.total(),
            "seconds": round(time.monotonic() - self.begun, 1),
            "statuses": dict(sorted(self.statuses.items())),
            "operations": {label: dict(sorted(counts.items())) for label, counts in sorted(self.operations.items())},
            "failures": list(self.failures.told.values()),
            "errors": self.errors,
        }
        REPORT.write_text(json.dumps(report, indent=2) + "\n")

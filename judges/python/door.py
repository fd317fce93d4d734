"""Requests made by hand: everything that the official client cannot be made to send."""

import hashlib
import http.client
import json
import time
import uuid
from dataclasses import dataclass
from urllib.parse import urlsplit

import jwt
from cryptography.hazmat.primitives.serialization import load_pem_private_key


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        return self.json.get("code")


class Door:
    """The API's door, for one user."""

    def __init__(self, origin, api_key, secret):
        self.address = urlsplit(origin).netloc
        self.api_key = api_key
        self.key = load_pem_private_key(secret.encode(), password=None)

    def claims(self, target, body=b"", **changes):
        """What a token says; `changes` replace a claim, or leave it out where they are None."""
        now = int(time.time())
        claims = {
            "uri": target,
            "nonce": str(uuid.uuid4()),
            "iat": now,
            "exp": now + 55,
            "sub": self.api_key,
            "bodyHash": hashlib.sha256(body).hexdigest(),
        }
        claims.update(changes)
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, target, body=b"", key=None, alg="RS256", **changes):
        """A token; another key and another algorithm where they are given."""
        claims = self.claims(target, body, **changes)
        return jwt.encode(claims, self.key if key is None else key, algorithm=alg)

    def send(self, method, target, body=b"", token=None, headers=None, **changes):
        """Sends one request. `headers`, a list of pairs, replaces the usual ones."""
        if headers is None:
            bearer = token or self.token(target, body, **changes)
            headers = [("X-API-Key", self.api_key), ("Authorization", f"Bearer {bearer}")]
            if body:
                headers.append(("Content-Type", "application/json"))
        connection = http.client.HTTPConnection(self.address, timeout=30)
        try:
            connection.putrequest(method, target, skip_accept_encoding=True)
            for name, value in headers:
                connection.putheader(name, value)
            if body or method in ("POST", "PUT", "PATCH"):
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders()
            try:
                connection.send(body)
            except (BrokenPipeError, ConnectionResetError):
                pass  # It has heard enough; the answer is there already.
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def get(self, target, **more):
        return self.send("GET", target, **more)

    def post(self, target, value, **more):
        """Sends a value as JSON, or bytes as they are."""
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        return self.send("POST", target, body, **more)

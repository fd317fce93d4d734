"""A receiver of webhooks, written as Fireblocks' page on validating webhooks tells people to:
with jwcrypto for the detached JWS, with the bare key for the older header."""

import base64
import json
import threading
import urllib.request
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from jwcrypto import jwk, jws
from jwcrypto.common import base64url_encode

SIGNATURE = "Fireblocks-Webhook-Signature"
LEGACY = "Fireblocks-Signature"


class Keys:
    """The sender's keys, as its JWKS lists them."""

    def __init__(self, url):
        with urllib.request.urlopen(url, timeout=30) as answer:
            self.set = jwk.JWKSet.from_json(answer.read().decode())

    def verify(self, header, body):
        """Checks `<header>..<signature>` over the raw body; raises where it does not hold."""
        protected, payload, signature = header.split(".")
        assert payload == "", "the payload is not in the header"
        token = jws.JWS()
        token.allowed_algs = ["RS512"]
        token.deserialize(f"{protected}.{base64url_encode(body)}.{signature}")
        token.verify(self.set.get_key(token.jose_header["kid"]))

    def verify_legacy(self, header, body):
        """Checks the older header: RSA-SHA512 over the raw body, in base64."""
        for key in self.set["keys"]:
            public = load_pem_public_key(key.export_to_pem())
            try:
                public.verify(base64.b64decode(header), body, padding.PKCS1v15(), hashes.SHA512())
                return
            except InvalidSignature:
                continue
        raise InvalidSignature


@dataclass
class Delivery:
    """One request that came."""

    headers: dict
    body: bytes
    answered: int
    event: dict = field(default_factory=dict)
    # The subject of the sender's certificate, where one was asked for; headers as they came.
    subject: str | None = None
    lines: list = field(default_factory=list)


class Quiet(ThreadingHTTPServer):
    """A server that says nothing of callers who hang up."""

    def handle_error(self, request, client_address):
        pass


class Receiver:
    """An HTTP server that keeps what is delivered to it, and answers `self.answer`. With a TLS
    context it is an HTTPS server."""

    def __init__(self, keys, context=None):
        self.keys = keys
        self._scheme = "http" if context is None else "https"
        self.answer = 200
        self.deliveries = []
        self.unverified = []
        self._changed = threading.Condition()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                told = getattr(self.connection, "getpeercert", dict)() or {}
                subject = {name: text for ((name, text),) in told.get("subject", ())}
                status = receiver._take(self.headers.items(), body, subject.get("commonName"))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self._server = Quiet(("127.0.0.1", 0), Handler)
        if context is not None:
            listener = self._server.socket
            self._server.socket = context.wrap_socket(
                listener, server_side=True, do_handshake_on_connect=False
            )
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def url(self, path="/"):
        return f"{self._scheme}://127.0.0.1:{self._server.server_address[1]}{path}"

    def close(self):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _take(self, headers, body, subject):
        lines = [(name.lower(), value) for name, value in headers]
        named = dict(lines)
        with self._changed:
            try:
                self.keys.verify(named[SIGNATURE.lower()], body)
                self.keys.verify_legacy(named[LEGACY.lower()], body)
                event = json.loads(body)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is not verified
                self.unverified.append((named, body, repr(error)))
                return 401
            self.deliveries.append(Delivery(named, body, self.answer, event, subject, lines))
            self._changed.notify_all()
            return self.answer

    def events(self, kind=None, resource=None):
        """The events that were taken (answered with 200), in the order they came."""
        return [
            delivery.event
            for delivery in self.deliveries
            if delivery.answered == 200
            and (kind is None or delivery.event["eventType"] == kind)
            and (resource is None or delivery.event.get("resourceId") == resource)
        ]

    def wait(self, what, check, seconds=30):
        """Waits until `check` holds of what was delivered."""
        with self._changed:
            if not self._changed.wait_for(check, timeout=seconds):
                kinds = [delivery.event["eventType"] for delivery in self.deliveries]
                raise AssertionError(f"{what}: not within {seconds} s; came: {kinds} {self.unverified}")
        assert not self.unverified, self.unverified

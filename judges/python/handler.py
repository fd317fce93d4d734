"""A callback handler of a co-signer, written as Fireblocks' pages tell people to: it verifies the
question with PyJWT and the co-signer's public key, and signs its answer with a key of its own."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from waiting import until


def new_key(bits=2048):
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def public_pem(key):
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()


class CallbackHandler:
    """An HTTP server that answers `self.action`, or what `self.respond(question)` returns."""

    def __init__(self, cosigner_key):
        self.key = new_key()
        self.action = "APPROVE"
        self.respond = None
        self.questions = []
        self.unverified = []
        handler = self

        class Requests(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, answer = handler._answer(self.path, body, cosigner_key)
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Requests)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self._server.server_address[1]}/handler"

    @property
    def public_key(self):
        return public_pem(self.key)

    def close(self):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def signed(self, key=None, algorithm="RS256", **claims):
        return jwt.encode(claims, key or self.key, algorithm=algorithm).encode()

    def _answer(self, path, body, cosigner_key):
        try:
            head = jwt.get_unverified_header(body)
            assert head == {"typ": "JWT", "alg": "RS256"}, head
            question = jwt.decode(body, cosigner_key, algorithms=["RS256"])
            assert path == "/handler/v2/tx_sign_request", path
        except Exception as error:  # noqa: BLE001 - whatever it is, it is not verified
            self.unverified.append(repr(error))
            return 401, b""
        self.questions.append(question)
        if self.respond is not None:
            return self.respond(question)
        return 200, self.signed(action=self.action, requestId=question["requestId"])

    def asked(self, transaction, count=1):
        """The questions about a transaction, once there are so many."""
        about = lambda: [q for q in self.questions if q["txId"] == transaction]  # noqa: E731
        until("the handler is asked", lambda: len(about()) >= count or self.unverified)
        assert not self.unverified, self.unverified
        return about()

"""An authorization server: it hands out bearer tokens to OAuth 2.0 clients."""

import json
import threading
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qsl

from receiver import Quiet


class TokenServer:
    """Keeps what it is asked; its tokens are `token-1`, `token-2`, ..."""

    def __init__(self, context):
        self.status = 200
        self.expires_in = 3600
        self.asked = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                told = getattr(self.connection, "getpeercert", dict)() or {}
                headers = {name.lower(): value for name, value in self.headers.items()}
                server.asked.append((headers, dict(parse_qsl(body, keep_blank_values=True)), told))
                token = f"token-{len(server.asked)}"
                answer = {"access_token": token, "token_type": "Bearer", "expires_in": server.expires_in}
                body = json.dumps(answer).encode()
                self.send_response(server.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self._server = Quiet(("127.0.0.1", 0), Handler)
        listener = self._server.socket
        self._server.socket = context.wrap_socket(
            listener, server_side=True, do_handshake_on_connect=False
        )
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        self.url = f"https://127.0.0.1:{self._server.server_address[1]}/token"

    def close(self):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

"""A transfer by an SDK, and the webhook that tells of its end."""

import json
import os
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from fireblocks.models.create_webhook_request import CreateWebhookRequest
from fireblocks.models.transaction_request import TransactionRequest
from jwcrypto.jwk import JWKSet
from jwcrypto.jws import JWS

from waiting import until

# Under what name the sandbox finds us: its own machine, unless it runs in a container.
HOST = os.environ.get("VESTIBULE_CALLBACK_HOST", "127.0.0.1")


@pytest.fixture
def webhooks(sandbox):
    """A receiver: its URL, and the events that came with a good signature."""
    with urllib.request.urlopen(sandbox.jwks_url, timeout=30) as answer:
        keys = JWKSet.from_json(answer.read())
    events = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            try:
                # The signature is a JWS whose payload is the body, and was left out.
                signature = JWS()
                signature.deserialize(self.headers["Fireblocks-Webhook-Signature"])
                key = keys.get_key(signature.jose_header["kid"])
                signature.verify(key, detached_payload=body)
            except Exception as error:
                events.append(error)
                self.send_response(401)
            else:
                events.append(json.loads(body))
                self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1" if HOST == "127.0.0.1" else "0.0.0.0", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://{HOST}:{server.server_port}/hook", events
    server.shutdown()
    thread.join()
    server.server_close()


def vault(account):
    return {"type": "VAULT_ACCOUNT", "id": account}


def transfer(amount):
    wire = {"assetId": "SOL", "amount": amount, "source": vault("0"), "destination": vault("1")}
    return TransactionRequest.from_dict(wire)


def test_a_transfer_is_completed_and_told(workspace, webhooks):
    url, events = webhooks
    admin, signer = workspace.client("admin"), workspace.client("signer")
    wanted = CreateWebhookRequest(url=url, events=["transaction.status.updated"])
    admin.webhooks_v2.create_webhook(create_webhook_request=wanted).result()

    made = signer.transactions.create_transaction(transaction_request=transfer("0.25")).result().data

    def completed():
        assert not [event for event in events if isinstance(event, Exception)], events
        return next((e for e in events if e["data"]["status"] == "COMPLETED"), None)

    event = until(completed)
    assert (event["resourceId"], event["workspaceId"]) == (made.id, workspace.id)
    done = signer.transactions.get_transaction(tx_id=made.id).result().data
    assert (done.status, done.amount_info.amount) == ("COMPLETED", "0.25")


def test_another_test_sees_none_of_it(workspace):
    viewer = workspace.client("viewer")
    recent = viewer.transactions.get_transactions(assets="SOL", source_id="0", limit=1).result().data
    assert all(transaction.amount_info.amount != "0.25" for transaction in recent)

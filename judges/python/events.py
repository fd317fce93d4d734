"""A webhook for as long as something is watched."""

import contextlib

from fireblocks.models.create_webhook_request import CreateWebhookRequest

from receiver import Keys, Receiver


@contextlib.contextmanager
def heard(sandbox, workspace, kinds):
    """Hears of events of these kinds: called with a kind, gives the first of it that came."""
    receiver = Receiver(Keys(sandbox.jwks_url))
    api = workspace["admin"].sdk.webhooks_v2
    request = CreateWebhookRequest(url=receiver.url(), events=kinds)
    webhook = api.create_webhook(create_webhook_request=request).result().data

    def first(kind):
        receiver.wait(kind, lambda: receiver.events(kind))
        return receiver.events(kind)[0]

    try:
        yield first
    finally:
        api.delete_webhook(webhook_id=webhook.id).result()
        receiver.close()

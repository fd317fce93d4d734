"""Deliveries are tried again on Fireblocks' schedule, by the workspace's own clock."""

import pytest
from fireblocks.models.create_webhook_request import CreateWebhookRequest

from receiver import Keys, Receiver
from waiting import until

# Seconds between attempts (Fireblocks' page on responses and retries).
WAITS = [10, 30, 120, 300, 900, 1800, 3600, 7200, 14400]


@pytest.fixture
def receiver(manual):
    receiver = Receiver(Keys(manual.jwks_url))
    yield receiver
    receiver.close()


@pytest.fixture(scope="module")
def fund(manual):
    return manual.workspaces["testnet"]


def heard(fund, url):
    """A webhook to that URL, and the one event that it is to be told of."""
    api = fund["admin"].sdk.webhooks_v2
    request = CreateWebhookRequest(url=url, events=["vault_account.created"])
    webhook = api.create_webhook(request).result().data
    made = fund["editor"].door.post("/v1/vault/accounts", {"name": f"told to {url}"})
    assert made.status == 200
    found = until("the event", lambda: api.get_notifications(webhook.id).result().data.data)
    assert len(found) == 1
    return api, webhook, found[0]


def attempts(fund, webhook, notification):
    path = f"/v1/webhooks/{webhook.id}/notifications/{notification.id}/attempts?pageSize=100"
    return fund["admin"].door.get(path).json["data"]


def status(fund, webhook, notification):
    path = f"/v1/webhooks/{webhook.id}/notifications/{notification.id}"
    return fund["admin"].door.get(path).json["status"]


def advance(manual, seconds):
    assert manual.control("POST", "/clock/advance", {"millis": int(seconds * 1000)})[0] == 200


def tried(fund, webhook, notification, times):
    until(f"attempt {times}", lambda: len(attempts(fund, webhook, notification)) == times)


def test_ten_attempts_and_no_more(manual, fund, receiver):
    receiver.answer = 503
    _, webhook, notification = heard(fund, receiver.url("/down"))
    tried(fund, webhook, notification, 1)
    for number, wait in enumerate(WAITS, start=2):
        assert status(fund, webhook, notification) == "IN_PROGRESS"
        advance(manual, wait)
        tried(fund, webhook, notification, number)
    until("it is over", lambda: status(fund, webhook, notification) == "FAILED")
    advance(manual, 86_400)
    assert len(receiver.deliveries) == 10
    assert len({delivery.body for delivery in receiver.deliveries}) == 1
    times = [attempt["sentTime"] for attempt in attempts(fund, webhook, notification)]
    for wait, before, after in zip(WAITS, times, times[1:]):
        assert wait * 1000 <= after - before < wait * 1000 + 60_000


def test_an_event_rests_before_it_comes_again(manual, fund, receiver):
    api, webhook, notification = heard(fund, receiver.url("/again"))
    tried(fund, webhook, notification, 1)
    until("it is through", lambda: status(fund, webhook, notification) == "COMPLETED")
    path = f"/v1/webhooks/{webhook.id}/notifications/{notification.id}/resend"
    resend = lambda: fund["editor"].door.send("POST", path).status  # noqa: E731
    assert [resend(), resend()] == [202, 429]
    tried(fund, webhook, notification, 2)
    advance(manual, 290)
    assert resend() == 429
    advance(manual, 15)
    assert resend() == 202
    tried(fund, webhook, notification, 3)


@pytest.mark.parametrize("answer", [408, 429, 500, 301])
def test_what_is_tried_again(manual, fund, receiver, answer):
    receiver.answer = answer
    _, webhook, notification = heard(fund, receiver.url(f"/{answer}"))
    tried(fund, webhook, notification, 1)
    receiver.answer = 200
    advance(manual, WAITS[0])
    if answer == 301:
        # Redirections are not followed, and are final.
        assert status(fund, webhook, notification) == "FAILED"
        return
    tried(fund, webhook, notification, 2)
    until("it is through", lambda: status(fund, webhook, notification) == "COMPLETED")
    assert [a["responseCode"] for a in attempts(fund, webhook, notification)] == [answer, 200]


def test_nobody_there(manual, fund, receiver):
    url = receiver.url("/gone")
    receiver.close()
    api, webhook, notification = heard(fund, url)
    tried(fund, webhook, notification, 1)
    told = api.get_notification_attempts(webhook.id, notification.id).result().data.data[0]
    assert (told.response_code, told.failure_reason) == (None, "NO_RESPONSE")
    assert status(fund, webhook, notification) == "IN_PROGRESS"

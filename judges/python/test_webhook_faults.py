"""What goes wrong with webhooks, when the control plane asks for it or their endpoint fails."""

import pytest
from fireblocks.exceptions import BadRequestException, NotFoundException, UnauthorizedException
from fireblocks.models.create_webhook_request import CreateWebhookRequest
from fireblocks.models.resend_by_query_request import ResendByQueryRequest
from fireblocks.models.resend_transaction_webhooks_request import ResendTransactionWebhooksRequest
from fireblocks.models.update_webhook_request import UpdateWebhookRequest

from money import propose, statuses
from pages import by_cursor
from receiver import LEGACY, SIGNATURE, Keys, Receiver
from refusals import refused
from sandbox import Sandbox
from waiting import until

CREATED = "vault_account.created"
RATE = "LAST_ACTIVE_HOUR_ERROR_RATE"


@pytest.fixture(scope="module")
def sandbox(lively):
    return lively


@pytest.fixture(scope="module")
def fund(sandbox):
    return sandbox.workspaces["mainnet"]


@pytest.fixture(scope="module")
def api(fund):
    return fund["admin"].sdk.webhooks_v2


@pytest.fixture
def receiver(sandbox):
    receiver = Receiver(Keys(sandbox.jwks_url))
    yield receiver
    receiver.close()


@pytest.fixture
def webhook(api, receiver):
    webhook = made(api, receiver.url("/hook"))
    yield webhook
    api.delete_webhook(webhook.id).result()


def made(api, url, events=(CREATED,)):
    return api.create_webhook(CreateWebhookRequest(url=url, events=list(events))).result().data


def happen(fund, *names):
    """Events in this order; the accounts that they are of."""
    return [fund["editor"].door.post("/v1/vault/accounts", {"name": name}).json["id"] for name in names]


def plan(fund, webhook, kind, **more):
    fund.control("POST", f"/webhooks/{webhook.id}/faults", {"kind": kind, **more})


def came(receiver):
    return [delivery.event["resourceId"] for delivery in receiver.deliveries]


def notifications(api, webhook, **filters):
    return by_cursor(lambda **more: api.get_notifications(webhook.id, **more, **filters))


def settled(api, webhook, count):
    def look():
        found = notifications(api, webhook)
        return len(found) == count and all(n.status != "IN_PROGRESS" for n in found) and found

    return until("every notification is settled", look)


def advance(sandbox, seconds):
    assert sandbox.control("POST", "/clock/advance", {"millis": int(seconds * 1000)})[0] == 200


def test_late(sandbox, api, fund, receiver, webhook):
    plan(fund, webhook, "DELAY", millis=600_000)
    late, next_one = happen(fund, "late", "in time")
    receiver.wait("the one in time", lambda: came(receiver) == [next_one])
    advance(sandbox, 590)
    assert came(receiver) == [next_one]
    advance(sandbox, 15)
    receiver.wait("the late one", lambda: came(receiver) == [next_one, late])


def test_twice(api, fund, receiver, webhook):
    plan(fund, webhook, "DOUBLE")
    (account,) = happen(fund, "twice")
    receiver.wait("both", lambda: came(receiver) == [account] * 2)
    assert len({delivery.body for delivery in receiver.deliveries}) == 1
    (only,) = settled(api, webhook, 1)
    tries = api.get_notification_attempts(webhook.id, only.id).result().data.data
    assert [t.response_code for t in tries] == [200, 200]


def test_in_another_order(api, fund, receiver, webhook):
    plan(fund, webhook, "REORDER", count=3)
    first = happen(fund, "r1", "r2")
    # Two of three wait; nothing else can be told of that than that they are under way.
    assert [n.status for n in notifications(api, webhook)] == ["IN_PROGRESS"] * 2
    rest = happen(fund, "r3", "r4")
    receiver.wait("all", lambda: len(came(receiver)) == 4)
    assert came(receiver) == [rest[0], first[1], first[0], rest[1]]


def test_what_is_held_goes_when_nothing_more_goes_wrong(fund, receiver, webhook):
    plan(fund, webhook, "REORDER", count=5)
    (account,) = happen(fund, "held")
    assert came(receiver) == []
    fund.control("DELETE", f"/webhooks/{webhook.id}/faults")
    receiver.wait("the held one", lambda: came(receiver) == [account])


def test_signatures_that_are_refused(api, fund, receiver, webhook):
    for number, kind in enumerate(("WRONG_SIGNATURE", "OLD_KEY"), start=1):
        plan(fund, webhook, kind)
        happen(fund, f"signed wrongly: {kind}")
        until("it is refused", lambda: len(receiver.unverified) == number)
        found = settled(api, webhook, number)
        assert [n.status for n in found] == ["FAILED"] * number, "401 is final"
    receiver.unverified.clear()
    (account,) = happen(fund, "by the right key")
    receiver.wait("the good one", lambda: came(receiver) == [account])


def test_another_workspaces_id(sandbox, fund, receiver, webhook):
    other = sandbox.workspaces["testnet"].id
    plan(fund, webhook, "OTHER_WORKSPACE", workspaceId=other)
    plan(fund, webhook, "OTHER_WORKSPACE")
    happen(fund, "w1", "w2", "w3")
    receiver.wait("all", lambda: len(receiver.deliveries) == 3)
    named = [delivery.event["workspaceId"] for delivery in receiver.deliveries]
    assert named[0] == other and named[1] not in (other, fund.id) and named[2] == fund.id


def test_faults_that_cannot_be(fund, webhook):
    path = f"/workspaces/{fund.id}/webhooks/{webhook.id}/faults"
    for bad in (
        {},
        {"kind": "LOSE"},
        {"kind": "DELAY"},
        {"kind": "DELAY", "millis": -1},
        {"kind": "REORDER", "count": 1},
        {"kind": "DROP", "count": 0},
        {"kind": "DROP", "millis": 5},
        {"kind": "DROP", "unknown": 1},
    ):
        assert fund.sandbox.control("POST", path, bad)[0] == 400, bad
    unknown = f"/workspaces/{fund.id}/webhooks/{fund.id}/faults"
    for method in ("GET", "POST", "DELETE"):
        assert fund.sandbox.control(method, unknown, {"kind": "DROP"})[0] == 404
    assert fund.control("GET", f"/webhooks/{webhook.id}/faults") == b'{"data":[]}'


def test_a_rotation_of_keys(tmp_path):
    """What was signed before is verified after; what is signed after needs the new set."""
    sandbox = Sandbox(tmp_path, data=tmp_path / "file.db")
    try:
        fund = sandbox.workspaces["mainnet"]
        before = Keys(sandbox.jwks_url)
        receiver = Receiver(before)
        webhook = made(fund["admin"].sdk.webhooks_v2, receiver.url("/rotated"))
        happen(fund, "before")
        receiver.wait("the first", lambda: len(receiver.deliveries) == 1)
        old = receiver.deliveries[0]
        status, told = sandbox.control("POST", "/webhook_keys/rotate")
        assert status == 200
        receiver.keys = both = Keys(sandbox.jwks_url)
        assert len(both.set["keys"]) == 2
        both.verify(old.headers[SIGNATURE.lower()], old.body)
        both.verify_legacy(old.headers[LEGACY.lower()], old.body)
        happen(fund, "after")
        receiver.wait("the second", lambda: len(receiver.deliveries) == 2)
        new = receiver.deliveries[1]
        with pytest.raises(Exception):
            before.verify(new.headers[SIGNATURE.lower()], new.body)
        # What was signed by the retired key is signed anew, also by a sandbox that begins again.
        sandbox.control("POST", "/webhook_keys/retire")
        sandbox.stop()
        sandbox = Sandbox(tmp_path, data=tmp_path / "file.db")
        fund = sandbox.workspaces["mainnet"]
        receiver.keys = after = Keys(sandbox.jwks_url)
        assert len(after.set["keys"]) == 1
        path = f"/v1/webhooks/{webhook.id}/notifications/{old.event['id']}/resend"
        assert fund["editor"].door.send("POST", path).status == 202
        receiver.wait("the first again", lambda: len(receiver.deliveries) == 3)
        assert receiver.deliveries[2].body == old.body
        with pytest.raises(Exception):
            after.verify(old.headers[SIGNATURE.lower()], old.body)
        receiver.close()
    finally:
        sandbox.stop()


def test_the_first_generation(api, fund, receiver, webhook):
    api.update_webhook(
        webhook.id, UpdateWebhookRequest(events=[CREATED, "transaction.status.updated", "order.updated"])
    ).result()
    fund.control("PUT", f"/webhooks/{webhook.id}/generation", {"generation": "V1"})
    transaction = propose(fund["editor"], "SOL", "0.001", 0, 1)
    statuses(fund["editor"], transaction)
    done = lambda: receiver.deliveries and receiver.deliveries[-1].event["data"]["status"] == "COMPLETED"  # noqa: E731
    receiver.wait("the end", done)
    last = receiver.deliveries[-1].event
    assert list(last) == ["type", "tenantId", "timestamp", "data"]
    assert (last["type"], last["tenantId"]) == ("TRANSACTION_STATUS_UPDATED", fund.id)
    assert last["data"] == fund["editor"].door.get(f"/v1/transactions/{transaction}").json
    newest = notifications(api, webhook, sort_by="createdAt")[0]
    one = api.get_notification(webhook.id, newest.id, include_data=True).result().data
    assert one.data == last["data"] and one.created_at == last["timestamp"]


def test_the_resends_of_the_first_generation(api, fund, receiver, webhook):
    v1 = fund["editor"].sdk.webhooks
    events = ["transaction.created", "transaction.status.updated"]
    api.update_webhook(webhook.id, UpdateWebhookRequest(events=events)).result()
    fund.control("POST", f"/webhooks/{webhook.id}/drop_next", {"count": 2})
    transaction = propose(fund["editor"], "SOL", "0.001", 0, 1)
    statuses(fund["editor"], transaction)
    until("two are lost", lambda: len(notifications(api, webhook, statuses=["FAILED"])) == 2)
    assert v1.resend_webhooks().result().data.messages_count == 2
    until("none is lost", lambda: not notifications(api, webhook, statuses=["FAILED", "IN_PROGRESS"]))
    assert v1.resend_webhooks().result().data.messages_count == 0
    kinds = [delivery.event["eventType"] for delivery in receiver.deliveries]
    assert kinds.count(events[0]) == 1

    def again(**flags):
        request = ResendTransactionWebhooksRequest(**flags)
        return v1.resend_transaction_webhooks(
            tx_id=transaction, resend_transaction_webhooks_request=request
        ).result().data.success

    count = len(receiver.deliveries)
    assert again(resend_status_updated=True)
    receiver.wait("its status", lambda: len(receiver.deliveries) == count + 1)
    assert receiver.deliveries[-1].event["data"]["status"] == "COMPLETED"
    for flags in ({}, {"resend_created": False, "resend_status_updated": False}):
        with refused(BadRequestException, 2501):
            again(**flags)
    request = ResendTransactionWebhooksRequest(resend_created=True)
    for unknown in (webhook.id, "no-uuid"):
        with refused(NotFoundException, 1405):
            v1.resend_transaction_webhooks(
                tx_id=unknown, resend_transaction_webhooks_request=request
            ).result()
    with refused(UnauthorizedException, -8):
        fund["viewer"].sdk.webhooks.resend_webhooks().result()


def test_an_endpoint_that_fails_is_suspended_and_comes_back(api, fund, receiver, webhook):
    fund.control("PUT", "/webhook_suspension", {"minAttempts": 4, "errorRate": 60})
    metric = lambda: api.get_metrics(webhook.id, RATE).result().data.value  # noqa: E731
    status = lambda: api.get_webhook(webhook.id).result().data.status  # noqa: E731
    assert metric() == "0"
    happen(fund, "good")
    settled(api, webhook, 1)
    receiver.answer = 500
    happen(fund, "bad 1")
    until("it counts", lambda: metric() == "50")
    happen(fund, "bad 2")
    until("it counts", lambda: metric() == "67")
    assert status() == "ENABLED"
    happen(fund, "bad 3")
    until("it is suspended", lambda: status() == "SUSPENDED")
    assert metric() == "75"
    happen(fund, "unheard")
    held = notifications(api, webhook, statuses=["ON_HOLD"])
    assert len(held) == 4
    request = ResendByQueryRequest(statuses=["ON_HOLD"])
    with refused(BadRequestException, says="not enabled"):
        api.resend_notifications_by_query(webhook.id, request).result()
    receiver.answer = 200
    count = len(receiver.deliveries)
    changed = api.update_webhook(webhook.id, UpdateWebhookRequest(enabled=True)).result().data
    assert changed.status == "ENABLED"
    assert api.resend_notifications_by_query(webhook.id, request).result().data.total == 4
    receiver.wait("those on hold", lambda: len(receiver.deliveries) == count + 4)
    assert all(n.status == "COMPLETED" for n in settled(api, webhook, 5))
    # What was before is held against it no longer.
    receiver.answer = 500
    happen(fund, "bad again")
    until("it is tried", lambda: len(receiver.deliveries) == count + 5)
    assert status() == "ENABLED"
    fund.control("PUT", "/webhook_suspension", {"minAttempts": 100, "errorRate": None})
    for path in (f"/v1/webhooks/{webhook.id}/metrics/NO_SUCH", f"/v1/webhooks/{fund.id}/metrics/{RATE}"):
        assert fund["admin"].door.get(path).status in (400, 404)


def test_suspended_by_hand_and_turned_off(api, fund, receiver, webhook):
    fund.control("POST", f"/webhooks/{webhook.id}/suspend")
    happen(fund, "on hold")
    assert [n.status for n in notifications(api, webhook)] == ["ON_HOLD"]
    change = UpdateWebhookRequest(description="still suspended")
    assert api.update_webhook(webhook.id, change).result().data.status == "SUSPENDED"
    off = api.update_webhook(webhook.id, UpdateWebhookRequest(enabled=False)).result().data
    assert off.status == "DISABLED"
    happen(fund, "unheard for ever")
    assert len(notifications(api, webhook)) == 1 and receiver.deliveries == []

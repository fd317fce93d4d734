"""Webhooks: made, changed, delivered, signed, lost, retried and sent again."""

import json

import pytest
from cryptography.exceptions import InvalidSignature
from fireblocks.exceptions import BadRequestException, NotFoundException, UnauthorizedException
from fireblocks.models.create_webhook_request import CreateWebhookRequest
from fireblocks.models.resend_by_query_request import ResendByQueryRequest
from fireblocks.models.resend_failed_notifications_request import ResendFailedNotificationsRequest
from fireblocks.models.resend_notifications_by_resource_id_request import (
    ResendNotificationsByResourceIdRequest,
)
from fireblocks.models.update_webhook_request import UpdateWebhookRequest
from jwcrypto.jws import InvalidJWSSignature

from money import WAY, propose, statuses
from pages import by_cursor
from receiver import LEGACY, SIGNATURE, Keys, Receiver
from refusals import refused
from waiting import until

CREATED, UPDATED = "transaction.created", "transaction.status.updated"
APPROVED = "transaction.approval_status.updated"
BALANCE = "vault_account.asset.balance_updated"


@pytest.fixture(scope="module")
def fund(lively):
    return lively.workspaces["mainnet"]


@pytest.fixture(scope="module")
def editor(fund):
    return fund["editor"]


@pytest.fixture(scope="module")
def api(fund):
    return fund["admin"].sdk.webhooks_v2


@pytest.fixture(scope="module")
def keys(lively):
    return Keys(lively.jwks_url)


@pytest.fixture
def receiver(keys):
    receiver = Receiver(keys)
    yield receiver
    receiver.close()


def make(api, url, events=(CREATED, UPDATED), **more):
    request = CreateWebhookRequest(url=url, events=list(events), **more)
    answer = api.create_webhook(request).result()
    assert answer.status_code == 201
    return answer.data


@pytest.fixture
def webhook(api, receiver):
    webhook = make(api, receiver.url("/hook"), description="of this test")
    yield webhook
    api.delete_webhook(webhook.id).result()


def notifications(api, webhook, **filters):
    return by_cursor(lambda **more: api.get_notifications(webhook.id, **more, **filters))


def completed(receiver, transaction):
    """Whether the receiver has been told of the transfer's end."""
    events = receiver.events(UPDATED, transaction)
    return bool(events) and events[-1]["data"]["status"] == "COMPLETED"


def settled(api, webhook, count=None):
    """The webhook's notifications once none is under way."""

    def look():
        found = notifications(api, webhook)
        done = all(notification.status != "IN_PROGRESS" for notification in found)
        return found if found and done and (count is None or len(found) == count) else None

    return until("every notification is settled", look)


def test_made_listed_changed_deleted(api, receiver):
    made = make(api, receiver.url("/one"), description="Acme / ü+%", enabled=False)
    assert (made.status, made.description) == ("DISABLED", "Acme / ü+%")
    assert set(made.events) == {CREATED, UPDATED}
    assert api.get_webhook(made.id).result().data == made
    assert [w.id for w in by_cursor(api.get_webhooks)] == [made.id]
    change = UpdateWebhookRequest(url=receiver.url("/two"), events=[BALANCE], enabled=True)
    changed = api.update_webhook(made.id, change).result().data
    assert (changed.url, changed.events, changed.status) == (receiver.url("/two"), [BALANCE], "ENABLED")
    assert changed.description == made.description and changed.updated_at > made.updated_at
    assert api.delete_webhook(made.id).result().data.id == made.id
    for ask in (
        lambda: api.get_webhook(made.id),
        lambda: api.get_webhook("no-uuid"),
        lambda: api.delete_webhook(made.id),
        lambda: api.update_webhook(made.id, change),
    ):
        with refused(NotFoundException):
            ask().result()


def test_every_event_can_be_asked_for(fund, api, receiver):
    body = {"url": receiver.url("/all"), "events": ["*"]}
    made = fund["admin"].door.post("/v1/webhooks", body)
    assert made.status == 201
    shown = api.get_webhook(made.json["id"]).result().data
    assert len(shown.events) == 50 == len(set(shown.events)), "the client knows each by its name"
    api.delete_webhook(shown.id).result()


def test_webhooks_that_cannot_be(fund, api, receiver, webhook):
    door = fund["admin"].door
    url = receiver.url("/other")
    for body in (
        {"events": [CREATED]},
        {"url": url},
        {"url": url, "events": []},
        {"url": url, "events": ["no.such"]},
        {"url": "ftp://127.0.0.1/", "events": [CREATED]},
        {"url": "no url", "events": [CREATED]},
        {"url": "http://x/" + "y" * 250, "events": [CREATED]},
        {"url": webhook.url, "events": [CREATED]},
    ):
        assert door.post("/v1/webhooks", body).status == 400, body
    other = make(api, url)
    with refused(BadRequestException):
        api.update_webhook(other.id, UpdateWebhookRequest(url=webhook.url)).result()
    made = [other] + [make(api, receiver.url(f"/{number}")) for number in range(8)]
    with refused(BadRequestException, says="10"):
        make(api, receiver.url("/eleventh"))
    listed = by_cursor(api.get_webhooks, page_size=3)
    assert [w.id for w in listed] == [w.id for w in reversed([webhook, *made])]
    upwards = by_cursor(api.get_webhooks, page_size=4, order="ASC")
    assert [w.id for w in upwards] == [w.id for w in [webhook, *made]]
    for one in made:
        api.delete_webhook(one.id).result()


def test_who_may_not(fund, api, webhook):
    for name in ("editor", "viewer", "signer", "approver"):
        theirs = fund[name].sdk.webhooks_v2
        with refused(UnauthorizedException, -8):
            theirs.get_webhooks().result()
    # An editor may have things sent again, and nothing else.
    with refused(NotFoundException):
        fund["editor"].sdk.webhooks_v2.resend_notification_by_id(webhook.id, webhook.id).result()
    with refused(UnauthorizedException, -8):
        fund["viewer"].sdk.webhooks_v2.resend_notification_by_id(webhook.id, webhook.id).result()
    # Another workspace's webhook is unknown.
    other = fund.sandbox.workspaces["testnet"]["admin"].sdk.webhooks_v2
    with refused(NotFoundException):
        other.get_webhook(webhook.id).result()


def test_a_transfer_told_from_beginning_to_end(fund, api, editor, receiver, webhook):
    api.update_webhook(
        webhook.id, UpdateWebhookRequest(events=[CREATED, UPDATED, APPROVED, BALANCE])
    ).result()
    note = 'ü / "quoted" 漢'
    transaction = propose(editor, "USDC", "3.25", 0, 1, note=note)
    receiver.wait("the end of the transfer", lambda: completed(receiver, transaction))
    made, *_ = receiver.events(CREATED, transaction)
    assert (made["data"]["status"], made["data"]["note"]) == ("SUBMITTED", note)
    assert (made["workspaceId"], made["webhookId"]) == (fund.id, webhook.id)
    told = [event["data"]["status"] for event in receiver.events(UPDATED, transaction)]
    steps = [status for at, status in enumerate(told) if at == 0 or told[at - 1] != status]
    assert steps == WAY[1:], "every status, each once and in its order"
    updated = [event["data"]["lastUpdated"] for event in receiver.events(UPDATED, transaction)]
    assert updated == sorted(set(updated))
    assert len(receiver.events(APPROVED, transaction)) == 1
    last = receiver.events(UPDATED, transaction)[-1]["data"]
    assert last == editor.door.get(f"/v1/transactions/{transaction}").json

    def wallet(account, asset):
        events = (event["data"] for event in receiver.events(BALANCE))
        return [e for e in events if (str(e["vaultAccountId"]), e["assetId"]) == (account, asset)]

    for account, asset in (("0", "USDC"), ("0", "ETH"), ("1", "USDC")):
        held = editor.door.get(f"/v1/vault/accounts/{account}/{asset}").json
        expected = (held["total"], held["available"])

        def told():
            events = wallet(account, asset)
            return events and (events[-1]["total"], events[-1]["available"]) == expected

        receiver.wait(f"the balance of {asset} in {account}", told)


def test_both_signatures_cover_every_byte(keys, editor, receiver, webhook):
    statuses(editor, propose(editor, "SOL", "0.001", 0, 1))
    receiver.wait("a delivery", lambda: receiver.deliveries)
    delivery = receiver.deliveries[0]
    assert delivery.headers["content-type"].startswith("application/json")
    assert json.dumps(delivery.event, separators=(",", ":"), ensure_ascii=False).encode() == delivery.body
    jws, legacy = delivery.headers[SIGNATURE.lower()], delivery.headers[LEGACY.lower()]
    keys.verify(jws, delivery.body)
    other = delivery.body.replace(b'"SOL"', b'"BTC"')
    assert other != delivery.body
    with pytest.raises(InvalidJWSSignature):
        keys.verify(jws, other)
    with pytest.raises(InvalidSignature):
        keys.verify_legacy(legacy, other)


def test_notifications_as_the_client_reads_them(api, editor, receiver, webhook):
    transaction = propose(editor, "SOL", "0.001", 0, 1)
    statuses(editor, transaction)
    receiver.wait("the end", lambda: completed(receiver, transaction))
    found = settled(api, webhook, len(receiver.deliveries))
    assert {n.id for n in found} == {delivery.event["id"] for delivery in receiver.deliveries}
    assert all(n.status == "COMPLETED" for n in found)
    assert [n.updated_at for n in found] == sorted((n.updated_at for n in found), reverse=True)
    first_page = api.get_notifications(webhook.id, page_size=2).result().data
    assert (len(first_page.data), first_page.total) == (2, len(found))
    paged = notifications(api, webhook, page_size=2, sort_by="createdAt", order="ASC")
    assert [n.id for n in paged] == [delivery.event["id"] for delivery in receiver.deliveries]
    assert len(notifications(api, webhook, events=[CREATED])) == 1
    assert len(notifications(api, webhook, resource_id=transaction)) == len(found)
    assert notifications(api, webhook, statuses=["FAILED", "ON_HOLD"]) == []
    assert notifications(api, webhook, end_time=found[-1].created_at - 1) == []
    assert len(notifications(api, webhook, start_time=found[0].created_at)) == 1
    one = api.get_notification(webhook.id, found[0].id, include_data=True).result().data
    sent = next(d.event for d in receiver.deliveries if d.event["id"] == one.id)
    assert one.data == sent["data"]
    assert api.get_notification(webhook.id, found[0].id).result().data.data is None
    tries = api.get_notification_attempts(webhook.id, found[0].id).result().data.data
    assert [(t.response_code, t.failure_reason) for t in tries] == [(200, None)]
    for ask in (
        lambda: api.get_notification(webhook.id, webhook.id),
        lambda: api.get_notification(webhook.id, "no-uuid"),
        lambda: api.get_notification_attempts(webhook.id, webhook.id),
        lambda: api.resend_notification_by_id(webhook.id, webhook.id),
    ):
        with refused(NotFoundException):
            ask().result()


def test_sent_again(api, editor, receiver, webhook):
    transaction = propose(editor, "SOL", "0.001", 0, 1)
    statuses(editor, transaction)
    found = settled(api, webhook)
    first = receiver.deliveries[0]
    answer = api.resend_notification_by_id(webhook.id, first.event["id"]).result()
    assert answer.status_code == 202
    path = f"/v1/webhooks/{webhook.id}/notifications/{first.event['id']}/resend"
    soon = editor.door.send("POST", path)
    assert soon.status == 429 and "5 minutes" in soon.json["message"]

    def times(body):
        return sum(delivery.body == body for delivery in receiver.deliveries)

    receiver.wait("it comes again", lambda: times(first.body) == 2)
    settled(api, webhook)
    request = ResendNotificationsByResourceIdRequest(resource_id=transaction, exclude_statuses=[])
    answer = editor.sdk.webhooks_v2.resend_notifications_by_resource_id(webhook.id, request).result()
    assert answer.status_code == 202
    # But for the one that was sent again just before.
    receiver.wait("all come again", lambda: len(receiver.deliveries) == 2 * len(found))
    assert times(first.body) == 2
    settled(api, webhook)
    # Those that were taken are left out where nothing is said.
    request = ResendNotificationsByResourceIdRequest(resource_id=transaction)
    api.resend_notifications_by_resource_id(webhook.id, request).result()
    assert all(n.status == "COMPLETED" for n in notifications(api, webhook))


def test_a_lost_one_is_found_again(fund, api, editor, receiver, webhook):
    fund.control("POST", f"/webhooks/{webhook.id}/drop_next", {"count": 2})
    transaction = propose(editor, "SOL", "0.001", 0, 1)
    statuses(editor, transaction)
    found = settled(api, webhook)
    lost = [n for n in found if n.status == "FAILED"]
    assert len(lost) == 2 and lost[-1].event_type == CREATED
    assert not receiver.events(CREATED)
    assert api.get_notification_attempts(webhook.id, lost[0].id).result().data.data == []
    # An empty list of events means all of them, as a missing one does.
    none = ResendFailedNotificationsRequest(events=[BALANCE])
    answer = api.resend_failed_notifications(webhook.id, none).result()
    assert (answer.status_code, answer.data.total) == (200, 0)
    answer = editor.sdk.webhooks_v2.resend_failed_notifications(
        webhook.id, ResendFailedNotificationsRequest(events=[])
    ).result()
    assert (answer.status_code, answer.data.total) == (202, 2)
    job = answer.headers["location"].rsplit("/", 1)[1]
    told = api.get_resend_job_status(webhook.id, job).result().data
    assert (told.status, told.processed, told.total) == ("COMPLETED", 2, 2)
    receiver.wait("the lost ones", lambda: len(receiver.deliveries) == len(found))
    assert len(receiver.events(CREATED, transaction)) == 1
    assert all(n.status == "COMPLETED" for n in settled(api, webhook))
    unknown = f"/workspaces/{fund.id}/webhooks/{fund.id}/drop_next"
    assert fund.sandbox.control("POST", unknown, {})[0] == 404


def test_sent_again_by_a_query(fund, api, editor, receiver, webhook):
    fund.control("POST", f"/webhooks/{webhook.id}/drop_next", {"count": 3})
    transaction = propose(editor, "SOL", "0.001", 0, 1)
    statuses(editor, transaction)
    found = settled(api, webhook)
    theirs = editor.sdk.webhooks_v2

    def asked(**query):
        request = ResendByQueryRequest(**query)
        return theirs.resend_notifications_by_query(webhook.id, request).result()

    none = asked(resource_id=webhook.id)
    assert (none.status_code, none.data.total) == (200, 0)
    assert asked(events=[BALANCE]).data.total == 0
    assert asked(statuses=["ON_HOLD"]).data.total == 0
    answer = asked(events=[], resource_id=transaction, start_time=found[-1].created_at)
    assert (answer.status_code, answer.data.total) == (202, 3)
    receiver.wait("the lost ones", lambda: len(receiver.deliveries) == len(found))
    job = answer.headers["location"].rsplit("/", 1)[1]
    told = theirs.get_resend_by_query_job_status(webhook.id, job).result().data
    assert (told.job_id, told.status, told.processed, told.total) == (job, "COMPLETED", 3, 3)
    for unknown in (webhook.id, "no-uuid"):
        with refused(NotFoundException):
            theirs.get_resend_by_query_job_status(webhook.id, unknown).result()
    for query in ({"events": ["no.such"]}, {"statuses": ["LOST"]}):
        door, path = editor.door, f"/v1/webhooks/{webhook.id}/notifications/resend_by_query"
        assert door.post(path, query).status == 400
    for query in ({"end_time": 1}, {"start_time": 1}, {"start_time": found[0].created_at * 2}):
        with refused(BadRequestException, 1000):
            asked(**query)


def test_a_webhook_that_is_off_hears_nothing(api, editor, receiver, webhook):
    api.update_webhook(webhook.id, UpdateWebhookRequest(enabled=False)).result()
    statuses(editor, propose(editor, "SOL", "0.001", 0, 1))
    assert notifications(api, webhook) == [] and receiver.deliveries == []


@pytest.mark.parametrize("answer", [400, 401, 404])
def test_a_refusal_is_final(api, editor, receiver, webhook, answer):
    receiver.answer = answer
    statuses(editor, propose(editor, "SOL", "0.001", 0, 1))
    found = settled(api, webhook)
    assert all(n.status == "FAILED" for n in found)
    tries = api.get_notification_attempts(webhook.id, found[0].id).result().data.data
    assert [t.response_code for t in tries] == [answer]


def test_words_that_nobody_knows(fund, webhook):
    door, path = fund["admin"].door, f"/v1/webhooks/{webhook.id}/notifications"
    for query in ("statuses=LOST", "statuses=COMPLETED&statuses=completed", "events=no.such", "events=*"):
        answer = door.get(f"{path}?{query}")
        assert (answer.status, answer.code) == (400, 1000), query
    for query in ("statuses=FAILED&statuses=ON_HOLD", "events=settlement.created"):
        assert door.get(f"{path}?{query}").json["data"] == []


def test_a_replay_says_where_its_job_is(fund, editor, webhook):
    fund.control("POST", f"/webhooks/{webhook.id}/drop_next", {"count": 1})
    statuses(editor, propose(editor, "SOL", "0.001", 0, 1))
    path = f"/v1/webhooks/{webhook.id}/notifications/resend_failed"

    def asked(target):
        door = editor.door
        headers = [
            ("X-API-Key", door.api_key),
            ("Authorization", f"Bearer {door.token(target)}"),
            ("Idempotency-Key", "one key"),
        ]
        return door.send("POST", target, headers=headers)

    first, again = asked(path), asked(path)
    assert first.status == again.status == 202 and first.body == again.body
    assert first.headers["location"] == again.headers["location"] != None  # noqa: E711
    # The same key at another operation is another request.
    other = asked(path.replace("resend_failed", "resend_by_query"))
    assert (other.status, other.json) == (200, {"total": 0}) and not other.headers["location"]

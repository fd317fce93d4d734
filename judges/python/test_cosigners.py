"""Co-signers, the API users paired with them, and the handlers that they ask before they sign."""

import json
import uuid

import pytest
from fireblocks.exceptions import (
    ApiException,
    BadRequestException,
    NotFoundException,
    UnauthorizedException,
)
from fireblocks.models.add_cosigner_request import AddCosignerRequest
from fireblocks.models.callback_handler_request import CallbackHandlerRequest
from fireblocks.models.pair_api_key_request import PairApiKeyRequest
from fireblocks.models.rename_cosigner import RenameCosigner
from fireblocks.models.update_callback_handler_request import UpdateCallbackHandlerRequest

from handler import CallbackHandler, new_key, public_pem
from money import follow, propose, statuses
from pages import by_cursor
from refusals import refused
from rules import decide, enforce, legacy, waiting
from sandbox import Sandbox
from waiting import until

STRANGER = str(uuid.UUID(int=7))
MINUTE = 60_000


@pytest.fixture
def fund(tmp_path):
    sandbox = Sandbox(tmp_path)
    yield sandbox.workspaces["mainnet"]
    sandbox.stop()


@pytest.fixture
def by_hand(tmp_path):
    sandbox = Sandbox(tmp_path, "--manual")
    yield sandbox.workspaces["mainnet"]
    sandbox.stop()


def cosigners(workspace):
    return workspace["admin"].sdk.cosigners_beta


def told(workspace):
    """What the control plane tells of a workspace's co-signers."""
    return json.loads(workspace.control("GET", "/cosigners"))


def communal(workspace):
    return cosigners(workspace).get_cosigners().result().data.data[-1].id


@pytest.fixture
def handlers():
    """Makes callback handlers that know the workspace's co-signer."""
    made = []

    def make(workspace):
        made.append(CallbackHandler(told(workspace)["publicKey"]))
        return made[-1]

    yield make
    for handler in made:
        handler.close()


def wanted(handler, **changes):
    return CallbackHandlerRequest(**{"url": handler.url, "public_key": handler.public_key, **changes})


def done(answer):
    """The id of the request that an answer tells of, by its Location."""
    assert answer.status_code == 202
    return answer.headers["location"].rsplit("/", 1)[1]


def status(workspace, cosigner, key, request):
    shown = cosigners(workspace).get_request_status(
        cosigner_id=cosigner, api_key_id=key, request_id=request
    )
    return shown.result().data.status


def set_handler(workspace, user, handler):
    """Gives an API user's co-signer a handler."""
    cosigner, body = communal(workspace), UpdateCallbackHandlerRequest()
    if handler is not None:
        body = UpdateCallbackHandlerRequest(callback_handler=wanted(handler))
    answer = cosigners(workspace).update_callback_handler(
        cosigner_id=cosigner, api_key_id=user.id, update_callback_handler_request=body
    ).result()
    assert status(workspace, cosigner, user.id, done(answer)) == "COMPLETED", "people agree by themselves"


def test_a_workspace_has_a_cosigner_and_its_api_users_are_paired(fund):
    one = cosigners(fund).get_cosigners().result().data
    assert [(c.type, c.archived) for c in one.data] == [("SANDBOX", False)] and one.next is None
    assert cosigners(fund).get_cosigner(cosigner_id=one.data[0].id).result().data == one.data[0]
    paired = {key.id for key in by_cursor(
        cosigners(fund).get_api_keys, page_size=2, cosigner_id=one.data[0].id
    )}
    assert paired == {fund[n].id for n in ("admin", "non-signing-admin", "signer", "approver")}
    key = cosigners(fund).get_api_key(cosigner_id=one.data[0].id, api_key_id=fund["signer"].id)
    assert key.result().data.callback_handler is None


def test_renaming(fund):
    id = communal(fund)
    renamed = cosigners(fund).rename_cosigner(cosigner_id=id, rename_cosigner=RenameCosigner(name="Ours"))
    assert renamed.result().data.name == "Ours"
    assert cosigners(fund).get_cosigner(cosigner_id=id).result().data.name == "Ours"
    assert len(cosigners(fund).get_cosigners().result().data.data) == 1
    for name in ("", "   "):
        with refused(BadRequestException):
            cosigners(fund).rename_cosigner(
                cosigner_id=id, rename_cosigner=RenameCosigner(name=name)
            ).result()
    with refused(NotFoundException):
        cosigners(fund).get_cosigner(cosigner_id=STRANGER).result()


def test_another_cosigner_and_who_moves_there(fund, handlers):
    body = AddCosignerRequest(api_key_id=fund["signer"].id, name="Machine two")
    added = cosigners(fund).add_cosigner(add_cosigner_request=body).result()
    assert added.status_code == 201 and added.data.name == "Machine two"
    second = added.data.pending_cosigner_id
    assert len(cosigners(fund).get_cosigners().result().data.data) == 2
    keys = lambda id: {k.id for k in cosigners(fund).get_api_keys(cosigner_id=id).result().data.data}  # noqa: E731
    assert keys(second) == {fund["signer"].id} and fund["signer"].id not in keys(communal(fund))
    handler = handlers(fund)
    body = PairApiKeyRequest(callback_handler=wanted(handler))
    answer = cosigners(fund).pair_api_key(
        cosigner_id=second, api_key_id=fund["approver"].id, pair_api_key_request=body
    ).result()
    assert (answer.data.id, answer.data.callback_handler.url) == (fund["approver"].id, handler.url)
    assert status(fund, second, fund["approver"].id, done(answer)) == "COMPLETED"
    shown = cosigners(fund).get_api_key(cosigner_id=second, api_key_id=fund["approver"].id).result().data
    assert shown.callback_handler.public_key == handler.public_key
    newest_first = [c.id for c in by_cursor(cosigners(fund).get_cosigners, page_size=1)]
    assert newest_first == [second, communal(fund)]


def test_who_is_unpaired_signs_nothing(fund):
    cosigner, signer = communal(fund), fund["signer"]
    answer = cosigners(fund).unpair_api_key(cosigner_id=cosigner, api_key_id=signer.id).result()
    assert status(fund, cosigner, signer.id, done(answer)) == "COMPLETED"
    with refused(NotFoundException):
        cosigners(fund).get_api_key(cosigner_id=cosigner, api_key_id=signer.id).result()
    waiting = propose(signer, "SOL", "0.5", 0, 1)
    statuses(signer, waiting, "PENDING_SIGNATURE")
    body = PairApiKeyRequest()
    cosigners(fund).pair_api_key(
        cosigner_id=cosigner, api_key_id=signer.id, pair_api_key_request=body
    ).result()
    assert follow(signer, waiting).status == "COMPLETED", "signed once it is paired again"


def test_people_agree_one_after_another(by_hand, handlers):
    fund, signer = by_hand, by_hand["signer"]
    cosigner, handler = communal(fund), handlers(by_hand)

    def ask():
        body = UpdateCallbackHandlerRequest(callback_handler=wanted(handler))
        return cosigners(fund).update_callback_handler(
            cosigner_id=cosigner, api_key_id=signer.id, update_callback_handler_request=body
        ).result()

    def people(word, user=None):
        request, = waiting(fund, "COSIGNER_KEY")
        return decide(fund, request, word, user)

    key = lambda: cosigners(fund).get_api_key(cosigner_id=cosigner, api_key_id=signer.id).result().data  # noqa: E731
    first = done(ask())
    assert status(fund, cosigner, signer.id, first) == "WAITING_FOR_APPROVAL"
    assert key().callback_handler is None, "not before the owner has agreed"
    with pytest.raises(ApiException) as caught:
        ask()
    assert caught.value.status == 409
    assert people("approve", fund["admin"].id) == (200, "PENDING"), "the owner must"
    assert people("reject", fund["editor"].id)[0] == 403
    assert people("reject") == (200, "REJECTED")
    assert status(fund, cosigner, signer.id, first) == "REJECTED"
    second = done(ask())
    assert people("approve") == (200, "APPROVED")
    assert status(fund, cosigner, signer.id, second) == "COMPLETED"
    assert key().callback_handler.url == handler.url
    cosigners(fund).unpair_api_key(cosigner_id=cosigner, api_key_id=signer.id).result()
    assert people("approve", fund["admin"].id) == (200, "APPROVED"), "an administrator is enough"
    fourth = done(cosigners(fund).pair_api_key(
        cosigner_id=cosigner, api_key_id=signer.id, pair_api_key_request=PairApiKeyRequest()
    ).result())
    fund.sandbox.control("POST", "/clock/advance", {"millis": 7 * 24 * 60 * MINUTE})
    until("it is over", lambda: status(fund, cosigner, signer.id, fourth) == "CANCELLED")


def test_what_is_refused(fund, handlers):
    handler, cosigner = handlers(fund), communal(fund)

    def pair(key, cosigner=cosigner, **changes):
        body = PairApiKeyRequest(callback_handler=wanted(handler, **changes))
        return cosigners(fund).pair_api_key(
            cosigner_id=cosigner, api_key_id=key, pair_api_key_request=body
        ).result()

    for changes in (
        {"url": "no url"},
        {"url": "ftp://127.0.0.1/"},
        {"url": "http://user@127.0.0.1/"},
        {"url": handler.url + "?x=1"},
        {"public_key": "no key"},
        {"public_key": public_pem(new_key(4096))},
        {"public_key": None},
        {"cert": "a certificate"},
    ):
        with refused(BadRequestException):
            pair(fund["signer"].id, **changes)
    for name in ("editor", "viewer", "auditor"):
        with refused(BadRequestException):
            pair(fund[name].id)
    with refused(NotFoundException):
        pair(STRANGER)
    with refused(NotFoundException):
        pair(fund["signer"].id, cosigner=STRANGER)
    for name in ("signer", "editor", "viewer"):
        with refused(UnauthorizedException, -8):
            fund[name].sdk.cosigners_beta.get_cosigners().result()
    with refused(NotFoundException):
        status(fund, cosigner, fund["signer"].id, STRANGER)
    with refused(BadRequestException):
        body = AddCosignerRequest(api_key_id=fund["viewer"].id, name="Machine")
        cosigners(fund).add_cosigner(add_cosigner_request=body).result()
    assert fund["admin"].door.get("/v1/cosigners?pageSize=0").status == 400
    assert fund["admin"].door.get("/v1/cosigners/x").status == 404
    body = json.dumps({"callbackHandler": []}).encode()
    target = f"/v1/cosigners/{cosigner}/api_keys/{fund['signer'].id}"
    assert fund["admin"].door.send("PUT", target, body).status == 400


def test_the_handler_is_asked_before_a_signature(fund, handlers):
    handler, signer = handlers(fund), fund["signer"]
    set_handler(fund, signer, handler)
    transaction = propose(signer, "SOL", "0.5", 0, 1, note="for lunch", externalTxId="lunch-1")
    assert follow(signer, transaction).status == "COMPLETED"
    question, = handler.asked(transaction)
    expected = {
        "txId": transaction,
        "requestId": transaction,
        "externalTxId": "lunch-1",
        "signerId": signer.id,
        "operation": "TRANSFER",
        "sourceType": "VAULT",
        "sourceId": "0",
        "destType": "VAULT",
        "destId": "1",
        "asset": "SOL",
        "amountStr": "0.500000000",
        "requestedAmountStr": "0.5",
        "note": "for lunch",
    }
    assert {name: question[name] for name in expected} == expected
    destination, = question["destinations"]
    assert destination["dstId"] == "1" and destination["amountNativeStr"] == "0.5"
    assert destination["displayDstAddress"] == question["destAddress"] and question["fee"]
    assert not {"iat", "exp", "createdBy"} & set(question)
    seen = cosigners(fund).get_api_key(cosigner_id=communal(fund), api_key_id=signer.id).result().data
    assert seen.last_seen is not None
    set_handler(fund, signer, None)
    assert follow(signer, propose(signer, "SOL", "0.5", 0, 1)).status == "COMPLETED"
    assert len(handler.questions) == 1, "nobody is asked any more"


def test_what_a_handler_answers_is_what_happens(fund, handlers):
    handler, signer = handlers(fund), fund["signer"]
    set_handler(fund, signer, handler)
    stranger = new_key()

    def answers(**claims):
        return lambda question: (200, handler.signed(**{"requestId": question["requestId"], **claims}))

    failed = ("FAILED", "AUTHORIZATION_FAILED")
    for respond, expected in (
        (answers(action="REJECT", rejectionReason="too much"), ("CANCELLED", "REJECTED_BY_USER")),
        (answers(action="IGNORE"), failed),
        (answers(action="APPROVE", requestId=STRANGER), failed),
        (answers(action="APPROVE", key=stranger), failed),
        (answers(action="approve"), failed),
        (lambda _: (500, b""), failed),
        (lambda q: (201, handler.signed(action="APPROVE", requestId=q["requestId"])), failed),
        (lambda _: (200, b"not a token"), failed),
        (lambda q: (200, json.dumps({"action": "APPROVE", "requestId": q["requestId"]}).encode()), failed),
        (answers(action="APPROVE"), ("COMPLETED", "CONFIRMED")),
    ):
        handler.respond = respond
        ended = follow(signer, propose(signer, "SOL", "0.1", 0, 1))
        assert (ended.status, ended.sub_status) == expected
        if expected[0] == "CANCELLED":
            assert ended.rejected_by == signer.id
    reasons = [call["reason"] for call in told(fund)["calls"]]
    assert reasons[0] == "too much" and reasons[-1] is None
    gone = CallbackHandler(None)
    gone.close()
    set_handler(fund, signer, gone)
    ended = follow(signer, propose(signer, "SOL", "0.1", 0, 1))
    assert (ended.status, ended.sub_status) == failed, "nobody is there"


def test_retry_is_asked_again_every_three_minutes(by_hand, handlers):
    fund, signer, handler = by_hand, by_hand["signer"], handlers(by_hand)
    cosigner = communal(fund)
    body = UpdateCallbackHandlerRequest(callback_handler=wanted(handler))

    def set_up():
        cosigners(fund).update_callback_handler(
            cosigner_id=cosigner, api_key_id=signer.id, update_callback_handler_request=body
        ).result()
        request, = waiting(fund, "COSIGNER_KEY")
        assert decide(fund, request, "approve") == (200, "APPROVED")

    transaction = propose(signer, "SOL", "0.5", 0, 1)

    def respond(question):
        action = "RETRY" if question["txId"] == transaction else "APPROVE"
        return 200, handler.signed(action=action, requestId=question["requestId"])

    handler.respond = respond
    set_up()
    queued = propose(signer, "SOL", "0.6", 0, 1)
    handler.asked(transaction)

    def kept(count):
        calls = lambda: [c["answers"] for c in told(fund)["calls"] if c["transaction"] == transaction]  # noqa: E731
        until("the answer is kept", lambda: calls() == [count])

    kept(1)
    fund.sandbox.control("POST", "/clock/advance", {"millis": 2 * MINUTE})
    assert len(handler.questions) == 1, "not before three minutes are over"
    fund.sandbox.control("POST", "/clock/advance", {"millis": MINUTE})
    first, second = handler.asked(transaction, 2)
    assert first == second, "the same question"
    kept(2)
    assert statuses(signer, queued, "QUEUED")[-1] == "QUEUED", "a slow handler keeps the vault waiting"
    for answers in range(3, 22):
        fund.sandbox.control("POST", "/clock/advance", {"millis": 3 * MINUTE})
        handler.asked(transaction, answers)
        if answers < 21:
            kept(answers)
    ended = follow(signer, transaction)
    assert (ended.status, ended.sub_status) == ("FAILED", "TIMEOUT"), "once too often"
    assert statuses(signer, queued, "BROADCASTING")[-1] == "BROADCASTING", "asked with --manual too"


def test_approvers_are_asked_too(fund, handlers):
    handler, approver, editor = handlers(fund), fund["approver"], fund["editor"]
    set_handler(fund, approver, handler)
    groups = {"groups": [{"users": [approver.id, fund["non-signing-admin"].id], "th": 1}]}
    enforce(
        fund,
        legacy("2-TIER", designatedSigners={"users": [fund["signer"].id]}, authorizationGroups=groups),
    )
    handler.action = "IGNORE"
    ended = follow(editor, propose(editor, "SOL", "0.1", 0, 1))
    assert ended.status == "COMPLETED", "another approver decides"
    alone = {"groups": [{"users": [approver.id], "th": 1}]}
    enforce(
        fund,
        legacy("2-TIER", designatedSigners={"users": [fund["signer"].id]}, authorizationGroups=alone),
    )
    handler.action = "APPROVE"
    approved = propose(editor, "SOL", "0.1", 0, 1)
    assert follow(editor, approved).status == "COMPLETED"
    question, = handler.asked(approved)
    assert "fee" not in question and "displayDstAddress" not in question["destinations"][0]
    handler.action = "REJECT"
    ended = follow(editor, propose(editor, "SOL", "0.1", 0, 1))
    assert (ended.status, ended.rejected_by) == ("CANCELLED", approver.id)


def test_who_approves_and_signs_is_asked_once(fund, handlers):
    handler, admin, editor = handlers(fund), fund["admin"], fund["editor"]
    set_handler(fund, admin, handler)
    groups = {"groups": [{"users": [admin.id], "th": 1}]}
    enforce(
        fund, legacy("2-TIER", designatedSigners={"users": [admin.id]}, authorizationGroups=groups)
    )
    transaction = propose(editor, "SOL", "0.1", 0, 1)
    assert follow(editor, transaction).status == "COMPLETED"
    question, = handler.asked(transaction)
    assert question["fee"], "with what is known of the signature"


def test_a_question_that_a_crash_cut_off_is_asked_again(tmp_path, handlers):
    data = tmp_path / "sandbox.db"
    first = Sandbox(tmp_path, data=data)
    fund = first.workspaces["mainnet"]
    handler = handlers(fund)
    set_handler(fund, fund["signer"], handler)
    handler.action = "RETRY"
    transaction = propose(fund["signer"], "SOL", "0.1", 0, 1)
    handler.asked(transaction)
    first.kill()
    handler.action = "APPROVE"
    second = Sandbox(tmp_path, data=data)
    try:
        second.control("POST", "/clock/advance", {"millis": 3 * MINUTE})
        signer = second.workspaces["mainnet"]["signer"]
        assert follow(signer, transaction).status == "COMPLETED"
        questions = handler.asked(transaction, 2)
        assert questions[0] == questions[1]
    finally:
        second.stop()


def test_a_handler_that_says_nothing_has_half_a_minute(fund, handlers):
    import threading

    handler, signer, hold = handlers(fund), fund["signer"], threading.Event()
    set_handler(fund, signer, handler)

    def slow(question):
        hold.wait(60)
        return 200, handler.signed(action="APPROVE", requestId=question["requestId"])

    handler.respond = slow
    transaction = propose(signer, "SOL", "0.1", 0, 1)
    other = propose(fund["admin"], "SOL", "0.1", 1, 2)
    assert follow(fund["admin"], other).status == "COMPLETED", "nobody else waits for it"
    ended = lambda: signer.door.get(f"/v1/transactions/{transaction}").json  # noqa: E731
    until("it has failed", lambda: ended()["status"] == "FAILED", seconds=60)
    assert ended()["subStatus"] == "AUTHORIZATION_FAILED"
    hold.set()


def test_who_signs_holds_a_key_share(fund):
    keys = fund["viewer"].sdk.keys_beta
    told = keys.get_mpc_keys_list().result().data
    assert told.tenant_id == fund.id
    users = {key.user_id for key in told.keys}
    assert {fund["admin"].id, fund["signer"].id} <= users
    assert not {fund[n].id for n in ("approver", "editor", "viewer", "non-signing-admin")} & users
    assert len({key.key_id for key in told.keys}) == len(told.keys)
    own = keys.get_mpc_keys_list_by_user(user_id=fund["signer"].id).result().data
    assert [key.user_id for key in own.keys] == [fund["signer"].id]
    assert own.keys[0] in told.keys and len(own.keys[0].players) == 3
    assert keys.get_mpc_keys_list_by_user(user_id=fund["viewer"].id).result().data.keys == []
    with refused(NotFoundException):
        keys.get_mpc_keys_list_by_user(user_id=STRANGER).result()

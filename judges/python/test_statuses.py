"""Every status and sub-status that the sandbox's page lists comes about as it says, and is read by the
official client."""

import re
from pathlib import Path

import pytest
from fireblocks.models.create_webhook_request import CreateWebhookRequest

from fresh import fresh
from money import holding, propose, transfer
from rules import decide, legacy, publish, waiting

PAGE = Path(__file__).resolve().parents[2] / "docs" / "sandbox.md"
HOUR = 3_600_000
SCENARIOS = {}


def causes(status, *sub_statuses):
    """A scenario: it gives the transaction, and the workspace it is in."""

    def keep(scenario):
        for sub_status in sub_statuses or ("",):
            SCENARIOS[status, sub_status] = scenario
        return scenario

    return keep


def listed():
    """What the page lists."""
    table = PAGE.read_text().split("## Statuses and sub-statuses")[1].split("\n## ")[0]
    for row in re.findall(r"^\| (`[^|]*) \|", table, re.MULTILINE):
        status, *others = re.findall(r"`([A-Z0-9_]+)`", row)
        yield from ((status, other) for other in others or [""])


def act(fund, transaction, what, **body):
    fund.control("POST", f"/transactions/{transaction}/{what}", body)


def advance(fund, millis):
    fund.ask("POST", "/clock/advance", {"millis": millis})


def mine(fund, times=1):
    for _ in range(times):
        fund.control("POST", "/mine")


def ask(user, **request):
    answer = user.door.post("/v1/transactions", request)
    assert answer.status == 200, answer.json
    return answer.json["id"]


def incoming(fund, asset="SOL"):
    wanted = {"vaultAccountId": "0", "assetId": asset, "amount": "1"}
    return fund.ask("POST", "/incoming", wanted)["id"]


def sent(fund, asset="ETH", **more):
    transaction = ask(fund["signer"], **transfer(asset, "0.01", 0, 1), **more)
    act(fund, transaction, "sign")
    return transaction


def withdrawal(fund):
    """Of what a first transfer has brought there."""
    exchange = next(e for e in fund["admin"].door.get("/v1/exchange_accounts").json if e["name"] == "Kraken")
    place = {"type": "EXCHANGE_ACCOUNT", "id": exchange["id"]}
    deposit = {"type": "EXCHANGE_ACCOUNT", "id": exchange["id"], "assetId": "SOL", "amount": "2"}
    fund.ask("POST", "/deposits", deposit)
    request = transfer("SOL", "1", 0, 1)
    return ask(fund["signer"], **{**request, "source": place})


def agreed(fund, *rules):
    """A policy that the quorum lets in."""
    publish(fund, *rules)
    for request in waiting(fund, "POLICY_CHANGE"):
        assert decide(fund, request, "approve")[0] == 200


@causes("PENDING_AML_SCREENING")
def screened(fund):
    fund.ask("PUT", "/screening", {"aml": "WAIT"})
    return propose(fund["signer"], "SOL", "0.5", 0, 1)


@causes("PENDING_ENRICHMENT")
def enriched(fund):
    fund.ask("PUT", "/screening", {"aml": "PASS", "enrichment": "WAIT"})
    return propose(fund["signer"], "SOL", "0.5", 0, 1)


@causes("PENDING_AUTHORIZATION")
def asked(fund):
    return propose(fund["editor"], "SOL", "0.5", 0, 1)


@causes("QUEUED")
def second(fund):
    propose(fund["signer"], "SOL", "0.5", 0, 1)
    return propose(fund["signer"], "SOL", "0.5", 0, 1)


@causes("PENDING_SIGNATURE")
def first(fund):
    return propose(fund["signer"], "SOL", "0.5", 0, 1)


@causes("PENDING_3RD_PARTY", "3RD_PARTY_PROCESSING")
def third_party(fund):
    return withdrawal(fund)


@causes("PENDING_3RD_PARTY_MANUAL_APPROVAL", "PENDING_3RD_PARTY_MANUAL_APPROVAL")
def held(fund):
    transaction = withdrawal(fund)
    act(fund, transaction, "hold")
    return transaction


@causes("BROADCASTING")
def broadcast(fund):
    return sent(fund)


@causes("CONFIRMING", "PENDING_BLOCKCHAIN_CONFIRMATIONS")
def confirming(fund):
    return incoming(fund)


@causes("COMPLETED")
def message(fund):
    data = {"messages": [{"content": "ab" * 32}]}
    request = {"operation": "RAW", "assetId": "ETH", "source": {"type": "VAULT_ACCOUNT", "id": "0"}}
    transaction = ask(fund["signer"], **request, extraParameters={"rawMessageData": data})
    act(fund, transaction, "sign")
    return transaction


@causes("COMPLETED", "CONFIRMED")
def done(fund):
    transaction = sent(fund)
    mine(fund, 3)
    return transaction


@causes("CANCELLED", "CANCELLED_BY_USER")
def cancelled(fund):
    transaction = propose(fund["signer"], "SOL", "0.5", 0, 1)
    assert fund["signer"].door.post(f"/v1/transactions/{transaction}/cancel", {}).status == 200
    return transaction


@causes("CANCELLED", "REJECTED_BY_USER")
def rejected(fund):
    transaction = propose(fund["editor"], "SOL", "0.5", 0, 1)
    act(fund, transaction, "reject")
    return transaction


@causes("CANCELLED", "3RD_PARTY_REJECTED")
def declined(fund):
    transaction = withdrawal(fund)
    act(fund, transaction, "hold")
    act(fund, transaction, "reject")
    return transaction


@causes("BLOCKED", "BLOCKED_BY_POLICY")
def blocked(fund):
    place = {"type": "ONE_TIME_ADDRESS", "oneTimeAddress": {"address": "0x" + "ab" * 20}}
    return ask(fund["signer"], **transfer("ETH", "0.01", 0, place))


@causes("REJECTED", "FROZEN_MANUALLY")
def frozen(fund):
    transaction = incoming(fund)
    mine(fund, 3)
    assert fund["admin"].door.post(f"/v1/transactions/{transaction}/freeze", {}).status == 200
    return transaction


@causes("REJECTED", "REJECTED_AML_SCREENING")
def tainted(fund):
    fund.ask("PUT", "/screening", {"aml": "REJECT"})
    return incoming(fund)


@causes("FAILED", "SIGNER_NOT_FOUND")
def unsigned(fund):
    agreed(fund, legacy(operators={"users": [fund["editor"].id]}))
    return propose(fund["editor"], "SOL", "0.5", 0, 1)


@causes("FAILED", "AUTHORIZER_NOT_FOUND")
def alone(fund):
    groups = {"logic": "AND", "allowOperatorAsAuthorizer": False, "groups": [{"users": [fund["signer"].id], "th": 1}]}
    agreed(fund, legacy("2-TIER", authorizationGroups=groups))
    return propose(fund["signer"], "SOL", "0.5", 0, 1)


@causes("FAILED", "UNAUTHORISED_USER")
def orphan(fund):
    transaction = propose(fund["signer"], "SOL", "0.5", 0, 1)
    fund.control("DELETE", f"/users/{fund['signer'].id}")
    return transaction


@causes("FAILED", "TIMEOUT")
def late(fund):
    transaction = propose(fund["signer"], "SOL", "0.5", 0, 1)
    advance(fund, 2 * HOUR)
    return transaction


@causes("FAILED", "FAIL_ON_LOW_FEE")
def cheap(fund):
    return ask(fund["signer"], **transfer("ETH", "0.01", 0, 1), gasPrice="0.001", failOnLowFee=True)


@causes("FAILED", "MAX_FEE_EXCEEDED")
def dear(fund):
    return ask(fund["signer"], **transfer("BTC", "0.01", 0, 1), maxTotalFee="0.00000001")


@causes("FAILED", "SMART_CONTRACT_EXECUTION_FAILED")
def out_of_gas(fund):
    transaction = sent(fund, "USDC", gasLimit="20000")
    mine(fund)
    return transaction


@causes("FAILED", "INSUFFICIENT_FUNDS")
def spent(fund):
    coins = fund["signer"].door.get("/v1/vault/accounts/0/BTC/unspent_inputs").json
    # While the first keeps the others waiting, two are to spend the same coin.
    made = []
    for coin in (coins[0]["input"], coins[1]["input"], coins[1]["input"]):
        more = {"extraParameters": {"inputsSelection": {"inputsToSpend": [coin]}}}
        made.append(ask(fund["signer"], **transfer("BTC", "0.0001", 0, 1), **more))
    for transaction in made[:2]:
        act(fund, transaction, "sign")
        mine(fund, 3)
    return made[2]


@causes("FAILED", "DROPPED_BY_BLOCKCHAIN")
def reorganised(fund):
    transaction = incoming(fund)
    mine(fund, 3)
    act(fund, transaction, "reorganise")
    return transaction


def by_hand(sub_status):
    def scenario(fund):
        transaction = propose(fund["signer"], "SOL", "0.5", 0, 1)
        act(fund, transaction, "fail", subStatus=sub_status)
        return transaction

    return scenario


def passing(status):
    """Statuses of a moment: nothing but an event tells of them."""

    def scenario(fund):
        api = fund["admin"].sdk.webhooks_v2
        events = ["transaction.created", "transaction.status.updated"]
        request = CreateWebhookRequest(url="https://hooks.example.com/x", events=events)
        webhook = api.create_webhook(create_webhook_request=request).result().data.id
        transaction = cancelled(fund)
        told = fund["admin"].door.get(f"/v1/webhooks/{webhook}/notifications?resourceId={transaction}").json
        seen = []
        for one in told["data"]:
            path = f"/v1/webhooks/{webhook}/notifications/{one['id']}?includeData=true"
            seen.append(fund["admin"].door.get(path).json["data"]["status"])
        assert status in seen, seen
        return None

    return scenario


SCENARIOS["SUBMITTED", ""] = passing("SUBMITTED")
SCENARIOS["CANCELLING", ""] = passing("CANCELLING")


@pytest.mark.parametrize(("status", "sub_status"), list(listed()))
def test_what_is_listed_comes_about(manual, status, sub_status):
    fund = fresh(manual)
    scenario = SCENARIOS.get((status, sub_status)) or by_hand(sub_status)
    transaction = scenario(fund)
    if transaction:
        told = fund["viewer"].sdk.transactions.get_transaction(transaction).result().data
        assert (told.status, told.sub_status) == (status, sub_status)
    fund.gone()


def test_what_comes_about_is_listed():
    assert set(SCENARIOS) <= set(listed())


def test_a_screening_service_has_the_say(manual):
    fund = fresh(manual)
    signer = fund["signer"]
    assert fund.ask("GET", "/screening") == {"aml": "OFF", "enrichment": "OFF"}
    before = holding(signer, 0, "SOL")
    fund.ask("PUT", "/screening", {"aml": "WAIT", "enrichment": "WAIT"})
    out, came = propose(signer, "SOL", "0.5", 0, 1), incoming(fund)
    read = lambda one: signer.sdk.transactions.get_transaction(one).result().data
    assert {read(out).status, read(came).status} == {"PENDING_AML_SCREENING"}
    assert holding(signer, 0, "SOL").pending == before.pending + 1, "it is on the chain, and not ours yet"
    assert signer.door.post(f"/v1/transactions/{came}/cancel", {}).json["code"] == 1406
    mine(fund)
    assert read(came).num_of_confirmations == 1
    act(fund, came, "pass")
    assert (read(came).status, read(came).sub_status) == ("CONFIRMING", "PENDING_BLOCKCHAIN_CONFIRMATIONS")
    mine(fund, 3)
    assert read(came).status == "COMPLETED"
    act(fund, out, "pass")
    assert read(out).status == "PENDING_ENRICHMENT"
    act(fund, out, "pass")
    assert read(out).status == "PENDING_SIGNATURE"
    refused = propose(signer, "SOL", "0.5", 0, 1)
    act(fund, refused, "reject")
    assert (read(refused).status, read(refused).sub_status) == ("REJECTED", "REJECTED_AML_SCREENING")
    assert fund.sandbox.control("POST", f"/workspaces/{fund.id}/transactions/{refused}/pass", {})[0] == 409
    bad = incoming(fund)
    held = holding(signer, 0, "SOL").available
    act(fund, bad, "reject")
    told = signer.door.get("/v1/vault/accounts/0/SOL").json
    assert (told["frozen"], holding(signer, 0, "SOL").available) == ("1", held)
    assert fund["admin"].door.post(f"/v1/transactions/{bad}/unfreeze", {}).status == 200
    assert holding(signer, 0, "SOL").available == held + 1
    for body in ({"aml": "MAYBE"}, {"enrichment": "REJECT"}, {"other": "OFF"}):
        assert fund.sandbox.control("PUT", f"/workspaces/{fund.id}/screening", body)[0] == 400, body


def test_rows_change_after_they_were_final(manual):
    """Freeze, unfreeze, and a block given up: each is an event, and moves the row to the end of the
    list by `lastUpdated`."""
    fund = fresh(manual)
    user = fund["viewer"]
    came = incoming(fund)
    mine(fund, 3)
    other = incoming(fund)
    mine(fund, 3)
    last = lambda: user.door.get("/v1/transactions?orderBy=lastUpdated&limit=1").json[0]
    assert last()["id"] == other
    admin = fund["admin"].door
    for change, status in (
        (lambda: admin.post(f"/v1/transactions/{came}/freeze", {}), "REJECTED"),
        (lambda: admin.post(f"/v1/transactions/{came}/unfreeze", {}), "COMPLETED"),
        (lambda: act(fund, came, "reorganise"), "FAILED"),
    ):
        before = user.door.get(f"/v1/transactions/{came}").json
        change()
        told = last()
        assert (told["id"], told["status"]) == (came, status)
        assert told["lastUpdated"] > before["lastUpdated"] and told["createdAt"] == before["createdAt"]
        assert told["numOfConfirmations"] >= before["numOfConfirmations"], "it never falls"


def test_a_deleted_user(manual):
    """What only it could sign fails; what the chain has, and what others sign, goes on."""
    fund = fresh(manual)
    on_chain = sent(fund)
    own = propose(fund["signer"], "SOL", "0.5", 0, 1)
    theirs = propose(fund["editor"], "SOL", "0.5", 2, 1)
    act(fund, theirs, "approve")
    for name in ("signer", "editor"):
        fund.control("DELETE", f"/users/{fund[name].id}")
    read = lambda one: fund["viewer"].sdk.transactions.get_transaction(one).result().data
    assert (read(own).status, read(own).sub_status) == ("FAILED", "UNAUTHORISED_USER")
    assert read(theirs).status == "PENDING_SIGNATURE", "the signing officer's"
    act(fund, theirs, "sign")
    mine(fund, 4)
    assert {read(on_chain).status, read(theirs).status} == {"COMPLETED"}
    assert fund["signer"].door.get("/v1/transactions?limit=1").json["code"] == -7

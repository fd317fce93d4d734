"""Transfers where nobody acts unless told to: approve, sign, reject, mine, cancel, receive."""

import json
from decimal import Decimal

import pytest
from fireblocks.exceptions import BadRequestException, NotFoundException

from money import follow, holding, propose, statuses
from refusals import refused


@pytest.fixture(scope="module")
def fund(manual):
    return manual.workspaces["mainnet"]


@pytest.fixture(scope="module")
def editor(fund):
    return fund["editor"]


def act(fund, transaction, what, **body):
    return fund.control("POST", f"/transactions/{transaction}/{what}", body)


def mine(fund):
    return json.loads(fund.control("POST", "/mine"))["moved"]


def waiting(user, *request, status="PENDING_AUTHORIZATION", **more):
    """A proposed transfer that has come to where people must act."""
    transaction = propose(user, *request, **more)
    assert statuses(user, transaction, status)[-1] == status
    return transaction


def test_each_step_and_what_the_wallets_hold(fund, editor):
    amount = Decimal("2.5")
    source, destination = holding(editor, 0, "SOL"), holding(editor, 1, "SOL")
    transaction = waiting(editor, "SOL", "2.5", 0, 1)
    held = holding(editor, 0, "SOL")
    assert held.total == source.total and held.available < source.available - amount
    assert held.locked - source.locked == source.available - held.available
    assert mine(fund) == 0, "nothing is on the chain yet"

    act(fund, transaction, "approve")
    assert statuses(editor, transaction, "PENDING_SIGNATURE")[-1] == "PENDING_SIGNATURE"
    act(fund, transaction, "sign")
    assert statuses(editor, transaction, "BROADCASTING") == ["BROADCASTING"]
    with refused(BadRequestException, 1406):
        editor.sdk.transactions.cancel_transaction(transaction).result()

    assert mine(fund) == 1
    shown = editor.sdk.transactions.get_transaction(transaction).result().data
    assert (shown.status, shown.num_of_confirmations) == ("CONFIRMING", 1)
    assert shown.tx_hash and shown.source_address and shown.destination_address
    assert holding(editor, 1, "SOL").pending == destination.pending + amount
    assert holding(editor, 1, "SOL").available == destination.available

    confirmations = 1
    while shown.status == "CONFIRMING":
        assert mine(fund) == 1
        shown = editor.sdk.transactions.get_transaction(transaction).result().data
        assert shown.num_of_confirmations == confirmations + 1
        confirmations = shown.num_of_confirmations
    assert shown.status == "COMPLETED" and mine(fund) == 0
    fee = Decimal(shown.fee_info.network_fee)
    after = holding(editor, 0, "SOL")
    assert (after.total, after.locked) == (source.total - amount - fee, source.locked)
    arrived = holding(editor, 1, "SOL")
    assert (arrived.available, arrived.pending) == (destination.available + amount, destination.pending)


def test_those_of_one_account_and_chain_take_turns(fund, editor):
    signer = fund["signer"]  # Nobody need approve what it asks for.
    first = waiting(signer, "ETH", "0.01", 3, 1, status="PENDING_SIGNATURE")
    second = waiting(signer, "ETH", "0.02", 3, 1, status="QUEUED")
    third = waiting(signer, "USDC", "1", 3, 1, status="QUEUED")
    # Another chain, another account: nobody is in their way.
    for other in (("SOL", "0.01", 3, 1), ("ETH", "0.01", 2, 1)):
        act(fund, waiting(signer, *other, status="PENDING_SIGNATURE"), "reject")
    act(fund, first, "sign")
    while editor.door.get(f"/v1/transactions/{first}").json["status"] != "COMPLETED":
        mine(fund)
        shown = [editor.door.get(f"/v1/transactions/{one}").json["status"] for one in (second, third)]
        assert shown[1] == "QUEUED"
    statuses(signer, second, "PENDING_SIGNATURE")
    assert editor.door.get(f"/v1/transactions/{third}").json["status"] == "QUEUED"
    act(fund, second, "reject")
    statuses(signer, third, "PENDING_SIGNATURE")
    act(fund, third, "reject")


def test_its_initiator_calls_it_back(fund, editor):
    before = holding(editor, 0, "ETH")
    transaction = waiting(editor, "ETH", "0.75", 0, 1)
    answer = editor.sdk.transactions.cancel_transaction(transaction).result()
    assert answer.data.success is True
    done = follow(editor, transaction)
    assert (done.status, done.sub_status) == ("CANCELLED", "CANCELLED_BY_USER")
    assert holding(editor, 0, "ETH") == before
    with refused(BadRequestException, 1406):
        editor.sdk.transactions.cancel_transaction(transaction).result()
    for unknown in ("1f6e1a3c-8e0a-4d53-9b0a-3a5a5c1f0001", "a/b"):
        with refused(NotFoundException, 1405):
            editor.sdk.transactions.cancel_transaction(unknown).result()


def test_an_approver_says_no(fund, editor):
    before = holding(editor, 0, "ETH")
    transaction = waiting(editor, "ETH", "0.75", 0, 1)
    asked = follow_group(editor, transaction)
    act(fund, transaction, "reject")
    done = follow(editor, transaction)
    assert (done.status, done.sub_status) == ("CANCELLED", "REJECTED_BY_USER")
    assert done.rejected_by in asked
    assert done.authorization_info.groups[0].users[done.rejected_by] == "REJECTED"
    assert holding(editor, 0, "ETH") == before


def follow_group(user, transaction):
    told = user.sdk.transactions.get_transaction(transaction).result().data
    return set(told.authorization_info.groups[0].users)


def test_the_signer_says_no(fund, editor):
    transaction = waiting(editor, "ETH", "0.75", 0, 1)
    act(fund, transaction, "approve")
    statuses(editor, transaction, "PENDING_SIGNATURE")
    act(fund, transaction, "reject")
    done = follow(editor, transaction)
    assert (done.status, done.sub_status) == ("CANCELLED", "REJECTED_BY_USER")
    assert done.rejected_by and not done.signed_by


def test_only_who_is_asked_can_answer(fund, manual, editor):
    transaction = waiting(editor, "ETH", "0.75", 0, 1)
    path = f"/workspaces/{fund.id}/transactions/{transaction}"
    for what, body, status in (
        ("approve", {"user": editor.id}, 409),
        ("sign", {}, 409),
        ("dance", {}, 404),
    ):
        assert manual.control("POST", f"{path}/{what}", body)[0] == status, what
    act(fund, transaction, "approve")
    assert manual.control("POST", f"{path}/approve", {})[0] == 409, "once is enough"
    unknown = "1f6e1a3c-8e0a-4d53-9b0a-3a5a5c1f0001"
    assert manual.control("POST", f"/workspaces/{unknown}/mine")[0] == 404
    assert manual.control("POST", f"/workspaces/{fund.id}/transactions/{unknown}/approve", {})[0] == 404
    assert manual.control("POST", f"/workspaces/{fund.id}/mine", token="guessed")[0] == 401
    editor.sdk.transactions.cancel_transaction(transaction).result()
    assert statuses(editor, transaction)[-1] == "CANCELLED"


def test_something_arrives_from_outside(fund, editor):
    before = holding(editor, 3, "BTC")
    body = {"vaultAccountId": "3", "assetId": "BTC", "amount": "0.12345678"}
    transaction = json.loads(fund.control("POST", "/incoming", body))["id"]
    shown = editor.sdk.transactions.get_transaction(transaction).result().data
    assert (shown.status, shown.source.type, shown.created_by) == ("CONFIRMING", "UNKNOWN", "")
    assert (shown.destination.id, shown.amount_info.amount) == ("3", "0.12345678")
    held = holding(editor, 3, "BTC")
    assert (held.pending, held.available) == (before.pending + Decimal("0.12345678"), before.available)
    while editor.door.get(f"/v1/transactions/{transaction}").json["status"] == "CONFIRMING":
        assert mine(fund) == 1
    held = holding(editor, 3, "BTC")
    assert (held.pending, held.available) == (before.pending, before.available + Decimal("0.12345678"))
    assert follow(editor, transaction).status == "COMPLETED"


def test_nobody_answers_in_time(fund, manual, editor):
    """The workspace's clock goes on; the one that tokens are judged by does not."""
    before = holding(editor, 0, "ETH")
    transaction = waiting(editor, "ETH", "0.25", 0, 1)
    assert manual.control("POST", "/clock/advance", {"millis": 2 * 3_600_000})[0] == 200
    done = follow(editor, transaction)
    assert (done.status, done.sub_status) == ("FAILED", "TIMEOUT")
    assert holding(editor, 0, "ETH") == before
    assert done.last_updated - done.created_at >= 2 * 3_600_000

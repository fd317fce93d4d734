"""Transfers to and from places outside the vault accounts, and gas that comes by itself."""

import json
from decimal import Decimal

import pytest
from fireblocks.models.create_vault_account_request import CreateVaultAccountRequest
from fireblocks.models.transaction_request import TransactionRequest

from money import FINAL, holding, propose, transfer, vault


@pytest.fixture(scope="module")
def fund(manual):
    return manual.workspaces["mainnet"]


@pytest.fixture(scope="module")
def signer(fund):
    return fund["signer"]


@pytest.fixture(scope="module")
def exchange(fund):
    accounts = fund["admin"].door.get("/v1/exchange_accounts").json
    return next(account["id"] for account in accounts if account["status"] == "APPROVED")


def act(fund, transaction, what, **body):
    return fund.control("POST", f"/transactions/{transaction}/{what}", body)


def mine(fund):
    return json.loads(fund.control("POST", "/mine"))["moved"]


def shown(user, transaction):
    return user.sdk.transactions.get_transaction(transaction).result().data


def mined(fund, user, transaction):
    for _ in range(5):
        if shown(user, transaction).status in FINAL:
            break
        mine(fund)
    return shown(user, transaction)


def at_exchange(fund, exchange, asset):
    answer = fund["admin"].door.get(f"/v1/exchange_accounts/{exchange}/{asset}")
    return Decimal(answer.json["available"]) if answer.status == 200 else Decimal(0)


def ask(user, **request):
    answer = user.sdk.transactions.create_transaction(
        transaction_request=TransactionRequest.from_dict(request)
    ).result()
    return answer.data.id


def withdrawal(exchange, asset, amount, account):
    source = {"type": "EXCHANGE_ACCOUNT", "id": exchange}
    return {**transfer(asset, amount, 0, account), "source": source}


def test_to_an_exchange_and_back(fund, signer, exchange):
    before = at_exchange(fund, exchange, "ETH"), holding(signer, 1, "ETH")
    to = {"type": "EXCHANGE_ACCOUNT", "id": exchange}
    transaction = propose(signer, "ETH", "0.5", 1, to)
    act(fund, transaction, "sign")
    done = mined(fund, signer, transaction)
    assert (done.status, done.destination.type) == ("COMPLETED", "EXCHANGE_ACCOUNT")
    assert at_exchange(fund, exchange, "ETH") == before[0] + Decimal("0.5")
    fee = Decimal(done.fee_info.network_fee)
    assert holding(signer, 1, "ETH").total == before[1].total - Decimal("0.5") - fee

    back = ask(signer, **withdrawal(exchange, "ETH", "0.2", 1))
    told = shown(signer, back)
    assert (told.status, told.sub_status) == ("PENDING_3RD_PARTY", "3RD_PARTY_PROCESSING")
    assert at_exchange(fund, exchange, "ETH") == before[0] + Decimal("0.3"), "it is about to leave"
    held = fund["admin"].sdk.exchange_accounts.get_exchange_account_asset(exchange, "ETH").result().data
    assert (held.locked_amount, Decimal(held.total)) == ("0.2", before[0] + Decimal("0.5"))
    assert mine(fund) == 0, "the exchange has not sent it"
    act(fund, back, "process")
    done = mined(fund, signer, back)
    assert done.status == "COMPLETED" and done.exchange_tx_id and done.tx_hash
    assert holding(signer, 1, "ETH").total == before[1].total - Decimal("0.3") - fee
    held = fund["admin"].sdk.exchange_accounts.get_exchange_account_asset(exchange, "ETH").result().data
    assert (held.locked_amount, Decimal(held.total)) == ("0", before[0] + Decimal("0.3")), "it has left"


def test_a_block_given_up_takes_back_what_an_exchange_got_or_gave(fund, signer, exchange):
    before = at_exchange(fund, exchange, "SOL"), holding(signer, 1, "SOL")
    to = {"type": "EXCHANGE_ACCOUNT", "id": exchange}
    transaction = propose(signer, "SOL", "0.5", 1, to)
    act(fund, transaction, "sign")
    assert mined(fund, signer, transaction).status == "COMPLETED"
    assert at_exchange(fund, exchange, "SOL") == before[0] + Decimal("0.5")
    act(fund, transaction, "reorganise")
    assert (at_exchange(fund, exchange, "SOL"), holding(signer, 1, "SOL")) == before
    back = ask(signer, **withdrawal(exchange, "ETH", "0.05", 1))
    held = at_exchange(fund, exchange, "ETH"), holding(signer, 1, "ETH")
    act(fund, back, "process")
    assert mined(fund, signer, back).status == "COMPLETED"
    act(fund, back, "reorganise")
    assert at_exchange(fund, exchange, "ETH") == held[0] + Decimal("0.05"), "it never left"
    assert holding(signer, 1, "ETH") == held[1]


def test_what_an_exchange_does_not_send_stays_there(fund, signer, exchange):
    before = at_exchange(fund, exchange, "ETH"), holding(signer, 1, "ETH")
    transaction = ask(signer, **withdrawal(exchange, "ETH", "0.1", 1))
    act(fund, transaction, "fail", subStatus="INTERNAL_ERROR")
    assert (at_exchange(fund, exchange, "ETH"), holding(signer, 1, "ETH")) == before
    door = signer.door
    refused = [
        (1402, withdrawal(exchange, "ETH", "99999999", 1)),
        (1410, withdrawal("nosuch", "ETH", "0.1", 1)),
        (1428, {**withdrawal(exchange, "ETH", "0.1", 1), "destination": {"type": "EXCHANGE_ACCOUNT", "id": exchange}}),
    ]  # fmt: skip
    for code, request in refused:
        assert door.post("/v1/transactions", request).code == code, request
    assert at_exchange(fund, exchange, "ETH") == before[0]


def test_gas_comes_by_itself(fund, signer):
    vaults = fund["admin"].sdk.vaults
    account = vaults.create_vault_account(
        create_vault_account_request=CreateVaultAccountRequest(name="Fuelled", auto_fuel=True)
    ).result().data.id
    for asset in ("ETH", "USDC"):
        vaults.create_vault_account_asset(vault_account_id=account, asset_id=asset).result()
    station = Decimal(fund["admin"].door.get("/v1/gas_station/ETH").json["balance"]["ETH"])
    cap = Decimal(fund["admin"].door.get("/v1/gas_station/ETH").json["configuration"]["gasCap"])
    told = {"vaultAccountId": account, "assetId": "USDC", "amount": "100"}
    arrived = json.loads(fund.control("POST", "/incoming", told))["id"]
    assert mined(fund, signer, arrived).status == "COMPLETED"
    fuel = signer.door.get("/v1/transactions?sourceType=GAS_STATION").json
    assert len(fuel) == 1 and Decimal(fuel[0]["amountInfo"]["amount"]) == cap
    assert mined(fund, signer, fuel[0]["id"]).status == "COMPLETED"
    assert holding(signer, account, "ETH").available == cap
    left = Decimal(fund["admin"].door.get("/v1/gas_station/ETH").json["balance"]["ETH"])
    fee = Decimal(shown(signer, fuel[0]["id"]).fee_info.network_fee)
    assert left == station - cap - fee, "the station pays the fee"
    # It has enough now.
    arrived = json.loads(fund.control("POST", "/incoming", told))["id"]
    assert mined(fund, signer, arrived).status == "COMPLETED"
    assert len(signer.door.get("/v1/transactions?sourceType=GAS_STATION").json) == 1


def test_to_a_peer(fund, signer):
    connections = fund["admin"].door.get("/v1/network_connections").json
    approved = [one["id"] for one in connections if one["status"] == "APPROVED"]
    if not approved:
        pytest.fail("a seeded workspace has a connected peer")
    before = holding(signer, 1, "SOL")
    transaction = propose(signer, "SOL", "1", 1, {"type": "NETWORK_CONNECTION", "id": approved[0]})
    act(fund, transaction, "sign")
    done = mined(fund, signer, transaction)
    assert (done.status, done.destination.type) == ("COMPLETED", "NETWORK_CONNECTION")
    assert holding(signer, 1, "SOL").total == before.total - 1 - Decimal(done.fee_info.network_fee)
    assert signer.door.post("/v1/transactions", {**transfer("SOL", "1", 1, vault(2)), "destination": {"type": "NETWORK_CONNECTION", "id": "nosuch"}}).code == 1410  # fmt: skip

"""Exchange accounts: balances that move, and none that is made or lost."""

import base64
from decimal import Decimal

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from fireblocks.exceptions import BadRequestException, UnauthorizedException
from fireblocks.models.add_exchange_account_request import AddExchangeAccountRequest
from fireblocks.models.convert_assets_request import ConvertAssetsRequest
from fireblocks.models.create_internal_transfer_request import CreateInternalTransferRequest

from events import heard
from fresh import fresh
from refusals import refused
from rules import decide, waiting


@pytest.fixture(scope="module")
def fund(lively):
    return lively.workspaces["mainnet"]


@pytest.fixture(scope="module")
def exchanges(fund):
    return fund["admin"].sdk.exchange_accounts


def everything(exchanges, limit=5):
    found, after = [], None
    while True:
        page = exchanges.get_paged_exchange_accounts(limit=limit, after=after).result().data
        assert len(page.exchanges) <= limit
        found += page.exchanges
        after = page.paging.after
        if not after:
            return found


def named(exchanges, name):
    return next(account for account in everything(exchanges) if account.name == name)


def held(account, asset, kind=None):
    assets = account.assets
    if kind:
        assets = next(t.assets for t in account.trading_accounts if t.type == kind)
    return next((Decimal(a.total) for a in assets if a.id == asset), Decimal(0))


def credentials(exchanges, fund):
    told = exchanges.get_exchange_accounts_credentials_public_key().result().data
    assert told.tenant_id == fund.id
    key = load_pem_public_key(told.public_key.encode())
    oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
    return base64.b64encode(key.encrypt(b'{"apiKey":"a","secret":"b"}', oaep)).decode()


def test_every_account_in_pages(fund, exchanges):
    accounts = everything(exchanges, limit=2)
    assert [a.id for a in accounts] == [a.id for a in everything(exchanges)]
    assert {"KRAKEN", "BINANCE", "COINBASEPRIME", "BITSO"} <= {a.type for a in accounts}
    second = exchanges.get_paged_exchange_accounts(limit=2, after=exchanges.get_paged_exchange_accounts(limit=2).result().data.paging.after).result().data
    back = exchanges.get_paged_exchange_accounts(limit=2, before=second.paging.before).result().data
    assert [a.id for a in back.exchanges] == [a.id for a in accounts[:2]] and not back.paging.before
    assert second.prev_url and back.next_url
    answer = fund["admin"].door.get("/v1/exchange_accounts")
    assert [a["id"] for a in answer.json] == [a.id for a in accounts]
    for account in accounts:
        assert exchanges.get_exchange_account(exchange_account_id=account.id).result().data == account
        for asset in account.assets:
            one = exchanges.get_exchange_account_asset(exchange_account_id=account.id, asset_id=asset.id).result().data
            assert one == asset
            assert Decimal(asset.total) == sum((held(account, asset.id, t.type) for t in account.trading_accounts), Decimal(0))
    sub = next(a for a in accounts if a.is_subaccount)
    assert sub.main_account_id in {a.id for a in accounts}
    for target in ("limit=0", "limit=6", "limit=x", "", "limit=2&after=5", "limit=2&before=zz"):
        assert fund["admin"].door.get(f"/v1/exchange_accounts/paged?{target}").status == 400, target
    with refused(UnauthorizedException, -8):
        fund["viewer"].sdk.exchange_accounts.get_paged_exchange_accounts(limit=1).result()


def test_what_is_not_there(exchanges):
    with refused(BadRequestException, 1103):
        exchanges.get_exchange_account(exchange_account_id="rando").result()
    kraken = named(exchanges, "Kraken")
    with refused(BadRequestException, 1105):
        exchanges.get_exchange_account_asset(exchange_account_id=kraken.id, asset_id="rando").result()


def test_a_transfer_between_trading_accounts(exchanges):
    before = named(exchanges, "Binance")
    asset = next(t for t in before.trading_accounts if t.type == "SPOT").assets[0]

    def move(amount, source, dest):
        request = CreateInternalTransferRequest(asset=asset.id, amount=amount, source_type=source, dest_type=dest)
        return exchanges.internal_transfer(
            exchange_account_id=before.id, create_internal_transfer_request=request
        ).result().data

    assert move(asset.total, "SPOT", "USDT_FUTURES").success
    after = named(exchanges, "Binance")
    assert held(after, asset.id, "SPOT") == 0 and held(after, asset.id, "USDT_FUTURES") == Decimal(asset.total)
    assert held(after, asset.id) == held(before, asset.id)
    for amount, source, dest in [
        ("0.000001", "SPOT", "FUNDING"),
        (asset.total, "USDT_FUTURES", "OPTIONS"),
        (asset.total, "OPTIONS", "SPOT"),
        (asset.total, "USDT_FUTURES", "USDT_FUTURES"),
        ("0", "USDT_FUTURES", "SPOT"),
        ("-1", "USDT_FUTURES", "SPOT"),
        ("x", "USDT_FUTURES", "SPOT"),
    ]:
        with refused(BadRequestException):
            move(amount, source, dest)
    assert named(exchanges, "Binance") == after


def test_a_conversion_at_the_prices(exchanges):
    before = named(exchanges, "Coinbase Prime")

    def convert(account, amount, source, dest):
        request = ConvertAssetsRequest(amount=amount, src_asset=source, dest_asset=dest)
        return exchanges.convert_assets(
            exchange_account_id=account.id, convert_assets_request=request
        ).result().data

    assert convert(before, 1000.5, "USD", "USDC").success
    after = named(exchanges, "Coinbase Prime")
    assert held(before, "USD") - held(after, "USD") == Decimal("1000.5")
    assert held(after, "USDC") - held(before, "USDC") == Decimal("1000.5")
    bitso = named(exchanges, "Bitso")
    convert(bitso, 100.5, "MXN", "USD")
    then = named(exchanges, "Bitso")
    assert held(then, "USD") - held(bitso, "USD") == Decimal("5.83")
    for account, amount, source, dest in [
        (after, 1, "USD", "BTC"),
        (after, 1e9, "USD", "USDC"),
        (after, 0.001, "USD", "USDC"),
        (after, -1, "USD", "USDC"),
        (after, 1, "rando", "USDC"),
        (bitso, 1, "USD", "MXN"),
        (bitso, 0.01, "MXN", "USD"),
    ]:
        with refused(BadRequestException):
            convert(account, amount, source, dest)
    assert (named(exchanges, "Coinbase Prime"), named(exchanges, "Bitso")) == (after, then)


def request(name, creds, kind="BITSO", main=None):
    return AddExchangeAccountRequest(name=name, exchange_type=kind, creds=creds, main_account_id=main)


def test_an_account_is_added(fund, exchanges):
    creds = credentials(exchanges, fund)

    def add(**told):
        made = exchanges.add_exchange_account(add_exchange_account_request=request(**told))
        return made.result().data

    made = add(name="Bitso, desk 2", creds=creds)
    shown = exchanges.get_exchange_account(exchange_account_id=made.id).result().data
    assert (shown.name, shown.type, shown.status, shown.assets) == ("Bitso, desk 2", "BITSO", "APPROVED", [])
    fund.control("POST", "/deposits", {"type": "EXCHANGE_ACCOUNT", "id": made.id, "assetId": "BTC", "amount": "0.5"})
    asset = exchanges.get_exchange_account_asset(exchange_account_id=made.id, asset_id="BTC").result().data
    assert (asset.total, asset.available, asset.asset_symbol) == ("0.5", "0.5", "BTC")
    sub = add(name="Part", creds=creds, main=made.id)
    assert exchanges.get_exchange_account(exchange_account_id=sub.id).result().data.is_subaccount
    for told in [
        {"name": "Bitso, desk 2", "creds": creds},
        {"name": " ", "creds": creds},
        {"name": "x" * 256, "creds": creds},
        {"name": "Plain", "creds": "my secret"},
        {"name": "Plain", "creds": base64.b64encode(b"secret").decode()},
        {"name": "None", "creds": None},
        {"name": "Kraken 2", "creds": creds, "kind": "KRAKEN"},
        {"name": "Sub", "creds": creds, "main": "rando"},
        {"name": "Sub", "creds": creds, "main": sub.id},
        {"name": "Sub", "creds": creds, "kind": "LUNO", "main": made.id},
    ]:
        with refused(BadRequestException, 1000):
            add(**told)


def test_the_quorum_decides(manual):
    fund = manual.workspaces["mainnet"]
    exchanges = fund["admin"].sdk.exchange_accounts
    creds = credentials(exchanges, fund)

    def status(made):
        return exchanges.get_exchange_account(exchange_account_id=made.id).result().data.status

    for decision, then in (("approve", "APPROVED"), ("reject", "REJECTED")):
        asked = request(f"To {decision}", creds)
        made = exchanges.add_exchange_account(add_exchange_account_request=asked).result().data
        assert status(made) == "WAITING_FOR_APPROVAL"
        transfer = CreateInternalTransferRequest(asset="BTC", amount="1", source_type="SPOT", dest_type="FUNDING")
        with refused(BadRequestException, says="not approved"):
            exchanges.internal_transfer(
                exchange_account_id=made.id, create_internal_transfer_request=transfer
            ).result()
        fund.control("POST", f"/exchange_accounts/{made.id}/{decision}")
        assert status(made) == then
        told, _ = manual.control("POST", f"/workspaces/{fund.id}/exchange_accounts/{made.id}/{decision}")
        assert told == 409


def test_members_of_the_quorum_decide_one_by_one(manual):
    fund = fresh(manual)
    exchanges = fund["admin"].sdk.exchange_accounts
    creds = credentials(exchanges, fund)
    made = exchanges.add_exchange_account(add_exchange_account_request=request("Ours", creds)).result().data
    status = lambda: exchanges.get_exchange_account(exchange_account_id=made.id).result().data.status
    (asked,) = waiting(fund, "EXCHANGE_ACCOUNT")
    members = fund.ask("GET", "/quorum")["members"]
    assert decide(fund, asked, "approve", members[0]) == (200, "PENDING")
    assert status() == "WAITING_FOR_APPROVAL", "two of three"
    assert decide(fund, asked, "approve", members[1]) == (200, "APPROVED")
    assert status() == "APPROVED" and waiting(fund, "EXCHANGE_ACCOUNT") == []
    made = exchanges.add_exchange_account(add_exchange_account_request=request("Not ours", creds)).result().data
    (asked,) = waiting(fund, "EXCHANGE_ACCOUNT")
    assert decide(fund, asked, "reject", members[2])[0] == 200
    assert status() == "REJECTED", "one no is enough"
    made = exchanges.add_exchange_account(add_exchange_account_request=request("Nobody", creds)).result().data
    fund.ask("POST", "/clock/advance", {"millis": 8 * 24 * 3_600_000})
    assert (status(), waiting(fund, "EXCHANGE_ACCOUNT")) == ("REJECTED", []), "its time was over"
    fund.gone()


def test_the_event(fund, lively, exchanges):
    with heard(lively, fund, ["exchange_account.connected"]) as events:
        asked = request("Told", credentials(exchanges, fund))
        made = exchanges.add_exchange_account(add_exchange_account_request=asked).result().data
        event = events("exchange_account.connected")
    assert (event["resourceId"], event["data"]["name"], event["data"]["type"]) == (made.id, "Told", "BITSO")

"""Tokens that a workspace registers, its own prices, and what its people write on assets."""

import json
from decimal import Decimal

import pytest
from fireblocks.exceptions import (
    BadRequestException,
    ConflictException,
    ForbiddenException,
    NotFoundException,
    UnauthorizedException,
)
from fireblocks.models.asset_metadata_request import AssetMetadataRequest
from fireblocks.models.asset_note_request import AssetNoteRequest
from fireblocks.models.register_new_asset_request import RegisterNewAssetRequest
from fireblocks.models.set_asset_price_request import SetAssetPriceRequest
from fireblocks.models.update_asset_user_metadata_request import UpdateAssetUserMetadataRequest

from pages import by_cursor
from refusals import refused
from sandbox import Sandbox

DAI = "0x6B175474E89094C44Da98b954EedeAC495271d0F"
USDC = "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48"


@pytest.fixture(scope="module")
def fund(lively):
    return lively.workspaces["mainnet"]


@pytest.fixture(scope="module")
def api(fund):
    return fund["editor"].sdk.blockchains_assets


def register(api, address=DAI, chain="ETH", symbol="DAI"):
    request = RegisterNewAssetRequest(blockchain_id=chain, address=address, symbol=symbol)
    return api.register_new_asset(register_new_asset_request=request).result().data


def test_a_token_is_registered_and_used(fund, lively, api):
    made = register(api)
    assert made.legacy_id.startswith("DAI_ETH_") and made.metadata.scope == "Local"
    assert (made.asset_class, made.onchain.symbol, made.onchain.address, made.onchain.decimals) == ("FT", "DAI", DAI, 18)
    shown = api.get_asset(made.legacy_id).result().data
    assert (shown.metadata.scope, shown.metadata.verified) == ("LOCAL", False)
    assert [a.legacy_id for a in by_cursor(api.list_assets, scope="LOCAL")] == [made.legacy_id]
    supported = {a.id: a for a in api.get_supported_assets().result().data}
    assert supported[made.legacy_id].contract_address == DAI
    vaults = fund["admin"].sdk.vaults
    wallet = vaults.create_vault_account_asset(
        vault_account_id="0", asset_id=made.legacy_id
    ).result().data
    assert wallet.address.startswith("0x")
    told = {"vaultAccountId": "0", "assetId": made.legacy_id, "amount": "12.5"}
    fund.control("POST", "/incoming", told)
    # The other workspace has not registered it.
    test = lively.workspaces["testnet"]["admin"].sdk
    with refused(BadRequestException, 1034):
        test.vaults.create_vault_account_asset(
            vault_account_id="0", asset_id=made.legacy_id
        ).result()
    with refused(ConflictException, 1002):
        register(api, address=DAI.lower(), symbol="OTHER")


def test_what_cannot_be_registered(fund, lively, api):
    with refused(ConflictException, 1001):
        register(api, address=USDC)
    with refused(BadRequestException, 1003):
        register(api, address=DAI[:-1])
    for chain in ("BTC", "rando"):
        with refused(BadRequestException, 1000):
            register(api, chain=chain)
    with refused(ForbiddenException, 1008):
        register(api, chain="ETH_TEST5")
    with refused(ForbiddenException, 1009):
        register(lively.workspaces["testnet"]["editor"].sdk.blockchains_assets)
    with refused(BadRequestException, 1000):
        register(api, address="0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", symbol="A B")
    with refused(UnauthorizedException, -8):
        register(fund["viewer"].sdk.blockchains_assets)


def price(api, asset, value, currency="USD"):
    request = SetAssetPriceRequest(currency=currency, price=value)
    return api.set_asset_price(id=asset, set_asset_price_request=request).result().data


def worth(fund, asset, amount):
    """What a deposit is said to be worth."""
    told = {"vaultAccountId": "0", "assetId": asset, "amount": amount}
    made = json.loads(fund.control("POST", "/incoming", told))["id"]
    told = fund["viewer"].sdk.transactions.get_transaction(tx_id=made).result().data
    usd = told.amount_info.amount_usd
    return usd and Decimal(usd)


def test_a_price_is_seen_in_later_transactions(fund, api):
    assert worth(fund, "LINK", "2") == 28
    told = price(api, "LINK", 20.5)
    assert (told.legacy_id, told.currency, told.price, told.source) == ("LINK", "USD", 20.5, "PRIVATE")
    assert told.last_update_at > 1_600_000_000
    assert worth(fund, "LINK", "2") == 41
    price(api, api.get_asset("LINK").result().data.id, 10, "EUR")
    assert worth(fund, "LINK", "2") == Decimal("21.6")
    token = register(api, address="0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", symbol="NEW").legacy_id
    fund["admin"].sdk.vaults.create_vault_account_asset(
        vault_account_id="0", asset_id=token
    ).result()
    assert worth(fund, token, "2") is None, "nobody knows its price"
    price(api, token, 0.25)
    assert worth(fund, token, "2") == Decimal("0.5")
    with refused(NotFoundException, 1504):
        price(api, "rando", 1)
    with refused(NotFoundException, 1001):
        price(api, "LINK", 1, "XXX")
    with refused(BadRequestException, 1000):
        price(api, "LINK", -1)
    assert worth(fund, "LINK", "2") == Decimal("21.6")


def write(api, asset, text):
    note = AssetMetadataRequest(note=AssetNoteRequest(text=text))
    request = UpdateAssetUserMetadataRequest(metadata=note)
    return api.update_asset_user_metadata(id=asset, update_asset_user_metadata_request=request).result().data


def test_a_note(fund, api):
    told = write(api, "BTC", "the first")
    note = told.metadata.note
    assert (note.text, note.user_id, note.user_name) == ("the first", fund["editor"].id, "editor")
    assert api.get_asset("BTC").result().data == told
    assert next(a for a in by_cursor(api.list_assets) if a.legacy_id == "BTC") == told
    assert write(api, told.id, "").metadata.note is None
    assert api.get_asset("BTC").result().data.metadata.note is None
    with refused(NotFoundException, 1504):
        write(api, "rando", "x")
    with refused(BadRequestException, 1000):
        write(api, "BTC", "x" * 4097)
    with refused(UnauthorizedException, -8):
        write(fund["viewer"].sdk.blockchains_assets, "BTC", "x")


def test_a_token_outlives_a_restart(tmp_path):
    data = tmp_path / "data.db"
    sandbox = Sandbox(tmp_path, data=data)
    try:
        made = register(sandbox.workspaces["mainnet"]["editor"].sdk.blockchains_assets).legacy_id
    finally:
        sandbox.kill()
    sandbox = Sandbox(tmp_path, data=data)
    try:
        fund = sandbox.workspaces["mainnet"]
        assert fund["editor"].sdk.blockchains_assets.get_asset(made).result().data.legacy_id == made
        fund["admin"].sdk.vaults.create_vault_account_asset(
            vault_account_id="0", asset_id=made
        ).result()
        with refused(ConflictException, 1002):
            register(fund["editor"].sdk.blockchains_assets)
    finally:
        sandbox.stop()

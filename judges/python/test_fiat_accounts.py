"""Fiat accounts, and the bank account that each is linked to."""

from decimal import Decimal

import pytest
from fireblocks.exceptions import BadRequestException, UnauthorizedException
from fireblocks.models.funds import Funds

from events import heard
from refusals import refused


@pytest.fixture(scope="module")
def fund(lively):
    return lively.workspaces["mainnet"]


@pytest.fixture(scope="module")
def fiat(fund):
    return fund["admin"].sdk.fiat_accounts


def balance(fiat, account):
    shown = fiat.get_fiat_account(account_id=account).result().data
    return {asset.id: Decimal(asset.balance) for asset in shown.assets}


def test_accounts(fund, fiat):
    accounts = fiat.get_fiat_accounts().result().data
    assert [(a.type, a.name) for a in accounts][:1] == [("BLINC", "Operating account")]
    assert fiat.get_fiat_account(account_id=accounts[0].id).result().data == accounts[0]
    with refused(BadRequestException, 1103):
        fiat.get_fiat_account(account_id="rando").result()
    with refused(UnauthorizedException, -8):
        fund["editor"].sdk.fiat_accounts.get_fiat_accounts().result()


def test_money_moves_to_and_fro(fund, lively, fiat):
    with heard(lively, fund, ["fiat_account.connected"]) as events:
        told = {"name": "Second", "assetId": "EUR", "linkedBalance": "100.5"}
        status, _ = lively.control("POST", f"/workspaces/{fund.id}/fiat_accounts", told)
        assert status == 200
        event = events("fiat_account.connected")
    account = event["resourceId"]
    assert event["data"] == fund["admin"].door.get(f"/v1/fiat_accounts/{account}").json
    assert balance(fiat, account) == {"EUR": 0}

    def move(how, amount):
        return how(account_id=account, funds=Funds(amount=amount)).result().data

    assert move(fiat.deposit_funds_from_linked_dda, 100.25).success
    assert balance(fiat, account) == {"EUR": Decimal("100.25")}
    with refused(BadRequestException, 1000):
        move(fiat.deposit_funds_from_linked_dda, 0.26)
    assert move(fiat.redeem_funds_to_linked_dda, 50).success
    assert balance(fiat, account) == {"EUR": Decimal("50.25")}
    for how in (fiat.deposit_funds_from_linked_dda, fiat.redeem_funds_to_linked_dda):
        for amount in (0, -1, 0.001, 1e9, None):
            with refused(BadRequestException, 1000):
                move(how, amount)
        with refused(BadRequestException, 1103):
            how(account_id="rando", funds=Funds(amount=1)).result()
    assert balance(fiat, account) == {"EUR": Decimal("50.25")}


def test_what_cannot_be_connected(fund):
    for told in ({"name": "X", "assetId": "BTC"}, {"name": "X", "linkedBalance": "-1"}, {"assetId": "USD"}):
        status, _ = fund.sandbox.control("POST", f"/workspaces/{fund.id}/fiat_accounts", told)
        assert status == 400, told

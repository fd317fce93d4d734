"""Vault accounts, wallets and totals, as the official client reads them."""

from decimal import Decimal

import pytest
from fireblocks.exceptions import BadRequestException, NotFoundException

from pages import by_after
from refusals import refused


@pytest.fixture(scope="module")
def vaults(fund):
    return fund["viewer"].sdk.vaults


@pytest.fixture(scope="module")
def accounts(vaults):
    """Every account, lowest id first, in one answer."""
    answer = vaults.get_paged_vault_accounts(limit=500, order_by="ASC").result().data
    assert not answer.paging.after
    return answer.accounts


def ids(accounts):
    return [account.id for account in accounts]


def listed(vaults, **filters):
    return vaults.get_paged_vault_accounts(limit=500, order_by="ASC", **filters).result().data.accounts


def test_a_believable_fund(accounts):
    assert len(accounts) >= 24
    assert ids(accounts) == [str(number) for number in range(len(accounts))]
    assert {asset.id for account in accounts for asset in account.assets} >= {"BTC", "ETH", "USDC", "SOL"}


@pytest.mark.parametrize("limit", [7, 36, 500])
def test_pages_to_the_end(vaults, accounts, limit):
    found, pages = by_after(vaults.get_paged_vault_accounts, lambda page: page.accounts, limit=limit)
    assert ids(found) == list(reversed(ids(accounts))), "newest first unless asked otherwise"
    assert all(len(page.accounts) <= limit for page in pages)
    assert not pages[0].paging.before


def test_pages_backwards(vaults):
    ask = vaults.get_paged_vault_accounts
    first = ask(limit=5, order_by="ASC").result().data
    second = ask(limit=5, order_by="ASC", after=first.paging.after).result().data
    back = ask(limit=5, order_by="ASC", before=second.paging.before).result().data
    assert ids(back.accounts) == ids(first.accounts)
    assert ids(second.accounts) == ["5", "6", "7", "8", "9"]


def test_filters_survive_paging(vaults, accounts):
    expected = [a.id for a in accounts if any(w.id == "USDT_ERC20" for w in a.assets)]
    found, _ = by_after(
        vaults.get_paged_vault_accounts,
        lambda page: page.accounts,
        limit=1,
        asset_id="USDT_ERC20",
        order_by="ASC",
    )
    assert ids(found) == expected and len(expected) > 3


def test_filters_by_name(vaults, accounts):
    prefix = [a.id for a in accounts if a.name.startswith("Client")]
    suffix = [a.id for a in accounts if a.name.endswith(" 1")]
    assert ids(listed(vaults, name_prefix="Client")) == prefix and prefix
    assert ids(listed(vaults, name_suffix=" 1")) == suffix and suffix
    assert listed(vaults, name_prefix="no such name") == []


def test_filters_by_asset_and_amount(vaults, accounts):
    """The threshold is in the asset's own unit, and is itself not enough."""
    held = [(a.id, Decimal(w.total)) for a in accounts for w in a.assets if w.id == "BTC"]
    for least in (sorted(total for _, total in held)[len(held) // 2], Decimal("1e-7")):
        least = Decimal(repr(float(least)))
        found = ids(listed(vaults, asset_id="BTC", min_amount_threshold=float(least)))
        assert found == [account for account, total in held if total > least]
    assert listed(vaults, min_amount_threshold=1e12) == []
    whole = next(w for a in accounts for w in a.assets if w.id == "DOGE")
    exact = listed(vaults, asset_id="DOGE", min_amount_threshold=float(whole.total))
    assert Decimal(repr(float(whole.total))) == Decimal(whole.total)
    assert "0" not in ids(exact)


def test_filters_by_tags(vaults):
    tag = "1f6e1a3c-8e0a-4d53-9b0a-3a5a5c1f0001"
    assert listed(vaults, tag_ids=[tag]) == []
    assert listed(vaults, include_tag_ids=[tag]) == []
    assert listed(vaults, exclude_tag_ids=[tag]) == listed(vaults)


def test_one_account_and_one_wallet(vaults, accounts):
    for account in (accounts[0], accounts[-1]):
        assert vaults.get_vault_account(account.id).result().data == account
        asset = account.assets[-1]
        assert vaults.get_vault_account_asset(account.id, asset.id).result().data == asset


def test_parts_add_up(accounts):
    for asset in (asset for account in accounts for asset in account.assets):
        parts = (asset.available, asset.pending, asset.frozen, asset.locked_amount, asset.staked)
        assert Decimal(asset.total) == sum(Decimal(part or 0) for part in parts), asset


def sums(accounts):
    found = {}
    for asset in (asset for account in accounts for asset in account.assets):
        found[asset.id] = found.get(asset.id, Decimal(0)) + Decimal(asset.total)
    return found


def test_totals_are_sums(vaults, accounts):
    told = {asset.id: Decimal(asset.total) for asset in vaults.get_vault_assets().result().data}
    assert told == sums(accounts)
    for asset, total in list(told.items())[:2]:
        assert Decimal(vaults.get_vault_balance_by_asset(asset).result().data.total) == total


def test_totals_of_some_accounts(vaults, accounts):
    for filters, takes in (
        ({"account_name_prefix": "Client"}, lambda name: name.startswith("Client")),
        ({"account_name_suffix": " 2"}, lambda name: name.endswith(" 2")),
    ):
        told = vaults.get_vault_assets(**filters).result().data
        expected = sums(a for a in accounts if takes(a.name))
        assert {asset.id: Decimal(asset.total) for asset in told} == expected


@pytest.mark.parametrize("limit", [40, 1000])
def test_wallets_to_the_end(vaults, accounts, limit):
    expected = {(a.id, w.id): w.total for a in accounts for w in a.assets}
    found, _ = by_after(vaults.get_asset_wallets, lambda page: page.asset_wallets, limit=limit)
    assert len(found) == len(expected)
    assert {(w.vault_id, w.asset_id): w.total for w in found} == expected
    assert all(w.creation_timestamp.isdigit() for w in found)


def test_wallets_backwards_and_turned_round(vaults):
    def keys(page):
        return [(w.vault_id, w.asset_id) for w in page.asset_wallets]

    ask = vaults.get_asset_wallets
    first = ask(limit=4).result().data
    second = ask(limit=4, after=first.paging.after).result().data
    assert not first.paging.before
    assert keys(ask(limit=4, before=second.paging.before).result().data) == keys(first)
    up, _ = by_after(ask, lambda page: page.asset_wallets, limit=50, order_by="ASC")
    down, _ = by_after(ask, lambda page: page.asset_wallets, limit=50, order_by="DESC")
    assert up == list(reversed(down)) and len(up) > 50


def test_wallets_filtered(vaults, accounts):
    btc = vaults.get_asset_wallets(asset_id="BTC").result().data.asset_wallets
    assert {w.vault_id for w in btc} == {a.id for a in accounts if any(w.id == "BTC" for w in a.assets)}
    totals = sorted(Decimal(w.total) for w in btc)
    middle = totals[len(totals) // 2]
    more = vaults.get_asset_wallets(asset_id="BTC", total_amount_larger_than=float(middle))
    more = [Decimal(w.total) for w in more.result().data.asset_wallets]
    assert sorted(more) == [total for total in totals if total > middle]


def test_what_is_not_there(vaults):
    for ask, code in (
        (lambda: vaults.get_vault_account("999999"), 1004),
        (lambda: vaults.get_vault_account("no-number"), 1004),
        (lambda: vaults.get_vault_account_asset("999999", "BTC"), 1004),
        (lambda: vaults.get_vault_account_asset("0", "NOSUCH"), 1006),
    ):
        with refused(NotFoundException, code):
            ask().result()
    with refused(BadRequestException, 1503, "'rando'"):
        vaults.get_vault_balance_by_asset("rando").result()


def test_what_cannot_be_asked(vaults):
    for filters in (
        {"name_prefix": "a", "name_suffix": "b"},
        {"min_amount_threshold": 1e300, "asset_id": "BTC"},
        {"asset_id": "no asset"},
        {"after": "made-up"},
        {"before": "bWFkZS11cA"},
        {"after": "x" * 5000},
        {"after": "WzFd", "before": "WzFd"},
    ):
        with refused(BadRequestException, 1000):
            vaults.get_paged_vault_accounts(**filters).result()
    for filters in ({"after": "made-up"}, {"before": "made-up"}):
        with refused(BadRequestException, 1000):
            vaults.get_asset_wallets(**filters).result()

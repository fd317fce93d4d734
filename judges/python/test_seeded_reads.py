"""What a seed has made and nothing changes: connected accounts, off-exchange, trading, earn,
payments. All of it fits the workspace."""

import json
from decimal import Decimal

import pytest
from fireblocks.exceptions import NotFoundException, UnauthorizedException

from pages import by_cursor
from refusals import refused


@pytest.fixture(scope="module")
def sdk(fund):
    return fund["admin"].sdk


@pytest.fixture(scope="module")
def assets(sdk):
    return {asset.legacy_id for asset in by_cursor(sdk.blockchains_assets.list_assets)}


def test_connected_accounts(sdk, assets):
    api = sdk.connected_accounts
    accounts = by_cursor(api.get_connected_accounts, page_size=2)
    assert len(accounts) == api.get_connected_accounts().result().data.total == 3
    mains = by_cursor(api.get_connected_accounts, main_accounts=True)
    assert {a.id for a in mains} == {a.id for a in accounts if not a.parent_id} and len(mains) == 2
    for account in accounts:
        one = api.get_connected_account(account_id=account.id).result().data
        assert (one.name, one.total_balance) == (account.name, account.total_balance)
        assert set(one.sub_accounts_ids) == {a.id for a in accounts if a.parent_id == account.id}
        balances = by_cursor(api.get_connected_account_balances, account_id=account.id, page_size=2)
        assert {b.asset_id for b in balances} <= assets and balances
        pairs = by_cursor(api.get_connected_account_trading_pairs, account_id=account.id, page_size=1)
        assert {p.base_asset_id for p in pairs} | {p.quote_asset_id for p in pairs} <= assets and pairs
        pair = pairs[0]
        rate = api.get_connected_account_rates(
            account_id=account.id, base_asset_id=pair.base_asset_id, quote_asset_id=pair.quote_asset_id
        ).result().data
        assert Decimal(rate.rate) > 0
        entries = by_cursor(api.get_connected_account_allowlist, account_id=account.id, page_size=1)
        assert len(entries) == len(balances)
        first = entries[0]
        told = api.get_connected_account_allowlist_entry(account_id=account.id, allowlist_id=first.id).result().data
        assert told.data == first
        for filters in ({"asset_id": first.assets[0]}, {"address": first.address}, {"network_id": first.networks[0]}):
            found = by_cursor(api.get_connected_account_allowlist, account_id=account.id, **filters)
            assert first.id in {e.id for e in found} and len(found) <= len(entries)
        assert by_cursor(api.get_connected_account_allowlist, account_id=account.id, status="REMOVED") == []
        with refused(NotFoundException):
            api.get_connected_account_allowlist_entry(account_id=account.id, allowlist_id="rando").result()
        with refused(NotFoundException):
            api.get_connected_account_rates(account_id=account.id, base_asset_id="x", quote_asset_id="y").result()
    assert api.get_connected_accounts_credentials_public_key().result().data.public_key.startswith("-----BEGIN")
    with refused(NotFoundException):
        api.get_connected_account(account_id="rando").result()


def test_trading(fund, sdk, assets):
    api = sdk.trading
    providers = by_cursor(api.get_trading_providers, page_size=2)
    assert {p.actual_instance.id for p in providers} == {"BINANCE", "COINBASEEXCHANGE", "EXAMPLE_OTC"}
    for provider in providers:
        id = provider.actual_instance.id
        assert api.get_trading_provider_by_id(provider_id=id).result().data == provider
    accounts = {a.id for a in by_cursor(sdk.connected_accounts.get_connected_accounts)}
    orders = by_cursor(api.get_orders, page_size=3)
    assert len(orders) == api.get_orders(page_size=1).result().data.total == 7
    dates = [order.created_at for order in orders]
    assert dates == sorted(dates, reverse=True)
    for order in orders:
        details = api.get_order(order_id=order.id).result().data
        assert (details.id, details.status, details.via) == (order.id, order.status, order.via)
        assert {order.base_asset_id, order.quote_asset_id} <= assets
        account = getattr(order.via.actual_instance, "account_id", None)
        assert account is None or account in accounts
        assert details.created_by == fund["editor"].id
    at = [getattr(order.via.actual_instance, "account_id", None) for order in orders]
    account = next(id for id in at if id is not None)
    for name, value in [("statuses", "COMPLETED"), ("provider_id", "BINANCE"), ("account_id", account)]:
        found = by_cursor(api.get_orders, page_size=10, **{name: [value]})
        assert found and len(found) < len(orders)
    half = int(dates[3].timestamp() * 1000)
    assert len(by_cursor(api.get_orders, page_size=10, start_time=half)) == 4
    assert len(by_cursor(api.get_orders, page_size=10, end_time=half)) == 4
    with refused(NotFoundException):
        api.get_order(order_id="rando").result()
    with refused(NotFoundException):
        api.get_trading_provider_by_id(provider_id="rando").result()


def test_off_exchange(sdk, assets):
    api = sdk.off_exchanges
    exchanges = sdk.exchange_accounts.get_paged_exchange_accounts(limit=5).result().data.exchanges
    (main,) = [e for e in exchanges if e.id in {s.main_account_id for s in exchanges}]
    collateral = api.get_off_exchange_collateral_accounts(main_exchange_account_id=main.id).result().data
    assert (collateral.type, collateral.main_account_id) == (main.type, main.id)
    assert {a.id for a in collateral.assets} <= assets
    settling = api.get_off_exchange_settlement_transactions(main_exchange_account_id=main.id).result().data
    assert settling.to_exchange[0].asset_id in assets and settling.to_collateral[0].asset in assets
    for how in (api.get_off_exchange_collateral_accounts, api.get_off_exchange_settlement_transactions):
        with refused(NotFoundException):
            how(main_exchange_account_id="rando").result()


def test_earn(fund, sdk, assets):
    api = sdk.earn
    providers = by_cursor(api.get_earn_providers, page_size=1)
    assert [p.provider_id for p in providers] == ["AAVE", "MORPHO"]
    opportunities = by_cursor(api.get_earn_opportunities, page_size=2)
    assert len(opportunities) == 3 and {o.principal_asset.asset_id for o in opportunities} <= assets
    positions = by_cursor(api.get_earn_positions, page_size=1)
    assert {p.opportunity_id for p in positions} < {o.id for o in opportunities} and len(positions) == 2
    assert by_cursor(api.get_earn_positions, provider_id="AAVE") == []
    assert len(by_cursor(api.get_earn_positions, chain_id=1)) == 2
    actions = by_cursor(api.get_earn_actions, page_size=1, sort_by="createdAt", order="ASC")
    assert [a.created_at for a in actions] == sorted(a.created_at for a in actions)
    assert {a.position_id for a in actions} == {p.id for p in positions}
    for action in actions:
        assert api.get_earn_action(id=action.id).result().data == action
        assert action.user_id == fund["signer"].id
    with refused(NotFoundException):
        api.get_earn_action(id="rando").result()


def test_payments(fund, seeded, sdk, assets):
    told = json.loads(fund.control("GET", "/payments"))
    assert len(told["payouts"]) == 2
    states = set()
    for id in told["payouts"]:
        payout = sdk.payments_payout.get_payout(payout_id=id).result().data
        assert payout.payout_id == id and {i.amount.asset_id for i in payout.instruction_set} <= assets
        states.add(payout.status)
    assert states == {"DONE", "INSUFFICIENT_BALANCE"}
    door = fund["admin"].door
    (flow,), (execution,) = told["flowConfigurations"], told["flowExecutions"]
    configuration = door.get(f"/v1/payments/workflow_config/{flow}").json
    ran = door.get(f"/v1/payments/workflow_execution/{execution}").json
    assert ran["configSnapshot"]["configId"] == configuration["configId"] == flow
    with refused(NotFoundException):
        sdk.payments_payout.get_payout(payout_id="rando").result()
    with refused(UnauthorizedException, -8):
        fund["viewer"].sdk.payments_payout.get_payout(payout_id=told["payouts"][0]).result()
    for kind in ("workflow_config", "workflow_execution"):
        assert door.get(f"/v1/payments/{kind}/rando").status == 404


def test_a_testnet_has_its_own(seeded):
    sdk = seeded.workspaces["testnet"]["admin"].sdk
    assets = {asset.legacy_id for asset in by_cursor(sdk.blockchains_assets.list_assets)}
    api = sdk.connected_accounts
    for account in by_cursor(api.get_connected_accounts):
        held = by_cursor(api.get_connected_account_balances, account_id=account.id)
        assert {b.asset_id for b in held} <= assets
    assert {o.principal_asset.asset_id for o in by_cursor(sdk.earn.get_earn_opportunities)} <= assets
    assert {o.base_asset_id for o in by_cursor(sdk.trading.get_orders, page_size=20)} <= assets

"""Staking: positions that the workspace's clock moves, and wallets that add up."""

from decimal import Decimal

import pytest
from fireblocks.exceptions import (
    BadRequestException,
    ForbiddenException,
    NotFoundException,
    UnauthorizedException,
)
from fireblocks.models.claim_rewards_request import ClaimRewardsRequest
from fireblocks.models.merge_stake_accounts_request import MergeStakeAccountsRequest
from fireblocks.models.split_request import SplitRequest
from fireblocks.models.stake_request import StakeRequest
from fireblocks.models.unstake_request import UnstakeRequest
from fireblocks.models.withdraw_request import WithdrawRequest

from events import heard
from fresh import fresh
from pages import by_cursor
from refusals import refused
from sandbox import Sandbox
from waiting import until

DAY = 24 * 60 * 60 * 1000


@pytest.fixture(scope="module")
def fund(lively):
    return lively.workspaces["mainnet"]


@pytest.fixture(scope="module")
def staking(fund):
    staking = fund["signer"].sdk.staking
    for provider in ("kiln", "figment", "p2p"):
        staking.approve_terms_of_service_by_provider_id(provider_id=provider).result()
    return staking


def later(sandbox, days):
    for _ in range(days):
        assert sandbox.control("POST", "/clock/advance", {"millis": DAY})[0] == 200


def wallet(fund, asset, account="0"):
    shown = fund["viewer"].sdk.vaults.get_vault_account_asset(account, asset).result().data
    parts = (shown.available, shown.pending, shown.frozen, shown.locked_amount, shown.staked)
    assert Decimal(shown.total) == sum(Decimal(part or 0) for part in parts)
    return {name: Decimal(getattr(shown, name)) for name in ("total", "available", "staked")}


def put(staking, chain, amount, account="0", provider="kiln", **more):
    """Stakes, and waits until that is through."""
    request = StakeRequest(vault_account_id=account, provider_id=provider, stake_amount=amount, **more)
    made = staking.stake(chain_descriptor=chain, stake_request=request).result().data.id
    through(staking, made)
    return made


def through(staking, *positions):
    """Waits until nothing is under way with positions."""
    until("it is through", lambda: not any(position(staking, one).in_progress for one in positions))


def position(staking, one):
    return staking.get_delegation_by_id(id=one).result().data


def related(staking, one, **more):
    ask = lambda page_cursor: staking.get_position_related_transactions(id=one, page_cursor=page_cursor, page_size=2, **more)
    return by_cursor(ask)


def test_what_can_be_staked(lively, fund, staking):
    assert staking.get_chains().result().data == ["ETH", "SOL"]
    assert lively.workspaces["testnet"]["admin"].sdk.staking.get_chains().result().data == ["SOL_TEST"]
    info = staking.get_chain_info(chain_descriptor="SOL").result().data
    assert (info.chain_descriptor, info.epoch_duration) == ("SOL", 2 * DAY)
    assert 0 <= info.epoch_elapsed < 1 and info.current_epoch > 0
    with refused(NotFoundException):
        staking.get_chain_info(chain_descriptor="SOL_TEST").result()
    providers = {p.id: p for p in staking.get_providers().result().data}
    assert providers["kiln"].is_terms_of_service_approved
    assert not providers["blockdaemon"].is_terms_of_service_approved
    assert {v.chain_descriptor for v in providers["kiln"].validators} == {"ETH", "SOL"}
    with refused(ForbiddenException):
        put(staking, "ETH", "32", provider="blockdaemon")
    with refused(UnauthorizedException, -8):
        fund["auditor"].sdk.staking.get_chains().result()


def test_a_stake_to_its_end(lively, fund, staking):
    before = wallet(fund, "SOL")
    kinds = ["transaction.created", "vault_account.asset.balance_updated"]
    with heard(lively, fund, kinds) as events:
        made = put(staking, "SOL", "10.5", tx_note="ours")
        assert Decimal(events(kinds[1])["data"]["lockedAmount"]) > Decimal("10.5"), "with its fee"
        told = events(kinds[0])["data"]
        assert (told["operation"], told["status"]) == ("STAKE", "SUBMITTED")
    (first,) = related(staking, made)
    assert (first.staking_operation, first.status, first.amount, first.tx_note) == ("STAKE", "COMPLETED", "10.5", "ours")
    transaction = fund["viewer"].sdk.transactions.get_transaction(tx_id=first.tx_id).result().data
    assert (transaction.operation, transaction.status, transaction.tx_hash) == ("STAKE", "COMPLETED", first.tx_hash)
    fee = Decimal(transaction.fee_info.network_fee)
    then = wallet(fund, "SOL")
    assert (then["staked"], then["total"]) == (Decimal("10.5"), before["total"] - fee)
    assert then["available"] == before["available"] - Decimal("10.5") - fee
    shown = position(staking, made)
    assert (shown.status, shown.available_actions, shown.amount) == ("activating", [], "10.5")
    assert shown.blockchain_position_info.actual_instance.stake_account_address
    assert shown.related_transactions[0].tx_id == first.tx_id
    with refused(BadRequestException):
        staking.unstake(chain_descriptor="SOL", unstake_request=UnstakeRequest(id=made)).result()
    later(lively, 2)
    assert position(staking, made).status == "active"
    later(lively, 30)
    shown = position(staking, made)
    rewards = Decimal(shown.rewards_amount)
    assert rewards > 0 and Decimal(shown.amount) == Decimal("10.5") + rewards
    assert wallet(fund, "SOL") == then, "rewards are not in the wallet yet"
    claim = ClaimRewardsRequest(id=made, fee_level="LOW")
    staking.claim_rewards(chain_descriptor="SOL", claim_rewards_request=claim).result()
    through(staking, made)
    claimed = wallet(fund, "SOL")
    assert then["total"] < claimed["total"] < then["total"] + Decimal(1)
    assert claimed["staked"] == Decimal("10.5")
    staking.unstake(chain_descriptor="SOL", unstake_request=UnstakeRequest(id=made)).result()
    with refused(BadRequestException):
        staking.unstake(chain_descriptor="SOL", unstake_request=UnstakeRequest(id=made)).result()
    through(staking, made)
    assert position(staking, made).status == "deactivating"
    with refused(BadRequestException):
        staking.withdraw(chain_descriptor="SOL", withdraw_request=WithdrawRequest(id=made)).result()
    later(lively, 2)
    assert (position(staking, made).status, position(staking, made).available_actions) == (
        "deactivated",
        ["withdraw", "split", "merge"],
    )
    staking.withdraw(chain_descriptor="SOL", withdraw_request=WithdrawRequest(id=made)).result()
    through(staking, made)
    assert position(staking, made).status == "withdrawn" and position(staking, made).amount == "0"
    end = wallet(fund, "SOL")
    assert end["staked"] == before["staked"] and end["total"] == end["available"]
    with refused(BadRequestException):
        staking.withdraw(chain_descriptor="SOL", withdraw_request=WithdrawRequest(id=made)).result()
    operations = [r.staking_operation for r in related(staking, made, order="ASC")]
    assert operations == ["STAKE", "CLAIM_REWARDS", "UNSTAKE", "WITHDRAW"]
    assert [r.staking_operation for r in related(staking, made)] == operations[::-1]


def test_parts_come_together(lively, fund, staking):
    one = put(staking, "SOL", "20", account="1")
    later(lively, 2)
    before = wallet(fund, "SOL", "1")
    split = SplitRequest(id=one, amount="8")
    two = staking.split(chain_descriptor="SOL", split_request=split).result().data.id
    through(staking, one)
    assert {position(staking, p).blockchain_position_info.actual_instance.stake_account_address for p in (one, two)}
    assert position(staking, two).status == "active"
    assert 12 <= Decimal(position(staking, one).amount) < Decimal("12.1")
    summary = staking.get_summary_by_vault().result().data["1"]
    assert [a.amount[:2] for a in summary.active] == ["20"] and summary.inactive == []
    merge = MergeStakeAccountsRequest(source_id=two, destination_id=one)
    assert staking.merge_stake_accounts(chain_descriptor="SOL", merge_stake_accounts_request=merge).result().data.id == one
    through(staking, one, two)
    assert (position(staking, two).status, position(staking, two).amount) == ("merged", "0")
    assert Decimal(position(staking, one).amount) >= 20
    assert wallet(fund, "SOL", "1")["staked"] == before["staked"] == 20
    for bad in (merge, MergeStakeAccountsRequest(source_id=one, destination_id=one)):
        with refused(BadRequestException):
            staking.merge_stake_accounts(chain_descriptor="SOL", merge_stake_accounts_request=bad).result()
    for amount in ("20", "0.001", "1.0000000001"):
        with refused(BadRequestException, 1000):
            bad = SplitRequest(id=one, amount=amount)
            staking.split(chain_descriptor="SOL", split_request=bad).result()
    totals = {a.chain_descriptor: Decimal(a.amount) for a in staking.get_summary().result().data.total_staked}
    assert totals["SOL"] >= 20


def test_compounding_validators(lively, fund, staking):
    one = put(staking, "ETH", "33", account="2", is_compounding_validator=True)
    two = put(staking, "ETH", "32", account="2", is_compounding_validator=True)
    legacy = put(staking, "ETH", "32", account="2")
    info = position(staking, one).blockchain_position_info.actual_instance
    assert info.is_compounding_validator and info.estimated_activation_time
    later(lively, 1)
    assert position(staking, one).available_actions == ["unstake", "add_to_stake", "withdraw", "consolidate"]
    assert position(staking, legacy).available_actions == ["unstake"]
    assert put(staking, "ETH", "0.5", account="2", id=one, is_compounding_validator=True) == one
    assert wallet(fund, "ETH", "2")["staked"] == Decimal("97.5")
    part = WithdrawRequest(id=one, amount="1.25")
    staking.withdraw(chain_descriptor="ETH", withdraw_request=part).result()
    through(staking, one)
    # Rewards go out first: what is staked goes down by the rest.
    staked = wallet(fund, "ETH", "2")["staked"]
    assert Decimal("96.25") <= staked < Decimal("96.26")
    for amount in ("0.5", "0", None, "0.0000000000000000001"):
        with refused(BadRequestException, 1000):
            bad = WithdrawRequest(id=one, amount=amount)
            staking.withdraw(chain_descriptor="ETH", withdraw_request=bad).result()
    both = MergeStakeAccountsRequest(source_id=two, destination_id=one)
    staking.consolidate(chain_descriptor="ETH", merge_stake_accounts_request=both).result()
    through(staking, one, two)
    assert position(staking, two).status == "consolidated"
    assert Decimal(position(staking, one).amount) >= Decimal("64.25")
    assert wallet(fund, "ETH", "2")["staked"] == staked
    with refused(BadRequestException):
        both = MergeStakeAccountsRequest(source_id=legacy, destination_id=one)
        staking.consolidate(chain_descriptor="ETH", merge_stake_accounts_request=both).result()
    assert {p.id for p in staking.get_all_delegations(chain_descriptor="ETH", vault_account_id="2").result().data} == {one, two, legacy}


def test_positions_to_the_end(staking):
    everything = by_cursor(lambda page_cursor: staking.get_positions(page_size=2, page_cursor=page_cursor))
    assert {p.id for p in everything} == {p.id for p in staking.get_all_delegations().result().data}
    assert len(everything) > 4
    dates = [p.date_created for p in everything]
    assert dates == sorted(dates, reverse=True)
    upwards = by_cursor(lambda page_cursor: staking.get_positions(page_size=3, page_cursor=page_cursor, order="ASC"))
    assert [p.id for p in upwards] == [p.id for p in everything][::-1]
    ethereum = by_cursor(lambda page_cursor: staking.get_positions(page_size=9, page_cursor=page_cursor, chain_descriptor="ETH", vault_account_id="2"))
    assert {p.chain_descriptor for p in ethereum} == {"ETH"} and {p.vault_account_id for p in ethereum} == {"2"}


def test_what_cannot_be_staked(fund, staking):
    before = wallet(fund, "SOL"), wallet(fund, "ETH")
    for chain, amount, more in [
        ("SOL", "0.009", {}),
        ("SOL", "0.0100000001", {}),
        ("SOL", "x", {}),
        ("SOL", "-1", {}),
        ("SOL", "1", {"is_compounding_validator": True}),
        ("SOL", "1", {"fee": "-1"}),
        ("SOL", "1", {"fee": "cheap"}),
        ("ETH", "33", {}),
        ("ETH", "2049", {"is_compounding_validator": True}),
        ("ETH", "32", {"provider": "p2p"}),
    ]:
        with refused(BadRequestException):
            put(staking, chain, amount, **more)
    with refused(BadRequestException, 1402):
        put(staking, "SOL", "100000000")
    with refused(NotFoundException, 1004):
        put(staking, "SOL", "1", account="4000")
    for chain in ("BTC", "SOL_TEST", "rando"):
        answer = fund["signer"].door.post(
            f"/v1/staking/chains/{chain}/stake",
            {"vaultAccountId": "0", "providerId": "kiln", "stakeAmount": "1"},
        )
        assert answer.status == 404, chain
    for how in (
        lambda: staking.get_delegation_by_id(id="rando"),
        lambda: staking.get_position_related_transactions(id="rando", page_size=1),
        lambda: staking.unstake(chain_descriptor="SOL", unstake_request=UnstakeRequest(id="rando")),
        lambda: staking.withdraw(chain_descriptor="SOL", withdraw_request=WithdrawRequest(id="rando")),
    ):
        with refused(NotFoundException):
            how().result()
    for target in ("", "?pageSize=0", "?pageSize=101", "?pageSize=2&vaultAccountId=x", "?pageSize=2&chainDescriptor=x"):
        assert fund["signer"].door.get(f"/v1/staking/positions_paginated{target}").status == 400, target
    assert (wallet(fund, "SOL"), wallet(fund, "ETH")) == before


def test_positions_outlive_a_restart(tmp_path):
    data = tmp_path / "data.db"
    sandbox = Sandbox(tmp_path, data=data)
    try:
        fund = sandbox.workspaces["mainnet"]
        staking = fund["admin"].sdk.staking
        staking.approve_terms_of_service_by_provider_id(provider_id="kiln").result()
        made = put(staking, "SOL", "3")
        later_one = StakeRequest(vault_account_id="0", provider_id="kiln", stake_amount="5")
        under_way = staking.stake(chain_descriptor="SOL", stake_request=later_one).result().data.id
    finally:
        sandbox.kill()
    sandbox = Sandbox(tmp_path, data=data)
    try:
        fund = sandbox.workspaces["mainnet"]
        staking = fund["admin"].sdk.staking
        assert position(staking, made).status == "activating"
        through(staking, under_way)
        assert wallet(fund, "SOL")["staked"] == 8
        later(sandbox, 2)
        assert position(staking, made).status == "active"
    finally:
        sandbox.stop()


def test_a_stake_is_under_way_like_others(manual):
    """Signed, mined, cancelled, failed and given up by the chain."""
    fund = fresh(manual)
    staking = fund["signer"].sdk.staking
    staking.approve_terms_of_service_by_provider_id(provider_id="kiln").result()
    before = wallet(fund, "SOL")

    def ask(amount="4"):
        request = StakeRequest(vault_account_id="0", provider_id="kiln", stake_amount=amount)
        made = staking.stake(chain_descriptor="SOL", stake_request=request).result().data.id
        return made, related(staking, made)[0].tx_id

    def act(transaction, what, **body):
        return fund.sandbox.control("POST", f"/workspaces/{fund.id}/transactions/{transaction}/{what}", body)[0]

    def read(transaction):
        return fund["viewer"].sdk.transactions.get_transaction(transaction).result().data

    made, transaction = ask()
    shown = position(staking, made)
    assert (shown.status, shown.in_progress, shown.in_progress_tx_id) == ("creating", True, transaction)
    assert (related(staking, made)[0].status, related(staking, made)[0].tx_hash) == ("PENDING", None)
    assert not shown.related_transactions[0].completed and shown.available_actions == []
    assert read(transaction).status == "PENDING_SIGNATURE"
    assert wallet(fund, "SOL")["staked"] == before["staked"], "not yet"
    fund["signer"].sdk.transactions.cancel_transaction(transaction).result()
    shown = position(staking, made)
    assert (shown.status, shown.in_progress, shown.amount) == ("canceled", False, "0")
    assert related(staking, made)[0].status == "FAILED" and wallet(fund, "SOL") == before

    made, transaction = ask()
    assert act(transaction, "sign") == 200
    fund.control("POST", "/mine")
    assert (read(transaction).status, position(staking, made).status) == ("CONFIRMING", "creating")
    assert act(transaction, "reorganise") == 200
    assert position(staking, made).status == "canceled" and wallet(fund, "SOL") == before

    made, transaction = ask()
    act(transaction, "sign")
    for _ in range(3):
        fund.control("POST", "/mine")
    assert position(staking, made).status == "activating"
    assert wallet(fund, "SOL")["staked"] == before["staked"] + 4
    assert act(transaction, "reorganise") == 409, "a stake has a life of its own"
    fund.ask("POST", "/clock/advance", {"millis": 3 * DAY})
    staking.unstake(chain_descriptor="SOL", unstake_request=UnstakeRequest(id=made)).result()
    second = related(staking, made)[0]
    assert (second.staking_operation, second.status) == ("UNSTAKE", "PENDING")
    assert act(second.tx_id, "fail", subStatus="SIGNING_ERROR") == 200
    assert (related(staking, made)[0].status, position(staking, made).status) == ("FAILED", "active")
    assert position(staking, made).available_actions != []
    fund.gone()


def test_who_cannot_sign_stakes_nothing_by_itself(manual):
    """The seeded policy has a rule for those who can sign alone."""
    fund = fresh(manual)
    fund["signer"].sdk.staking.approve_terms_of_service_by_provider_id(provider_id="kiln").result()
    body = {"vaultAccountId": "0", "providerId": "kiln", "stakeAmount": "4"}
    made = fund["editor"].door.post("/v1/staking/chains/SOL/stake", body)
    assert made.status == 201, made.json
    shown = position(fund["signer"].sdk.staking, made.json["id"])
    assert shown.status == "canceled"
    told = fund["viewer"].door.get(f"/v1/transactions/{shown.related_transactions[0].tx_id}").json
    assert (told["status"], told["subStatus"]) == ("BLOCKED", "BLOCKED_BY_POLICY")
    fund.gone()

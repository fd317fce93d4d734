"""The gate, judged by the official client: the same interface, in scope."""

import json
from decimal import Decimal

import pytest
from fireblocks.exceptions import (
    BadRequestException,
    ForbiddenException,
    NotFoundException,
    UnauthorizedException,
)
from fireblocks.models.create_vault_account_request import CreateVaultAccountRequest
from fireblocks.models.transaction_request import TransactionRequest

from gate import Gate
from money import WAY, follow, statuses, transfer, vault
from pages import by_after
from receiver import Keys, Receiver
from refusals import refused
from waiting import until

# What the demo's providers may see.
PORTFOLIO = ({"1", "2"}, {"BTC", "ETH"})
TRADING = ({"1", "2", "3"}, {"ETH", "USDC", "SOL"})


@pytest.fixture(scope="module")
def gate(tmp_path_factory):
    gate = Gate(tmp_path_factory.mktemp("gate"))
    yield gate
    gate.stop()


@pytest.fixture(scope="module")
def portfolio(gate):
    return gate.providers["portfolio"]


@pytest.fixture(scope="module")
def trading(gate):
    return gate.providers["trading"]


@pytest.fixture(scope="module")
def viewer(gate):
    """The workspace's own viewer: sees everything."""
    return gate.workspace["viewer"]


def ask(user, request, idempotency_key=None):
    answer = user.sdk.transactions.create_transaction(
        transaction_request=TransactionRequest.from_dict(request), idempotency_key=idempotency_key
    ).result()
    assert answer.status_code == 200 and answer.data.status == "PENDING_AUTHORIZATION"
    return answer.data.id


@pytest.mark.parametrize("name, scope", [("portfolio", PORTFOLIO), ("trading", TRADING)])
def test_accounts_and_balances_are_the_workspaces_in_scope(gate, viewer, name, scope):
    accounts, assets = scope
    provider = gate.providers[name]

    def equal():
        mine, _ = by_after(provider.sdk.vaults.get_paged_vault_accounts, lambda p: p.accounts, limit=1)
        all_of_them, _ = by_after(viewer.sdk.vaults.get_paged_vault_accounts, lambda p: p.accounts)
        seen = {a.id: {w.id: w.total for w in a.assets} for a in mine}
        there = {
            a.id: {w.id: w.total for w in a.assets if w.id in assets}
            for a in all_of_them
            if a.id in accounts
        }
        return seen == there and seen

    assert set(until("the books are equal", equal)) == accounts


def test_totals_are_sums_of_what_is_seen(portfolio):
    totals = {a.id: Decimal(a.total) for a in portfolio.sdk.vaults.get_vault_assets().result().data}
    accounts, _ = by_after(portfolio.sdk.vaults.get_paged_vault_accounts, lambda p: p.accounts)
    sums = {}
    for account in accounts:
        for wallet in account.assets:
            sums[wallet.id] = sums.get(wallet.id, Decimal(0)) + Decimal(wallet.total)
    assert totals == sums and set(totals) == PORTFOLIO[1]
    one = portfolio.sdk.vaults.get_vault_balance_by_asset("ETH").result().data
    assert Decimal(one.total) == totals["ETH"]


def test_wallets_and_addresses_in_scope(portfolio):
    wallets, _ = by_after(portfolio.sdk.vaults.get_asset_wallets, lambda p: p.asset_wallets, limit=1)
    assert {(w.vault_id, w.asset_id) for w in wallets} == {
        (account, asset) for account in PORTFOLIO[0] for asset in PORTFOLIO[1]
    }
    api = portfolio.sdk.vaults.get_vault_account_asset_addresses_paginated
    addresses, _ = by_after(lambda **more: api("1", "BTC", **more), lambda p: p.addresses)
    assert addresses and all(address.asset_id == "BTC" for address in addresses)


def test_what_is_outside_is_as_if_it_did_not_exist(portfolio):
    """Byte for byte: an account that is there and one that is not."""
    for there, absent in [
        ("/v1/vault/accounts/9", "/v1/vault/accounts/4000000"),
        ("/v1/vault/accounts/1/SOL", "/v1/vault/accounts/1/NO_SUCH"),
        ("/v1/vault/accounts/9/ETH/addresses_paginated", "/v1/vault/accounts/4000000/ETH/addresses_paginated"),
        ("/v1/vault/assets/SOL", "/v1/vault/assets/NO_SUCH"),
    ]:
        one, other = portfolio.door.get(there), portfolio.door.get(absent)
        # An answer may say again what was asked for; nothing else may differ.
        said = one.body.replace(b"'SOL'", b"'NO_SUCH'")
        assert (one.status, said) == (other.status, other.body), there
        assert one.status in (400, 404)
    with refused(NotFoundException, code=1004):
        portfolio.sdk.vaults.get_vault_account("9").result()


def test_transactions_page_to_the_end_and_hide_the_other_side(portfolio, viewer):
    found, target = [], "/v1/transactions?after=0&limit=7"
    while target:
        page = portfolio.door.get(target)
        found.extend(page.json)
        following = page.headers.get("next-page")
        target = following and "/v1/" + following.split("/v1/", 1)[1]
    ids = [one["id"] for one in found]
    assert len(ids) == len(set(ids)) > 14
    accounts, assets = PORTFOLIO
    for one in found:
        sides = [one["source"], one["destination"]]
        assert any(side["type"] == "VAULT_ACCOUNT" for side in sides)
        for side in sides:
            assert side["type"] == "UNKNOWN" or side.get("id") in accounts, one
            assert side["type"] != "UNKNOWN" or not side.get("id")
        assert one["assetId"] in assets and one["createdBy"] == "" and one["note"] == ""
    hidden = next(
        one
        for one in viewer.door.get("/v1/transactions?after=0&limit=500").json
        if one["assetId"] not in assets
    )
    answer = portfolio.door.get(f"/v1/transactions/{hidden['id']}")
    absent = portfolio.door.get("/v1/transactions/6ba7b810-9dad-41d1-80b4-00c04fd430c8")
    assert (answer.status, answer.body) == (absent.status, absent.body)
    assert answer.json["code"] == 1405


def test_filters_ask_what_is_seen(portfolio):
    api = portfolio.sdk.transactions.get_transactions
    only = api(after="0", assets="BTC", limit=500).result().data
    assert only and {one.asset_id for one in only} == {"BTC"}
    into = api(after="0", dest_type="VAULT_ACCOUNT", dest_id="1", limit=500).result().data
    assert into and {one.destination.id for one in into} == {"1"}
    assert api(after="0", source_type="VAULT_ACCOUNT", source_id="9", limit=500).result().data == []


def test_assets_and_blockchains_are_public(portfolio):
    page = portfolio.sdk.blockchains_assets.list_assets(page_size=100).result().data
    assert any(asset.legacy_id == "ETH" for asset in page.data)
    assert portfolio.sdk.blockchains_assets.list_blockchains(page_size=1).result().data.data


def test_whitelists_are_empty_where_none_is_granted(portfolio):
    assert portfolio.sdk.external_wallets.get_external_wallets().result().data == []
    assert portfolio.sdk.internal_wallets.get_internal_wallets().result().data == []
    assert portfolio.sdk.contracts.get_contracts().result().data == []


def test_a_viewer_asks_for_nothing_and_nobody_writes_anything_else(portfolio, trading):
    request = transfer("ETH", "0.1", 1, 2)
    with refused(UnauthorizedException, code=-8):
        ask(portfolio, request)
    with refused(ForbiddenException, says="not offered"):
        trading.sdk.vaults.create_vault_account(
            create_vault_account_request=CreateVaultAccountRequest(name="x")
        ).result()
    with refused(UnauthorizedException, code=-8):
        trading.sdk.webhooks_v2.get_webhooks().result()


@pytest.mark.parametrize(
    "change, code",
    [
        ({"operation": "RAW"}, 1401),
        ({"operation": "CONTRACT_CALL"}, 1401),
        ({"extraParameters": {"contractCallData": "0x"}}, 1409),
        ({"destination": {"type": "ONE_TIME_ADDRESS", "oneTimeAddress": {"address": "0x0"}}}, None),
        ({"amount": "1e2000000000"}, 1432),
        ({"amount": "-1"}, 1432),
        ({"amount": "0"}, 1432),
        ({"source": {"type": "VAULT_ACCOUNT", "id": "9"}}, 11001),
        ({"destination": {"type": "VAULT_ACCOUNT", "id": "9"}}, 11001),
        ({"assetId": "BTC"}, 1410),
        ({"source": {"type": "EXCHANGE_ACCOUNT", "id": "1"}}, 1427),
    ],
)
def test_what_is_no_plain_transfer_in_scope_is_refused_by_name(gate, trading, change, code):
    before = len(gate.owner("proposal", "list"))
    body = json.dumps({**transfer("ETH", "0.1", 1, 2), **change}).encode()
    answer = trading.door.send("POST", "/v1/transactions", body)
    assert answer.status == 400, answer.body
    assert code is None or answer.json["code"] == code, answer.body
    assert len(gate.owner("proposal", "list")) == before


def test_a_proposal_waits_is_approved_and_completes_under_its_own_id(gate, trading, viewer):
    mine = ask(trading, transfer("ETH", "0.125", 1, 2, note="ü & <note>", externalTxId="judge-1"))
    waiting = trading.sdk.transactions.get_transaction(mine).result().data
    assert (waiting.status, waiting.note, waiting.external_tx_id) == (
        "PENDING_AUTHORIZATION",
        "ü & <note>",
        "judge-1",
    )
    listed = trading.sdk.transactions.get_transactions(status="PENDING_AUTHORIZATION").result().data
    assert mine in [one.id for one in listed]
    own = trading.sdk.transactions.get_transaction_by_external_id("judge-1").result().data
    assert own.id == mine
    known = viewer.door.get(f"/v1/transactions/external_tx_id/vestibule-{mine}")
    assert known.status == 404, "it went up before anybody said yes"
    gate.owner("proposal", "approve", mine)
    seen = statuses(trading, mine)
    order = [WAY.index(status) for status in seen]
    assert seen[-1] == "COMPLETED" and order == sorted(order), seen
    upstream = viewer.door.get(f"/v1/transactions/external_tx_id/vestibule-{mine}").json
    assert upstream["status"] == "COMPLETED" and upstream["id"] != mine
    assert upstream["createdBy"] != trading.id and upstream["signedBy"]
    twice = [
        one
        for one in viewer.door.get("/v1/transactions?after=0&limit=500").json
        if one.get("externalTxId") == f"vestibule-{mine}"
    ]
    assert len(twice) == 1
    assert "SENT" in gate.owner("proposal", "approve", mine, fails=True)


def test_a_rejected_proposal_never_goes_up(gate, trading, viewer):
    mine = ask(trading, transfer("ETH", "0.5", 1, 2))
    gate.owner("proposal", "reject", mine, "--reason", "not today")
    ended = follow(trading, mine)
    assert (ended.status, ended.sub_status) == ("CANCELLED", "REJECTED_BY_USER")
    assert viewer.door.get(f"/v1/transactions/external_tx_id/vestibule-{mine}").status == 404


def test_idempotency_and_external_ids(trading):
    request = transfer("ETH", "0.01", 1, 2)
    first = ask(trading, request, idempotency_key="judge-key")
    assert ask(trading, request, idempotency_key="judge-key") == first
    with refused(BadRequestException, code=9003):
        ask(trading, request, idempotency_key="x" * 41)
    ask(trading, {**request, "externalTxId": "judge-twice"})
    with refused(BadRequestException, code=1438):
        ask(trading, {**request, "externalTxId": "judge-twice"})


def test_two_providers_with_one_external_id_never_meet(gate, trading):
    other, _ = gate.let_in("second", "editor", [1, 2], ["ETH"])
    request = transfer("ETH", "0.02", 1, 2, externalTxId="judge-shared")
    one, two = ask(trading, request), ask(other, request)
    assert one != two
    for user, own, strange in [(trading, one, two), (other, two, one)]:
        found = user.sdk.transactions.get_transaction_by_external_id("judge-shared").result().data
        assert found.id == own
        with refused(NotFoundException, code=1405):
            user.sdk.transactions.get_transaction(strange).result()


def test_approval_at_fireblocks_goes_up_at_once_with_its_evidence(gate, viewer):
    provider, _ = gate.let_in("remote", "editor", [1, 2], ["ETH"], place="fireblocks")
    mine = ask(provider, transfer("ETH", "0.03", 1, 2))
    assert statuses(provider, mine)[-1] == "COMPLETED"
    upstream = viewer.door.get(f"/v1/transactions/external_tx_id/vestibule-{mine}").json
    assert upstream["authorizationInfo"]["groups"]

    def logged():
        return [
            one["entry"]
            for one in gate.owner("log", "list")
            if one["kind"] == "proposal_approved" and one["entry"]["proposal"] == mine
        ]

    (entry,) = until("the log tells who approved", logged)
    assert entry["place"] == "fireblocks" and "APPROVED" in entry["evidence"]


def test_webhooks_come_in_scope_signed_by_the_gate(gate, viewer):
    receiver = Receiver(Keys(gate.jwks_url))
    try:
        _, handback = gate.let_in("listener", "viewer", [1], ["ETH"], webhook=receiver.url("/hook"))
        trader, _ = gate.let_in("mover", "editor", [1, 2, 3], ["ETH"])
        inside = ask(trader, transfer("ETH", "0.04", 1, 2))
        outside = ask(trader, transfer("ETH", "0.04", 2, 3))
        for one in (inside, outside):
            gate.owner("proposal", "approve", one)
        for one in (inside, outside):
            assert statuses(trader, one)[-1] == "COMPLETED"

        def heard():
            events = [delivery.event for delivery in receiver.deliveries]
            ends = [e for e in events if e.get("resourceId") == inside and e["data"].get("status") == "COMPLETED"]
            return events if ends else None

        events = until("the transfer's end is told", heard)
        assert not receiver.unverified, receiver.unverified[:1]
        assert {e["webhookId"] for e in events} == {handback["webhooks"]["webhook_id"]}
        assert {e["workspaceId"] for e in events} == {handback["workspace_id"]}
        assert outside not in json.dumps(events)
        for event in events:
            data = event["data"]
            if event["eventType"].startswith("transaction."):
                assert data["source"] == {**data["source"], **vault(1), "name": data["source"]["name"]}
                assert data["destination"]["type"] == "UNKNOWN" and data["createdBy"] == ""
            else:
                assert (data["vaultAccountId"], data["assetId"]) == ("1", "ETH")
        positions = [int(delivery.headers["vestibule-position"]) for delivery in receiver.deliveries]
        assert sorted(set(positions)) == list(range(1, len(set(positions)) + 1)), "there is a gap"
    finally:
        receiver.close()


def test_what_was_let_in_can_be_shut_out_at_once(gate):
    provider, _ = gate.let_in("guest", "viewer", [1])
    assert provider.sdk.vaults.get_vault_account("1").result().status_code == 200
    gate.owner("connection", "suspend", "guest", "--reason", "holidays")
    with refused(UnauthorizedException, code=-7):
        provider.sdk.vaults.get_vault_account("1").result()
    gate.owner("connection", "resume", "guest", "--reason", "back")
    assert provider.sdk.vaults.get_vault_account("1").result().status_code == 200
    gate.owner("connection", "revoke", "guest", "--reason", "over")
    with refused(UnauthorizedException, code=-7):
        provider.sdk.vaults.get_vault_account("1").result()
    assert "REVOKED" in gate.owner("connection", "resume", "guest", "--reason", "again", fails=True)


def test_the_owner_can_prove_all_of_it(gate):
    (verified,) = gate.owner("log", "verify")
    assert verified["entries"] > 25 and verified["checkpoints"] >= 1

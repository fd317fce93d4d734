"""Transfers where people and chain act by themselves: an editor proposes, others approve and sign."""

import json
from decimal import Decimal

import pytest
from fireblocks.exceptions import BadRequestException, NotFoundException, UnauthorizedException
from fireblocks.models.create_vault_account_request import CreateVaultAccountRequest

from money import WAY, follow, holding, propose, statuses, totals, transfer
from refusals import refused


@pytest.fixture(scope="module")
def fund(lively):
    return lively.workspaces["mainnet"]


@pytest.fixture(scope="module")
def editor(fund):
    return fund["editor"]


@pytest.fixture(scope="module")
def people(fund):
    """The ids of the workspace's people, by first name."""
    users = fund["admin"].sdk.console_user.get_console_users().result().data.users
    return {user.first_name: user.id for user in users}


@pytest.fixture(scope="module")
def payee(editor):
    return editor.sdk.external_wallets.get_external_wallets().result().data[0]


def test_an_editor_proposes_and_others_carry_it_out(editor, people):
    source, destination = holding(editor, 0, "ETH"), holding(editor, 1, "ETH")
    transaction = propose(editor, "ETH", "1.250000000000000001", 0, 1, note="rent", externalTxId="rent-1")
    seen = statuses(editor, transaction)
    assert seen[-1] == "COMPLETED" and [s for s in WAY if s in seen] == seen
    assert "PENDING_AUTHORIZATION" in seen or len(seen) < 4
    done = follow(editor, transaction)
    assert (done.sub_status, done.note, done.external_tx_id) == ("CONFIRMED", "rent", "rent-1")
    assert (done.created_by, done.signed_by) == (editor.id, [people["signing-officer"]])
    assert done.authorization_info.groups[0].users == {people["treasurer"]: "APPROVED"}
    assert done.tx_hash.startswith("0x") and done.block_info.block_height.isdigit()
    assert done.num_of_confirmations >= 1 and done.source_address and done.destination_address
    amount, fee = Decimal("1.250000000000000001"), Decimal(done.fee_info.network_fee)
    assert Decimal(done.amount_info.amount) == Decimal(done.amount_info.net_amount) == amount
    assert done.fee_currency == "ETH" and fee > 0
    after = holding(editor, 0, "ETH")
    assert after.total == source.total - amount - fee
    assert (after.available, after.locked) == (source.available - amount - fee, source.locked)
    assert holding(editor, 1, "ETH").available == destination.available + amount


def test_a_token_pays_its_fee_in_the_base_asset(editor, payee):
    usdc, eth = holding(editor, 0, "USDC"), holding(editor, 0, "ETH")
    to = {"type": "EXTERNAL_WALLET", "id": payee.id}
    done = follow(editor, propose(editor, "USDC", "12.5", 0, to, feeLevel="HIGH"))
    assert done.status == "COMPLETED" and done.fee_currency == "ETH"
    assert (done.destination.name, done.address_type) == (payee.name, "WHITELISTED")
    assert holding(editor, 0, "USDC").total == usdc.total - Decimal("12.5")
    assert holding(editor, 0, "ETH").total == eth.total - Decimal(done.fee_info.network_fee)


def test_haste_costs_more(editor):
    fees = []
    for level in ("LOW", "MEDIUM", "HIGH"):
        done = follow(editor, propose(editor, "SOL", "0.01", 0, 1, feeLevel=level))
        fees.append(Decimal(done.fee_info.network_fee))
    assert fees[0] < fees[1] < fees[2]


def test_a_gross_amount_holds_its_fee(editor):
    source, destination = holding(editor, 0, "BTC"), holding(editor, 2, "BTC")
    done = follow(editor, propose(editor, "BTC", "0.01", 0, 2, treatAsGrossAmount=True))
    fee = Decimal(done.fee_info.network_fee)
    assert done.treat_as_gross_amount is True
    assert Decimal(done.amount_info.net_amount) == Decimal("0.01") - fee
    assert holding(editor, 0, "BTC").total == source.total - Decimal("0.01")
    assert holding(editor, 2, "BTC").total == destination.total + Decimal("0.01") - fee


def test_all_there_is_pays_its_own_fee(fund, editor):
    """Sending the whole balance of a base asset counts as gross, asked for or not."""
    to = {"type": "VAULT_ACCOUNT", "id": "1"}
    account = editor.door.post("/v1/vault/accounts", {"name": "to be emptied"}).json["id"]
    for asset in ("XRP", "ETH", "USDC"):
        assert fund["admin"].door.send("POST", f"/v1/vault/accounts/{account}/{asset}").status == 200
        amount = "25" if asset != "ETH" else "0.5"
        arrival = {"vaultAccountId": account, "assetId": asset, "amount": amount}
        there = editor.door.get
        arrived = fund.control("POST", "/incoming", arrival)
        assert follow(editor, json.loads(arrived)["id"]).status == "COMPLETED"
        assert there(f"/v1/vault/accounts/{account}/{asset}").json["available"] == amount
    done = follow(editor, propose(editor, "XRP", "25", account, to))
    assert (done.status, done.treat_as_gross_amount) == ("COMPLETED", True)
    fee = Decimal(done.fee_info.network_fee)
    assert Decimal(done.amount_info.net_amount) == 25 - fee and fee > 0
    assert holding(editor, account, "XRP").total == 0
    # A token's fee is not its own.
    done = follow(editor, propose(editor, "USDC", "25", account, to))
    assert (done.status, done.treat_as_gross_amount) == ("COMPLETED", False)
    assert Decimal(done.amount_info.net_amount) == 25
    # A little less than all, and the fee is on top: too much.
    rest = holding(editor, account, "ETH").available - Decimal("0.0000000000001")
    answer = editor.door.post("/v1/transactions", transfer("ETH", f"{rest:f}", account, to))
    assert (answer.status, answer.code) == (400, 1402)


def test_an_internal_wallet_holds_what_it_was_sent(editor):
    wallet = editor.sdk.internal_wallets.get_internal_wallets().result().data[0]
    asset = wallet.assets[0].id
    path = f"/v1/internal_wallets/{wallet.id}/{asset}"
    before = Decimal(editor.door.get(path).json["balance"])
    to = {"type": "INTERNAL_WALLET", "id": wallet.id}
    done = follow(editor, propose(editor, asset, "0.125", 0, to))
    assert done.status == "COMPLETED"
    assert Decimal(editor.door.get(path).json["balance"]) == before + Decimal("0.125")
    listed = editor.door.get("/v1/internal_wallets").json
    held = {(w["id"], a["id"]): a["balance"] for w in listed for a in w["assets"]}
    assert Decimal(held[wallet.id, asset]) == before + Decimal("0.125")


def test_who_can_sign_sends_alone(fund):
    signer = fund["signer"]
    done = follow(signer, propose(signer, "XRP", "1", 0, 1))
    assert done.status == "COMPLETED" and done.signed_by == [signer.id]
    assert done.authorization_info is None


def test_the_policy_blocks_addresses_on_no_list(editor):
    before = holding(editor, 0, "ETH")
    to = {"type": "ONE_TIME_ADDRESS", "oneTimeAddress": {"address": "0x" + "ab" * 20}}
    done = follow(editor, propose(editor, "ETH", "0.5", 0, to))
    assert (done.status, done.sub_status) == ("BLOCKED", "BLOCKED_BY_POLICY")
    assert holding(editor, 0, "ETH") == before


@pytest.mark.parametrize("name", ["a/b", "ü ß 漢", "50% + 1 & more=?#", "../..", "a%2Fb", "x" * 255])
def test_names_of_any_kind(editor, name):
    transaction = propose(editor, "SOL", "0.001", 0, 1, externalTxId=name, note=name * 2)
    found = editor.sdk.transactions.get_transaction_by_external_id(name).result().data
    assert (found.id, found.external_tx_id, found.note) == (transaction, name, name * 2)


def test_an_external_id_works_once(editor):
    propose(editor, "SOL", "0.001", 0, 1, externalTxId="once")
    before = len(editor.door.get("/v1/transactions?limit=500").json)
    for request in (("SOL", "0.001", 0, 1), ("ETH", "0.1", 1, 0)):
        with refused(BadRequestException, 1438, "external tx id"):
            propose(editor, *request, externalTxId="once")
    assert len(editor.door.get("/v1/transactions?limit=500").json) == before
    # What was refused for another reason has not used its id up.
    with refused(BadRequestException, 1402):
        propose(editor, "SOL", "99999999999", 0, 1, externalTxId="twice")
    propose(editor, "SOL", "0.001", 0, 1, externalTxId="twice")
    with refused(NotFoundException, 1439):
        editor.sdk.transactions.get_transaction_by_external_id("never").result()


def test_an_idempotency_key_gives_the_same_answer(editor, fund):
    key = "k" * 40
    first = propose(editor, "SOL", "0.001", 0, 1, idempotency_key=key)
    assert propose(editor, "SOL", "0.001", 0, 1, idempotency_key=key) == first
    signer = fund["signer"]
    assert propose(signer, "SOL", "0.001", 0, 1, idempotency_key=key) != first, "a key is its user's"
    with refused(BadRequestException, 9003):
        propose(editor, "SOL", "0.001", 0, 1, idempotency_key=key + "k")
    # Another operation's answer is not this one's.
    made = signer.sdk.vaults.create_vault_account(
        CreateVaultAccountRequest(name="by the same key"), idempotency_key=key
    ).result()
    assert made.data.name == "by the same key"


# EIP-55's own example, with its last letter in the other case.
MISSPELT = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD"
REFUSED = [
    (1401, {"operation": "ENABLE_ASSET"}),
    (1401, {"operation": "PROGRAM_CALL"}),
    (1401, {"operation": "MINT"}),
    (1409, {"operation": "RAW"}),
    (1409, {"operation": "RAW", "extraParameters": {"rawMessageData": {"messages": []}}}),
    (1409, {"operation": "CONTRACT_CALL"}),
    (1409, {"operation": "CONTRACT_CALL", "extraParameters": {"contractCallData": "0xq"}}),
    (1503, {"assetId": "NOSUCH"}),
    (1034, {"assetId": "ETH_TEST5"}),
    (1432, {"amount": "0"}),
    (1432, {"amount": "-1"}),
    (1432, {"amount": "0.0000000000000000001"}),
    (1432, {"amount": None}),
    (1402, {"amount": "99999999999"}),
    (1409, {"assetId": None}),
    (1409, {"source": None}),
    (1409, {"destination": None}),
    (1427, {"source": {"type": "EXTERNAL_WALLET", "id": "0"}}),
    (11001, {"source": {"type": "VAULT_ACCOUNT", "id": "x"}}),
    (11001, {"source": {"type": "VAULT_ACCOUNT", "id": "99999"}}),
    (11001, {"destination": {"type": "VAULT_ACCOUNT", "id": "99999"}}),
    (1428, {"destination": {"type": "FIAT_ACCOUNT", "id": "0"}}),
    (1410, {"destination": {"type": "GAS_STATION", "id": "0"}}),
    (1411, {"assetId": "USDC", "destination": {"type": "GAS_STATION", "id": "ETH"}}),
    (1410, {"destination": {"type": "EXTERNAL_WALLET", "id": "x"}}),
    (1410, {"destination": {"type": "CONTRACT", "id": "1f6e1a3c-8e0a-4d53-9b0a-3a5a5c1f0001"}}),
    (1411, {"assetId": "BTC", "destination": "contract"}),
    (1409, {"destination": {"type": "ONE_TIME_ADDRESS"}}),
    (1409, {"destinations": [{"amount": "1", "destination": {"type": "VAULT_ACCOUNT", "id": "1"}}]}),
    (1409, {"assetId": "USDC", "treatAsGrossAmount": True}),
    (1409, {"externalTxId": "x" * 256}),
    (1424, {"destination": {"type": "ONE_TIME_ADDRESS", "oneTimeAddress": {"address": "0x00"}}}),
    (1424, {"destination": {"type": "ONE_TIME_ADDRESS", "oneTimeAddress": {"address": MISSPELT}}}),
    (1409, {"destination": {"type": "VAULT_ACCOUNT", "id": "1", "oneTimeAddress": {"address": "0x00"}}}),
    (1443, {"replaceTxByHash": "0x" + "ab" * 32}),
    (1409, {"fee": "0.1"}),
    (1409, {"networkFee": "0.1", "gasPrice": "20", "gasLimit": "21000"}),
    (1409, {"gasPrice": "-20"}),
    (1409, {"assetId": "BTC", "gasPrice": "20"}),
    (1409, {"assetId": "BTC", "replaceTxByHash": "ab" * 32}),
    (1409, {"extraParameters": {"contractCallData": "0x"}}),
    (1409, {"extraParameters": {"inputsSelection": {"inputsToSpend": [{"txHash": "ab", "index": 0}]}}}),
    (1409, {"assetId": "BTC", "extraParameters": {"inputsSelection": {"inputsToSpend": [{"txHash": "ab", "index": 0}]}}}),
    (1409, {"nobodyKnowsThis": 1}),
    (1409, {"source": {"type": "VAULT_ACCOUNT", "id": "0", "walletId": "x"}}),
    (9001, {"customerRefId": "not / allowed"}),
]


@pytest.fixture(scope="module")
def contract(editor):
    return editor.sdk.contracts.get_contracts().result().data[0].id


@pytest.mark.parametrize("code, change", REFUSED)
def test_what_does_not_fit_is_refused(editor, contract, code, change):
    if change.get("destination") == "contract":
        change = {**change, "destination": {"type": "CONTRACT", "id": contract}}
    request = {**transfer("ETH", "0.001", 0, 1), **change}
    request = {name: value for name, value in request.items() if value is not None}
    answer = editor.door.post("/v1/transactions", request)
    assert (answer.status, answer.code) == (400, code), answer.body


def test_what_is_refused_changes_nothing(editor):
    """Asked last, when nothing is under way any more."""
    for transaction in editor.door.get("/v1/transactions?limit=30").json:
        statuses(editor, transaction["id"])
    before, newest = totals(editor), editor.door.get("/v1/transactions?limit=5").json
    for _, change in REFUSED:
        if change.get("destination") != "contract":
            request = {**transfer("ETH", "0.001", 0, 1), **change}
            assert editor.door.post("/v1/transactions", request).status == 400
    assert totals(editor) == before
    assert editor.door.get("/v1/transactions?limit=5").json == newest


def test_who_may_not_propose(fund):
    for name in ("viewer", "approver", "auditor", "non-signing-admin"):
        with refused(UnauthorizedException, -8):
            propose(fund[name], "ETH", "0.001", 0, 1)

"""Transactions of every kind: what they cost, what they spend, what they sign, how they end."""

import hashlib
import json
from decimal import Decimal

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils
from fireblocks.exceptions import BadRequestException, NotFoundException
from fireblocks.models.drop_transaction_request import DropTransactionRequest
from fireblocks.models.set_confirmations_threshold_request import SetConfirmationsThresholdRequest
from fireblocks.models.transaction_request import TransactionRequest

from money import FINAL, holding, propose, statuses, transfer, vault
from refusals import refused


@pytest.fixture(scope="module")
def fund(manual):
    return manual.workspaces["mainnet"]


@pytest.fixture(scope="module")
def signer(fund):
    return fund["signer"]  # Nobody need approve what it asks for.


def act(fund, transaction, what, **body):
    return fund.control("POST", f"/transactions/{transaction}/{what}", body)


def mine(fund):
    return json.loads(fund.control("POST", "/mine"))["moved"]


def shown(user, transaction):
    return user.sdk.transactions.get_transaction(transaction).result().data


def ask(user, **request):
    answer = user.sdk.transactions.create_transaction(
        transaction_request=TransactionRequest.from_dict(request)
    ).result()
    return answer.data.id


def completed(fund, user, transaction):
    """Signed and mined to its end."""
    act(fund, transaction, "sign")
    for _ in range(5):
        if shown(user, transaction).status in FINAL:
            break
        mine(fund)
    return shown(user, transaction)


def coins(user, account, asset="BTC"):
    found = user.sdk.vaults.get_unspent_inputs(vault_account_id=str(account), asset_id=asset).result()
    return found.data


def value(found):
    return sum(Decimal(coin.amount) for coin in found)


def test_all_follows_at_once_where_nobody_acts(fund, signer):
    transaction = propose(signer, "ETH", "0.01", 2, 1)
    told = signer.door.get(f"/v1/transactions/{transaction}").json
    assert told["status"] == "PENDING_SIGNATURE", "no time passes between the policy and the signer"
    act(fund, transaction, "reject")


# --- fees


def test_what_a_fee_would_be(fund, signer):
    sdk = signer.sdk.transactions
    request = TransactionRequest.from_dict(transfer("USDC", "1", 0, 1))
    fees = sdk.estimate_transaction_fee(transaction_request=request).result().data
    each = [Decimal(level.network_fee) for level in (fees.low, fees.medium, fees.high)]
    assert each[0] < each[1] < each[2]
    gas = fees.medium
    assert Decimal(gas.gas_price) * Decimal(gas.gas_limit) / 10**9 == Decimal(gas.network_fee)
    assert Decimal(gas.base_fee) + Decimal(gas.priority_fee) == Decimal(gas.gas_price)
    plain = sdk.estimate_transaction_fee(
        transaction_request=TransactionRequest.from_dict(transfer("ETH", "1", 0, 1))
    ).result()
    assert Decimal(plain.data.medium.network_fee) < Decimal(gas.network_fee), "a token is more work"
    network = sdk.estimate_network_fee("BTC").result().data
    assert int(network.low.fee_per_byte) < int(network.high.fee_per_byte)

    transaction = propose(signer, "USDC", "1", 2, 1)
    done = completed(fund, signer, transaction)
    assert (done.status, done.fee_info.network_fee) == ("COMPLETED", gas.network_fee)
    assert done.fee_currency == "ETH" and done.nonce is not None


def test_a_dear_climate(fund, signer):
    sdk = signer.sdk.transactions
    before = Decimal(sdk.estimate_network_fee("SOL").result().data.medium.network_fee)
    fund.control("PUT", "/fees/SOL", {"percent": 300})
    after = Decimal(sdk.estimate_network_fee("SOL").result().data.medium.network_fee)
    assert abs(after - 3 * before) < Decimal("0.00001")
    fund.control("PUT", "/fees/SOL", {"percent": 100})


def test_a_fee_of_ones_own(fund, signer):
    transaction = ask(signer, **transfer("ETH", "0.01", 2, 1), gasPrice="10", gasLimit="21000")
    done = completed(fund, signer, transaction)
    assert Decimal(done.fee_info.network_fee) == Decimal("0.00021")
    low = ask(signer, **transfer("ETH", "0.01", 2, 1), gasPrice="0.001", failOnLowFee=True)
    assert (shown(signer, low).status, shown(signer, low).sub_status) == ("FAILED", "FAIL_ON_LOW_FEE")
    dear = ask(signer, **transfer("BTC", "0.01", 2, 1), maxTotalFee="0.00000001")
    assert shown(signer, dear).sub_status == "MAX_FEE_EXCEEDED"


def test_out_of_gas(fund, signer):
    before = holding(signer, 2, "ETH"), holding(signer, 2, "USDC")
    transaction = ask(signer, **transfer("USDC", "1", 2, 1), gasLimit="30000")
    done = completed(fund, signer, transaction)
    assert (done.status, done.sub_status) == ("FAILED", "SMART_CONTRACT_EXECUTION_FAILED")
    assert done.error_description and done.tx_hash
    fee = Decimal(done.fee_info.network_fee)
    assert holding(signer, 2, "ETH").total == before[0].total - fee, "it costs its fee"
    assert holding(signer, 2, "USDC") == before[1]


# --- coins


def test_coins_are_spent_and_come_back(fund, signer):
    before, arrived = coins(signer, 2), coins(signer, 3)
    assert value(before) == holding(signer, 2, "BTC").total and len(before) > 1
    assert {coin.status for coin in before} == {"CONFIRMED"}
    largest = max(before, key=lambda coin: Decimal(coin.amount))
    amount = Decimal(largest.amount) / 2
    transaction = propose(signer, "BTC", f"{amount:.8f}", 2, 3)
    assert statuses(signer, transaction, "PENDING_SIGNATURE")
    selected = [coin for coin in coins(signer, 2) if coin.status == "SELECTED"]
    assert [coin.input.tx_hash for coin in selected] == [largest.input.tx_hash]
    act(fund, transaction, "sign")
    mine(fund)
    pending = [coin for coin in coins(signer, 3) if coin.status == "PENDING"]
    assert [coin.input.tx_hash for coin in pending] == [shown(signer, transaction).tx_hash]
    done = completed_by_mining(fund, signer, transaction)
    left = coins(signer, 2)
    assert largest.input not in [coin.input for coin in left]
    change = [coin for coin in left if coin.input.tx_hash == done.tx_hash]
    assert len(change) == 1 and len(left) == len(before)
    assert value(left) == holding(signer, 2, "BTC").total
    assert value(coins(signer, 3)) == holding(signer, 3, "BTC").total
    assert len(coins(signer, 3)) == len(arrived) + 1


def completed_by_mining(fund, user, transaction):
    while shown(user, transaction).status == "CONFIRMING":
        mine(fund)
    return shown(user, transaction)


def test_those_that_were_chosen(fund, signer):
    smallest = min(coins(signer, 1), key=lambda coin: Decimal(coin.amount))
    spend = {"inputsSelection": {"inputsToSpend": [smallest.input.to_dict()]}}
    amount = f"{Decimal(smallest.amount) / 2:.8f}"
    transaction = ask(signer, **transfer("BTC", amount, 1, 2), extraParameters=spend)
    selected = [coin for coin in coins(signer, 1) if coin.status == "SELECTED"]
    assert [coin.input for coin in selected] == [smallest.input]
    act(fund, transaction, "reject")
    assert {coin.status for coin in coins(signer, 1)} == {"CONFIRMED"}, "they are free again"
    too_much = {**transfer("BTC", smallest.amount, 1, 2), "extraParameters": spend}
    assert signer.door.post("/v1/transactions", too_much).code == 1402
    ascending = {"selectionStrategy": "AMOUNT_ASC"}
    transaction = ask(signer, **transfer("BTC", "0.00001", 1, 2), utxoSelectionParams=ascending)
    selected = [coin for coin in coins(signer, 1) if coin.status == "SELECTED"]
    assert smallest.input in [coin.input for coin in selected]
    act(fund, transaction, "reject")


def test_coins_bear_labels(fund, signer):
    door = signer.door
    coin = coins(signer, 1)[0]
    path = "/v1/utxo_management/1/BTC"
    wanted = {
        "utxoIdentifiers": [{"txHash": coin.input.tx_hash, "index": coin.input.index}],
        "labelsToAttach": ["cold"],
    }
    api = signer.sdk.utxo_management_beta
    from fireblocks.models.attach_detach_utxo_labels_request import AttachDetachUtxoLabelsRequest

    api.update_utxo_labels(
        vault_account_id="1",
        asset_id="BTC",
        attach_detach_utxo_labels_request=AttachDetachUtxoLabelsRequest.from_dict(wanted),
    ).result()
    labelled = api.get_utxos(vault_account_id="1", asset_id="BTC", include_any_labels=["cold"]).result()
    assert [row.input.tx_hash for row in labelled.data.data] == [coin.input.tx_hash]
    others = api.get_utxos(vault_account_id="1", asset_id="BTC", exclude_any_labels=["cold"]).result()
    assert len(others.data.data) == len(coins(signer, 1)) - 1
    spendable = signer.sdk.vaults.get_max_spendable_amount(
        vault_account_id="1", asset_id="BTC", include_any_labels=["cold"]
    ).result()
    assert Decimal(spendable.data.max_spendable_amount) == Decimal(coin.amount)
    filters = {"filters": {"excludeAnyLabels": ["cold"]}}
    transaction = ask(signer, **transfer("BTC", "0.00001", 1, 2), utxoSelectionParams=filters)
    taken = door.get(f"{path}/unspent_outputs?includeStatuses=SELECTED").json["data"]
    assert taken and all(row["labels"] == [] and row["spentByFbTxId"] == [transaction] for row in taken)
    act(fund, transaction, "reject")
    unknown = {"utxoIdentifiers": [{"txHash": "ab", "index": 0}], "labelsToAttach": ["x"]}
    assert door.send("PATCH", f"{path}/labels", json.dumps(unknown).encode()).status == 404
    assert door.get("/v1/utxo_management/1/ETH/unspent_outputs").status == 400
    pages = door.get(f"{path}/unspent_outputs?pageSize=1").json
    assert len(pages["data"]) == 1 and pages["next"]


def test_which_coins_first(fund, signer):
    api, admin = signer.sdk.utxo_management_beta, fund["admin"].sdk.utxo_management_beta
    from fireblocks.models.upsert_utxo_selection_config_request import (
        UpsertUtxoSelectionConfigRequest as Wanted,
    )

    wallet = {"vault_account_id": "3", "asset_id": "BTC"}
    assert api.get_vault_asset_utxo_selection_config(**wallet).result().data.effective.source == "DEFAULT"
    ascending = Wanted.from_dict({"strategy": "ASC"})
    admin.upsert_utxo_selection_config(upsert_utxo_selection_config_request=ascending).result()
    effective = api.get_vault_asset_utxo_selection_config(**wallet).result().data.effective
    assert (effective.source, effective.strategy) == ("WORKSPACE", "ASC")
    admin.upsert_vault_asset_utxo_selection_config(
        **wallet,
        upsert_utxo_selection_config_request=Wanted.from_dict({"strategy": "DESC"}),
    ).result()
    told = api.get_vault_asset_utxo_selection_config(**wallet).result().data
    assert (told.effective.source, told.configured.strategy) == ("VAULT_ASSET", "DESC")
    assert api.get_utxo_selection_config().result().data.effective.strategy == "ASC"
    admin.upsert_utxo_selection_config(
        upsert_utxo_selection_config_request=Wanted.from_dict({"strategy": "DESC"})
    ).result()


def test_several_destinations(fund, signer):
    before = [holding(signer, account, "DOGE") for account in (1, 2, 3)]
    parts = [{"amount": "3", "destination": vault(2)}, {"amount": "4", "destination": vault(3)}]
    request = {"assetId": "DOGE", "source": vault(1), "destinations": parts}
    done = completed(fund, signer, ask(signer, **request))
    assert done.status == "COMPLETED" and Decimal(done.amount_info.amount) == 7
    assert [Decimal(part.amount) for part in done.destinations] == [3, 4]
    after = [holding(signer, account, "DOGE") for account in (1, 2, 3)]
    assert after[1].total - before[1].total == 3 and after[2].total - before[2].total == 4
    assert before[0].total - after[0].total == 7 + Decimal(done.fee_info.network_fee)
    for account in (1, 2, 3):
        assert value(coins(signer, account, "DOGE")) == holding(signer, account, "DOGE").total
    for bad in (
        {**request, "destination": vault(2)},
        {**request, "assetId": "ETH"},
        {**request, "amount": "8"},
        {**request, "destinations": parts * 326},
    ):
        assert signer.door.post("/v1/transactions", bad).code == 1409


# --- messages


def raw(signer, asset, messages, operation="RAW", **more):
    data = {"rawMessageData": {"messages": messages, **more}}
    return ask(signer, operation=operation, assetId=asset, source=vault(1), extraParameters=data)


def test_messages_are_signed_by_the_vaults_keys(fund, signer):
    hashed = hashlib.sha256(b"a message").digest()
    transaction = raw(signer, "BTC", [{"content": hashed.hex()}])
    act(fund, transaction, "sign")
    done = shown(signer, transaction)
    assert done.status == "COMPLETED" and not done.tx_hash
    signed = done.signed_messages[0]
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256K1(), bytes.fromhex(signed.public_key))
    r, s = int(signed.signature.r, 16), int(signed.signature.s, 16)
    key.verify(utils.encode_dss_signature(r, s), hashed, ec.ECDSA(utils.Prehashed(hashes.SHA256())))
    assert signed.signature.v in (0, 1) and signed.signature.full_sig == signed.signature.r + signed.signature.s

    transaction = raw(signer, "SOL", [{"content": b"any length".hex()}])
    act(fund, transaction, "sign")
    signed = shown(signer, transaction).signed_messages[0]
    key = ed25519.Ed25519PublicKey.from_public_bytes(bytes.fromhex(signed.public_key))
    key.verify(bytes.fromhex(signed.signature.full_sig), b"any length")

    personal = {"type": "EIP191", "content": b"hello".hex()}
    transaction = raw(signer, "ETH", [personal], operation="TYPED_MESSAGE")
    act(fund, transaction, "sign")
    done = shown(signer, transaction)
    assert (done.status, done.operation) == ("COMPLETED", "TYPED_MESSAGE")
    admin = fund["admin"].sdk.vaults
    of_address = admin.get_public_key_info_for_address(
        vault_account_id="1", asset_id="ETH", change=0, address_index=0
    ).result().data
    assert of_address.public_key == done.signed_messages[0].public_key
    path = json.dumps(of_address.derivation_path)
    of_path = admin.get_public_key_info(derivation_path=path, algorithm=of_address.algorithm).result().data
    assert of_path.public_key == of_address.public_key
    assert fund["viewer"].door.get("/v1/vault/public_key_info?derivationPath=[44]").code == -8


def test_an_address_is_that_of_its_key(fund, signer):
    admin = fund["admin"].sdk.vaults
    sol = admin.get_public_key_info_for_address(
        vault_account_id="1", asset_id="SOL", change=0, address_index=0
    ).result().data
    address = signer.door.get("/v1/vault/accounts/1/SOL/addresses_paginated").json["addresses"][0]["address"]
    assert base58(bytes.fromhex(sol.public_key)) == address
    found = signer.sdk.vaults.lookup_vault_by_address(address=address).result().data
    assert (found.vault_account_id, found.blockchains) == ("1", ["SOL"])
    ether = signer.door.get("/v1/vault/accounts/2/ETH/addresses_paginated").json["addresses"][0]["address"]
    found = signer.sdk.vaults.lookup_vault_by_address(address=ether).result().data
    assert found.vault_account_id == "2" and set(found.blockchains) == {"ETH", "MATIC_POLYGON"}
    assert signer.door.get("/v1/vault/lookup_by_address?address=nobodys").status == 404


def base58(data):
    alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
    number, text = int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = alphabet[digit] + text
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + text


@pytest.mark.parametrize(
    "asset, address, valid, tag",
    [
        ("BTC", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", True, False),
        ("BTC", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", False, False),
        ("ETH", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", True, False),
        ("XRP", "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh", True, True),
    ],
)
def test_whether_an_address_is_one(signer, asset, address, valid, tag):
    told = signer.sdk.transactions.validate_address(asset, address).result().data
    assert (told.is_valid, told.requires_tag) == (valid, tag)
    with refused(BadRequestException, 1429):
        signer.sdk.transactions.validate_address("NOSUCH", address).result()


# --- calls, tokens


def test_contract_calls_are_recorded(fund, signer):
    contract = signer.sdk.contracts.get_contracts().result().data[0].id
    before = holding(signer, 2, "ETH")
    transaction = ask(
        signer,
        operation="CONTRACT_CALL",
        assetId="ETH",
        source=vault(2),
        destination={"type": "CONTRACT", "id": contract},
        amount="0",
        extraParameters={"contractCallData": "0xa9059cbb"},
    )
    done = completed(fund, signer, transaction)
    assert (done.status, done.operation) == ("COMPLETED", "CONTRACT_CALL")
    assert done.extra_parameters.contract_call_data == "0xa9059cbb"
    assert holding(signer, 2, "ETH").total == before.total - Decimal(done.fee_info.network_fee)


def test_tokens_are_made_and_destroyed(fund, signer):
    before = holding(signer, 2, "LINK")
    mint = transfer("LINK", "5", 2, 2, operation="MINT")
    assert completed(fund, signer, ask(signer, **mint)).status == "COMPLETED"
    assert holding(signer, 2, "LINK").total == before.total + 5
    burn = {"operation": "BURN", "assetId": "LINK", "amount": "5", "source": vault(2)}
    assert completed(fund, signer, ask(signer, **burn)).status == "COMPLETED"
    assert holding(signer, 2, "LINK") == before


# --- replaced, frozen, waited for


def test_one_that_is_dropped(fund, signer):
    before = holding(signer, 2, "USDC")
    transaction = propose(signer, "USDC", "2", 2, 1)
    sdk = signer.sdk.transactions
    with refused(BadRequestException, 1443):
        sdk.drop_transaction(transaction).result()
    act(fund, transaction, "sign")
    stuck = shown(signer, transaction)
    assert stuck.status == "BROADCASTING" and stuck.tx_hash
    low = DropTransactionRequest.from_dict({"feeLevel": "LOW"})
    with refused(BadRequestException, 1441):
        sdk.drop_transaction(transaction, drop_transaction_request=low).result()
    high = DropTransactionRequest.from_dict({"feeLevel": "HIGH"})
    dropped = sdk.drop_transaction(transaction, drop_transaction_request=high).result().data
    assert dropped.replaced_tx_hash == stuck.tx_hash
    assert mine(fund) == 0, "the one waits for the other"
    done = completed(fund, signer, dropped.tx_id)
    assert (done.status, done.nonce) == ("COMPLETED", stuck.nonce)
    gone = shown(signer, transaction)
    assert (gone.status, gone.sub_status) == ("FAILED", "DROPPED_BY_BLOCKCHAIN")
    assert holding(signer, 2, "USDC") == before
    with refused(BadRequestException, 1440):
        sdk.drop_transaction(propose(signer, "SOL", "0.01", 2, 1)).result()


def test_one_that_takes_anothers_place(fund, signer):
    transaction = propose(signer, "ETH", "0.01", 1, 2)
    act(fund, transaction, "sign")
    hashed = shown(signer, transaction).tx_hash
    low = {**transfer("ETH", "0.02", 1, 2), "replaceTxByHash": hashed, "feeLevel": "LOW"}
    assert signer.door.post("/v1/transactions", low).code == 1441
    instead = ask(signer, **transfer("ETH", "0.02", 1, 2), replaceTxByHash=hashed, feeLevel="HIGH")
    act(fund, instead, "reject")
    assert mine(fund) == 1, "the one is no longer waited for"
    assert completed_by_mining(fund, signer, transaction).status == "COMPLETED"


def test_what_arrived_is_frozen_and_freed(fund, signer):
    admin = fund["admin"].sdk.transactions
    before = holding(signer, 3, "SOL")
    told = fund.control("POST", "/incoming", {"vaultAccountId": "3", "assetId": "SOL", "amount": "4"})
    transaction = json.loads(told)["id"]
    with refused(BadRequestException, 1434):
        admin.freeze_transaction(transaction).result()
    completed_by_mining(fund, signer, transaction)
    assert admin.freeze_transaction(transaction).result().data.success is True
    frozen = shown(signer, transaction)
    assert (frozen.status, frozen.sub_status) == ("REJECTED", "FROZEN_MANUALLY")
    wallet = signer.door.get("/v1/vault/accounts/3/SOL").json
    assert Decimal(wallet["frozen"]) == 4 and Decimal(wallet["available"]) == before.available
    assert admin.unfreeze_transaction(transaction).result().data.success is True
    assert holding(signer, 3, "SOL").available == before.available + 4
    with refused(BadRequestException, 1426):
        admin.unfreeze_transaction(transaction).result()
    with refused(NotFoundException, 1405):
        admin.freeze_transaction("1f6e1a3c-8e0a-4d53-9b0a-3a5a5c1f0001").result()
    assert signer.door.post(f"/v1/transactions/{transaction}/freeze", {}).code == -8


def test_as_many_blocks_as_asked_for(fund, signer):
    wanted = SetConfirmationsThresholdRequest.from_dict({"numOfConfirmations": 1})
    transaction = propose(signer, "ETH", "0.01", 3, 1)
    act(fund, transaction, "sign")
    mine(fund)
    assert shown(signer, transaction).status == "CONFIRMING"
    hashed = shown(signer, transaction).tx_hash
    told = signer.sdk.transactions.set_confirmation_threshold_by_transaction_hash(
        hashed, set_confirmations_threshold_request=wanted
    ).result()
    assert told.data.transactions == [transaction]
    assert shown(signer, transaction).status == "COMPLETED"
    transaction = propose(signer, "ETH", "0.01", 3, 1)
    many = SetConfirmationsThresholdRequest.from_dict({"numOfConfirmations": 5})
    signer.sdk.transactions.set_transaction_confirmation_threshold(
        transaction, set_confirmations_threshold_request=many
    ).result()
    act(fund, transaction, "sign")
    for _ in range(4):
        mine(fund)
    assert shown(signer, transaction).status == "CONFIRMING"
    mine(fund)
    assert shown(signer, transaction).status == "COMPLETED"
    bad = {"numOfConfirmations": 0}
    path = f"/v1/transactions/{transaction}/set_confirmation_threshold"
    assert signer.door.post(path, bad).status == 400


def test_a_short_life(fund, manual, signer):
    request = {**transfer("ETH", "0.01", 2, 1), "configurations": {"expiresAfterSeconds": 300}}
    transaction = ask(signer, **request)
    assert manual.control("POST", "/clock/advance", {"millis": 301_000})[0] == 200
    assert statuses(signer, transaction)[-1] == "FAILED"
    assert shown(signer, transaction).sub_status == "TIMEOUT"
    short = {**request, "configurations": {"expiresAfterSeconds": 299}}
    assert signer.door.post("/v1/transactions", short).status == 400


# --- faults of the chain


def test_a_reorganisation(fund, signer):
    before = holding(signer, 3, "ETH")
    told = fund.control("POST", "/incoming", {"vaultAccountId": "3", "assetId": "ETH", "amount": "1"})
    early = json.loads(told)["id"]
    act(fund, early, "reorganise")
    assert shown(signer, early).sub_status == "DROPPED_BY_BLOCKCHAIN"
    assert holding(signer, 3, "ETH") == before
    told = fund.control("POST", "/incoming", {"vaultAccountId": "3", "assetId": "ETH", "amount": "1"})
    late = json.loads(told)["id"]
    completed_by_mining(fund, signer, late)
    assert holding(signer, 3, "ETH").available == before.available + 1
    act(fund, late, "reorganise")
    gone = shown(signer, late)
    assert (gone.status, gone.sub_status) == ("FAILED", "DROPPED_BY_BLOCKCHAIN"), "final is not for ever"
    assert holding(signer, 3, "ETH") == before
    status, _ = fund.sandbox.control("POST", f"/workspaces/{fund.id}/transactions/{late}/reorganise", {})
    assert status == 409, "once is enough"


@pytest.mark.parametrize("why", ["SIGNING_ERROR", "INTERNAL_ERROR", "DOUBLE_SPENDING"])
def test_a_failure_of_any_kind(fund, signer, why):
    before = holding(signer, 1, "SOL")
    transaction = propose(signer, "SOL", "0.5", 1, 2)
    act(fund, transaction, "fail", subStatus=why)
    failed = shown(signer, transaction)
    assert (failed.status, failed.sub_status) == ("FAILED", why)
    assert holding(signer, 1, "SOL") == before
    path = f"/workspaces/{fund.id}/transactions/{transaction}/fail"
    assert fund.sandbox.control("POST", path, {"subStatus": why})[0] == 409
    assert fund.sandbox.control("POST", path, {"subStatus": "NO_REASON"})[0] == 400


def test_whose_address_it_comes_from(fund, signer):
    payee = signer.sdk.external_wallets.get_external_wallets().result().data[0]
    address = next(asset.address for asset in payee.assets if asset.id == "ETH")
    told = fund.control(
        "POST",
        "/incoming",
        {"vaultAccountId": "3", "assetId": "ETH", "amount": "1", "sourceAddress": address},
    )
    arrived = shown(signer, json.loads(told)["id"])
    assert (arrived.source.type, arrived.source.id) == ("EXTERNAL_WALLET", payee.id)

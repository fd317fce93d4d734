"""A broad walk with the legacy official client, PyPI `fireblocks-sdk`: stories of each area."""

import json
import subprocess
from decimal import Decimal

import pytest
from fireblocks_sdk.api_types import (
    AssetMetadataRequest,
    AssetNoteRequest,
    AssetScopeValues,
    DestinationTransferPeerPath,
    FireblocksApiException,
    GetAssetWalletsFilters,
    NFTOwnershipStatusUpdatedPayload,
    NFTOwnershipStatusValues,
    PagedExchangeAccountRequestFilters,
    PagedVaultAccountsRequestFilters,
    SplitRequestDto,
    StakeRequestDto,
    TimePeriod,
    TransferPeerPath,
    UnstakeRequestDto,
    UpdateAssetUserMetadataRequest,
    WithdrawRequestDto,
)

from fresh import fresh
from legacy import legacy
from pages import MOST
from waiting import until

ADDRESS = "0x52908400098527886E0F7030069857D2E4169EE7"
DAY = 24 * 60 * 60 * 1000


@pytest.fixture(scope="module")
def fund(lively):
    return fresh(lively)


@pytest.fixture(scope="module")
def admin(fund):
    with legacy(fund["admin"]) as client:
        yield client


@pytest.fixture(scope="module")
def signer(fund):
    with legacy(fund["signer"]) as client:
        yield client


def refused(code):
    return pytest.raises(FireblocksApiException, check=lambda error: error.error_code == code)


def vault(account):
    return TransferPeerPath("VAULT_ACCOUNT", str(account))


def to_vault(account):
    return DestinationTransferPeerPath("VAULT_ACCOUNT", str(account))


def end(client, made):
    """The transaction at its end."""

    def look():
        told = client.get_transaction_by_id(made["id"])
        return told if told["status"] in ("COMPLETED", "BLOCKED", "FAILED", "CANCELLED") else None

    return until("its end", look)


def test_accounts(admin):
    made = admin.create_vault_account("Legacy / ü", hiddenOnUI=True, customer_ref_id="old:1", autoFuel=False)
    account = made["id"]
    admin.update_vault_account(account, "Legacy 2")
    admin.unhide_vault_account(account)
    admin.hide_vault_account(account)
    admin.set_vault_account_customer_ref_id(account, "old:2")
    admin.set_auto_fuel(account, True)
    now = admin.get_vault_account_by_id(account)
    assert (now["name"], now["hiddenOnUI"], now["customerRefId"], now["autoFuel"]) == ("Legacy 2", True, "old:2", True)
    asked = PagedVaultAccountsRequestFilters(limit=5, order_by="DESC", name_prefix="Legacy")
    assert admin.get_vault_accounts_with_page_info(asked)["accounts"] == [now]

    first = admin.create_vault_asset(account, "BTC")["address"]
    second = admin.generate_new_address(account, "BTC", "no. 2", "c-2")["address"]
    admin.set_address_description(account, "BTC", first, description="no. 1")
    admin.set_vault_account_customer_ref_id_for_address(account, "BTC", first, "c-1")
    listed = [(a["address"], a["description"], a["customerRefId"]) for a in admin.get_deposit_addresses(account, "BTC")]
    assert listed == [(first, "no. 1", "c-1"), (second, "no. 2", "c-2")]
    page = admin.get_paginated_addresses(account, "BTC", limit=1)
    rest = admin.get_paginated_addresses(account, "BTC", limit=1, after=page["paging"]["after"])
    assert [a["address"] for a in page["addresses"] + rest["addresses"]] == [first, second]
    assert admin.get_max_bip44_index_used(account, "BTC")["maxBip44AddressIndexUsed"] == 1
    assert admin.refresh_vault_asset_balance(account, "BTC")["total"] == "0"
    assert admin.activate_vault_asset(account, "BTC")["address"] == first
    assert admin.get_vault_account_asset(account, "BTC")["id"] == "BTC"
    with refused(1026):
        admin.create_vault_asset(account, "BTC")


def test_totals_and_wallets(admin):
    wallets, after = [], None
    while True:
        asked = GetAssetWalletsFilters(asset_id="BTC", limit=5, after=after)
        page = admin.get_asset_wallets(asked)
        wallets += page["assetWallets"]
        after = page["paging"].get("after")
        if not after:
            break
    total = sum(Decimal(wallet["total"]) for wallet in wallets)
    assert Decimal(admin.get_vault_balance_by_asset("BTC")["total"]) == total > 0
    told = {row["id"]: row for row in admin.get_vault_assets_balance()}
    assert Decimal(told["BTC"]["total"]) == total
    assert set(told) <= {asset["id"] for asset in admin.get_supported_assets()}


def test_assets(admin):
    made = admin.register_new_asset("ETH", "0x6B175474E89094C44Da98b954EedeAC495271d0F", "DAI")
    assert admin.get_asset_by_id(made["legacyId"])["metadata"]["scope"] == "LOCAL"
    local = admin.list_assets(scope=AssetScopeValues.LOCAL)["data"]
    assert [asset["legacyId"] for asset in local] == [made["legacyId"]]
    noted = UpdateAssetUserMetadataRequest(AssetMetadataRequest(AssetNoteRequest("ours")))
    admin.update_asset_user_metadata(made["legacyId"], noted)
    assert admin.get_asset_by_id(made["legacyId"])["metadata"]["note"]["text"] == "ours"
    chains = admin.list_blockchains()["data"]
    assert admin.get_blockchain_by_id(chains[0]["id"]) == chains[0]
    coins = admin.get_unspent_inputs("1", "BTC")
    assert sum(Decimal(coin["amount"]) for coin in coins) == Decimal(admin.get_vault_account_asset("1", "BTC")["total"])
    most = admin.get_max_spendable_amount("1", "BTC")["maxSpendableAmount"]
    assert 0 < Decimal(most) <= sum(Decimal(coin["amount"]) for coin in coins)


def test_transfers(fund, admin, signer):
    fees = signer.estimate_fee_for_transaction("SOL", "0.1", vault(0), to_vault(1))
    assert Decimal(fees["low"]["networkFee"]) <= Decimal(fees["high"]["networkFee"])
    assert signer.get_fee_for_asset("BTC")["low"]["feePerByte"]
    made = signer.create_transaction("SOL", "0.1", vault(0), to_vault(1), note="ü / %", external_tx_id="old / 1")
    done = end(signer, made)
    assert (done["status"], done["note"]) == ("COMPLETED", "ü / %")
    assert signer.get_transaction_by_external_id("old / 1") == done
    arrived = fund.ask("POST", "/incoming", {"vaultAccountId": "3", "assetId": "SOL", "amount": "4"})
    end(admin, arrived)
    assert admin.freeze_transaction_by_id(arrived["id"])["success"]
    assert admin.get_transaction_by_id(arrived["id"])["subStatus"] == "FROZEN_MANUALLY"
    assert admin.unfreeze_transaction_by_id(arrived["id"])["success"]
    again = {"idempotency_key": "old", "asset_id": "SOL", "amount": "0.2", "source": vault(0), "destination": to_vault(1)}
    assert signer.create_transaction(**again)["id"] == signer.create_transaction(**again)["id"]
    with refused(1406):
        signer.cancel_transaction_by_id(made["id"])
    assert signer.validate_address("ETH", ADDRESS)["isValid"]


def pages(client, **filters):
    """`next-page` followed to the end."""
    found = [client.get_transactions_with_page_info(**filters)]
    while found[-1]["pageDetails"]["nextPage"]:
        follow = found[-1]["pageDetails"]["nextPage"]
        found.append(client.get_transactions_with_page_info(next_or_previous_path=follow))
        assert len(found) < MOST, "the list does not end"
    return found


def ids(found):
    return [transaction["id"] for page in found for transaction in page["transactions"]]


def test_pages_of_transactions_to_the_end_and_back(admin):
    """The client asks for the URL of `next-page` without its last character."""
    found = pages(admin, after=1, limit=17)
    assert len(found) > 20 and {len(page["transactions"]) for page in found[:-1]} == {17}
    assert ids(found) == ids(pages(admin, after=1, limit=500)), "each once, in one order"
    assert len(set(ids(found))) == len(ids(found))
    assert ids(found[:2]) == [t["id"] for t in admin.get_transactions(after=1, limit=34, order_by="createdAt")]
    page = found[-1]
    for expected in reversed(found[:-1]):
        page = admin.get_transactions_with_page_info(next_or_previous_path=page["pageDetails"]["prevPage"])
        assert ids([page]) == ids([expected])
    assert page["pageDetails"]["prevPage"] == ""


@pytest.mark.parametrize("kind", ["internal", "external", "contract"])
def test_whitelists(admin, kind):
    call = lambda name, *told: getattr(admin, name.format(kind))(*told)  # noqa: E731
    wallet = call("create_{}_wallet", f"Legacy {kind}")["id"]
    assert call("create_{}_wallet_asset", wallet, "ETH", ADDRESS)["address"] == ADDRESS
    assert call("get_{}_wallet_asset", wallet, "ETH")["status"] == "APPROVED"
    assert [asset["id"] for asset in call("get_{}_wallet", wallet)["assets"]] == ["ETH"]
    assert wallet in {listed["id"] for listed in call("get_{}_wallets")}
    if kind != "contract":
        call("set_customer_ref_id_for_{}_wallet", wallet, "old:3")
        assert call("get_{}_wallet", wallet)["customerRefId"] == "old:3"
    if kind == "internal":
        assert [a["id"] for a in admin.get_internal_wallet_assets(wallet, page_size=1)["data"]["assets"]] == ["ETH"]
    call("delete_{}_wallet_asset", wallet, "ETH")
    call("delete_{}_wallet", wallet)
    with refused({"internal": 1204, "external": 1304, "contract": 1354}[kind]):
        call("get_{}_wallet", wallet)


def test_people(fund, admin, tmp_path):
    key, csr = tmp_path / "key", tmp_path / "csr"
    command = ["openssl", "req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", "/O=Old"]
    subprocess.run([*command, "-keyout", key, "-out", csr], check=True, capture_output=True, timeout=120)
    admin.create_api_user("Legacy key", "VIEWER", csr.read_text())
    assert "Legacy key" in {user["name"] for user in admin.get_api_users()["users"]}
    admin.create_console_user("Ada", "Old", "old@fund.example", "APPROVER")
    ada = next(user for user in admin.get_console_users()["users"] if user["email"] == "old@fund.example")
    assert ada["role"] == "APPROVER"
    admin.reset_device_request(ada["id"])
    assert fund["signer"].id in {user["id"] for user in admin.get_users()}
    made = admin.create_user_group("Old desk", [fund["signer"].id])
    admin.update_user_group(made["id"], "Old desk 2", [fund["approver"].id])
    now = admin.get_user_group(made["id"])
    assert (now["name"], now["memberIds"]) == ("Old desk 2", [fund["approver"].id])
    assert made["id"] in {group["id"] for group in admin.get_user_groups()}
    admin.delete_user_group(made["id"])
    assert made["id"] not in {group["id"] for group in admin.get_user_groups()}
    assert admin.get_whitelisted_ip_addresses(fund["viewer"].id)["userId"] == fund["viewer"].id
    admin.update_ota_configuration(False)
    assert admin.get_ota_configuration()["enabled"] is False
    page = admin.get_paginated_audit_logs(TimePeriod.DAY)
    assert "User group" in {entry["subject"] for entry in page["data"]}
    assert admin.get_audit_logs(TimePeriod.WEEK)["data"]


def test_network(admin):
    names = admin.get_discoverable_network_ids()
    mine = next(name for name in names if name.get("routingPolicy"))
    theirs = next(name for name in names if name["name"] == "Blue Harbor OTC")
    made = admin.create_network_connection(mine["id"], theirs["id"])
    assert admin.get_network_connection_by_id(made["id"])["status"] == "APPROVED"
    custom = {"crypto": {"scheme": "CUSTOM", "dstType": "VAULT", "dstId": "7"}}
    admin.set_network_connection_routing_policy(made["id"], custom)
    listed = {connection["id"]: connection for connection in admin.get_network_connections()}
    assert listed[made["id"]]["routingPolicy"]["crypto"]["dstId"] == "7"
    admin.remove_network_connection(made["id"])
    own = admin.create_network_id("Old desk", custom)["id"]
    admin.set_network_id_name(own, "Old desk 2")
    admin.set_network_id_discoverability(own, True)
    admin.set_network_id_routing_policy(own, {"crypto": {"scheme": "NONE"}})
    now = admin.get_network_id(own)
    assert (now["name"], now["isDiscoverable"], now["routingPolicy"]["crypto"]["scheme"]) == ("Old desk 2", True, "NONE")
    admin.delete_network_id(own)


def test_third_parties(admin):
    page = admin.get_exchange_accounts_paged(PagedExchangeAccountRequestFilters(limit=2))
    account = page["exchanges"][0]
    assert admin.get_exchange_account(account["id"]) == account
    asset = account["assets"][0]
    assert admin.get_exchange_account_asset(account["id"], asset["id"]) == asset
    assert [one["id"] for one in admin.get_exchange_accounts()][:2] == [one["id"] for one in page["exchanges"]]
    fiat = admin.get_fiat_accounts()[0]
    before = Decimal(fiat["assets"][0]["balance"])
    assert admin.deposit_from_linked_dda(fiat["id"], 10)["success"]
    assert admin.redeem_to_linked_dda(fiat["id"], 4)["success"]
    assert Decimal(admin.get_fiat_account_by_id(fiat["id"])["assets"][0]["balance"]) == before + 6
    stations = admin.get_gas_station_info()
    admin.set_gas_station_configuration("0.02", "0.03", "55")
    assert admin.get_gas_station_info("ETH")["balance"] == stations["balance"]
    assert admin.get_gas_station_info()["configuration"]["gasCap"] == "0.03"


def test_policy_is_read(admin):
    told = admin.get_active_policy()
    draft = admin.get_draft()["draftResponse"]
    assert draft["rules"] == told["policy"]["rules"] != []
    assert admin.publish_draft(draft["draftId"])["status"] == "AWAITING_QUORUM"


def test_nfts(signer):
    rows = signer.get_owned_nfts("ETH", page_size=100)["data"]
    tokens = signer.list_owned_assets(page_size=100)["data"]
    assert {row["id"] for row in rows} <= {token["id"] for token in tokens}
    token = rows[0]["id"]
    assert signer.get_nft(token)["id"] == token == signer.get_nfts([token])["data"][0]["id"]
    assert signer.list_owned_collections()["data"]
    signer.update_nft_ownership_status(token, NFTOwnershipStatusValues.ARCHIVED)
    assert signer.get_owned_nfts("ETH", ids=[token])["data"][0]["status"] == "ARCHIVED"
    back = NFTOwnershipStatusUpdatedPayload(token, NFTOwnershipStatusValues.LISTED)
    signer.update_nft_ownerships_status([back])
    assert signer.get_owned_nfts("ETH", ids=[token])["data"][0]["status"] == "LISTED"
    signer.refresh_nft_metadata(token)
    signer.refresh_nft_ownership_by_vault("ETH", "0")


def test_staking(fund, signer):
    later = lambda days: fund.ask("POST", "/clock/advance", {"millis": days * DAY})  # noqa: E731
    assert signer.get_staking_chains() == ["ETH", "SOL"]
    assert signer.get_staking_chain_info("SOL")["chainDescriptor"] == "SOL"
    signer.approve_staking_provider_terms_of_service("kiln")
    assert {p["id"]: p for p in signer.get_staking_providers()}["kiln"]["isTermsOfServiceApproved"]
    through = lambda: until("it is through", lambda: not any(p["inProgress"] for p in signer.get_staking_positions("SOL")))  # noqa: E731
    one = signer.execute_staking_stake("SOL", StakeRequestDto("0", "kiln", "10"))["id"]
    through()
    assert signer.get_staking_position(one)["status"] == "activating"
    later(2)
    two = signer.execute_staking_split("SOL", SplitRequestDto(one, "4"))["id"]
    through()
    assert {position["id"] for position in signer.get_staking_positions("SOL")} == {one, two}
    assert "0" in signer.get_staking_positions_summary_by_vault()
    assert signer.get_staking_positions_summary()["totalStaked"]
    signer.execute_staking_unstake("SOL", UnstakeRequestDto(one))
    through()
    later(2)
    signer.execute_staking_withdraw("SOL", WithdrawRequestDto(one))
    through()
    assert signer.get_staking_position(one)["status"] == "withdrawn"


def test_resends(admin, signer):
    assert admin.resend_webhooks()["messagesCount"] == 0
    made = signer.create_transaction("SOL", "0.3", vault(0), to_vault(1))
    end(signer, made)
    assert admin.resend_transaction_webhooks_by_id(made["id"], True, True)["success"]


def test_keys(admin):
    of_address = admin.get_public_key_info_for_vault_account("ETH", "1", 0, 0)
    path = json.dumps(of_address["derivationPath"])
    assert admin.get_public_key_info(of_address["algorithm"], path)["publicKey"] == of_address["publicKey"]

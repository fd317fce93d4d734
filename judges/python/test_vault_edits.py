"""Accounts, wallets and addresses that are there, changed; accounts and addresses by the dozen."""

import json

import pytest
from fireblocks.exceptions import BadRequestException, NotFoundException, UnauthorizedException
from fireblocks.models.create_multiple_accounts_request import CreateMultipleAccountsRequest
from fireblocks.models.create_multiple_deposit_addresses_request import (
    CreateMultipleDepositAddressesRequest,
)
from fireblocks.models.create_vault_account_request import CreateVaultAccountRequest
from fireblocks.models.set_auto_fuel_request import SetAutoFuelRequest
from fireblocks.models.set_customer_ref_id_for_address_request import (
    SetCustomerRefIdForAddressRequest,
)
from fireblocks.models.set_customer_ref_id_request import SetCustomerRefIdRequest
from fireblocks.models.update_vault_account_asset_address_request import (
    UpdateVaultAccountAssetAddressRequest,
)
from fireblocks.models.update_vault_account_request import UpdateVaultAccountRequest

from refusals import refused


@pytest.fixture(scope="module")
def fund(lively):
    return lively.workspaces["mainnet"]


@pytest.fixture(scope="module")
def admin(fund):
    return fund["admin"].sdk.vaults


@pytest.fixture(scope="module")
def account(admin):
    made = admin.create_vault_account(CreateVaultAccountRequest(name="To be changed"))
    return made.result().data.id


def shown(admin, account):
    return admin.get_vault_account(account).result().data


def test_a_new_name(fund, admin, account):
    answer = admin.update_vault_account(account, UpdateVaultAccountRequest(name="Changed ü"))
    told = answer.result().data
    assert (told.id, told.name) == (account, "Changed ü")
    assert shown(admin, account).name == "Changed ü"
    with refused(BadRequestException, 9004):
        taken = shown(admin, "0").name
        admin.update_vault_account(account, UpdateVaultAccountRequest(name=taken)).result()
    with refused(NotFoundException, 1004):
        admin.update_vault_account("99999", UpdateVaultAccountRequest(name="No")).result()
    with refused(UnauthorizedException, -8):
        theirs = fund["editor"].sdk.vaults
        theirs.update_vault_account(account, UpdateVaultAccountRequest(name="No")).result()
    for name in ("", 5, ["x"], {"x": 1}, "x" * 256):
        body = json.dumps({"name": name}).encode()
        answer = fund["admin"].door.send("PUT", f"/v1/vault/accounts/{account}", body)
        assert answer.status == 400, name
    assert shown(admin, account).name == "Changed ü"


def test_hidden_and_shown(admin, account):
    assert admin.hide_vault_account(account).result().data.success
    assert shown(admin, account).hidden_on_ui
    with refused(BadRequestException, 1019):
        admin.hide_vault_account(account).result()
    assert admin.unhide_vault_account(account).result().data.success
    assert not shown(admin, account).hidden_on_ui
    with refused(BadRequestException, 1022):
        admin.unhide_vault_account(account).result()


def test_references_and_fuel(admin, account):
    admin.set_vault_account_customer_ref_id(
        account, SetCustomerRefIdRequest(customer_ref_id="client:7")
    ).result()
    admin.set_vault_account_auto_fuel(account, SetAutoFuelRequest(auto_fuel=True)).result()
    now = shown(admin, account)
    assert (now.customer_ref_id, now.auto_fuel) == ("client:7", True)
    with refused(BadRequestException, 9001):
        admin.set_vault_account_customer_ref_id(
            account, SetCustomerRefIdRequest(customer_ref_id="a b")
        ).result()


def test_an_address_changed(admin, account):
    made = admin.create_vault_account_asset(account, "BTC").result().data
    admin.update_vault_account_asset_address(
        account,
        "BTC",
        made.address,
        update_vault_account_asset_address_request=UpdateVaultAccountAssetAddressRequest(
            description="rent / ü"
        ),
    ).result()
    admin.set_customer_ref_id_for_address(
        account, "BTC", made.address, SetCustomerRefIdForAddressRequest(customer_ref_id="c-1")
    ).result()
    pages = admin.get_vault_account_asset_addresses_paginated(account, "BTC").result().data
    (address,) = pages.addresses
    assert (address.description, address.customer_ref_id) == ("rent / ü", "c-1")
    legacy = admin.create_legacy_address(account, "BTC", made.address).result().data
    assert legacy.legacy_address == made.legacy_address != ""
    assert admin.get_max_bip_index_used(account, "BTC").result().data.max_bip44_address_index_used == 0
    held = admin.update_vault_account_asset_balance(account, "BTC").result().data
    assert (held.id, held.total) == ("BTC", "0")
    with refused(BadRequestException, 1015):
        admin.create_legacy_address(account, "BTC", "nowhere").result()


def test_by_the_dozen(admin):
    request = CreateMultipleAccountsRequest(count=12, base_asset_ids=["BTC", "ETH"], prefix="Dozen ")
    job = admin.create_multiple_accounts(request).result().data.job_id
    told = admin.get_create_multiple_vault_accounts_job_status(job).result().data
    assert told.status == "SUCCESS" and len(told.vault_accounts) == 12
    found = admin.get_paged_vault_accounts(name_prefix="Dozen ", order_by="ASC").result().data.accounts
    assert [a.name for a in found] == [f"Dozen {n}" for n in range(1, 13)]
    assert {a.id for a in found} == set(told.vault_accounts)
    assert all({w.id for w in a.assets} == {"BTC", "ETH"} for a in found)
    with refused(BadRequestException, 9004):
        admin.create_multiple_accounts(request).result()
    account = int(found[0].id)
    request = CreateMultipleDepositAddressesRequest(
        vault_account_id=account, asset_id="BTC", count=3, descriptions=["a", "b"]
    )
    job = admin.create_multiple_deposit_addresses(request).result().data.job_id
    told = admin.get_create_multiple_deposit_addresses_job_status(job).result().data
    assert [(a.index, a.description) for a in told.addresses] == [(1, "a"), (2, "b"), (3, "")]
    pages = admin.get_vault_account_asset_addresses_paginated(str(account), "BTC").result().data
    assert [a.address for a in pages.addresses[1:]] == [a.address for a in told.addresses]
    with refused(NotFoundException):
        admin.get_create_multiple_vault_accounts_job_status(job).result()


def test_a_wallet_is_active_as_it_is(fund):
    editor = fund["editor"]
    told = editor.sdk.vaults.activate_asset_for_vault_account(
        vault_account_id="1", asset_id="ETH"
    ).result()
    shown = editor.door.get("/v1/vault/accounts/1/ETH/addresses_paginated").json["addresses"]
    assert (told.data.status, told.data.address) == ("READY", shown[0]["address"])
    assert editor.door.post("/v1/vault/accounts/99999/ETH/activate", {}).code == 1006


def test_the_list_of_old_is_disabled(fund):
    answer = fund["editor"].door.get("/v1/vault/accounts")
    assert (answer.status, answer.code) == (400, 1037)

"""Whitelists changed, and the events that tell of it."""

import pytest
from fireblocks.exceptions import BadRequestException, NotFoundException, UnauthorizedException
from fireblocks.models.add_contract_asset_request import AddContractAssetRequest
from fireblocks.models.add_asset_to_external_wallet_request import AddAssetToExternalWalletRequest
from fireblocks.models.basic_address_request import BasicAddressRequest
from fireblocks.models.create_contract_request import CreateContractRequest
from fireblocks.models.create_internal_wallet_asset_request import CreateInternalWalletAssetRequest
from fireblocks.models.create_wallet_request import CreateWalletRequest
from fireblocks.models.create_webhook_request import CreateWebhookRequest
from fireblocks.models.set_customer_ref_id_request import SetCustomerRefIdRequest

from receiver import Keys, Receiver
from refusals import refused

ADDRESS = "0x52908400098527886E0F7030069857D2E4169EE7"


@pytest.fixture(scope="module")
def fund(lively):
    return lively.workspaces["mainnet"]


@pytest.fixture
def receiver(lively):
    receiver = Receiver(Keys(lively.jwks_url))
    yield receiver
    receiver.close()


def kinds(user):
    """Each kind of list: how a wallet is made, found, changed and deleted, and its codes."""
    internal, external, contracts = user.sdk.internal_wallets, user.sdk.external_wallets, user.sdk.contracts
    return {
        "internal_wallet": (
            lambda name: internal.create_internal_wallet(create_wallet_request=CreateWalletRequest(name=name)),
            internal.get_internal_wallet,
            lambda id, asset: internal.create_internal_wallet_asset(
                id,
                asset,
                create_internal_wallet_asset_request=CreateInternalWalletAssetRequest(address=ADDRESS),
            ),
            internal.delete_internal_wallet_asset,
            internal.delete_internal_wallet,
            (1202, 1204, 1215),
        ),
        "external_wallet": (
            lambda name: external.create_external_wallet(create_wallet_request=CreateWalletRequest(name=name)),
            external.get_external_wallet,
            lambda id, asset: external.add_asset_to_external_wallet(
                id,
                asset,
                add_asset_to_external_wallet_request=AddAssetToExternalWalletRequest(
                    BasicAddressRequest(address=ADDRESS)
                ),
            ),
            external.remove_asset_from_external_wallet,
            external.delete_external_wallet,
            (1302, 1304, 1315),
        ),
        "contract_wallet": (
            lambda name: contracts.create_contract(create_contract_request=CreateContractRequest(name=name)),
            contracts.get_contract,
            lambda id, asset: contracts.add_contract_asset(
                id, asset, add_contract_asset_request=AddContractAssetRequest(address=ADDRESS)
            ),
            contracts.delete_contract_asset,
            contracts.delete_contract,
            (1351, 1354, 1365),
        ),
    }


@pytest.mark.parametrize("kind", ["internal_wallet", "external_wallet", "contract_wallet"])
def test_from_beginning_to_end(fund, receiver, kind):
    make, find, add, remove, delete, (taken, unknown, there) = kinds(fund["editor"])[kind]
    events = [f"{kind}.asset.added", f"{kind}.asset.removed"]
    api = fund["admin"].sdk.webhooks_v2
    hook = api.create_webhook(
        CreateWebhookRequest(url=receiver.url(f"/{kind}"), events=events)
    ).result().data
    name = f"New {kind}"
    made = make(name).result().data
    assert (made.name, made.assets) == (name, [])
    with refused(BadRequestException, taken):
        make(name).result()
    entry = add(made.id, "ETH").result().data
    assert (entry.id, entry.address, entry.status) == ("ETH", ADDRESS, "APPROVED")
    with refused(BadRequestException, there):
        add(made.id, "ETH").result()
    with refused(BadRequestException, 1503):
        add(made.id, "NOSUCH").result()
    assert [a.id for a in find(made.id).result().data.assets] == ["ETH"]
    remove(made.id, "ETH").result()
    assert find(made.id).result().data.assets == []
    add(made.id, "USDC").result()
    delete(made.id).result()
    with refused(NotFoundException, unknown):
        find(made.id).result()
    with refused(NotFoundException, unknown):
        delete(made.id).result()
    receiver.wait("four events", lambda: len(receiver.deliveries) >= 4)
    told = [(event["eventType"], event["data"]["assetId"]) for event in receiver.events()]
    assert told == [(events[0], "ETH"), (events[1], "ETH"), (events[0], "USDC"), (events[1], "USDC")]
    api.delete_webhook(hook.id).result()
    with refused(UnauthorizedException, -8):
        kinds(fund["viewer"])[kind][0]("No").result()


def test_references(fund):
    api = fund["editor"].sdk.external_wallets
    made = api.create_external_wallet(
        create_wallet_request=CreateWalletRequest(name="With a reference")
    ).result().data
    api.set_external_wallet_customer_ref_id(
        made.id, SetCustomerRefIdRequest(customer_ref_id="x:1")
    ).result()
    assert api.get_external_wallet(made.id).result().data.customer_ref_id == "x:1"


def test_a_reference_of_an_internal_wallet(fund):
    api = fund["editor"].sdk.internal_wallets
    made = api.create_internal_wallet(create_wallet_request=CreateWalletRequest(name="Referred")).result().data
    api.set_customer_ref_id_for_internal_wallet(
        made.id, set_customer_ref_id_request=SetCustomerRefIdRequest(customer_ref_id="x:2")
    ).result()
    assert api.get_internal_wallet(made.id).result().data.customer_ref_id == "x:2"


def test_an_address_waits_for_the_quorum(manual):
    fund = manual.workspaces["mainnet"]
    make, find, add, *_ = kinds(fund["editor"])["external_wallet"]
    made = make("Waits").result().data
    assert add(made.id, "ETH").result().data.status == "WAITING_FOR_APPROVAL"
    transfer = {
        "assetId": "ETH", "amount": "0.01", "source": {"type": "VAULT_ACCOUNT", "id": "0"},
        "destination": {"type": "EXTERNAL_WALLET", "id": made.id},
    }
    assert fund["editor"].door.post("/v1/transactions", transfer).code == 1412
    fund.control("POST", f"/wallets/{made.id}/approve")
    assert find(made.id).result().data.assets[0].status == "APPROVED"
    assert fund["editor"].door.post("/v1/transactions", transfer).status == 200

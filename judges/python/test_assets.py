"""Assets and blockchains."""

import pytest
from fireblocks.exceptions import BadRequestException, NotFoundException, UnauthorizedException

from pages import by_cursor
from refusals import refused


@pytest.fixture(scope="module")
def api(fund):
    return fund["viewer"].sdk.blockchains_assets


@pytest.fixture(scope="module")
def assets(api):
    return by_cursor(api.list_assets)


@pytest.fixture(scope="module")
def chains(api):
    return by_cursor(api.list_blockchains)


def test_both_lists_name_the_same_assets(fund, assets):
    supported = fund["editor"].sdk.blockchains_assets.get_supported_assets().result().data
    assert {asset.id for asset in supported} == {asset.legacy_id for asset in assets}
    usdc = next(asset for asset in supported if asset.id == "USDC")
    assert (usdc.type, usdc.native_asset, usdc.decimals) == ("ERC20", "ETH", 6)
    with refused(UnauthorizedException, -8):
        fund["viewer"].sdk.blockchains_assets.get_supported_assets().result()


def test_a_testnet_has_its_own(seeded, assets):
    sdk = seeded.workspaces["testnet"]["viewer"].sdk
    other = {asset.legacy_id for asset in by_cursor(sdk.blockchains_assets.list_assets)}
    assert "ETH_TEST5" in other and not other & {asset.legacy_id for asset in assets}


def test_assets_filtered(api, assets, chains):
    def found(**filters):
        return [asset.legacy_id for asset in by_cursor(api.list_assets, **filters)]

    def those(takes):
        return [asset.legacy_id for asset in assets if takes(asset)]

    ethereum = next(chain.id for chain in chains if chain.legacy_id == "ETH")
    two = [assets[0].id, assets[3].id]
    assert found(symbol="USDC") == ["USDC"]
    assert found(asset_class="FT") == those(lambda a: a.asset_class == "FT") != []
    assert found(blockchain_id=ethereum) == those(lambda a: a.blockchain_id == ethereum) != []
    assert found(ids=two) == those(lambda a: a.id in two)
    assert found(scope="GLOBAL", deprecated=False) == those(lambda a: True)
    assert found(scope="LOCAL") == [] and found(deprecated=True) == []


def test_one_asset_by_either_id(api, assets):
    usdc = next(asset for asset in assets if asset.legacy_id == "USDC")
    assert usdc.decimals == 6 and usdc.onchain.standards == ["ERC20"]
    assert api.get_asset("USDC").result().data == usdc
    assert api.get_asset(usdc.id).result().data == usdc
    with refused(NotFoundException, 1504):
        api.get_asset("rando").result()


def test_blockchains(api, assets, chains):
    natives = {asset.id: asset for asset in assets if asset.asset_class == "NATIVE"}
    assert {chain.native_asset_id for chain in chains} == set(natives)
    for chain in chains:
        assert natives[chain.native_asset_id].blockchain_id == chain.id
    one = chains[0]
    assert api.get_blockchain(one.id).result().data == one
    assert api.get_blockchain(one.legacy_id).result().data == one
    with refused(NotFoundException, 1505):
        api.get_blockchain("rando").result()


def test_blockchains_filtered_and_paged(api, chains):
    def found(**filters):
        return [chain.legacy_id for chain in by_cursor(api.list_blockchains, **filters)]

    everything = [chain.legacy_id for chain in chains]
    assert found(page_size=2) == everything and len(everything) > 4
    assert found(protocol="EVM", page_size=1) == [
        chain.legacy_id for chain in chains if chain.onchain.protocol == "EVM"
    ]
    assert found(test=True) == [] and found(test=False) == everything
    assert found(deprecated=True) == [] and found(deprecated=False) == everything
    assert found(ids=[chains[1].id]) == [chains[1].legacy_id]


def test_what_cannot_be_asked(api, fund):
    for target in (
        "/v1/assets?pageSize=99",
        "/v1/assets?pageSize=1001",
        "/v1/assets?pageCursor=made-up",
        "/v1/assets?deprecated=perhaps",
        "/v1/assets?" + "&".join(f"ids={number}" for number in range(101)),
        "/v1/blockchains?pageSize=0",
        "/v1/blockchains?pageCursor=made-up",
        "/v1/blockchains?test=maybe",
    ):
        answer = fund["viewer"].door.get(target)
        assert (answer.status, answer.code) == (400, 1000), target
    with refused(BadRequestException, 1000):
        api.list_assets(page_cursor="made-up").result()

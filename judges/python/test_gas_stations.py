"""Gas stations: what they hold, and when they fuel."""

import pytest
from fireblocks.exceptions import BadRequestException, NotFoundException, UnauthorizedException
from fireblocks.models.gas_station_configuration import GasStationConfiguration

from refusals import refused


@pytest.fixture(scope="module")
def fund(lively):
    return lively.workspaces["mainnet"]


@pytest.fixture(scope="module")
def stations(fund):
    return fund["editor"].sdk.gas_stations


def configured(**told):
    return GasStationConfiguration(**told)


def test_there_is_one_for_a_chains_own_asset(fund, lively, stations):
    usual = stations.get_gas_station_info().result().data
    assert usual == stations.get_gas_station_by_asset_id(asset_id="ETH").result().data
    assert list(usual.balance) == ["ETH"] and float(usual.balance["ETH"]) > 1
    assert float(usual.configuration.gas_threshold) < float(usual.configuration.gas_cap)
    polygon = stations.get_gas_station_by_asset_id(asset_id="MATIC_POLYGON").result().data
    assert list(polygon.balance) == ["MATIC_POLYGON"]
    test = lively.workspaces["testnet"]["admin"].sdk.gas_stations
    assert list(test.get_gas_station_info().result().data.balance) == ["ETH_TEST5"]
    with refused(NotFoundException):
        stations.get_gas_station_by_asset_id(asset_id="BTC").result()
    with refused(BadRequestException, 1503):
        stations.get_gas_station_by_asset_id(asset_id="rando").result()
    with refused(BadRequestException, 1034):
        stations.get_gas_station_by_asset_id(asset_id="ETH_TEST5").result()
    with refused(UnauthorizedException, -8):
        fund["viewer"].sdk.gas_stations.get_gas_station_info().result()


def test_a_configuration_is_kept(stations):
    told = configured(gas_threshold="0.02", gas_cap="0.03", max_gas_price="55.5")
    assert stations.update_gas_station_configuration(gas_station_configuration=told).result().data.success
    now = stations.get_gas_station_info().result().data.configuration
    assert (now.gas_threshold, now.gas_cap, now.max_gas_price) == ("0.02", "0.03", "55.5")
    told = configured(gas_cap="5", gas_threshold="1", max_gas_price="null")
    stations.update_gas_station_configuration_by_asset_id(
        asset_id="MATIC_POLYGON", gas_station_configuration=told
    ).result()
    polygon = stations.get_gas_station_by_asset_id(asset_id="MATIC_POLYGON").result().data.configuration
    assert (polygon.gas_threshold, polygon.gas_cap, polygon.max_gas_price) == ("1", "5", None)
    assert stations.get_gas_station_info().result().data.configuration == now
    # What is not said stays.
    stations.update_gas_station_configuration(gas_station_configuration=configured(gas_cap="0.04")).result()
    later = stations.get_gas_station_info().result().data.configuration
    assert (later.gas_threshold, later.gas_cap, later.max_gas_price) == ("0.02", "0.04", "55.5")


@pytest.mark.parametrize(
    "told",
    [
        {"gas_threshold": "0"},
        {"gas_threshold": "-1"},
        {"gas_threshold": "0.5", "gas_cap": "0.5"},
        {"gas_threshold": "x"},
        {"gas_threshold": "1e-3"},
        {"gas_cap": "0." + "0" * 18 + "1", "gas_threshold": "0." + "0" * 19 + "1"},
        {"max_gas_price": "0"},
        {"max_gas_price": "cheap"},
    ],
)
def test_what_makes_no_sense_changes_nothing(stations, told):
    before = stations.get_gas_station_info().result().data
    with refused(BadRequestException, 1000 if "x" not in told.values() and "1e-3" not in told.values() else None):
        stations.update_gas_station_configuration(gas_station_configuration=configured(**told)).result()
    assert stations.get_gas_station_info().result().data == before


def test_no_gas_station_is_made_by_a_configuration(stations):
    told = configured(gas_threshold="1", gas_cap="2")
    with refused(NotFoundException):
        stations.update_gas_station_configuration_by_asset_id(
            asset_id="XRP", gas_station_configuration=told
        ).result()


def test_its_balance_is_a_wallets_own(fund, stations):
    before = float(stations.get_gas_station_info().result().data.balance["ETH"])
    place = {"type": "GAS_STATION", "id": "ETH", "assetId": "ETH"}
    fund.control("POST", "/deposits", {**place, "amount": "0.5"})
    fund.control("POST", "/withdrawals", {**place, "amount": "0.25"})
    after = stations.get_gas_station_info().result().data.balance["ETH"]
    assert abs(float(after) - before - 0.25) < 1e-9
    told = {"type": "EXCHANGE_ACCOUNT", "id": "rando", "assetId": "ETH", "amount": "1"}
    assert fund.sandbox.control("POST", f"/workspaces/{fund.id}/deposits", told)[0] == 404
    for asset in ("BTC", "ETH_TEST5", "rando"):
        told = {**place, "assetId": asset, "amount": "1"}
        assert fund.sandbox.control("POST", f"/workspaces/{fund.id}/deposits", told)[0] == 400, asset
    for amount in ("1000000", "0", "-1", "0.0000000000000000001"):
        told = {**place, "amount": amount}
        status, _ = fund.sandbox.control("POST", f"/workspaces/{fund.id}/withdrawals", told)
        assert status == 400, amount
    assert stations.get_gas_station_info().result().data.balance["ETH"] == after

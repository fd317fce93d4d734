"""The network: names in it, peers, connections that both sides must want."""

import json
import warnings

import pytest
from fireblocks.exceptions import BadRequestException, NotFoundException, UnauthorizedException
from fireblocks.models.create_network_id_request import CreateNetworkIdRequest
from fireblocks.models.custom_routing_dest import CustomRoutingDest
from fireblocks.models.network_connection import NetworkConnection
from fireblocks.models.network_connection_routing_policy_value import NetworkConnectionRoutingPolicyValue
from fireblocks.models.network_id_routing_policy_value import NetworkIdRoutingPolicyValue
from fireblocks.models.none_network_routing_dest import NoneNetworkRoutingDest
from fireblocks.models.set_network_id_discoverability_request import SetNetworkIdDiscoverabilityRequest
from fireblocks.models.set_network_id_name_request import SetNetworkIdNameRequest
from fireblocks.models.set_network_id_routing_policy_request import SetNetworkIdRoutingPolicyRequest
from fireblocks.models.set_routing_policy_request import SetRoutingPolicyRequest

from events import heard
from fresh import fresh
from pages import by_cursor
from refusals import refused
from rules import decide, waiting


@pytest.fixture(scope="module")
def fund(lively):
    return lively.workspaces["mainnet"]


@pytest.fixture(scope="module")
def network(fund):
    return fund["admin"].sdk.network_connections


def listed(network):
    """What the older list shows, which the client calls deprecated."""
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        return network.get_network_ids().result().data


def own(network):
    return next(i for i in listed(network) if i.routing_policy)


def peers(network):
    return [i for i in listed(network) if not i.routing_policy]


def peer(network, name):
    return next(i for i in peers(network) if i.name == name)


def connect(network, local, remote, policy=None):
    request = NetworkConnection(local_network_id=local, remote_network_id=remote, routing_policy=policy)
    return network.create_network_connection(network_connection=request).result().data


def custom(kind, account, of=NetworkConnectionRoutingPolicyValue):
    return of(CustomRoutingDest(scheme="CUSTOM", dst_type=kind, dst_id=account))


def test_names(fund, network):
    mine = own(network)
    assert mine.name == "Example Fund" and mine.is_discoverable
    assert mine.routing_policy["crypto"].actual_instance.dst_id == "0"
    assert {p.name for p in peers(network)} >= {"Northwind Trading", "Blue Harbor OTC"}
    assert "Quiet Family Office" not in {p.name for p in peers(network)}
    for one in [mine, *peers(network)]:
        assert network.get_network_id(network_id=one.id).result().data == one
    with refused(NotFoundException):
        network.get_network_id(network_id="rando").result()
    assert network.get_routing_policy_asset_groups().result().data == ["crypto", "fiat"]
    with refused(UnauthorizedException, -8):
        listed(fund["editor"].sdk.network_connections)


def test_search(network):
    def found(**filters):
        return {i.name for i in by_cursor(network.search_network_ids, **filters)}

    everybody = {i.name for i in listed(network)}
    assert found() == found(page_size=2) == everybody
    assert found(search="northWIND") == {"Northwind Trading"}
    assert found(search=own(network).id) == {"Example Fund"}
    assert found(exclude_self=True) == {p.name for p in peers(network)}
    assert found(only_self=True) == {"Example Fund"}
    assert not {"Northwind Trading", "Example Fund"} & found(exclude_connected=True)


def test_a_name_is_made_changed_and_deleted(network):
    request = CreateNetworkIdRequest(
        name="Desk", routing_policy={"crypto": custom("VAULT", "3", NetworkIdRoutingPolicyValue)}
    )
    made = network.create_network_id(create_network_id_request=request).result().data
    assert made.name == "Desk" and not made.is_discoverable
    assert made.routing_policy["crypto"].actual_instance.dst_id == "3"
    assert made.routing_policy["fiat"].actual_instance.scheme == "NONE"
    network.set_network_id_name(
        network_id=made.id, set_network_id_name_request=SetNetworkIdNameRequest(name="Desk 2")
    ).result()
    network.set_network_id_discoverability(
        network_id=made.id,
        set_network_id_discoverability_request=SetNetworkIdDiscoverabilityRequest(is_discoverable=True),
    ).result()
    none = NetworkIdRoutingPolicyValue(NoneNetworkRoutingDest(scheme="NONE"))
    network.set_network_id_routing_policy(
        network_id=made.id,
        set_network_id_routing_policy_request=SetNetworkIdRoutingPolicyRequest(routing_policy={"crypto": none}),
    ).result()
    now = network.get_network_id(network_id=made.id).result().data
    assert (now.name, now.is_discoverable) == ("Desk 2", True)
    assert now.routing_policy["crypto"].actual_instance.scheme == "NONE"
    with refused(BadRequestException, 1000):
        network.create_network_id(create_network_id_request=CreateNetworkIdRequest(name="Desk 2")).result()
    with refused(BadRequestException, 1000):
        network.create_network_id(create_network_id_request=CreateNetworkIdRequest(name=" ")).result()
    assert network.delete_network_id(network_id=made.id).result().data.success
    with refused(NotFoundException):
        network.get_network_id(network_id=made.id).result()
    theirs = peers(network)[0].id
    for how in (
        lambda: network.delete_network_id(network_id=theirs),
        lambda: network.set_network_id_name(
            network_id=theirs, set_network_id_name_request=SetNetworkIdNameRequest(name="Mine")
        ),
    ):
        with refused(NotFoundException):
            how().result()


def test_a_connection_to_its_end(fund, lively, network):
    mine, theirs = own(network), peer(network, "Blue Harbor OTC")
    kinds = ["connection.request.waiting_peer_approval", "connection.added", "connection.removed"]
    with heard(lively, fund, kinds) as events:
        made = connect(network, mine.id, theirs.id)
        assert made.status == "APPROVED"
        assert (made.local_network_id.name, made.remote_network_id.name) == (mine.name, theirs.name)
        assert {r.actual_instance.scheme for r in made.routing_policy.values()} == {"DEFAULT"}
        assert events(kinds[0])["data"]["status"] == "WAITING_FOR_PEER_APPROVAL"
        assert events(kinds[1])["data"]["id"] == made.id == events(kinds[1])["resourceId"]
        assert network.get_network(connection_id=made.id).result().data == made
        assert made in network.get_network_connections().result().data
        with refused(BadRequestException):
            connect(network, mine.id, theirs.id)
        told = network.check_third_party_routing(connection_id=made.id, asset_type="crypto").result().data
        assert told.is_third_party_routing and theirs.name in told.description
        told = network.check_third_party_routing(connection_id=made.id, asset_type="fiat").result().data
        assert not told.is_third_party_routing
        with refused(BadRequestException, 1000):
            network.check_third_party_routing(connection_id=made.id, asset_type="rando").result()
        request = SetRoutingPolicyRequest(routing_policy={"crypto": custom("VAULT", "7")})
        network.set_routing_policy(connection_id=made.id, set_routing_policy_request=request).result()
        now = network.get_network(connection_id=made.id).result().data.routing_policy
        assert now["crypto"].actual_instance.dst_id == "7" and now["fiat"].actual_instance.scheme == "DEFAULT"
        with refused(BadRequestException):
            network.delete_network_id(network_id=mine.id).result()
        assert network.delete_network_connection(connection_id=made.id).result().data.success
        assert events(kinds[2])["data"]["status"] == "REMOVED"
    assert network.get_network(connection_id=made.id).result().data.status == "REMOVED"
    with refused(BadRequestException):
        network.delete_network_connection(connection_id=made.id).result()
    assert connect(network, mine.id, theirs.id).id != made.id


def test_what_cannot_be_connected(network):
    mine, theirs = own(network).id, peer(network, "Meridian Custody").id
    for local, remote in [("rando", theirs), (theirs, theirs), (mine, "rando")]:
        with refused(NotFoundException):
            connect(network, local, remote)
    with refused(BadRequestException, 1000):
        connect(network, mine, mine)
    for policy in (
        {"crypto": custom("VAULT", "4000")},
        {"crypto": custom("VAULT", "x")},
        {"crypto": custom("EXCHANGE", "4")},
        {"fiat": custom("FIAT_ACCOUNT", "4")},
        {"rando": custom("VAULT", "0")},
    ):
        with refused(BadRequestException, 1000):
            connect(network, mine, theirs, policy)
    assert all(c.remote_network_id.id != theirs for c in network.get_network_connections().result().data)


def test_a_private_peer_is_reached_by_its_id(fund, network):
    made = json.loads(fund.control("POST", "/network_peers", {"name": "Behind the curtain"}))["id"]
    assert made not in {p.id for p in peers(network)}
    with refused(NotFoundException):
        network.get_network_id(network_id=made).result()
    connection = connect(network, own(network).id, made)
    assert connection.remote_network_id.name == "Behind the curtain"


def test_both_sides_decide(manual):
    fund = manual.workspaces["mainnet"]
    network = fund["admin"].sdk.network_connections
    mine, theirs = own(network).id, peer(network, "Meridian Custody").id

    def status(connection):
        return network.get_network(connection_id=connection.id).result().data.status

    def act(connection, what, expected=200):
        target = f"/workspaces/{fund.id}/network_connections/{connection.id}/{what}"
        assert manual.control("POST", target)[0] == expected, what

    for acts, end in [
        ([("approve", "WAITING_FOR_PEER_APPROVAL"), ("peer_reject", "REJECTED_BY_PEER")], None),
        ([("reject", "REJECTED")], None),
        ([("approve", "WAITING_FOR_PEER_APPROVAL")], "CANCELLED"),
        ([], "CANCELLED"),
        ([("approve", "WAITING_FOR_PEER_APPROVAL"), ("peer_approve", "APPROVED"), ("peer_remove", "REMOVED_BY_PEER")], None),
    ]:
        made = connect(network, mine, theirs)
        assert made.status == "WAITING_FOR_APPROVAL"
        act(made, "peer_approve", 400)
        for what, then in acts:
            act(made, what)
            assert status(made) == then
        if end:
            network.delete_network_connection(connection_id=made.id).result()
            assert status(made) == end
        act(made, "approve", 400)
    act(made, "rando", 404)


def test_the_quorum_decides_on_connections(manual):
    fund = fresh(manual)
    network = fund["admin"].sdk.network_connections
    local = own(network)
    known = {c.remote_network_id.id for c in network.get_network_connections().result().data}
    free = [one for one in peers(network) if one.id not in known]
    made = connect(network, local.id, free[0].id)
    status = lambda: network.get_network(connection_id=made.id).result().data.status
    asked = waiting(fund, "NETWORK_CONNECTION")
    members = fund.ask("GET", "/quorum")["members"]
    assert decide(fund, asked[-1], "approve", members[0])[0] == 200
    assert status() == "WAITING_FOR_APPROVAL"
    assert decide(fund, asked[-1], "approve", members[1])[0] == 200
    assert status() == "WAITING_FOR_PEER_APPROVAL", "then it is the peer's turn"
    network.delete_network_connection(connection_id=made.id).result()
    assert status() == "CANCELLED"
    made = connect(network, local.id, free[0].id)
    (asked,) = waiting(fund, "NETWORK_CONNECTION")
    network.delete_network_connection(connection_id=made.id).result()
    assert (status(), waiting(fund, "NETWORK_CONNECTION")) == ("CANCELLED", []), "nobody is asked any more"
    assert decide(fund, asked, "approve")[0] == 409
    fund.gone()

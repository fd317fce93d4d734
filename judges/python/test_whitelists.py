"""Internal wallets, external wallets and contracts."""

import pytest
from fireblocks.exceptions import NotFoundException, UnauthorizedException

from refusals import refused


@pytest.fixture(scope="module")
def editor(fund):
    return fund["editor"].sdk


def test_internal_wallets(editor):
    api = editor.internal_wallets
    wallets = api.get_internal_wallets().result().data
    assert wallets and all(wallet.assets for wallet in wallets)
    one = wallets[0]
    assert api.get_internal_wallet(one.id).result().data == one
    asset = api.get_internal_wallet_asset(one.id, one.assets[0].id).result().data
    assert (asset.id, asset.address, asset.status) == (
        one.assets[0].id,
        one.assets[0].address,
        "APPROVED",
    )
    unknown = "1f6e1a3c-8e0a-4d53-9b0a-3a5a5c1f0001"
    for ask in (
        lambda: api.get_internal_wallet(unknown),
        lambda: api.get_internal_wallet("no-uuid"),
        lambda: api.get_internal_wallet_asset(one.id, "NOSUCH"),
    ):
        with refused(NotFoundException, 1204):
            ask().result()


def test_internal_wallets_page_by_page(editor, fund):
    api = editor.internal_wallets
    for wallet in api.get_internal_wallets().result().data:
        found, cursor = [], None
        while True:
            page = api.get_internal_wallet_assets_paginated(wallet.id, page_size=1, page_cursor=cursor)
            told = page.result().data
            assert (told.total, told.data.id, told.data.name) == (len(wallet.assets), wallet.id, wallet.name)
            assert len(told.data.assets) == 1
            found += told.data.assets
            cursor = told.next
            if not cursor:
                break
        assert sorted(found, key=lambda a: a.id) == sorted(wallet.assets, key=lambda a: a.id) == found
        whole = api.get_internal_wallet_assets_paginated(wallet.id).result().data
        assert (whole.data.assets, whole.next) == (found, None)
    path = f"/v1/internal_wallets/{wallet.id}/assets"
    for query in ("pageSize=0", "pageSize=201", "pageSize=x", "pageCursor=x", "pageCursor=" + "a" * 600):
        answer = fund["editor"].door.get(f"{path}?{query}")
        assert (answer.status, answer.code) == (400, 1000), query
    with refused(NotFoundException, 1204):
        api.get_internal_wallet_assets_paginated("1f6e1a3c-8e0a-4d53-9b0a-3a5a5c1f0001").result()


def test_external_wallets(editor):
    api = editor.external_wallets
    wallets = api.get_external_wallets().result().data
    assert wallets and any("&" in wallet.name for wallet in wallets)
    one = wallets[-1]
    assert api.get_external_wallet(one.id).result().data == one
    asset = api.get_external_wallet_asset(one.id, one.assets[0].id).result().data
    assert (asset.id, asset.address, asset.tag) == (
        one.assets[0].id,
        one.assets[0].address,
        one.assets[0].tag,
    )
    assert asset.status == "APPROVED"
    for ask in (
        lambda: api.get_external_wallet("1f6e1a3c-8e0a-4d53-9b0a-3a5a5c1f0001"),
        lambda: api.get_external_wallet_asset(one.id, "NOSUCH"),
    ):
        with refused(NotFoundException, 1304):
            ask().result()


def test_contracts(editor, fund):
    api = editor.contracts
    contracts = api.get_contracts().result().data
    assert contracts
    one = contracts[0]
    assert api.get_contract(one.id).result().data == one
    assert api.get_contract_asset(one.id, one.assets[0].id).result().data.id == one.assets[0].id
    for ask in (
        lambda: api.get_contract("1f6e1a3c-8e0a-4d53-9b0a-3a5a5c1f0001"),
        lambda: api.get_contract_asset(one.id, "NOSUCH"),
    ):
        with refused(NotFoundException, 1354):
            ask().result()
    # The contract lets a viewer see the list, and nothing of it alone.
    viewer = fund["viewer"].sdk.contracts
    assert viewer.get_contracts().result().data == contracts
    with refused(UnauthorizedException, -8):
        viewer.get_contract(one.id).result()


def test_a_list_of_another_kind_is_unknown(editor):
    internal = editor.internal_wallets.get_internal_wallets().result().data[0].id
    with refused(NotFoundException, 1304):
        editor.external_wallets.get_external_wallet(internal).result()


def test_another_workspace_is_unknown(seeded, editor):
    other = seeded.workspaces["testnet"]["editor"].sdk.external_wallets
    theirs = other.get_external_wallets().result().data[0].id
    with refused(NotFoundException, 1304):
        editor.external_wallets.get_external_wallet(theirs).result()

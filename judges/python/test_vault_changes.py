"""New vault accounts, wallets and addresses; names of any kind; paging of addresses."""

import pytest
from fireblocks.exceptions import BadRequestException, NotFoundException, UnauthorizedException
from fireblocks.models.create_address_request import CreateAddressRequest
from fireblocks.models.create_vault_account_request import CreateVaultAccountRequest

from pages import by_after
from refusals import refused

NAMES = ["a/b", "ü ß 漢 🚪", "50% + 1 & more=?#", "  blanks  ", "=1+1", "<b>\"'\\", "%2F", "x" * 255]


@pytest.fixture(scope="module")
def fund(lively):
    return lively.workspaces["mainnet"]


@pytest.fixture(scope="module")
def editor(fund):
    return fund["editor"].sdk.vaults


@pytest.fixture(scope="module")
def admin(fund):
    return fund["admin"].sdk.vaults


def create(vaults, name, key=None, **more):
    request = CreateVaultAccountRequest(name=name, **more)
    return vaults.create_vault_account(request, idempotency_key=key).result().data


@pytest.fixture(scope="module")
def account(editor):
    return create(editor, "For wallets")


def test_a_new_account(editor):
    made = create(editor, "New", hidden_on_ui=True, customer_ref_id="acme:7_x-Y", auto_fuel=True)
    assert (made.name, made.hidden_on_ui, made.customer_ref_id) == ("New", True, "acme:7_x-Y")
    assert made.auto_fuel is True and made.assets == []
    assert editor.get_vault_account(made.id).result().data == made
    newest = editor.get_paged_vault_accounts(limit=1).result().data.accounts[0]
    assert newest == made


@pytest.mark.parametrize("name", NAMES)
def test_names_of_any_kind(editor, name):
    made = create(editor, name)
    assert made.name == name
    for filters in ({"name_prefix": name}, {"name_suffix": name}):
        found = editor.get_paged_vault_accounts(**filters).result().data.accounts
        assert [a.id for a in found] == [made.id], filters


def test_a_name_of_any_kind_stays_in_the_next_pages_url(fund, editor):
    for number in range(3):
        create(editor, f"page / ü+%&{number}")
    door = fund["viewer"].door
    page = door.get("/v1/vault/accounts_paged?limit=2&namePrefix=page%20%2F%20%C3%BC%2B%25%26").json
    follow = page["nextUrl"].removeprefix(f"http://{door.address}")
    rest = door.get(follow).json
    names = [a["name"] for a in page["accounts"] + rest["accounts"]]
    assert names == [f"page / ü+%&{number}" for number in (2, 1, 0)]
    back = door.get(rest["previousUrl"].removeprefix(f"http://{door.address}")).json
    assert back["accounts"] == page["accounts"]


def test_the_same_key_makes_one_account(editor, fund):
    made = create(editor, "Once", key="same")
    assert create(editor, "Once", key="same") == made
    with refused(BadRequestException, 9004):
        create(editor, "Once")
    with refused(BadRequestException, 9003):
        create(editor, "Twice", key="k" * 41)
    assert create(editor, "Twice", key="k" * 40).name == "Twice"
    # Reads do not know the header.
    headers = [("Idempotency-Key", "k" * 41)]
    door = fund["viewer"].door
    target = "/v1/vault/accounts_paged?limit=1"
    headers += [("X-API-Key", door.api_key), ("Authorization", f"Bearer {door.token(target)}")]
    assert door.get(target, headers=headers).status == 200


def test_accounts_that_cannot_be(fund, editor):
    with refused(UnauthorizedException, -8):
        create(fund["viewer"].sdk.vaults, "No")
    for request, code in (
        ({}, 1000),
        ({"name": ""}, 1000),
        ({"name": "x" * 256}, 1000),
        ({"name": "a\u0000b"}, 1000),
        ({"name": "No", "vaultType": "KEY_LINK"}, 1048),
        ({"name": "No", "customerRefId": "a b"}, 9001),
    ):
        answer = fund["editor"].door.post("/v1/vault/accounts", request)
        assert (answer.status, answer.code) == (400, code), request
    assert editor.get_paged_vault_accounts(name_prefix="No").result().data.accounts == []


def test_wallets(editor, admin, account):
    with refused(BadRequestException, 1038):
        admin.create_vault_account_asset(account.id, "USDC").result()
    eth = admin.create_vault_account_asset(account.id, "ETH").result().data
    assert eth.id == "ETH" and eth.address.startswith("0x")
    usdc = admin.create_vault_account_asset(account.id, "USDC").result().data
    assert usdc.address == eth.address, "a token lives at its chain's address"
    wallet = editor.get_vault_account_asset(account.id, "ETH").result().data
    assert (wallet.total, wallet.available) == ("0", "0")
    with refused(BadRequestException, 1026):
        admin.create_vault_account_asset(account.id, "ETH").result()
    with refused(BadRequestException, 1503):
        admin.create_vault_account_asset(account.id, "NOSUCH").result()
    with refused(BadRequestException, 1034):
        admin.create_vault_account_asset(account.id, "ETH_TEST5").result()
    with refused(NotFoundException, 1004):
        admin.create_vault_account_asset("99999", "ETH").result()


@pytest.fixture(scope="module")
def addresses(admin, account):
    """Seven addresses of one wallet."""
    first = admin.create_vault_account_asset(account.id, "BTC").result().data
    made = [first.address]
    for number in range(6):
        request = CreateAddressRequest(description=f"no. {number} / ü+%", customer_ref_id=f"c{number}")
        answer = admin.create_vault_account_asset_address(
            account.id, "BTC", create_address_request=request
        )
        made.append(answer.result().data.address)
    return made


def test_addresses_to_the_end(editor, account, addresses):
    ask = editor.get_vault_account_asset_addresses_paginated
    found, pages = by_after(
        lambda **more: ask(account.id, "BTC", **more), lambda page: page.addresses, limit=2
    )
    assert [address.address for address in found] == addresses
    assert len(set(addresses)) == 7 and len(pages) == 4
    assert [a.bip44_address_index for a in found] == list(range(7))
    assert (found[3].description, found[3].customer_ref_id) == ("no. 2 / ü+%", "c2")
    back = ask(account.id, "BTC", limit=2, before=pages[1].paging.before).result().data
    assert back.addresses == pages[0].addresses
    assert ask(account.id, "BTC").result().data.addresses == found


def test_the_bare_list_of_addresses(fund, account, addresses):
    answer = fund["viewer"].door.get(f"/v1/vault/accounts/{account.id}/BTC/addresses")
    assert [address["address"] for address in answer.json] == addresses


def test_addresses_that_cannot_be(fund, editor, admin, account, addresses):
    for ask, code in (
        (lambda: admin.create_vault_account_asset_address("99999", "BTC"), 1004),
        (lambda: admin.create_vault_account_asset_address(account.id, "DOGE"), 1006),
        (lambda: editor.get_vault_account_asset_addresses_paginated("99999", "BTC"), 1004),
        (lambda: editor.get_vault_account_asset_addresses_paginated(account.id, "DOGE"), 1006),
    ):
        with refused(NotFoundException, code):
            ask().result()
    with refused(BadRequestException, 1010):
        admin.create_vault_account_asset_address(account.id, "ETH").result()
    with refused(UnauthorizedException, -8):
        editor.create_vault_account_asset_address(account.id, "BTC").result()
    for query in ("limit=0", "limit=many", "after=made-up", "before=made-up", "after=MA&before=MA"):
        target = f"/v1/vault/accounts/{account.id}/BTC/addresses_paginated?{query}"
        answer = fund["viewer"].door.get(target)
        assert (answer.status, answer.code) == (400, 1000), query

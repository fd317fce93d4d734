"""Rate limits: by category, of each API user or of all, with the headers that clients look for."""

import pytest

from fresh import fresh
from protocol_categories import category
from sandbox import Sandbox

LIST, ONE = "/v1/vault/accounts_paged?limit=1", "/v1/vault/accounts/0"


@pytest.fixture
def fund(lively):
    workspace = fresh(lively, name="Rates")
    yield workspace
    workspace.gone()


def limits(fund, shared_by, **of):
    wanted = {"shared_by": shared_by, "window": 86_400, "limits": of}
    assert fund.ask("PUT", "/rate_limits", wanted)["rate_limits"] == wanted


def told(answer):
    names = ("Limit", "Remaining", "WindowSize")
    return tuple(answer.headers[f"X-RateLimit-{name}"] for name in names)


def test_there_are_none_unless_asked_for(fund):
    assert fund.ask("GET", "/rate_limits") == {"rate_limits": None}
    answer = fund["viewer"].door.get(LIST)
    assert told(answer) == (None, None, None)


@pytest.mark.parametrize("shared_by", ["user", "workspace"])
def test_under_at_and_over_the_limit(fund, shared_by):
    viewer, editor = fund["viewer"], fund["editor"]
    name = category("getPagedVaultAccounts")
    limits(fund, shared_by, **{name: 3})
    assert [told(viewer.door.get(LIST)) for _ in range(3)] == [("3", left, "86400") for left in "210"]
    over = viewer.door.get(LIST)
    assert over.status == 429 and told(over) == ("3", "0", "86400")
    assert 1 <= int(over.headers["Retry-After"]) <= 86_400
    assert editor.door.get(LIST).status == (200 if shared_by == "user" else 429)
    made = editor.door.post("/v1/vault/accounts", {"name": "Another category"})
    assert made.status == 200 and told(made) == (None, None, None)
    fund.ask("DELETE", "/rate_limits")
    assert viewer.door.get(LIST).status == 200


def test_the_official_client_waits_as_it_is_told(fund):
    wanted = {"shared_by": "user", "window": 1, "limits": {category("getPagedVaultAccounts"): 1}}
    fund.ask("PUT", "/rate_limits", wanted)
    for _ in range(3):
        page = fund["viewer"].sdk.vaults.get_paged_vault_accounts(limit=1).result()
        assert page.status_code == 200


def test_profiles(tmp_path, fund):
    seen = []
    for profile in ("sandbox", "testnet", "mainnet"):
        shown = fund.ask("PUT", "/rate_limits", {"profile": profile})["rate_limits"]
        assert shown["window"] == 60
        seen.append(shown["limits"])
    assert all(low[name] < mid[name] < high[name] for low, mid, high in [seen] for name in high)
    sandbox = Sandbox(tmp_path, "--rate-limits", "testnet")
    try:
        answer = sandbox.workspaces["mainnet"]["viewer"].door.get(ONE)
        assert int(told(answer)[0]) in seen[1].values() and told(answer)[2] == "60"
        assert told(fresh(sandbox)["viewer"].door.get(ONE))[0] == told(answer)[0]
    finally:
        sandbox.stop()


def test_what_cannot_be_set(fund):
    good = {"shared_by": "user", "window": 60, "limits": {"read": 5}}
    for bad in (
        {"profile": "moon"},
        {"window": 0},
        {"window": 86_401},
        {"limits": {"reads": 5}},
        {"limits": {"read": -1}},
        {"shared_by": "nobody"},
    ):
        body = bad if "profile" in bad else {**good, **bad}
        fund.ask("PUT", "/rate_limits", body, status=400)
    assert fund.ask("GET", "/rate_limits") == {"rate_limits": None}

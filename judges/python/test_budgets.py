"""What a provider hears whose budget is used up, judged by the official client."""

import time

import pytest
from fireblocks.exceptions import ApiException
from urllib3.exceptions import MaxRetryError

from gate import Gate


@pytest.fixture(scope="module")
def gate(tmp_path_factory):
    gate = Gate(tmp_path_factory.mktemp("gate"))
    yield gate
    gate.stop()


def granted(gate, name, **budgets):
    words = [word for item in budgets.items() for word in ("--budget", "=".join(map(str, item)))]
    gate.owner("connection", "change", name, *words, "--reason", "as agreed")


def page(user):
    return user.sdk.vaults.get_paged_vault_accounts(limit=1).result()


def test_the_official_client_waits_as_it_is_told_and_goes_on(gate):
    user, _ = gate.let_in("hasty", "viewer", [1])
    granted(gate, "hasty", requests_per_second=1)
    began = time.monotonic()
    assert [page(user).status_code for _ in range(3)] == [200] * 3
    assert time.monotonic() - began >= 1, "it was told to wait"


def test_a_day_that_is_used_up_is_an_error_soon_and_says_what_is_left(gate):
    user, _ = gate.let_in("greedy", "viewer", [1])
    granted(gate, "greedy", rows_per_day=2)
    assert [page(user).status_code for _ in range(2)] == [200] * 2
    over = user.door.get("/v1/vault/accounts_paged?limit=1")
    assert over.status == 429
    told = {name: int(over.headers[f"X-RateLimit-{name}"]) for name in ("Limit", "Remaining", "WindowSize", "Reset")}
    assert 0 < told.pop("Reset") <= 86_400
    assert told == {"Limit": 2, "Remaining": 0, "WindowSize": 86_400}
    assert int(over.headers["Retry-After"]) <= 5
    assert "rows_per_day" in over.json["message"]
    began = time.monotonic()
    with pytest.raises((ApiException, MaxRetryError)):
        page(user)
    assert time.monotonic() - began < 60, "its token's life"

"""Job management: the bulk jobs that no current client has methods for, and those it polls."""

import json

import pytest
from fireblocks.models.create_multiple_accounts_request import CreateMultipleAccountsRequest

from waiting import until

UNKNOWN = "1f6e1a3c-8e0a-4d53-9b0a-3a5a5c1f0001"


@pytest.fixture(scope="module")
def fund(manual):
    return manual.workspaces["mainnet"]


def begin(fund, count, prefix):
    vaults = fund["admin"].sdk.vaults
    request = CreateMultipleAccountsRequest(count=count, base_asset_ids=["ETH"], prefix=prefix)
    return vaults.create_multiple_accounts(create_multiple_accounts_request=request).result().data.job_id


def job(fund, of):
    return fund["admin"].door.get(f"/v1/batch/{of}").json


def polled(fund, of):
    vaults = fund["admin"].sdk.vaults
    return vaults.get_create_multiple_vault_accounts_job_status(of).result().data


def wish(fund, of, word):
    return fund["admin"].door.send("POST", f"/v1/batch/{of}/{word}").status


def work(fund):
    return json.loads(fund.control("POST", "/jobs/work"))["worked"]


def test_a_small_job_is_done_at_once(fund):
    of = begin(fund, 3, "Small ")
    told = job(fund, of)
    assert (told["state"], told["type"], told["tenantId"]) == ("COMPLETED", "CREATE_VAULT_ACCOUNTS", fund.id)
    assert told["userId"] == fund["admin"].id and told["created"] <= told["updated"]
    tasks = fund["admin"].door.get(f"/v1/batch/{of}/tasks").json
    assert tasks == told["tasks"] and len({task["id"] for task in tasks}) == 3
    assert all((task["jobId"], task["state"]) == (of, "COMPLETED") for task in tasks)
    assert len(polled(fund, of).vault_accounts) == 3
    for word in ("pause", "continue", "cancel"):
        assert wish(fund, of, word) == 409


def test_a_job_is_paused_and_goes_on(fund):
    of = begin(fund, 1_100, "Long ")
    assert (job(fund, of)["state"], polled(fund, of).status) == ("ACTIVE", "IN_PROGRESS")
    assert len(polled(fund, of).vault_accounts) == 500
    assert wish(fund, of, "continue") == 409
    assert wish(fund, of, "pause") == 200
    assert wish(fund, of, "pause") == 409
    assert work(fund) is False, "a paused job does not go on"
    states = [task["state"] for task in job(fund, of)["tasks"]]
    assert states == ["COMPLETED"] * 500 + ["PAUSED"] * 600
    assert wish(fund, of, "continue") == 200
    assert work(fund) and len(polled(fund, of).vault_accounts) == 1_000
    assert work(fund) and polled(fund, of).status == "SUCCESS"
    assert work(fund) is False
    assert len(polled(fund, of).vault_accounts) == 1_100


def test_a_canceled_job_leaves_what_it_made(fund):
    of = begin(fund, 501, "Cut ")
    assert wish(fund, of, "cancel") == 200
    assert work(fund) is False
    told = polled(fund, of)
    assert (told.status, len(told.vault_accounts)) == ("FAILED", 500) and "canceled" in told.error_message
    assert [task["state"] for task in job(fund, of)["tasks"]][499:] == ["COMPLETED", "CANCELED"]
    first = next(iter(told.vault_accounts))
    assert fund["admin"].sdk.vaults.get_vault_account(first).result().data.name == "Cut 1"
    assert wish(fund, of, "continue") == 409


def test_a_job_fails_where_it_cannot_go_on(fund):
    of = begin(fund, 502, "Clash ")
    assert fund["admin"].door.post("/v1/vault/accounts", {"name": "Clash 502"}).status == 200
    assert work(fund)
    told = polled(fund, of)
    assert (told.status, len(told.vault_accounts)) == ("FAILED", 500) and told.error_message
    assert job(fund, of)["state"] == "FAILED"


def test_jobs_of_a_range_of_time(fund):
    of = begin(fund, 1, "Ranged ")
    created = job(fund, of)["created"]
    ask = lambda query: [told["id"] for told in fund["admin"].door.get(f"/v1/batch/jobs{query}").json]
    assert ask("")[-1] == of
    assert ask(f"?fromTime={created}") == [of] == ask(f"?fromTime={created}&toTime={created}")
    assert of not in ask(f"?toTime={created - 1}") and ask(f"?fromTime={created + 1}") == []
    assert fund["admin"].door.get("/v1/batch/jobs?fromTime=x").status == 400


def test_no_such_job(fund):
    for unknown in (UNKNOWN, "x"):
        for path in (f"/v1/batch/{unknown}", f"/v1/batch/{unknown}/tasks"):
            assert fund["admin"].door.get(path).status == 404
        assert wish(fund, unknown, "pause") == 404


def test_by_itself_a_long_job_ends(lively):
    fund = lively.workspaces["testnet"]
    vaults = fund["admin"].sdk.vaults
    request = CreateMultipleAccountsRequest(count=600, base_asset_ids=[], prefix="By itself ")
    of = vaults.create_multiple_accounts(create_multiple_accounts_request=request).result().data.job_id
    until("it is through", lambda: polled(fund, of).status == "SUCCESS")
    assert len(polled(fund, of).vault_accounts) == 600

"""The audit log: who did what, and when."""

import json
import time

import pytest
from fireblocks.exceptions import BadRequestException, UnauthorizedException
from fireblocks.models.create_vault_account_request import CreateVaultAccountRequest
from fireblocks.models.set_auto_fuel_request import SetAutoFuelRequest
from fireblocks.models.update_vault_account_request import UpdateVaultAccountRequest

from refusals import refused
from rules import legacy, publish
from sandbox import Sandbox
from waiting import until

CATEGORIES = {
    "Administration", "Assets", "Developers", "Exchanges", "Keys", "Policies", "Security",
    "Settlements", "Transactions", "Wallets", "Web3", "Whitelist",
}  # fmt: skip


@pytest.fixture(scope="module")
def fund(manual):
    return manual.workspaces["testnet"]


@pytest.fixture(scope="module")
def admin(fund):
    return fund["admin"].sdk


def logs(sdk, **filters):
    return sdk.audit_logs.get_audit_logs(**filters).result().data


def everything(sdk, **filters):
    found, cursor = [], None
    while True:
        page = logs(sdk, page_cursor=cursor, **filters)
        found += page.data
        assert page.next == page.cursor
        cursor = page.next
        if not cursor:
            return found


def told(entries):
    return [(entry.subject, entry.event) for entry in entries]


def newest(sdk, count, **filters):
    return list(reversed(told(logs(sdk, page_size=count, **filters).data)))


def account(fund, name, user="editor"):
    vaults = fund[user].sdk.vaults
    request = CreateVaultAccountRequest(name=name)
    return vaults.create_vault_account(create_vault_account_request=request).result().data.id


def test_changes_of_accounts(fund, admin):
    vaults = fund["admin"].sdk.vaults
    made = account(fund, "Told", user="admin")
    vaults.update_vault_account(made, update_vault_account_request=UpdateVaultAccountRequest(name="Told anew")).result()
    vaults.hide_vault_account(made).result()
    vaults.unhide_vault_account(made).result()
    for on in (True, False):
        vaults.set_vault_account_auto_fuel(made, set_auto_fuel_request=SetAutoFuelRequest(auto_fuel=on)).result()
    assert newest(admin, 6, subject=["Vault"]) == [
        ("Vault", "Created"), ("Vault", "Renamed"), ("Vault", "Hidden"), ("Vault", "Made visible"),
        ("Vault", "Turned on auto-fueling"), ("Vault", "Turned off auto-fueling"),
    ]  # fmt: skip
    entry = logs(admin, page_size=1).data[0]
    assert (entry.user, entry.user_id, entry.tenant_id, entry.category) == ("admin", fund["admin"].id, fund.id, "Wallets")
    assert entry.id and entry.timestamp == entry.created_at
    assert abs(entry.timestamp - time.time() * 1000) < 60_000
    # What is refused is not told, and what is repeated is told once.
    before = told(everything(admin))
    assert fund["admin"].door.post("/v1/vault/accounts", {"name": "Told anew"}).status == 400
    request = CreateVaultAccountRequest(name="Once in the log")
    for _ in range(2):
        vaults.create_vault_account(create_vault_account_request=request, idempotency_key="once").result()
    assert len(everything(admin)) == len(before) + 1


def test_a_users_way_in(fund, admin):
    new = {"firstName": "Grace", "lastName": "H", "email": "grace@fund.example", "role": "ADMIN"}
    fund["non-signing-admin"].door.post("/v1/management/users", new)
    (request,) = json.loads(fund.control("GET", "/quorum"))["requests"]
    fund.control("POST", f"/quorum/{request['id']}/approve", {"user": fund["admin"].id})
    fund.control("POST", f"/quorum/{request['id']}/reject", {"user": request["owner"]})
    entries = list(reversed(logs(admin, subject=["New user"]).data))
    assert told(entries) == [("New user", "Submitted request"), ("New user", "Approved"), ("New user", "Rejected")]
    assert [entry.user for entry in entries] == ["non-signing-admin", "admin", "owner Example"]


def test_a_transactions_way(fund, admin):
    transfer = {
        "assetId": "ETH_TEST5", "amount": "0.01", "source": {"type": "VAULT_ACCOUNT", "id": "0"},
        "destination": {"type": "VAULT_ACCOUNT", "id": "1"},
    }
    editor = fund["editor"].door
    made = editor.post("/v1/transactions", transfer).json["id"]
    status = lambda: editor.get(f"/v1/transactions/{made}").json["status"]
    until("it waits", lambda: status() == "PENDING_AUTHORIZATION")
    fund.control("POST", f"/transactions/{made}/approve", {})
    until("it waits for its signer", lambda: status() == "PENDING_SIGNATURE")
    fund.control("POST", f"/transactions/{made}/sign", {})
    while status() != "COMPLETED":
        fund.control("POST", "/mine")
    entries = list(reversed(logs(admin, category=["Transactions"]).data))
    assert told(entries) == [
        ("Internal transaction", "Submitted"), ("Transaction", "Authorization request initiated"),
        ("Transaction", "Approved by 2nd tier"), ("Transaction", "Signed"), ("Internal transaction", "Completed"),
    ]  # fmt: skip
    assert [entry.user for entry in entries] == [
        "editor", "Fireblocks", "treasurer Example", "signing-officer Example", "Fireblocks",
    ]  # fmt: skip
    assert entries[-1].user_id is None
    fund.control("POST", "/incoming", {"vaultAccountId": "0", "assetId": "ETH_TEST5", "amount": "1"})
    assert newest(admin, 1) == [("Incoming transaction", "Submitted")]


def test_a_policys_way(fund, admin):
    def decide(word):
        (request,) = json.loads(fund.control("GET", "/quorum"))["requests"]
        fund.control("POST", f"/quorum/{request['id']}/{word}", {})

    publish(fund, legacy())
    decide("reject")
    publish(fund, legacy(), legacy(action="BLOCK"))
    decide("approve")
    entries = told(list(reversed(logs(admin, category=["Policies"]).data)))
    assert entries.count(("TAP", "Requested policy draft publishing")) == 2
    assert ("TAP", "Rejected policy") in entries
    assert entries[-1] == ("TAP", "Put policy into effect")
    assert entries[-2] == ("TAP", "Signed policy")


def test_filters(fund, admin):
    account(fund, "Filtered")
    entries = everything(admin)
    assert {entry.category for entry in entries} <= CATEGORIES
    for name in ("category", "subject", "event", "user", "user_id"):
        values = sorted({getattr(entry, name) for entry in entries if getattr(entry, name)})
        for wanted in (values[:1], values[:2]):
            found = everything(admin, **{name: wanted})
            assert found == [entry for entry in entries if getattr(entry, name) in wanted], name
        assert everything(admin, **{name: ["no such thing"]}) == []
        assert everything(admin, **{name: [values[0].upper() + "x"]}) == []
    both = everything(admin, subject=["Vault"], user=["editor"])
    assert both and all((e.subject, e.user) == ("Vault", "editor") for e in both)
    assert everything(admin, subject=["Vault"], category=["Developers"]) == []


def test_pages_to_the_end_while_entries_are_added(fund, admin):
    entries = everything(admin)
    assert len(entries) > 10
    for order in ("DESC", "ASC"):
        whole = everything(admin, order=order)
        assert whole == (entries if order == "DESC" else entries[::-1])
        assert everything(admin, order=order, page_size=3) == whole
    assert len({entry.id for entry in entries}) == len(entries)
    first = logs(admin, page_size=4)
    account(fund, "While paging")
    rest = everything_after(admin, first.next)
    assert first.data + rest == entries
    assert logs(admin, cursor=first.next, page_size=4).data == rest[:4], "the former name"
    assert everything(admin)[1:] == entries


def everything_after(sdk, cursor):
    found = []
    while cursor:
        page = logs(sdk, page_cursor=cursor, page_size=4)
        found += page.data
        cursor = page.next
    return found


def test_windows(fund, admin):
    entries = everything(admin)
    first, last = entries[-1].timestamp, entries[0].timestamp
    assert everything(admin, start_time=first, end_time=last) == entries, "the bounds count"
    inner = everything(admin, start_time=first + 1, end_time=last - 1)
    assert inner == [e for e in entries if first < e.timestamp < last]
    assert everything(admin, start_time=first, time_period="DAY") == entries
    now = int(time.time() * 1000)
    year = 365 * 86_400_000
    for good in ({"start_time": now - year + 60_000}, {"time_period": "WEEK"}):
        assert everything(admin, **good) == entries
    for bad in (
        {"start_time": now - year - 2 * 86_400_000}, {"start_time": last, "end_time": last},
        {"end_time": first - 2 * 86_400_000}, {"start_time": -5},
    ):  # fmt: skip
        with refused(BadRequestException):
            logs(admin, **bad)
    for bad in (
        "pageSize=0", "pageSize=501", "pageSize=x", "order=UP", "pageCursor=x", "pageCursor=7",
        "startTime=yesterday", "timePeriod=MONTH",
    ):  # fmt: skip
        assert fund["admin"].door.get(f"/v1/management/audit_logs?{bad}").status == 400, bad
    assert fund["admin"].door.get("/v1/management/audit_logs?pageSize=500").status == 200


def test_who_may_read_it(fund):
    for name in ("signer", "approver", "editor", "viewer"):
        with refused(UnauthorizedException, -8):
            logs(fund[name].sdk)
        assert fund[name].door.get("/v1/audits").code == -8
    assert logs(fund["non-signing-admin"].sdk).data


def test_as_older_clients_ask(fund, admin):
    answer = fund["admin"].door.get("/v1/audits?timePeriod=WEEK")
    entries = everything(admin)
    assert (answer.status, answer.json["total"]) == (200, len(entries))
    assert [entry["id"] for entry in answer.json["data"]] == [entry.id for entry in entries]
    assert fund["admin"].door.get("/v1/audits?timePeriod=YEAR").status == 400


def test_it_outlives_its_sandbox_and_ages(tmp_path):
    sandbox = Sandbox(tmp_path, data=tmp_path / "kept")
    try:
        account(sandbox.workspaces["mainnet"], "Before")
        sandbox.kill()
        sandbox = Sandbox(tmp_path, data=tmp_path / "kept")
        fund = sandbox.workspaces["mainnet"]
        account(fund, "After")
        assert told(everything(fund["admin"].sdk)) == [("Vault", "Created")] * 2
        assert sandbox.control("POST", "/clock/advance", {"millis": 2 * 86_400_000})[0] == 200
        account(fund, "Two days later")
        assert len(everything(fund["admin"].sdk)) == 1
        assert len(everything(fund["admin"].sdk, time_period="WEEK")) == 3
    finally:
        sandbox.stop()

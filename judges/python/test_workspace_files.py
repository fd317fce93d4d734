"""Workspaces described in files: shipped ones and a user's own, as the SDK reads them; what is wrong
with one is told, and nothing is started; making one that is killed leaves nothing half made."""

import json
import sqlite3
import subprocess
from decimal import Decimal

import pytest

from fresh import fresh
from sandbox import Sandbox, binary
from waiting import until

OWN = """
name = "Ours"

[[people]]
name = "boss"
role = "OWNER"

[[people]]
name = "eve"
role = "APPROVER"

[[api_users]]
name = "reader"
role = "VIEWER"

[[api_users]]
name = "root"
role = "ADMIN"

[[groups]]
name = "approvers"
members = ["eve", "boss"]

[quorum]
threshold = 1

[[policy]]
action = "2-TIER"
designatedSigners = { users = ["root"] }
authorizationGroups = { logic = "AND", groups = [{ usersGroups = ["approvers"], th = 1 }] }

[[tags]]
label = "cold"

[[accounts]]
name = "Vault {n:2}"
count = 3
customer_ref_id = "ref-{n}"
tags = ["cold"]
balances = { BTC = "1.25", USDC = ["10", "20"] }

[[accounts]]
names = ["Empty"]

[[whitelists]]
kind = "external"
name = "Kraken"
addresses = { BTC = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4" }

[[exchange_accounts]]
exchange = "KRAKEN"
name = "Kraken"
balances = { SPOT = { BTC = "0.5", USD = "100" } }

[[fiat_accounts]]
name = "Bank"
currency = "EUR"
balance = "12.50"

[[gas_stations]]
asset = "ETH"
balance = "1"
gas_threshold = "0.01"
gas_cap = "0.05"

[[webhooks]]
url = "https://hooks.example.com/x"
events = ["transaction.created"]

[history]
days = 30
transactions = 25
initiator = "root"
signer = "root"
"""


def accounts(user):
    page = user.sdk.vaults.get_paged_vault_accounts(limit=500).result().data
    return page.accounts


def command(*arguments):
    done = subprocess.run([binary(), "sandbox", *arguments], capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def described(tmp_path_factory):
    """A sandbox of the shipped treasury and of a file of one's own."""
    folder = tmp_path_factory.mktemp("described")
    (folder / "ours.toml").write_text(OWN)
    files = ["--workspace", "treasury", "--workspace", str(folder / "ours.toml")]
    sandbox = Sandbox(folder, "--manual", *files)
    yield sandbox
    sandbox.stop()


def named(sandbox, name):
    told = json.loads(sandbox.control("GET", "/workspaces")[1])["data"]
    return sandbox.by_id[next(one["id"] for one in told if one["name"] == name)]


@pytest.mark.parametrize("shipped", ["fund", "treasury", "empty"])
@pytest.mark.parametrize("network", ["mainnet", "testnet"])
def test_a_fresh_workspace_of_each_shipped_file(lively, shipped, network):
    made = fresh(lively, **{"from": {shipped: network}})
    reader = made["viewer"]
    count = {"fund": 36, "treasury": 11, "empty": 0}[shipped]
    assert len(accounts(reader)) == count
    history = reader.sdk.transactions.get_transactions(limit=500, after="0").result().data
    assert len(history) == {"fund": 500, "treasury": 250, "empty": 0}[shipped]
    total = reader.sdk.vaults.get_vault_assets().result().data
    assert bool(total) == (count > 0)
    assert all(Decimal(asset.total) >= 0 for asset in total)
    made.gone()


def test_a_file_of_ones_own_is_what_the_sdk_reads(described):
    ours = named(described, "Ours")
    reader, root = ours.users["reader"], ours.users["root"]
    assert set(ours.users) == {"reader", "root"}
    shown = accounts(reader)
    assert {account.name for account in shown} == {"Vault 01", "Vault 02", "Vault 03", "Empty"}
    vault = next(account for account in shown if account.name == "Vault 02")
    assert vault.customer_ref_id == "ref-2" and [tag.label for tag in vault.tags] == ["cold"]
    assert {asset.id for asset in vault.assets} == {"BTC", "ETH", "USDC"}
    history = reader.sdk.transactions.get_transactions(limit=500, after="0").result().data
    assert len(history) == 25
    kraken = reader.sdk.external_wallets.get_external_wallets().result().data
    assert [wallet.assets[0].address for wallet in kraken] == ["bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"]
    people = root.sdk.users.get_users().result().data
    assert {user.role for user in people} == {"OWNER", "APPROVER", "VIEWER", "ADMIN"}
    groups = root.door.get("/v1/management/user_groups").json
    assert [group["name"] for group in groups] == ["approvers"] and len(groups[0]["memberIds"]) == 2
    policy = root.door.get("/v1/tap/active_policy").json["policy"]["rules"]
    assert [rule["action"] for rule in policy] == ["2-TIER"]
    assert policy[0]["designatedSigners"]["users"] == [root.id]
    assert policy[0]["authorizationGroups"]["groups"][0]["usersGroups"] == [groups[0]["id"]]
    exchanges = root.door.get("/v1/exchange_accounts").json
    assert [one["name"] for one in exchanges] == ["Kraken"]
    assert [one["name"] for one in root.door.get("/v1/fiat_accounts").json] == ["Bank"]
    hooks = root.door.get("/v1/webhooks").json["data"]
    assert [hook["url"] for hook in hooks] == ["https://hooks.example.com/x"]
    status, quorum = described.control("GET", f"/workspaces/{ours.id}/quorum")
    assert status == 200 and json.loads(quorum)["settings"]["threshold"] == 1
    balances = {}
    for entry in history:
        if entry.status == "COMPLETED" and entry.asset_id == "BTC":
            amount = Decimal(entry.amount_info.amount)
            fee = Decimal((entry.fee_info and entry.fee_info.network_fee) or 0)
            if entry.source.type == "VAULT_ACCOUNT":
                balances[entry.source.id] = balances.get(entry.source.id, 0) - amount - fee
            if entry.destination.type == "VAULT_ACCOUNT":
                balances[entry.destination.id] = balances.get(entry.destination.id, 0) + amount
    for account in shown:
        for asset in account.assets:
            if asset.id == "BTC":
                moved = balances.get(account.id, 0)
                assert Decimal(asset.total) == Decimal("1.25") + moved, account.name


def test_fresh_ones_are_made_of_a_file_that_was_given(described):
    one = fresh(described, **{"from": {"file": "ours"}})
    other = fresh(described, **{"from": {"file": "ours"}})
    assert one.name == "Ours" and set(one.users) == {"reader", "root"}
    mine = {user.id for user in one["root"].sdk.users.get_users().result().data}
    theirs = {user.id for user in other["root"].sdk.users.get_users().result().data}
    assert len(mine) == 4 and mine.isdisjoint(theirs)
    group = one["root"].door.get("/v1/management/user_groups").json[0]
    assert set(group["memberIds"]) <= mine
    rules = one["root"].door.get("/v1/tap/active_policy").json["policy"]["rules"]
    assert rules[0]["designatedSigners"]["users"] == [one["root"].id]
    one["root"].door.post("/v1/vault/accounts", {"name": "More"})
    status, _ = described.control("POST", f"/workspaces/{one.id}/reset")
    assert status == 200 and len(accounts(one["reader"])) == 4
    status, answer = described.control("POST", "/workspaces", {"from": {"file": "theirs"}})
    assert status == 404 and "ours" in str(answer)


def test_what_is_wrong_is_told_and_nothing_is_started(tmp_path):
    bad = tmp_path / "bad.toml"
    bad.write_text('[[accounts]]\nname = "A"\nassets = ["BTX"]\n\n[[groups]]\nname = "g"\nmembers = []\n')
    data = tmp_path / "none" / "s.db"
    status, out, said = command("--data", str(data), "--workspace", str(bad))
    assert status == 1 and out == ""
    assert f"{bad}:3:11: no such asset on mainnet" in said and "did you mean BTC?" in said
    assert f'{bad}:7:11: the group "g" names nobody' in said
    assert not data.exists()
    status, out, said = command("check", str(bad), "fund")
    assert status == 1 and "fund: Example Fund" in out and f"{bad}:3:11" in said
    told = command("check", "--json", str(bad))[1]
    assert [(one["line"], one["column"]) for one in json.loads(told)["problems"]] == [(3, 11), (7, 11)]


def test_a_file_that_has_changed_is_refused(tmp_path):
    file, data = tmp_path / "f.toml", tmp_path / "s.db"
    file.write_text('[[accounts]]\nname = "A"\n')
    Sandbox(tmp_path, "--workspace", str(file), data=data).stop()
    file.write_text('[[accounts]]\nname = "B"\n')
    status, _, said = command("--data", str(data), "--workspace", str(file))
    assert status == 1 and "was made with another f" in said


def test_killed_while_a_workspace_is_made_leaves_nothing_of_it(tmp_path):
    file, data = tmp_path / "many.toml", tmp_path / "s.db"
    file.write_text('[[accounts]]\nname = "A {n}"\ncount = 40_000\nassets = ["XRP"]\n')
    arguments = ["--listen", "127.0.0.1:0", "--control", "127.0.0.1:0", "--data", str(data)]
    child = subprocess.Popen(
        [binary(), "sandbox", *arguments, "--workspace", str(file)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )

    def rows():
        if not data.exists():
            return 0
        with sqlite3.connect(f"file:{data}?mode=ro", uri=True) as books:
            try:
                return books.execute("SELECT count(*) FROM facts WHERE kind = 'account'").fetchone()[0]
            except sqlite3.OperationalError:
                return 0

    until("some of it is written", lambda: rows() > 0 or child.poll() is not None)
    child.kill()
    child.wait()
    assert 0 < rows()
    with sqlite3.connect(data) as books:
        assert books.execute("SELECT count(*) FROM workspaces").fetchone() == (0,)
    sandbox = Sandbox(tmp_path, "--workspace", "empty", data=data)
    listed = json.loads(sandbox.control("GET", "/workspaces")[1])["data"]
    sandbox.stop()
    assert [one["name"] for one in listed] == ["Empty Workspace"]
    assert rows() == 0, "what was half made is swept away"


def test_import_reads_as_a_viewer_alone_and_makes_a_file_of_the_same_shape(seeded, tmp_path):
    workspace = seeded.workspaces["mainnet"]
    url, made = seeded.base_url, tmp_path / "theirs.toml"

    def imported(name, *more):
        user, key = workspace.users[name], tmp_path / f"{name}.pem"
        key.write_text(user.secret)
        access = ["--url", url, "--key", str(key), "--api-key", user.id]
        return command("import", *access, "--days", "400", "--out", str(made), *more)

    for name in ["editor", "admin", "signer", "approver"]:
        status, _, said = imported(name)
        assert status == 1 and "cannot be shown to be a Viewer's" in said, name
        assert not made.exists()
    status, out, said = imported("viewer")
    assert status == 0, said
    text = made.read_text()
    viewer = workspace.users["viewer"]
    before = accounts(viewer)
    for account in before:
        assert f'"{account.name}"' not in text
    again = Sandbox(tmp_path, "--manual", "--workspace", str(made))
    reader = next(iter(again.by_id.values())).users["viewer"]
    after = accounts(reader)

    def shape(shown):
        return sorted(
            (account.hidden_on_ui or False, account.auto_fuel or False, sorted(asset.id for asset in account.assets))
            for account in shown
        )

    assert shape(before) == shape(after)
    for path in ["/v1/external_wallets", "/v1/internal_wallets", "/v1/contracts"]:
        lists = [
            sorted(sorted(asset["id"] for asset in wallet["assets"]) for wallet in user.door.get(path).json)
            for user in (viewer, reader)
        ]
        assert lists[0] == lists[1], path
    again.stop()


def test_import_from_exports(tmp_path):
    (tmp_path / "accounts.csv").write_text(
        "Account ID,Account Name,Asset,Total Balance\n0,Our Treasury,BTC,2.5\n0,Our Treasury,ETH,31\n7,Desk,ETH,4\n"
    )
    made = tmp_path / "made.toml"
    status, out, said = command("import", str(tmp_path / "accounts.csv"), "--out", str(made), "--seed", "3")
    assert status == 0, said
    text = made.read_text()
    assert "Treasury" not in text and "Desk" not in text and '"2.5"' not in text
    status, out, _ = command("check", str(made))
    assert status == 0 and "2 accounts, 3 wallets" in out
    first = text
    assert command("import", str(tmp_path / "accounts.csv"), "--out", str(made), "--seed", "3")[0] == 0
    assert made.read_text() == first

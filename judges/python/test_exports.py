"""Files as the Console exports them, read the way that people's scripts read them."""

import csv
import io
import json
from datetime import UTC, datetime
from decimal import Decimal


def exported(workspace, kind):
    text = workspace.control("GET", f"/exports/{kind}").decode()
    return list(csv.DictReader(io.StringIO(text)))


def test_the_log_of_transactions(fund):
    rows = exported(fund, "transactions")
    door, listed = fund["viewer"].door, {}
    target = "/v1/transactions?after=0&limit=500"
    while target:
        answer = door.get(target)
        listed |= {transaction["id"]: transaction for transaction in answer.json}
        link = answer.headers.get("next-page")
        target = link and link.removeprefix(f"http://{door.address}")
    assert [row["Fireblocks TxId"] for row in rows] == list(listed)
    for row in rows:
        told = listed[row["Fireblocks TxId"]]
        date = datetime.strptime(row["Date"], "%d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC)
        assert int(date.timestamp()) == told["createdAt"] // 1000
        assert (row["Status"], row["Asset"]) == (told["status"], told["assetId"])
        assert Decimal(row["Amount"]) == Decimal(told["amountInfo"]["amount"])
        assert row["Source"] == told["source"].get("name", "")
        assert row["Destination"] == told["destination"].get("name", "")
        assert (row["TxHash"], row["Note"]) == (told["txHash"], told["note"])
        assert bool(row["Created By"]) == bool(told["createdBy"])


def test_the_vault_accounts(fund):
    rows = exported(fund, "vault_accounts")
    accounts = fund["viewer"].door.get("/v1/vault/accounts_paged?limit=500").json["accounts"]
    expected = {(a["id"], a["name"], w["id"], w["total"]) for a in accounts for w in a["assets"]}
    found = {(r["Account ID"], r["Account Name"], r["Asset"], r["Total Balance"]) for r in rows}
    assert found == expected and len(rows) == len(found)


def test_no_cell_runs_in_a_spreadsheet(lively):
    workspace = lively.workspaces["mainnet"]
    editor = workspace["editor"]
    for name in ("=1+1", "+1", "-x", "@sum", "'quoted"):
        made = editor.door.post("/v1/vault/accounts", {"name": name})
        assert made.status == 200
        account = made.json["id"]
        assert workspace["admin"].door.send("POST", f"/v1/vault/accounts/{account}/SOL").status == 200
        arrival = {"vaultAccountId": account, "assetId": "SOL", "amount": "1"}
        workspace.control("POST", "/incoming", arrival)
        row = next(r for r in exported(workspace, "vault_accounts") if r["Account ID"] == account)
        assert row["Account Name"] == f"'{name}"
        row = exported(workspace, "transactions")[0]
        assert row["Destination"] == f"'{name}"


def test_whatever_is_refused_is_refused_in_json(seeded, fund):
    here = f"/workspaces/{fund.id}"
    for method, path, body, status in (
        ("GET", "/nothing", None, 404),
        ("GET", "/workspaces/no-uuid/exports/transactions", None, 400),
        ("GET", f"{here}/exports/secrets", None, 404),
        ("DELETE", "/workspaces", None, 405),
        ("POST", "/clock/advance", None, 400),
        ("POST", "/clock/advance", {"millis": -1}, 400),
        ("POST", "/clock/advance", {"millis": 1, "more": 1}, 400),
        ("POST", "/clock/advance", [1], 400),
        ("POST", f"{here}/incoming", {"amount": "x"}, 400),
        ("POST", f"{here}/transactions/{fund.id}/approve", {"user": "x"}, 400),
        ("POST", f"{here}/transactions/{fund.id}/frown", {}, 404),
        ("POST", f"{here}/transactions/no-uuid/approve", {}, 400),
        ("PUT", f"{here}/users/{fund.id}/ip_addresses", {"addresses": ["x"]}, 400),
    ):
        told = seeded.control(method, path, body)
        assert told[0] == status and json.loads(told[1])["message"], (path, told)
    status, answer = seeded.control("GET", "/nothing", token="guessed")
    assert status == 401 and json.loads(answer)["message"]
    for path in ("/downloads/x", f"/downloads/{fund.id}", "/downloads/%ff", "/nothing"):
        told = fund["viewer"].door.get(path)
        assert told.status == 404 and told.json["message"], path


def test_what_there_is(seeded, fund):
    status, answer = seeded.control("GET", "/workspaces")
    listed = json.loads(answer)["data"]
    assert status == 200 and {w["id"] for w in listed} == {w.id for w in seeded.workspaces.values()}
    ours = next(workspace for workspace in listed if workspace["id"] == fund.id)
    signers = [rule["designatedSigners"] for rule in ours["policy"] if "designatedSigners" in rule]
    assert signers[0]["users"], "who signs is named"
    assert seeded.control("GET", "/workspaces", token="guessed")[0] == 401
    assert seeded.control("GET", f"/workspaces/{fund.id}/exports/secrets")[0] == 404

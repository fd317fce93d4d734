"""Every list that comes in pages: to the end and back, in each order, at its bounds, and while rows are
added. Which lists these are is read from what the sandbox says it serves."""

import json
import urllib.parse
import urllib.request

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fresh import fresh
from handler import public_pem
from newcomers import made
from rules import decide, waiting

PAGING = {"limit", "pageSize", "pageCursor", "before", "after", "next", "prev", "cursor"}
# How a list's pages are asked for.
CURSOR, BETWEEN, HEADERS = "pageCursor", "before and after", "headers"


class List:
    """A list: its path, what tells its rows apart, where in the answer they are."""

    def __init__(self, path, key="id", rows="data", style=CURSOR, query="", add=None, who="admin"):
        self.path, self.key, self.rows, self.style = path, key, rows, style
        self.query, self.add, self.who = query, add, who


def new_account(fund, number):
    return fund["admin"].door.post("/v1/vault/accounts", {"name": f"Page {number}"})


def new_wallet(fund, number):
    account = new_account(fund, f"of {number}").json["id"]
    return fund["admin"].door.post(f"/v1/vault/accounts/{account}/SOL", {})


def new_address(fund, number):
    return fund["admin"].door.post("/v1/vault/accounts/0/BTC/addresses", {"description": str(number)})


def new_webhook(fund, number):
    body = {"url": f"https://hooks.example.com/{number}", "events": ["transaction.created"]}
    return fund["admin"].door.post("/v1/webhooks", body)


def new_tag(fund, number):
    return fund["admin"].door.post("/v1/tags", {"label": f"Page {number}"})


def new_report(fund, number):
    body = {"reportType": "ADDRESSES", "outputFormat": "CSV", "compress": bool(number % 2), "filters": {"vaultAccountIds": [str(number % 30)]}}
    return fund["admin"].door.post("/v1/reports", body)


def new_transaction(fund, number):
    return fund["signer"].door.post("/v1/transactions", {
        "assetId": "SOL", "amount": "0.01",
        "source": {"type": "VAULT_ACCOUNT", "id": "0"}, "destination": {"type": "VAULT_ACCOUNT", "id": "1"},
    })  # fmt: skip


def new_approval(fund, number):
    """A protected tag is renamed: that waits for the quorum."""
    tag = fund["admin"].door.post("/v1/tags", {"label": f"Protected {number}", "isProtected": True}).json["id"]
    body = json.dumps({"label": f"Renamed {number}"}).encode()
    return fund["admin"].door.send("PATCH", f"/v1/tags/{tag}", body)


def new_approval_key(fund, number):
    key = {"algorithm": "EDDSA_ED25519", "publicKeyPem": public_pem(Ed25519PrivateKey.generate())}
    admin = fund["admin"]
    body = {"name": f"Desk {number}", "approvalApiPublicKey": key}
    return admin.door.post(f"/v1/management/api_users/{admin.id}/approval_keys", body)


def new_cosigner(fund, name):
    body = {"apiKeyId": fund[name].id, "name": f"Machine of {name}"}
    assert fund["admin"].door.post("/v1/cosigners", body).status == 201
    for request in waiting(fund, "COSIGNER_KEY"):
        assert decide(fund, request, "approve")[0] == 200


LISTS = {
    "getApprovals": List("/approvals", key="requestPayload"),
    "getApprovalKeys": List("/management/api_users/{admin}/approval_keys"),
    "listAssets": List("/assets"),
    "listBlockchains": List("/blockchains"),
    "getConnectedAccounts": List("/connected_accounts"),
    "getConnectedAccountAllowlist": List("/connected_accounts/{connected}/allowlist"),
    "getConnectedAccountBalances": List("/connected_accounts/{connected}/balances", key=("assetId", "balanceType")),
    "getConnectedAccountTradingPairs": List("/connected_accounts/{connected}/manifest/capabilities/trading/pairs"),
    "getCosigners": List("/cosigners"),
    "getApiKeys": List("/cosigners/{cosigner}/api_keys"),
    "getEarnActions": List("/earn/actions"),
    "getEarnOpportunities": List("/earn/opportunities"),
    "getEarnPositions": List("/earn/positions"),
    "getEarnProviders": List("/earn/providers", key="providerId"),
    "getPagedExchangeAccounts": List("/exchange_accounts/paged", rows="exchanges", style=BETWEEN),
    "getInternalWalletAssetsPaginated": List("/internal_wallets/{internal}/assets", rows=("data", "assets")),
    "getAuditLogs": List("/management/audit_logs"),
    "searchNetworkIds": List("/network_ids/search"),
    "listOwnedTokens": List("/nfts/ownership/assets"),
    "listOwnedCollections": List("/nfts/ownership/collections"),
    "getOwnershipTokens": List("/nfts/ownership/tokens", key=None),
    "getNFTs": List("/nfts/tokens", query="ids={tokens}"),
    "listReports": List("/reports", add=new_report),
    "getSecurityFindings": List("/security/fspm/findings", who="security-admin"),
    "getPositionRelatedTransactions": List("/staking/positions/{position}/related_transactions", key="txId"),
    "getPositions": List("/staking/positions_paginated"),
    "getTags": List("/tags", add=new_tag),
    "getOrders": List("/trading/orders"),
    "getTradingProviders": List("/trading/providers"),
    "getTransactions": List("/transactions", rows=None, style=HEADERS, add=new_transaction),
    "getUtxos": List("/utxo_management/0/BTC/unspent_outputs", key="input"),
    "getVaultAccountAssetAddressesPaginated": List(
        "/vault/accounts/0/BTC/addresses_paginated", key="address", rows="addresses", style=BETWEEN, add=new_address
    ),
    "getPagedVaultAccounts": List("/vault/accounts_paged", rows="accounts", style=BETWEEN, add=new_account),
    "getAssetWallets": List(
        "/vault/asset_wallets", key=("vaultId", "assetId"), rows="assetWallets", style=BETWEEN, add=new_wallet
    ),
    "getWebhooks": List("/webhooks", add=new_webhook),
    "getNotifications": List("/webhooks/{webhook}/notifications"),
    "getNotificationAttempts": List("/webhooks/{webhook}/notifications/{notification}/attempts", key="sentTime"),
}


@pytest.fixture(scope="module")
def served(manual):
    """What the sandbox says of its paged lists: by operation, its parameters and their schemas."""
    document = json.loads(urllib.request.urlopen(manual.origin + "/openapi.json").read())
    found = {}
    for path in document["paths"].values():
        for operation in path.values():
            query = {p["name"]: p["schema"] for p in operation.get("parameters", []) if p["in"] == "query"}
            if PAGING & set(query):
                found[operation["operationId"]] = query
    return found


@pytest.fixture(scope="module")
def fund(manual, tmp_path_factory):
    fund = fresh(manual)
    newcomer = made(tmp_path_factory.mktemp("newcomer"), manual, fund, "SECURITY_ADMIN")
    fund.control("POST", f"/users/{newcomer.id}/approve")
    fund.users["security-admin"] = newcomer
    return fund


@pytest.fixture(scope="module")
def names(fund):
    """What stands in the lists' paths."""
    admin, signer = fund["admin"].door, fund["signer"].door
    get = lambda path: admin.get("/v1" + path).json
    webhook = admin.post("/v1/webhooks", {"url": "http://127.0.0.1:9/", "events": ["transaction.created", "transaction.status.updated"]}).json["id"]
    for number in range(3):
        new_webhook(fund, f"first {number}")
        new_tag(fund, f"first {number}")
        new_report(fund, number)
        new_address(fund, number)
        assert new_approval(fund, number).status < 300
        assert new_transaction(fund, number).status == 200
    for number in range(2):  # More than two of one user there cannot be.
        assert new_approval_key(fund, number).status < 300
    new_cosigner(fund, "signer")
    new_cosigner(fund, "admin")
    signer.post("/v1/staking/providers/kiln/approveTermsOfService", {})
    stake = lambda amount: signer.post("/v1/staking/chains/SOL/stake", {"vaultAccountId": "1", "providerId": "kiln", "stakeAmount": amount}).json["id"]
    positions = [stake("1"), stake("2"), stake("3")]
    through(fund)
    fund.ask("POST", "/clock/advance", {"millis": 4 * 24 * 3_600_000})
    signer.post("/v1/staking/chains/SOL/unstake", {"id": positions[0]})
    through(fund)
    notification = get(f"/webhooks/{webhook}/notifications")["data"][-1]["id"]
    internal = max(get("/internal_wallets"), key=lambda wallet: len(wallet["assets"]))["id"]
    return {
        "admin": fund["admin"].id,
        "connected": get("/connected_accounts")["data"][0]["id"],
        "cosigner": get("/cosigners")["data"][-1]["id"],
        "internal": internal,
        "position": positions[0],
        "tokens": ",".join(token["id"] for token in get("/nfts/ownership/tokens")["data"][:5]),
        "webhook": webhook,
        "notification": notification,
    }


def through(fund):
    """Everything that waits for a signature is signed, and mined."""
    for _ in range(12):
        waiting = fund["admin"].door.get("/v1/transactions?status=PENDING_SIGNATURE").json
        for one in waiting:
            fund.control("POST", f"/transactions/{one['id']}/sign", {})
        if json.loads(fund.control("POST", "/mine"))["moved"] == 0 and not waiting:
            return


class Walk:
    """A list in pages of a size, from some place."""

    def __init__(self, fund, names, one, size, **query):
        self.door, self.one = fund[one.who].door, one
        self.path = "/v1" + one.path.format(**names)
        self.query = [*urllib.parse.parse_qsl(one.query.format(**names)), *query.items()]
        if size is not None:
            self.query.append(("pageSize" if one.style == CURSOR else "limit", size))

    def page(self, *more):
        """Its rows' keys, and how to get the next and the one before."""
        target = self.path
        query = urllib.parse.urlencode([*self.query, *more])
        return self.at(f"{target}?{query}" if query else target)

    def at(self, target):
        answer = self.door.get(target)
        assert answer.status == 200, (target, answer.json)
        rows = answer.json
        for part in self.one.rows if isinstance(self.one.rows, tuple) else filter(None, [self.one.rows]):
            rows = rows[part]
        keys = [self.of(row) for row in rows]
        if self.one.style == CURSOR:
            next = answer.json.get("next") or answer.json.get("paging", {}).get("next")
            return keys, ("pageCursor", next) if next else None, None
        if self.one.style == BETWEEN:
            paging = answer.json.get("paging") or {}
            link = lambda name: (name, paging[name]) if paging.get(name) else None
            return keys, link("after"), link("before")
        return keys, answer.headers.get("next-page"), answer.headers.get("prev-page")

    def of(self, row):
        key = self.one.key
        if key is None:
            return json.dumps(row)
        return tuple(str(row[part]) for part in key) if isinstance(key, tuple) else json.dumps(row[key])

    def follow(self, link):
        if isinstance(link, tuple):
            return self.page(link)
        parts = urllib.parse.urlsplit(link)
        return self.at(f"{parts.path}?{parts.query}")

    def pages(self, between=lambda: None):
        """All pages, to the end."""
        keys, next, _ = self.page()
        found = [keys]
        while next:
            between()
            keys, next, _ = self.follow(next)
            found.append(keys)
            assert len(found) < 2_000, "it has no end"
        return found


def flat(pages):
    return [key for page in pages for key in page]


def test_every_paged_list_is_tested(served):
    assert set(served) == set(LISTS)


# The greatest page where the contract names none.
MOST = {"getTransactions": 500, "getVaultAccountAssetAddressesPaginated": 1_000}


def bounds(served, operation):
    schema = served[operation].get("pageSize") or served[operation].get("limit")
    return schema.get("minimum", 1), schema.get("maximum") or MOST[operation]


@pytest.mark.parametrize("operation", LISTS)
def test_to_the_end_and_back(fund, names, served, operation):
    one = LISTS[operation]
    least, most = bounds(served, operation)
    whole = flat(Walk(fund, names, one, most).pages())
    assert len(whole) == len(set(whole)) and len(whole) > 1, whole
    size = least if least > 1 else 2 if len(whole) > 3 else 1
    walk = Walk(fund, names, one, size)
    pages = walk.pages()
    assert flat(pages) == whole
    assert len(pages) > 1 or least > len(whole), "it has several pages"
    assert all(len(page) == size for page in pages[:-1]) and 0 < len(pages[-1]) <= size
    if one.style == CURSOR or len(pages) < 2:
        return
    keys, next, back = walk.page()
    assert back is None, "nothing is before the first"
    while next:
        keys, next, back = walk.follow(next)
    seen = [keys]
    while back:
        keys, _, back = walk.follow(back)
        seen.insert(0, keys)
    assert seen == pages


@pytest.mark.parametrize("operation", LISTS)
def test_sizes(fund, names, served, operation):
    one = LISTS[operation]
    least, most = bounds(served, operation)
    name = "pageSize" if one.style == CURSOR else "limit"
    path = "/v1" + one.path.format(**names)
    fixed = urllib.parse.parse_qsl(one.query.format(**names))
    for size, status in ((least, 200), (least - 1, 400), (most, 200), (most + 1, 400), ("x", 400), ("1.5", 400)):
        target = f"{path}?{urllib.parse.urlencode([*fixed, (name, size)])}"
        assert fund[one.who].door.get(target).status == status, target


@pytest.mark.parametrize("operation", [operation for operation in LISTS if LISTS[operation].style != HEADERS])
def test_cursors_are_those_of_answers(fund, names, operation):
    """(Of transactions before and after are moments.)"""
    one = LISTS[operation]
    path = "/v1" + one.path.format(**names)
    cursors = ["pageCursor"] if one.style == CURSOR else ["before", "after"]
    size = ("pageSize" if one.style == CURSOR else "limit", 100 if operation == "listAssets" else 2)
    for cursor in cursors:
        for text in ("x", "%00", "e30", "7b7d", "a" * 5_000):
            fixed = urllib.parse.parse_qsl(one.query.format(**names))
            target = f"{path}?{urllib.parse.urlencode([*fixed, size, (cursor, text)])}"
            answer = fund[one.who].door.get(target)
            assert answer.status == 400, (target[:200], answer.status)


def orders(query):
    """Which of its parameters turns a list round."""
    named = (name for name in ("order", "orderBy", "sort") if "ASC" in query.get(name, {}).get("enum", []))
    return next(named, None)


# The lists that can be turned round.
ORDERED = {
    "getApiKeys": "order", "getAssetWallets": "orderBy", "getAuditLogs": "order", "getConnectedAccountAllowlist": "order",
    "getCosigners": "order", "getEarnActions": "order", "getEarnOpportunities": "order", "getEarnPositions": "order",
    "getEarnProviders": "order", "getNFTs": "order", "getNotifications": "order", "getOrders": "order",
    "getOwnershipTokens": "order", "getPagedVaultAccounts": "orderBy", "getPositionRelatedTransactions": "order",
    "getPositions": "order", "getTransactions": "sort", "getUtxos": "order", "getWebhooks": "order",
    "listOwnedCollections": "order", "listOwnedTokens": "order", "listReports": "order",
}  # fmt: skip


def test_every_order_is_tested(served):
    assert {operation: orders(query) for operation, query in served.items() if orders(query)} == ORDERED


@pytest.mark.parametrize(("operation", "name"), list(ORDERED.items()))
def test_both_orders(fund, names, served, operation, name):
    one = LISTS[operation]
    size = bounds(served, operation)[1]
    up = flat(Walk(fund, names, one, size, **{name: "ASC"}).pages())
    down = flat(Walk(fund, names, one, size, **{name: "DESC"}).pages())
    assert up == down[::-1] and len(up) > 1
    path = "/v1" + one.path.format(**names)
    assert fund[one.who].door.get(f"{path}?pageSize=2&limit=2&{name}=UP").status == 400


@pytest.mark.parametrize("operation", [operation for operation, one in LISTS.items() if one.add])
def test_rows_may_be_added_meanwhile(fund, names, operation):
    """What was there at the beginning comes once, whatever is added."""
    one = LISTS[operation]
    there = flat(Walk(fund, names, one, 100).pages())
    count = [0]

    def add():
        if count[0] < 3:
            count[0] += 1
            answer = one.add(fund, f"{operation} {count[0]}" if operation != "listReports" else 20 + count[0])
            assert answer.status in (200, 201, 202), answer.json

    size = 2
    if operation == "getAssetWallets":
        size = 50
    seen = flat(Walk(fund, names, one, size).pages(add))
    assert count[0] > 0
    assert len(seen) == len(set(seen))
    assert [key for key in seen if key in set(there)] == there


def test_pages_of_transactions_do_not_change_direction(fund):
    door = fund["viewer"].door
    first = door.get("/v1/transactions?limit=1")
    token = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(first.headers["next-page"]).query))
    second = door.get(first.headers["next-page"].removeprefix(fund.sandbox.origin))
    back = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(second.headers["prev-page"]).query))
    both = urllib.parse.urlencode({"limit": 1, "next": token["next"], "prev": back["prev"]})
    answer = door.get(f"/v1/transactions?{both}")
    assert (answer.status, answer.json["code"]) == (400, 1408)


def test_transactions_of_the_last_90_days(fund):
    """Where nobody says from when; any of before and after says it."""
    door = fund["viewer"].door
    now = fund.ask("POST", "/clock/advance", {"millis": 0})["now"]
    day = 24 * 3_600_000
    walk = lambda **query: Walk(fund, {}, LISTS["getTransactions"], 500, **query)
    ages = lambda keys: [now - door.get(f"/v1/transactions/{json.loads(key)}").json["createdAt"] for key in (keys[0], keys[-1])]
    usual, everything = flat(walk().pages()), flat(walk(after="0").pages())
    assert len(everything) > len(usual) > 0
    assert max(ages(usual)) <= 90 * day < max(ages(everything))
    before = flat(walk(before=str(now - 100 * day)).pages())
    assert before and min(ages(before)) > 100 * day
    assert set(usual) == {key for key in everything if key in set(usual)}
    later = flat(walk(after=str(now - 30 * day)).pages())
    assert max(ages(later)) < 30 * day and set(later) < set(usual)

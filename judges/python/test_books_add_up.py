"""Random histories: what the wallets hold is what a ledger of the test's own says, after every step."""

import json
import random
import threading
from decimal import Decimal

import pytest

from fresh import fresh
from money import transfer
from sandbox import Sandbox

ASSETS = ("ETH", "USDC", "BTC", "SOL", "DOGE")
BASE = {"USDC": "ETH"}
ACCOUNTS = (0, 1, 2, 3)
STEPS = 120
NAMES = ("available", "pending", "frozen", "lockedAmount", "staked")


class Ledger:
    """Totals by wallet, moved by what the generator knows of its own transactions."""

    def __init__(self, user):
        self.totals = {key: Decimal(wallet["total"]) for key, wallet in wallets(user).items()}
        self.under_way = {}

    def put(self, account, asset, amount):
        self.totals[str(account), asset] += amount

    def see(self, one, told):
        """A transaction is so far now."""
        before, status = one["status"], told["status"]
        if status == before:
            return
        one["status"] = status
        arrived = before in ("CONFIRMING", "COMPLETED")
        fee = Decimal(told.get("feeInfo", {}).get("networkFee", "0"))
        if status in ("CONFIRMING", "COMPLETED") and not arrived and one["to"] is not None:
            self.put(one["to"], one["asset"], one["amount"])
        if status == "COMPLETED" and one["from"] is not None:
            self.put(one["from"], one["asset"], -one["amount"])
            self.put(one["from"], BASE.get(one["asset"], one["asset"]), -fee)
        if status == "FAILED" and arrived and one["to"] is not None:
            self.put(one["to"], one["asset"], -one["amount"])
        if status == "FAILED" and told["subStatus"] == "SMART_CONTRACT_EXECUTION_FAILED":
            self.put(one["from"], BASE.get(one["asset"], one["asset"]), -fee)


def wallets(user):
    told = user.door.get("/v1/vault/asset_wallets?limit=1000").json["assetWallets"]
    return {(wallet["vaultId"], wallet["assetId"]): wallet for wallet in told}


def check(user, ledger, history):
    for key, wallet in wallets(user).items():
        total = Decimal(wallet["total"])
        assert total == sum(Decimal(wallet[name]) for name in NAMES), (key, wallet, history[-3:])
        assert all(Decimal(wallet[name]) >= 0 for name in NAMES), (key, wallet, history[-3:])
        assert total == ledger.totals[key], (key, total, ledger.totals[key], history[-6:])


def coins_are_the_balance(user):
    for account in ACCOUNTS:
        for asset in ("BTC", "DOGE"):
            coins = user.door.get(f"/v1/vault/accounts/{account}/{asset}/unspent_inputs").json
            pending = [coin for coin in coins if coin["status"] == "PENDING"]
            wallet = wallets(user)[str(account), asset]
            held = sum(Decimal(coin["amount"]) for coin in coins) - sum(
                Decimal(coin["amount"]) for coin in pending
            )
            assert held == Decimal(wallet["total"]) - Decimal(wallet["pending"]), (account, asset)


class History:
    """Acts of people and chain, by chance."""

    def __init__(self, workspace, seed):
        self.workspace, self.user = workspace, workspace["signer"]
        self.chance = random.Random(seed)
        self.ledger = Ledger(self.user)
        self.log = []

    def step(self):
        self.do()
        self.look()

    def do(self):
        acts = (self.send, self.send, self.receive, self.mine, self.mine, self.sign, self.fail, self.cancel, self.reorganise)
        self.chance.choice(acts)()

    def look(self):
        for transaction, one in list(self.ledger.under_way.items()):
            self.ledger.see(one, self.user.door.get(f"/v1/transactions/{transaction}").json)
        check(self.user, self.ledger, self.log)

    def one_of(self, *statuses):
        fits = [id for id, one in self.ledger.under_way.items() if one["status"] in statuses]
        return self.chance.choice(sorted(fits)) if fits else None

    def act(self, what, transaction, **body):
        path = f"/workspaces/{self.workspace.id}/transactions/{transaction}/{what}"
        status, answer = self.workspace.sandbox.control("POST", path, body)
        self.log.append((what, transaction, status))
        assert status in (200, 409), answer

    def send(self):
        asset, source = self.chance.choice(ASSETS), self.chance.choice(ACCOUNTS)
        held = Decimal(wallets(self.user)[str(source), asset]["available"])
        amount = (held * Decimal(self.chance.randint(1, 40)) / 100).quantize(Decimal("0.000001"))
        to = self.chance.choice([account for account in ACCOUNTS if account != source])
        request = transfer(asset, str(amount), source, to)
        if self.chance.random() < 0.1:
            request["gasLimit" if asset in ("ETH", "USDC") else "note"] = "20000"
        answer = self.user.door.post("/v1/transactions", request)
        self.log.append(("send", request, answer.status))
        if answer.status == 200:
            self.remember(answer.json["id"], source, to, asset, amount)

    def receive(self):
        asset, to = self.chance.choice(ASSETS), self.chance.choice(ACCOUNTS)
        amount = Decimal(self.chance.randint(1, 10**6)) / 10**6
        wanted = {"vaultAccountId": str(to), "assetId": asset, "amount": str(amount)}
        told = json.loads(self.workspace.control("POST", "/incoming", wanted))
        self.log.append(("receive", wanted))
        self.remember(told["id"], None, to, asset, amount)

    def remember(self, transaction, source, to, asset, amount):
        self.ledger.under_way[transaction] = {
            "from": source, "to": to, "asset": asset, "amount": amount, "status": "SUBMITTED",
        }  # fmt: skip

    def mine(self):
        self.log.append(("mine",))
        self.workspace.control("POST", "/mine")

    def sign(self):
        if transaction := self.one_of("PENDING_SIGNATURE"):
            self.act("sign", transaction)

    def fail(self):
        if transaction := self.one_of("PENDING_SIGNATURE", "BROADCASTING", "CONFIRMING"):
            self.act("fail", transaction, subStatus=self.chance.choice(["SIGNING_ERROR", "DROPPED_BY_BLOCKCHAIN"]))

    def cancel(self):
        if transaction := self.one_of("QUEUED", "PENDING_SIGNATURE"):
            self.log.append(("cancel", transaction))
            self.user.door.post(f"/v1/transactions/{transaction}/cancel", {})

    def reorganise(self):
        """Of what came in: it may be spent by now, and then nothing happens."""
        incoming = [id for id, one in self.ledger.under_way.items() if one["from"] is None and one["status"] in ("CONFIRMING", "COMPLETED")]  # fmt: skip
        if incoming:
            self.act("reorganise", self.chance.choice(sorted(incoming)))


@pytest.mark.parametrize("seed", range(4))
def test_whatever_happens(manual, seed):
    history = History(fresh(manual), seed)
    for _ in range(STEPS):
        history.step()
    ends = {one["status"] for one in history.ledger.under_way.values()}
    assert {"COMPLETED", "FAILED", "CANCELLED"} <= ends, ends
    coins_are_the_balance(history.user)


class Burst:
    """Transfers that are asked for all at once, while the process is killed."""

    def __init__(self, history, number):
        self.history, self.answered = history, {}
        self.requests = {f"burst {number} {at}": self.request(at) for at in range(8)}
        self.threads = [threading.Thread(target=self.ask, args=one) for one in self.requests.items()]

    def request(self, at):
        asset = ("ETH", "SOL", "BTC", "DOGE")[at % 4]
        return transfer(asset, f"0.00{at + 1}", at % 4, (at + 1) % 4)

    def ask(self, external, request):
        try:
            answer = self.history.user.door.post("/v1/transactions", {**request, "externalTxId": external})
        except OSError:
            return  # Nobody answered.
        if answer.status == 200:
            self.answered[external] = answer.json["id"]

    def settle(self):
        """What was answered is there; what is there, the ledger learns of."""
        for external, request in self.requests.items():
            told = self.history.user.door.get(f"/v1/transactions/external_tx_id/{external.replace(' ', '%20')}")
            assert told.status == 200 or external not in self.answered, "it was answered, and is gone"
            if told.status == 200:
                assert self.answered.get(external, told.json["id"]) == told.json["id"]
                source, to = request["source"]["id"], request["destination"]["id"]
                self.history.remember(told.json["id"], source, to, request["assetId"], Decimal(request["amount"]))


@pytest.mark.parametrize("seed", range(2))
def test_kill_9_at_any_moment(tmp_path, seed):
    """What was answered is there, nothing else has happened by halves."""
    data = tmp_path / "sandbox.db"
    sandbox = Sandbox(tmp_path, "--manual", data=data)
    try:
        history = History(sandbox.workspaces["mainnet"], 100 + seed)
        for number in range(4):
            for _ in range(15):
                history.step()
            burst = Burst(history, number)
            for thread in burst.threads:
                thread.start()
            threading.Event().wait(history.chance.random() / 20)  # Some moment.
            sandbox._process.kill()
            for thread in burst.threads:
                thread.join()
            sandbox.kill()
            sandbox = Sandbox(tmp_path, "--manual", data=data)
            history.workspace = sandbox.workspaces["mainnet"]
            history.user = history.workspace["signer"]
            burst.settle()
            history.look()
        coins_are_the_balance(history.user)
    finally:
        sandbox.stop()

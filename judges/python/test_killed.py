"""kill -9 at any moment, again and again, while many write over many areas: what was answered is there
after each restart, once; what was not answered can be asked for again, with its idempotency key."""

import http.client
import itertools
import json
import os
import random
import threading
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal

from money import holding, statuses, transfer
from sandbox import Sandbox

KILLS = int(os.environ.get("KILLS", "20"))
SEED = int(os.environ.get("KILLS_SEED", "5"))


@dataclass
class Asked:
    """A request that makes something; and its answer, once it came."""

    kind: str
    target: str
    body: dict
    key: str
    answer: tuple[int, bytes] | None = None

    def send(self, door):
        raw = json.dumps(self.body).encode()
        headers = [
            ("X-API-Key", door.api_key),
            ("Authorization", f"Bearer {door.token(self.target, raw)}"),
            ("Content-Type", "application/json"),
            ("Idempotency-Key", self.key),
        ]
        told = door.send("POST", self.target, raw, headers=headers)
        assert told.status < 300, (self, told.status, told.body)
        return told.status, told.body

    @property
    def made(self):
        return json.loads(self.answer[1])


def name(number):
    return f"Killed {number}"


# Each area: how a thing of it is asked for, and how all of them are listed: name and id.
KINDS = {
    "account": lambda n: ("/v1/vault/accounts", {"name": name(n)}),
    "external wallet": lambda n: ("/v1/external_wallets", {"name": name(n)}),
    "internal wallet": lambda n: ("/v1/internal_wallets", {"name": name(n)}),
    "contract": lambda n: ("/v1/contracts", {"name": name(n)}),
    "webhook": lambda n: ("/v1/webhooks", {"url": f"http://127.0.0.1:9/{n}", "description": name(n), "events": ["transaction.created"], "enabled": False}),
    "tag": lambda n: ("/v1/tags", {"label": name(n)}),
    "person": lambda n: ("/v1/management/users", {"firstName": "K", "lastName": name(n), "role": "VIEWER", "email": f"k{n}@fund.example"}),
    "transaction": lambda n: ("/v1/transactions", transfer("SOL", "0.001", n % 2, 1 - n % 2, externalTxId=name(n))),
}  # fmt: skip


def every(door, target, rows, step=None):
    """All rows of a list, over its pages."""
    told = door.get(target).json
    yield from rows(told)
    while step and (more := step(told)):
        told = door.get(f"{target}{'&' if '?' in target else '?'}{more}").json
        yield from rows(told)


def after(told):
    return (cursor := (told.get("paging") or {}).get("after")) and f"after={cursor}"


def cursor(told):
    return told.get("next") and f"pageCursor={told['next']}"


def listed(door):
    """What there is, by kind: each thing's name, and its id where its answer tells one."""
    plain = lambda rows: rows  # noqa: E731
    data = lambda told: told["data"]  # noqa: E731
    accounts = every(door, "/v1/vault/accounts_paged?limit=500", lambda told: told["accounts"], after)
    return {
        "account": [(row["name"], row["id"]) for row in accounts],
        "external wallet": [(row["name"], row["id"]) for row in every(door, "/v1/external_wallets", plain)],
        "internal wallet": [(row["name"], row["id"]) for row in every(door, "/v1/internal_wallets", plain)],
        "contract": [(row["name"], row["id"]) for row in every(door, "/v1/contracts", plain)],
        "webhook": [(row["description"], row["id"]) for row in every(door, "/v1/webhooks?pageSize=100", data, cursor)],
        "tag": [(row["label"], row["id"]) for row in every(door, "/v1/tags?pageSize=100", data, cursor)],
        "person": [(row["lastName"], None) for row in every(door, "/v1/management/users", lambda told: told["users"])],
        "transaction": [
            (row["externalTxId"], row["id"])
            for row in every(door, "/v1/transactions?limit=500&orderBy=createdAt&sort=DESC", plain)
            if row.get("externalTxId")
        ],
    }


class Policy:
    """One writer of the policy's draft: what it was told last, and what it is asking for."""

    def __init__(self):
        self.last = self.asking = None

    def write(self, door, number):
        rules = door.get("/v1/policy/draft?policyType=TRANSFER").json["draftResponse"]["rules"]
        rules = [{**rule, "name": name(number)} for rule in rules]
        self.asking = {rule["name"] for rule in rules}
        body = json.dumps({"policyTypes": ["TRANSFER"], "rules": rules}).encode()
        told = door.send("PUT", "/v1/policy/draft", body)
        assert told.status < 300, told.body
        self.last = self.asking

    def check(self, door):
        told = door.get("/v1/policy/draft?policyType=TRANSFER").json["draftResponse"]["rules"]
        there = {rule["name"] for rule in told}
        assert self.last is None or there in (self.last, self.asking)
        self.last = there


class Writers:
    """Some at once, until the sandbox is gone."""

    def __init__(self, fund, numbers, chance, policy):
        self.asked, self.wrong, self.answered = [], [], 0
        self.enough = chance.randrange(1, 60)
        self.reached, self.lock = threading.Event(), threading.Lock()
        admin, editor = fund["admin"].door, fund["editor"].door
        kinds = [*KINDS, *(kind for kind in KINDS if kind != "webhook")]  # A workspace has at most ten of those.
        work = [lambda: self.make(admin, editor, numbers, kinds) for _ in range(4)]
        work.append(lambda: policy.write(admin, next(numbers)))
        self.threads = [threading.Thread(target=self.run, args=(one,)) for one in work]
        for thread in self.threads:
            thread.start()

    def make(self, admin, editor, numbers, kinds):
        number = next(numbers)
        kind = kinds[number % len(kinds)]
        asked = Asked(kind, *KINDS[kind](number), f"kill {SEED} {number}")
        self.asked.append(asked)
        asked.answer = asked.send(editor if kind == "transaction" else admin)

    def run(self, work):
        try:
            while True:
                work()
                with self.lock:
                    self.answered += 1
                    if self.answered >= self.enough:
                        self.reached.set()
        except (OSError, http.client.HTTPException):
            pass  # Killed.
        except BaseException as error:
            self.wrong.append(error)
        finally:
            self.reached.set()

    def end(self):
        for thread in self.threads:
            thread.join(30)
            assert not thread.is_alive()
        assert not self.wrong, self.wrong


def check(door, asked):
    """Each thing that was answered is there, once, as it was answered."""
    whole = listed(door)
    there = {kind: Counter(row[0] for row in rows) for kind, rows in whole.items()}
    ids = {kind: set(rows) for kind, rows in whole.items()}
    for one in asked:
        (called,) = {value for value in json.loads(json.dumps(one.body)).values() if str(value).startswith("Killed ")}
        count = there[one.kind][called]
        if one.answer is None:
            assert count <= 1, (one, "twice")
            continue
        assert count == 1, (one, count)
        if one.kind != "person":  # Its answer says nothing.
            assert (called, one.made["id"]) in ids[one.kind], one


def again(fund, asked):
    """What nobody has heard of is asked for again: it is made, or was; an answer that was heard is the
    same."""
    for one in asked:
        door = fund["editor" if one.kind == "transaction" else "admin"].door
        told = one.send(door)
        assert one.answer in (None, told), (one, told)
        one.answer = told


def clear(door, webhooks):
    """A workspace has at most ten of them."""
    for one in webhooks:
        told = door.send("DELETE", f"/v1/webhooks/{one.made['id']}")
        assert told.status == 200, told


def test_what_was_answered_is_there_after_each_kill(tmp_path):
    chance, numbers, policy = random.Random(SEED), itertools.count(1), Policy()
    data, whole = tmp_path / "sandbox.db", []
    sandbox = Sandbox(tmp_path, data=data)
    try:
        before = [holding(sandbox.workspaces["mainnet"]["admin"], account, "SOL").total for account in (0, 1)]
        heard = lost = 0
        for _ in range(KILLS):
            writers = Writers(sandbox.workspaces["mainnet"], numbers, chance, policy)
            assert writers.reached.wait(60)
            sandbox.kill()
            writers.end()
            sandbox = Sandbox(tmp_path, data=data)
            fund = sandbox.workspaces["mainnet"]
            check(fund["admin"].door, writers.asked)
            policy.check(fund["admin"].door)
            unheard = [one for one in writers.asked if one.answer is None]
            heard, lost = heard + len(writers.asked) - len(unheard), lost + len(unheard)
            again(fund, unheard + writers.asked[:3])
            whole += [one for one in writers.asked if one.kind != "webhook"]
            clear(fund["admin"].door, [one for one in writers.asked if one.kind == "webhook"])
        fund = sandbox.workspaces["mainnet"]
        check(fund["admin"].door, whole)
        assert heard > 5 * KILLS and lost >= KILLS / 2, (heard, lost)
        print(f"{KILLS} kills, {heard} answers heard, {lost} not")
        # And nothing was paid twice, or lost.
        fees = Decimal(0)
        for one in whole:
            if one.kind == "transaction":
                assert statuses(fund["admin"], one.made["id"])[-1] == "COMPLETED"
                told = fund["admin"].door.get(f"/v1/transactions/{one.made['id']}").json
                fees += Decimal(told["feeInfo"]["networkFee"])
        after = [holding(fund["admin"], account, "SOL") for account in (0, 1)]
        assert sum(before) - sum(held.total for held in after) == fees
        assert all(held.locked == held.pending == 0 for held in after)
    finally:
        if not sandbox._log.closed:
            sandbox.stop()

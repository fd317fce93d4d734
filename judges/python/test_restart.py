"""What a sandbox keeps in its file: through kill -9, with its clock moved, half made."""

import json
import sqlite3
import subprocess

import pytest
from fireblocks.models.create_webhook_request import CreateWebhookRequest

from money import follow, holding, propose, statuses, totals
from receiver import Keys, Receiver
from sandbox import Sandbox, binary
from waiting import until

HOUR = 3_600_000


@pytest.fixture
def kept(tmp_path):
    """Starts sandboxes on one file, one after another."""
    started = []

    def start(*arguments):
        started.append(Sandbox(tmp_path, *arguments, data=tmp_path / "sandbox.db"))
        return started[-1]

    yield start
    for sandbox in started:
        if not sandbox._log.closed:
            sandbox.stop()


def advance(sandbox, millis):
    status, answer = sandbox.control("POST", "/clock/advance", {"millis": millis})
    assert status == 200, answer
    return json.loads(answer)["now"]


def changed(path, *statements):
    """Changes the file of a sandbox that has ended."""
    with sqlite3.connect(path) as database:
        for statement in statements:
            database.execute(statement)
    database.close()


def fine(editor):
    """A transfer goes through, and the wallets hold what it moved."""
    before = holding(editor, 1, "SOL").available
    done = follow(editor, propose(editor, "SOL", "0.5", 0, 1))
    assert done.status == "COMPLETED"
    assert float(holding(editor, 1, "SOL").available - before) == 0.5
    return done


def test_a_clock_that_was_moved_goes_on(kept):
    first = kept()
    moved = advance(first, 3 * HOUR)
    fine(first.workspaces["mainnet"]["editor"])
    moved = max(moved, advance(first, HOUR))
    first.kill()
    again = kept()
    assert fine(again.workspaces["mainnet"]["editor"]).created_at >= moved
    assert advance(again, 0) >= moved


def test_the_machines_clock_was_set_back(kept, tmp_path):
    """The file forgets how far its clock was moved: as if the machine's own had been so far ahead."""
    first = kept()
    advance(first, 5 * HOUR)
    done = fine(first.workspaces["mainnet"]["editor"])
    first.stop()
    changed(tmp_path / "sandbox.db", "UPDATE clocks SET ahead = 0")
    again = kept()
    assert fine(again.workspaces["mainnet"]["editor"]).created_at > done.last_updated


def test_killed_with_everything_under_way(kept):
    first = kept()
    fund = first.workspaces["mainnet"]
    editor, admin = fund["editor"], fund["admin"]
    receiver = Receiver(Keys(first.jwks_url))
    try:
        receiver.answer = 503
        request = CreateWebhookRequest(url=receiver.url("/"), events=["transaction.status.updated"])
        admin.sdk.webhooks_v2.create_webhook(request).result()
        before = {account: holding(editor, account, "SOL").total for account in (0, 1)}
        advance(first, 7 * HOUR)
        made = [propose(editor, "SOL", "0.25", number % 2, 1 - number % 2) for number in range(6)]
        statuses(editor, made[0], "BROADCASTING")
        first.kill()

        receiver.answer = 200
        again = kept()
        editor = again.workspaces["mainnet"]["editor"]
        assert {follow(editor, one).status for one in made} == {"COMPLETED"}
        fees = sum(float(follow(editor, one).fee_info.network_fee) for one in made)
        after = {account: holding(editor, account, "SOL") for account in (0, 1)}
        assert all(held.locked == held.pending == 0 for held in after.values())
        lost = sum(before.values()) - sum(held.total for held in after.values())
        assert abs(float(lost) - fees) < 1e-9
        # What could not be delivered before is tried again in its time.
        advance(again, HOUR)
        ends = lambda: {e["resourceId"] for e in receiver.events() if e["data"]["status"] == "COMPLETED"}  # noqa: E731
        until("each end is told", lambda: ends() == set(made))
    finally:
        receiver.close()


def test_a_first_start_that_was_cut_short_is_made_good(kept, tmp_path):
    first = kept("--seed", "3")
    testnet = first.workspaces["testnet"]
    held, everybody = totals(testnet["viewer"]), {user.id for user in testnet.users.values()}
    first.kill()
    changed(
        tmp_path / "sandbox.db",
        "DELETE FROM workspaces WHERE network = 'testnet'",
        *(
            f"DELETE FROM {table} WHERE workspace = '{testnet.id}'"
            for table in ("api_keys", "facts", "past", "transactions", "digest_cells", "positions")
        ),
    )
    again = kept()
    assert list(again.workspaces) == ["mainnet", "testnet"]
    testnet = again.workspaces["testnet"]
    assert {user.id for user in testnet.users.values()} == everybody
    assert totals(testnet["viewer"]) == held, "made from the same seed"


def told(*arguments):
    """What a sandbox that does not start says."""
    listen = ["--listen", "127.0.0.1:0", "--control", "127.0.0.1:0"]
    run = subprocess.run([binary(), "sandbox", *listen, *arguments], capture_output=True, timeout=30)
    assert run.returncode == 1, run
    return run.stderr.decode()


def test_a_file_is_one_sandboxs(kept, tmp_path):
    file = tmp_path / "sandbox.db"
    first = kept("--seed", "7")
    said = told("--data", file)
    assert str(file) in said and "another process" in said
    assert first.workspaces["mainnet"]["viewer"].door.get("/v1/workspace").status == 200
    first.kill()
    # The lock has died with the process; the seed is the file's own.
    said = told("--data", file, "--seed", "8")
    assert "--seed 7" in said and "8" in said and str(file) in said
    kept("--seed", "7").stop()
    kept().stop()


def test_another_products_file(tmp_path):
    file = tmp_path / "gate.db"
    changed(
        file,
        "CREATE TABLE schema_migrations (room TEXT NOT NULL, id BIGINT NOT NULL, name TEXT NOT NULL,"
        " fingerprint TEXT NOT NULL, PRIMARY KEY (room, id))",
        "INSERT INTO schema_migrations VALUES ('gate', 1, 'tables', '')",
    )
    before = file.read_bytes()
    said = told("--data", file)
    assert str(file) in said and "another product" in said
    assert file.read_bytes() == before

"""Moving money: what a transfer asks for, how it is followed, what wallets hold."""

from dataclasses import dataclass
from decimal import Decimal

from fireblocks.models.transaction_request import TransactionRequest

from waiting import until

FINAL = {"COMPLETED", "CANCELLED", "BLOCKED", "REJECTED", "FAILED"}
# The order that an outgoing transfer's statuses come in.
WAY = [
    "SUBMITTED",
    "PENDING_AUTHORIZATION",
    "QUEUED",
    "PENDING_SIGNATURE",
    "BROADCASTING",
    "CONFIRMING",
    "COMPLETED",
]


def vault(account):
    return {"type": "VAULT_ACCOUNT", "id": str(account)}


def transfer(asset, amount, source, destination, **more):
    """A request for a transfer from a vault account."""
    return {
        "operation": "TRANSFER",
        "assetId": asset,
        "amount": amount,
        "source": vault(source),
        "destination": destination if isinstance(destination, dict) else vault(destination),
        **more,
    }


def propose(user, *request, idempotency_key=None, **more):
    """Asks for a transfer; its id."""
    answer = user.sdk.transactions.create_transaction(
        transaction_request=TransactionRequest.from_dict(transfer(*request, **more)),
        idempotency_key=idempotency_key,
    ).result()
    assert answer.status_code == 200 and answer.data.status == "SUBMITTED"
    return answer.data.id


def statuses(user, transaction, until_status=None):
    """The statuses that are seen on a transaction's way, to its end or to the one named."""
    seen = []

    def look():
        told = user.door.get(f"/v1/transactions/{transaction}").json["status"]
        if not seen or seen[-1] != told:
            seen.append(told)
        return told in FINAL or told == until_status

    until(f"transaction {transaction} gets there", look)
    return seen


def follow(user, transaction):
    """The transaction as the client reads it once it has come to its end."""
    statuses(user, transaction)
    return user.sdk.transactions.get_transaction(transaction).result().data


@dataclass(frozen=True)
class Holding:
    """What a wallet holds."""

    total: Decimal
    available: Decimal
    pending: Decimal
    locked: Decimal


def holding(user, account, asset):
    told = user.door.get(f"/v1/vault/accounts/{account}/{asset}").json
    names = ("total", "available", "pending", "lockedAmount")
    return Holding(*(Decimal(told[name]) for name in names))


def totals(user):
    """Every wallet's holding: what must not change where something is refused."""
    told = user.door.get("/v1/vault/asset_wallets?limit=1000").json
    assert not told["paging"].get("after")
    return {(w["vaultId"], w["assetId"]): (w["total"], w["available"]) for w in told["assetWallets"]}

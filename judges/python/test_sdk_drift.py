"""What `docs/sdk-drift.md` says of the official client's models, held against this version of it."""

import importlib.metadata

import pytest
from fireblocks import models
from pydantic import ValidationError

ID = "1f6e1a3c-8e0a-4d53-9b0a-3a5a5c1f0001"
WEBHOOK = {
    "id": ID,
    "url": "https://x.example/",
    "events": ["transaction.created"],
    "status": "SUSPENDED",
    "createdAt": 1,
    "updatedAt": 2,
}
NOTIFICATION = {
    "id": ID,
    "createdAt": 1,
    "updatedAt": 2,
    "status": "ON_HOLD",
    "eventType": "transaction.created",
}
METADATA = {"scope": "GLOBAL", "verified": True, "deprecated": False}
ISO = "2026-08-01T00:00:00Z"

TAKEN = [
    (models.Webhook, WEBHOOK, {}),
    (models.Webhook, WEBHOOK, {"description": None, "webhookMtlsId": ID, "customHeaders": ["X-A"]}),
    (models.Webhook, WEBHOOK, {"events": ["transaction.alert.stuck", "exchange_account.connected"]}),
    (models.Webhook, WEBHOOK, {"mtls": {}, "unknown": 1}),
    (models.Notification, NOTIFICATION, {"eventVersion": "1", "attempts": []}),
    (models.ExternalWalletAsset, {"id": "BTC"}, {"balance": 1.5}),
    (models.WalletAsset, {"id": "BTC"}, {"balance": "1.5"}),
    (models.ListAssetsResponse, {"data": []}, {}),
    (models.VaultAccount, {}, {}),
    (models.VaultAsset, {"id": "EOS"}, {"totalStakedCPU": "1", "blockHeight": None}),
    (models.TransactionResponse, {"id": ID}, {"complianceResult": {}, "gaslessInfo": None}),
    (models.AssetDetailsMetadata, METADATA, {}),
]
REFUSED = [
    (models.Webhook, WEBHOOK, {"createdAt": ISO}),
    (models.Webhook, WEBHOOK, {"events": ["*"]}),
    (models.Webhook, WEBHOOK, {"events": ["exchange_account.added"]}),
    (models.Webhook, WEBHOOK, {"events": ["ticket.expired_in.set"]}),
    (models.Webhook, WEBHOOK, {"status": "PAUSED"}),
    (models.Webhook, WEBHOOK, {"description": ""}),
    (models.Notification, NOTIFICATION, {"updatedAt": ISO}),
    (models.NotificationWithData, NOTIFICATION, {"createdAt": ISO}),
    (models.ExternalWalletAsset, {"id": "BTC"}, {"balance": "1.5"}),
    (models.VaultAsset, {"id": "BTC"}, {"total": 1.5}),
    (models.AssetDetailsMetadata, METADATA, {"scope": "Global"}),
    (models.FeeInfo, {}, {"networkFee": 0.00002}),
]


def test_the_version_that_is_described():
    assert importlib.metadata.version("fireblocks") == "35.1.0"


@pytest.mark.parametrize("model, shape, change", TAKEN, ids=lambda value: str(value)[:40])
def test_what_it_reads(model, shape, change):
    assert model.from_dict({**shape, **change}) is not None


@pytest.mark.parametrize("model, shape, change", REFUSED, ids=lambda value: str(value)[:40])
def test_what_it_stumbles_over(model, shape, change):
    assert model.from_dict(shape) is not None
    with pytest.raises(ValidationError):
        model.from_dict({**shape, **change})


def test_event_names():
    assert len(models.WebhookEvent) == 57

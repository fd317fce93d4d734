"""The legacy official client, which many integrations still run on."""

import os
import warnings
from contextlib import contextmanager

# It warns of its end of life; here warnings are errors.
os.environ.setdefault("FIREBLOCKS_SDK_SUPPRESS_DEPRECATION_WARNING", "1")

from fireblocks_sdk import FireblocksSDK  # noqa: E402


@contextmanager
def legacy(user):
    """The client in the name of a user; its connections end with it."""
    with warnings.catch_warnings():
        client = FireblocksSDK(user.secret, user.id, api_base_url=user.origin)
    try:
        yield client
    finally:
        client.http_session.close()

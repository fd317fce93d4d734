"""What is refused, and how the official client says so."""

import contextlib
import json

import pytest


@contextlib.contextmanager
def refused(kind, code=None, says=None):
    """The block must fail with this exception of the client's, this code, these words."""
    with pytest.raises(kind) as caught:
        yield caught
    assert caught.type is kind, caught.value
    told = json.loads(caught.value.body)
    assert caught.value.headers["X-Request-ID"]
    if code is not None:
        assert told.get("code") == code, told
    if says is not None:
        assert says in caught.value.body, told

"""Sandboxes for the tests: one that nobody changes, and fresh ones."""

import pytest

from sandbox import Sandbox


@pytest.fixture(scope="session")
def seeded(tmp_path_factory):
    """A sandbox that is only read: all its tests see the same books."""
    sandbox = Sandbox(tmp_path_factory.mktemp("seeded"))
    yield sandbox
    sandbox.stop()


@pytest.fixture(scope="session")
def fund(seeded):
    """The mainnet workspace of the sandbox that is only read."""
    return seeded.workspaces["mainnet"]


@pytest.fixture(scope="module")
def lively(tmp_path_factory):
    """A sandbox of a module's own, where people and chain act by themselves."""
    sandbox = Sandbox(tmp_path_factory.mktemp("lively"))
    yield sandbox
    sandbox.stop()


@pytest.fixture(scope="module")
def manual(tmp_path_factory):
    """A sandbox of a module's own, where nobody acts unless told to."""
    sandbox = Sandbox(tmp_path_factory.mktemp("manual"), "--manual")
    yield sandbox
    sandbox.stop()

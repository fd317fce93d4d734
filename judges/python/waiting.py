"""Waiting for a condition, never for a time."""

import time


def until(what, check, seconds=30, every=0.02):
    """The first truthy value of `check`; fails if none comes before the deadline."""
    deadline = time.monotonic() + seconds
    while True:
        value = check()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds} s")
        time.sleep(every)

"""Backends travel between processes as plain data; accounts need not be kept by anybody."""

from __future__ import annotations

import json

from harness.backends.contract import Backend, BackendSession


def test_backend_survives_json() -> None:
    """A backend is equal to itself after a trip through JSON."""
    backend = Backend(
        name="tiny",
        mode="fake",
        url="http://127.0.0.1:1",
        control="/run/tiny.sock",
        pid=7,
        capabilities=frozenset({"a", "b"}),
    )

    assert Backend.from_json(json.loads(json.dumps(backend.to_json()))) == backend


def test_accounts_that_nobody_keeps() -> None:
    """A client that is used by hand may note what it likes: each entry has a number, and that is all."""
    accounts = BackendSession(run_id="run", worker="main").accounts

    first, second = accounts.note("claim", "a", state="intended"), accounts.note("claim", "b")
    accounts.amend(first, state="made")
    accounts.settle(first)
    accounts.settle(first)

    assert first != second

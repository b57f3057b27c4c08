"""Backends travel between processes as plain data."""

from __future__ import annotations

import json

from harness.backends.contract import Backend


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

"""Nordic's hooks."""

from __future__ import annotations

import subprocess
import sys

from harness.plugins import load_object
from harness_nordic.plugin import harness_virtual_boards
from harness_nordic.virtual.board import create
from harness_nordic.virtual.kinds import KINDS


def test_every_kind_has_a_factory_that_knows_it() -> None:
    """What the plugin offers and what the virtual board can be are the same kinds."""
    offered = list(harness_virtual_boards())

    assert {kind.kind for kind in offered} == set(KINDS)
    for kind in offered:
        assert load_object(kind.factory) is create
        assert kind.roles == ("console", "trace")


def test_plugin_is_light() -> None:
    """Importing the plugin imports nothing heavy: an unused plugin costs nothing."""
    heavy = "pydantic httpx starlette uvicorn cryptography cbor2 ecdsa rich typer harness.backends.ledger"
    program = (
        "import sys, harness_nordic.plugin\n"
        f"print(*[name for name in {heavy.split()!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == ""

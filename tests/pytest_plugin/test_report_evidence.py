"""What plugins attach to a failed test, and what stays of one that cannot."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from harness.errors import BoardFault
from harness.hookspecs import hookimpl
from harness.plugins import HarnessPluginManager
from harness.pytest_plugin.report_evidence import collected_evidence

if TYPE_CHECKING:
    from collections.abc import Mapping


def collect(*plugins: object) -> dict[str, bytes]:
    """Collect what plugins give."""
    manager = HarnessPluginManager()
    for plugin in plugins:
        manager.register(plugin)
    session: Any = SimpleNamespace(plugins=manager)
    return collected_evidence(session, cast("Any", "board"), cast("Any", "item"))


class Giving:
    """Gives files, one of them by a path, and one that is a buffer still."""

    @hookimpl
    def harness_collect_evidence(self, board: object, item: object) -> Mapping[str, bytes | bytearray]:
        """Be a vendor's hook."""
        return {"log.txt": f"{board} {item}".encode(), "../outside/other.bin": bytearray(1)}


class Mistaken:
    """Gives a text for bytes."""

    @hookimpl
    def harness_collect_evidence(self) -> Mapping[str, object]:
        """Be a vendor's hook."""
        return {"log.txt": "a text"}


class Breaking:
    """Cannot."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    @hookimpl
    def harness_collect_evidence(self) -> Mapping[str, bytes]:
        """Be a vendor's hook."""
        raise self._error


def test_what_plugins_give() -> None:
    """Every file by its name, and nowhere else."""
    assert collect(Giving()) == {"log.txt": b"board item", "other.bin": b"\x00"}


def test_a_plugin_that_gives_something_else() -> None:
    """What is no content of a file is told, and no internal error either."""
    (complaint,) = collect(Mistaken()).items()

    assert complaint[0] == "evidence-failed.txt"
    assert complaint[1].startswith(b"TypeError: ")


def test_a_complaint_that_cannot_be_encoded() -> None:
    """A half of a character, as a board's bytes may leave it in a message, is written as an escape."""
    assert collect(Breaking(BoardFault("said \ud800"))) == {
        "evidence-failed.txt": b"BoardFault: said \\ud800"
    }


@pytest.mark.parametrize("error", [BoardFault("silent"), OSError("gone"), ValueError("a mistake")])
def test_a_plugin_that_breaks(error: Exception) -> None:
    """Its complaint is attached, whatever it raised: a failed test must not become an internal error."""
    complaint = f"{type(error).__name__}: {error}".encode()

    assert collect(Giving(), Breaking(error)) == {"evidence-failed.txt": complaint}
